#include <algorithm>
#include <charconv>
#include <map>

#include "proxy/base/version.h"
#include "proxy/config/utf8.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/table.h"

namespace convoy::tools::ctl {

namespace {

constexpr char kDescription[] =
    "convoyctl: shows and changes the configuration of a fleet of convoy-proxy nodes.";

constexpr char kFooter[] =
    "The control plane is, in this order: --server, --context, $CONVOY_SERVER, the current "
    "context\n"
    "of ~/.config/convoy/contexts.yaml (or $CONVOY_CONTEXTS), 127.0.0.1:18001.\n"
    "\n"
    "Exit codes: 0 done; 1 failed; 2 bad input, nothing changed; 3 conflict with\n"
    "--expected-revision, nothing changed; 4 no answer from the control plane; 5 not found;\n"
    "6 committed, but some node refused it or did not answer (--wait, status --check).";

void addGlobalFlags(CLI::App& app, Session& session) {
  app.add_option("-s,--server", session.server, "Management address of convoy-control")
      ->check(notEmpty())
      ->type_name("ADDRESS");
  app.add_option("--context", session.context, "Context to use")
      ->check(notEmpty())
      ->type_name("NAME");
  app.add_option("--ca", session.tls.ca, "TLS: authorities of the control plane's certificate, PEM")
      ->type_name("FILE");
  app.add_option("--cert", session.tls.certificate, "Our own certificate, with its chain, PEM")
      ->type_name("FILE");
  app.add_option("--key", session.tls.key, "Its private key, PEM")->type_name("FILE");
  app.add_option("--timeout", session.timeout_seconds, "Seconds that a call may take")
      ->capture_default_str()
      ->check(wholeNumber(1, 86'400))
      ->type_name("SECONDS");
  static const std::map<std::string, Output> kOutputs = {
      {"table", Output::Table}, {"json", Output::Json}, {"yaml", Output::Yaml}};
  app.add_option_function<std::string>(
         "-o,--output", [&session](const std::string& name) { session.output = kOutputs.at(name); },
         "table (default), json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->type_name("FORMAT");
}

std::string commandsOf(const CLI::App& command) {
  std::string names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + sub->get_name();
  }
  return names;
}

// The first option that was given bytes that no message to the control plane and no file of YAML
// can hold, and its command; empty: none. --file is only opened, and files are called anything.
std::string optionWithoutUtf8(const CLI::App& command, const std::string& path) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_name() == "--file") continue;
    for (const std::string& value : option->results()) {
      if (config::isUtf8(value)) continue;
      return option->get_name() + ": is not valid UTF-8; try " + path + " --help";
    }
  }
  for (const CLI::App* sub : command.get_subcommands()) {
    const std::string found = optionWithoutUtf8(*sub, path + " " + sub->get_name());
    if (!found.empty()) return found;
  }
  return "";
}

// What is wrong with the command line. CLI11 calls an unknown command a missing one.
std::string mistakeIn(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string path = "convoyctl";
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    path += " " + command->get_name();
  }
  const std::string help = "; try " + path + " --help";
  const std::string commands = commandsOf(*command);
  if (commands.empty() || dynamic_cast<const CLI::RequiredError*>(&error) == nullptr) {
    return error.what() + help;
  }
  const std::vector<std::string> words = app.remaining(/*recurse=*/true);
  const auto word = std::find_if(words.begin(), words.end(),
                                 [](const std::string& text) { return text.rfind("-", 0) != 0; });
  const std::string which = word == words.end() ? path + " needs a command"
                                                : "\"" + *word + "\" is no command of " + path;
  return which + "; commands are " + commands + help;
}

}  // namespace

CLI::Validator notEmpty() {
  return CLI::Validator(
      [](const std::string& text) -> std::string {
        return text.empty() ? "must not be empty" : "";
      },
      "");
}

CLI::Validator wholeNumber(int64_t least, int64_t most) {
  return CLI::Validator(
      [least, most](const std::string& text) -> std::string {
        int64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [rest, error] = std::from_chars(text.data(), end, value);
        if (error == std::errc() && rest == end && value >= least && value <= most) return "";
        return "\"" + text + "\" must be a whole number, " + std::to_string(least) +
               (most == INT64_MAX ? " or more" : " to " + std::to_string(most));
      },
      "");
}

int runConvoyctl(const std::vector<std::string>& arguments, Session& session) {
  CLI::App app(kDescription, "convoyctl");
  Runner runner{session, nullptr};
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", "convoyctl " + std::string(base::kVersion));
  // The shared flags may stand before and behind the command.
  app.fallthrough();
  app.require_subcommand(1);
  addGlobalFlags(app, session);
  addChangeCommands(app, runner);
  addReadCommands(app, runner);
  addFleetCommands(app, runner);
  addContextCommands(app, runner);
  addCompletion(app, runner);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(reversed);
  } catch (const CLI::Success& success) {
    app.exit(success, session.out, session.err);
    return kOk;
  } catch (const CLI::ParseError& error) {
    return complain(session, kBadInput, printable(mistakeIn(app, error)));
  }
  const std::string unreadable = optionWithoutUtf8(app, "convoyctl");
  if (!unreadable.empty()) return complain(session, kBadInput, unreadable);
  return runner.action();
}

}  // namespace convoy::tools::ctl
