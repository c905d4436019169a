// convoy-proxy: reads the command line and the bootstrap, and runs a Server until a signal ends it.
// Exit codes: 0 done, 1 cannot start, 2 bad command line or configuration.

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "proxy/admin/admin_server.h"
#include "proxy/base/descriptor_limit.h"
#include "proxy/base/log.h"
#include "proxy/base/version.h"
#include "proxy/config/bootstrap_loader.h"
#include "proxy/event/clock.h"
#include "proxy/server/admin_pages.h"
#include "proxy/server/descriptors.h"
#include "proxy/server/options.h"
#include "proxy/server/server.h"
#include "proxy/server/signals.h"

namespace convoy::server {
namespace {

constexpr int kCannotStart = 1;
constexpr int kBadInput = 2;

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "convoy-proxy: %s\n", what.c_str());
  return code;
}

// Protobuf's own complaints about bytes of a peer: whoever parses them says it better.
void logOfProtobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  base::log(base::LogLevel::Debug, "protobuf: " + message);
}

// One line that scripts read: where this process listens, ports filled in.
void announce(const Server& server, const admin::AdminServer& admin) {
  std::string line = "convoy-proxy is live";
  if (admin.address() != nullptr) absl::StrAppend(&line, " admin=", admin.address()->text());
  for (const auto& [name, listener] : server.listeners().active()) {
    for (const net::Address& address : listener.addresses) {
      absl::StrAppend(&line, " ", name, "=", address.text());
    }
  }
  base::logInfo(line);
}

int serve(const Options& options, config::BootstrapSpec bootstrap) {
  base::raiseDescriptorLimit();
  const size_t threads = Server::workersOf(options) + options.health_threads;
  if (absl::Status status = enoughDescriptors(base::descriptorLimit(), threads); !status.ok()) {
    return complain(std::string(status.message()), kCannotStart);
  }
  google::protobuf::SetLogHandler(logOfProtobuf);
  const event::SystemClock clock;
  Server server(options, std::move(bootstrap), clock, event::Random::fromKernel());
  Signals signals(server);
  admin::AdminServer admin(server.loop());
  addAdminPages(admin, server);
  if (const auto& endpoint = server.bootstrap().admin; endpoint.has_value()) {
    if (absl::Status status = admin.listen(endpoint->address); !status.ok()) {
      return complain(std::string(status.message()), kCannotStart);
    }
    if (!endpoint->address.isLoopback()) {
      base::logWarning(
          absl::StrCat("the admin endpoint ", endpoint->address.text(),
                       " has no authentication: whoever reaches it controls this node"));
    }
  }
  server.onLive([&] { announce(server, admin); });
  if (absl::Status status = server.start(); !status.ok()) {
    return complain(std::string(status.message()), kCannotStart);
  }
  server.run();
  return 0;
}

int run(int argc, char** argv) {
  const auto options = parseOptions(argc, argv);
  if (!options.ok()) return complain(std::string(options.status().message()), kBadInput);
  if (options->mode == Options::Mode::Help) return std::fputs(helpText(), stdout) < 0;
  if (options->mode == Options::Mode::Version) {
    return std::printf("convoy-proxy %s\n", std::string(base::kVersion).c_str()) < 0;
  }
  base::setLogTimeSource(event::wallMicroseconds);
  base::setLogLevel(options->log_level);
  config::BootstrapOptions overrides;
  overrides.service_node = options->service_node;
  overrides.service_cluster = options->service_cluster;
  if (options->mode == Options::Mode::Validate) {
    const config::Validation result = config::validateFile(options->config_path, overrides);
    std::fputs(result.output.c_str(), result.exit_code == 0 ? stdout : stderr);
    return result.exit_code;
  }
  config::LoadedBootstrap loaded = config::loadBootstrapFile(options->config_path, overrides);
  if (!loaded.ok())
    return complain(absl::StrCat("configuration refused\n", loaded.errorText()), kBadInput);
  for (const config::LocatedNote& note : loaded.notes) base::logWarning(note.text());
  return serve(*options, *std::move(loaded.spec));
}

}  // namespace
}  // namespace convoy::server

int main(int argc, char** argv) {
  return convoy::server::run(argc, argv);
}
