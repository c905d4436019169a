#include <filesystem>
#include <memory>

#include "tools/ctl/commands.h"
#include "tools/ctl/contexts.h"
#include "tools/ctl/table.h"

namespace convoy::tools::ctl {

namespace {

struct ContextFlags {
  std::string name;
  std::string address;
};

int list(Session& session, const Contexts& contexts) {
  Table table({"CURRENT", "NAME", "ADDRESS"});
  for (const Context& context : contexts.contexts) {
    table.add({context.name == contexts.current ? "*" : " ", context.name, context.address});
  }
  if (table.empty()) {
    session.out << "no contexts in " << contextsPath(session)
                << "; `convoyctl context set NAME ADDRESS` adds one\n";
  } else {
    table.print(session.out);
  }
  return kOk;
}

int missing(Session& session, const std::string& name) {
  return complain(session, kNotFound,
                  "no context \"" + name + "\"; convoyctl context list shows them");
}

// Loads the file, lets `change` at it, and saves it.
template <typename Change>
int edit(Session& session, Change change) {
  const std::string path = contextsPath(session);
  absl::StatusOr<Contexts> contexts = loadContexts(path);
  if (!contexts.ok()) {
    return complain(session, kBadInput, std::string(contexts.status().message()));
  }
  if (const int code = change(*contexts); code != kOk) return code;
  if (const absl::Status saved = saveContexts(path, *contexts); !saved.ok()) {
    return complain(session, kFailure, std::string(saved.message()));
  }
  return list(session, *contexts);
}

int use(Session& session, const ContextFlags& flags) {
  return edit(session, [&session, &flags](Contexts& contexts) -> int {
    if (contexts.find(flags.name) == nullptr) return missing(session, flags.name);
    contexts.current = flags.name;
    return kOk;
  });
}

int set(Session& session, const ContextFlags& flags) {
  absl::Status status = checkContextName(flags.name);
  if (status.ok()) status = checkAddress(flags.address);
  if (status.ok()) status = checkTls(session.tls, flags.address);
  if (!status.ok()) {
    return complain(session, kBadInput, printable(std::string(status.message())));
  }
  TlsPaths tls = session.tls;
  // Wherever convoyctl is called from.
  for (std::string* file : {&tls.ca, &tls.certificate, &tls.key}) {
    if (!file->empty()) *file = std::filesystem::absolute(*file);
  }
  return edit(session, [&flags, &tls](Contexts& contexts) -> int {
    contexts.set({flags.name, flags.address, tls});
    if (contexts.current.empty()) contexts.current = flags.name;
    return kOk;
  });
}

int remove(Session& session, const ContextFlags& flags) {
  return edit(session, [&session, &flags](Contexts& contexts) -> int {
    const auto is = [&flags](const Context& context) { return context.name == flags.name; };
    if (std::erase_if(contexts.contexts, is) == 0) return missing(session, flags.name);
    if (contexts.current == flags.name) contexts.current.clear();
    return kOk;
  });
}

int show(Session& session, const ContextFlags&) {
  const absl::StatusOr<Contexts> contexts = loadContexts(contextsPath(session));
  if (!contexts.ok()) {
    return complain(session, kBadInput, std::string(contexts.status().message()));
  }
  return list(session, *contexts);
}

}  // namespace

void addContextCommands(CLI::App& app, Runner& runner) {
  const auto flags = std::make_shared<ContextFlags>();
  Session& session = runner.session;
  CLI::App* context = app.add_subcommand("context", "Names of control planes, kept in a file");
  context->require_subcommand(1);
  const auto add = [&](const char* name, const char* help,
                       int (*command)(Session&, const ContextFlags&)) {
    CLI::App* sub = context->add_subcommand(name, help);
    sub->callback([&runner, &session, flags, command] {
      runner.action = [&session, flags, command] { return command(session, *flags); };
    });
    return sub;
  };
  add("list", "Show the contexts", show);
  CLI::App* set_command =
      add("set", "Add a context or replace it; --ca, --cert and --key are kept", set);
  CLI::App* use_command = add("use", "Talk to this control plane from now on", use);
  CLI::App* delete_command = add("delete", "Forget a context", remove);
  for (CLI::App* command : {set_command, use_command, delete_command}) {
    command->add_option("name", flags->name, "Name of the context")->required()->type_name("NAME");
  }
  set_command->add_option("address", flags->address, "Management address of convoy-control")
      ->required()
      ->type_name("ADDRESS");
}

}  // namespace convoy::tools::ctl
