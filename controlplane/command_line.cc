#include "controlplane/command_line.h"

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "controlplane/base/version.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::controlplane {

namespace {

Answer mistake(std::string_view what) {
  return {2,
          absl::StrCat("convoy-control: ", base::toAbsl(what), "\nTry convoy-control --help.\n")};
}

constexpr char kDescription[] =
    "convoy-control: keeps the configuration of a fleet of convoy-proxy nodes and pushes it to "
    "them.\n"
    "\n"
    "People and programs change the configuration on the management address (convoyctl, the gRPC\n"
    "services of convoy.v1); nodes connect to the xDS address (Envoy's delta or "
    "state-of-the-world\n"
    "ADS). Once it serves it prints one line to stdout:\n"
    "  ready management=ADDRESS xds=ADDRESS store=FILE revision=N\n"
    "SIGTERM and SIGINT stop it; nodes serve on with what they have.\n";

constexpr char kFooter[] =
    "ADDRESS is IP:PORT (port 0: a free one), [IPv6]:PORT, unix:/path (for this user only), or, "
    "with\n"
    "--insecure, unix:@name (for every user of this machine).\n"
    "\n"
    "Example:\n"
    "  convoy-control --store /var/lib/convoy/convoy.db\n"
    "  convoyctl apply -f config.yaml";

}  // namespace

std::optional<Answer> parseCommandLine(int argc, const char* const* argv,
                                       CommandLine* command_line) {
  CLI::App app(kDescription, "convoy-control");
  ServerOptions& server = command_line->server;
  app.footer(kFooter);
  app.get_formatter()->column_width(28);
  app.add_option("--store", server.store,
                 "File of the configuration; made if none was there before (required)")
      ->type_name("FILE");
  app.add_option(
         "--secrets-key", server.secrets_key,
         "File of the key that seals certificates in the store; made, mode 0600, if it does "
         "not exist; default the store's FILE.key")
      ->type_name("FILE");
  app.add_flag("--new-store", server.new_store,
               "Make the store although there was one, which empties the nodes; for one start");
  app.add_option("--listen", server.management, "Management address")
      ->capture_default_str()
      ->type_name("ADDRESS");
  app.add_option("--xds-listen", server.xds, "Address that nodes connect to")
      ->capture_default_str()
      ->type_name("ADDRESS");
  const auto add_file = [&app](const char* flag, std::string* path, const char* help) {
    app.add_option(flag, *path, help)->type_name("FILE");
  };
  add_file("--tls-cert", &server.tls.certificate,
           "Certificate to show on IP addresses, PEM, with its chain; read again when it changes");
  add_file("--tls-key", &server.tls.key, "Its private key, PEM");
  add_file("--tls-client-ca", &server.tls.client_ca,
           "Lets in only clients with a certificate of these authorities, PEM");
  add_file("--xds-tls-client-ca", &server.tls.xds_client_ca,
           "Likewise on the xDS address, for nodes that must not manage; default --tls-client-ca");
  app.add_flag("--insecure", server.insecure,
               "Allow addresses that other machines reach, without authentication");
  app.add_option("--max-connections", server.max_connections,
                 "Connections on both addresses together, about; more are closed at once")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("-l,--log-level", command_line->log_level,
                 "trace, debug, info, warning, error, critical or off")
      ->capture_default_str()
      ->type_name("LEVEL")
      ->check([](const std::string& level) {
        base::LogLevel parsed;
        return base::parseLogLevel(level, &parsed) ? "" : absl::StrCat(level, " is no log level");
      });
  app.set_version_flag("--version", absl::StrCat("convoy-control ", kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    std::ostringstream text;
    app.exit(success, text, text);
    return Answer{0, text.str()};
  } catch (const CLI::ParseError& error) {
    return mistake(error.what());
  }
  // Not CLI11's required(): it complains about this before it looks at misspelt flags.
  if (server.store.empty()) return mistake("--store is required");
  return std::nullopt;
}

}  // namespace convoy::controlplane
