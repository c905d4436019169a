#include <memory>

#include "tools/ctl/commands.h"

namespace convoy::tools::ctl {

namespace {

// "apply delete --file" of one command, with the flags that all of them have.
std::string wordsOf(const CLI::App& app, const CLI::App& command, const std::string& path) {
  std::string words;
  const auto add = [&words](const std::string& word) {
    words += (words.empty() ? "" : " ") + word;
  };
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    add(sub->get_name());
  }
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) add("--" + name);
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (&command != &app && option != app.get_help_ptr() && name != "version") add("--" + name);
    }
  }
  if (path == "get" || path == "list" || path == "delete" || path == "history") {
    add("listener route-table pool backend certificate");
  }
  return words;
}

// One `case` arm for each command path: "node bootstrap".
void appendCases(const CLI::App& app, const CLI::App& command, const std::string& path,
                 std::string* out) {
  *out += "    '" + path + "') offered='" + wordsOf(app, command, path) + "' ;;\n";
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    appendCases(app, *sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
  }
}

// Every path, so that words which are no commands end the path.
void appendPaths(const CLI::App& command, const std::string& path, std::string* out) {
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string below = path.empty() ? sub->get_name() : path + " " + sub->get_name();
    *out += (out->empty() ? "'" : " | '") + below + "'";
    appendPaths(*sub, below, out);
  }
}

std::string script(const CLI::App& app, bool zsh) {
  std::string cases;
  appendCases(app, app, "", &cases);
  std::string paths;
  appendPaths(app, "", &paths);
  std::string text = zsh ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
  text +=
      "# Completion of convoyctl's commands, flags and files. For this shell:\n"
      "#   source <(convoyctl completion " +
      std::string(zsh ? "zsh" : "bash") +
      ")\n"
      "_convoyctl() {\n"
      // zsh has parameters of its own that are called path (PATH) and words.
      "  local typed='' offered='' word next i current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    next=\"${typed:+$typed }$word\"\n"
      "    case \"$next\" in\n"
      "      " +
      paths +
      ") typed=\"$next\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n"
      "    -f | --file) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    -o | --output) COMPREPLY=($(compgen -W 'table json yaml' -- \"$current\")); return ;;\n"
      "  esac\n"
      "  case \"$typed\" in\n" +
      cases +
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$offered\" -- \"$current\"))\n"
      "}\n"
      "complete -F _convoyctl convoyctl\n";
  return text;
}

}  // namespace

void addCompletion(CLI::App& app, Runner& runner) {
  const auto shell = std::make_shared<std::string>();
  CLI::App* command =
      app.add_subcommand("completion", "Print a script that completes commands in a shell");
  command->add_option("shell", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->type_name("SHELL");
  command->callback([&app, &runner, shell] {
    Session& session = runner.session;
    runner.action = [&app, &session, shell] {
      session.out << script(app, *shell == "zsh");
      return kOk;
    };
  });
}

}  // namespace convoy::tools::ctl
