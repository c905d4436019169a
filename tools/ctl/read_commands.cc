#include <chrono>
#include <memory>
#include <optional>

#include "tools/ctl/client.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/kinds.h"
#include "tools/ctl/views.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

struct ReadFlags {
  std::string kind;
  std::string name;
  std::string pool;
  int64_t revision = 0;
  int64_t after = -1;  // -1: the head
  int limit = 20;
  int64_t count = 0;  // 0: no end
  bool contents = false;
  std::vector<std::string> kinds;
};

int badKind(Session& session, const std::string& kind) {
  return complain(session, kBadInput, noKindText(kind));
}

int print(Session& session, const std::vector<v1::Resource>& resources, int64_t revision) {
  switch (session.output) {
    case Output::Table:
      printResources(resources, std::chrono::system_clock::now(), session.out);
      break;
    case Output::Json:
      session.out << toJson(configOf(resources));
      break;
    case Output::Yaml:
      session.out << "# revision " << revision << "\n" << toYaml(configOf(resources));
      break;
  }
  return kOk;
}

// Answers Get, for one resource at `revision` (0: the head's).
grpc::Status fetch(Session& session, Client& client, v1::Kind kind, const std::string& name,
                   int64_t revision, v1::GetResponse* response) {
  v1::GetRequest request;
  request.mutable_id()->set_kind(kind);
  request.mutable_id()->set_name(name);
  request.set_revision(revision);
  grpc::ClientContext context;
  setDeadline(session, 0, &context);
  return client.config().Get(&context, request, response);
}

int get(Session& session, const ReadFlags& flags) {
  const std::optional<v1::Kind> kind = parseKind(flags.kind);
  if (!kind.has_value()) return badKind(session, flags.kind);
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  v1::GetResponse response;
  const grpc::Status status = fetch(session, *client, *kind, flags.name, flags.revision, &response);
  if (!status.ok()) return fail(session, *client, status);
  return print(session, {response.resource()}, response.revision());
}

int list(Session& session, const ReadFlags& flags) {
  v1::ListRequest request;
  request.set_revision(flags.revision);
  request.set_pool(flags.pool);
  if (!flags.kind.empty()) {
    const std::optional<v1::Kind> kind = parseKind(flags.kind);
    if (!kind.has_value()) return badKind(session, flags.kind);
    if (!flags.pool.empty() && *kind != v1::KIND_BACKEND) {
      return complain(session, kBadInput,
                      "--pool chooses backends; write: convoyctl list --pool " + flags.pool);
    }
    request.set_kind(*kind);
  } else if (!flags.pool.empty()) {
    request.set_kind(v1::KIND_BACKEND);
  }
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  std::vector<v1::Resource> resources;
  v1::ListResponse response;
  do {
    grpc::ClientContext context;
    setDeadline(session, 0, &context);
    request.set_page_token(response.next_page_token());
    response.Clear();
    const grpc::Status status = client->config().List(&context, request, &response);
    if (!status.ok()) return fail(session, *client, status);
    resources.insert(resources.end(), response.resources().begin(), response.resources().end());
  } while (!response.next_page_token().empty());
  if (resources.empty() && !flags.pool.empty()) {
    // An idle pool has no backends; a pool that does not exist is somebody's mistake.
    v1::GetResponse pool;
    const grpc::Status status =
        fetch(session, *client, v1::KIND_POOL, flags.pool, response.revision(), &pool);
    if (!status.ok()) return fail(session, *client, status);
  }
  return print(session, resources, response.revision());
}

int history(Session& session, const ReadFlags& flags) {
  v1::HistoryRequest request;
  request.set_contents(flags.contents);
  if (!flags.kind.empty()) {
    const std::optional<v1::Kind> kind = parseKind(flags.kind);
    if (!kind.has_value()) return badKind(session, flags.kind);
    request.mutable_id()->set_kind(*kind);
    request.mutable_id()->set_name(flags.name);
  }
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  v1::HistoryResponse all;
  do {
    grpc::ClientContext context;
    setDeadline(session, 0, &context);
    request.set_before_revision(all.next_before_revision());
    request.set_page_size(std::min(1000, flags.limit - all.revisions_size()));
    v1::HistoryResponse response;
    const grpc::Status status = client->config().History(&context, request, &response);
    if (!status.ok()) return fail(session, *client, status);
    all.mutable_revisions()->MergeFrom(response.revisions());
    all.set_next_before_revision(response.next_before_revision());
  } while (all.next_before_revision() != 0 && all.revisions_size() < flags.limit);
  if (session.output == Output::Json) {
    session.out << toJson(all);
  } else if (session.output == Output::Yaml) {
    session.out << toYaml(all);
  } else {
    // With a filter the count is of the whole revision; what is listed is what was asked for.
    for (v1::Revision& revision : *all.mutable_revisions()) {
      if (request.has_id()) revision.set_change_count(revision.changes_size());
    }
    printHistory({all.revisions().begin(), all.revisions().end()}, flags.contents, session.out);
  }
  return kOk;
}

void printWatched(Session& session, const v1::WatchResponse& response) {
  const v1::Revision& revision = response.revision();
  if (session.output == Output::Json) {
    session.out << toJson(response, JsonStyle::OneLine);
  } else if (session.output == Output::Yaml) {
    session.out << "---\n" << toYaml(response);
  } else if (!response.has_revision()) {
    session.out << "watching after revision " << response.after_revision() << "\n";
  } else {
    printHistory({revision}, true, session.out);
  }
  session.out.flush();
}

int watch(Session& session, const ReadFlags& flags) {
  v1::WatchRequest request;
  if (flags.after >= 0) request.set_after_revision(flags.after);
  for (const std::string& text : flags.kinds) {
    const std::optional<v1::Kind> kind = parseKind(text);
    if (!kind.has_value()) return badKind(session, text);
    request.add_kinds(*kind);
  }
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  grpc::ClientContext context;
  const auto reader = client->config().Watch(&context, request);
  v1::WatchResponse response;
  int64_t seen = 0;
  while (reader->Read(&response)) {
    printWatched(session, response);
    if (response.has_revision() && response.complete()) ++seen;
    if (flags.count > 0 && seen == flags.count) {
      context.TryCancel();
      return kOk;
    }
  }
  return fail(session, *client, reader->Finish());
}

void addRevision(CLI::App& command, ReadFlags& flags) {
  command.add_option("--revision", flags.revision, "As of this revision; default the head's")
      ->check(wholeNumber(0))
      ->type_name("N");
}

}  // namespace

void addReadCommands(CLI::App& app, Runner& runner) {
  const auto flags = std::make_shared<ReadFlags>();
  Session& session = runner.session;
  const auto does = [&runner, &session, flags](int (*command)(Session&, const ReadFlags&)) {
    return [&runner, &session, flags, command] {
      runner.action = [&session, flags, command] { return command(session, *flags); };
    };
  };
  CLI::App* get_command = app.add_subcommand("get", "Show one resource");
  get_command->add_option("kind", flags->kind, kKinds)->required()->type_name("KIND");
  get_command->add_option("name", flags->name, "Name; a backend's is POOL/ADDRESS")
      ->required()
      ->type_name("NAME");
  addRevision(*get_command, *flags);
  get_command->callback(does(get));

  CLI::App* list_command =
      app.add_subcommand("list", "List resources; -o yaml prints what apply -f takes");
  list_command->add_option("kind", flags->kind, std::string(kKinds) + "; default all")
      ->type_name("KIND");
  list_command->add_option("--pool", flags->pool, "List the backends of this pool")
      ->check(notEmpty())
      ->type_name("NAME");
  addRevision(*list_command, *flags);
  list_command->callback(does(list));

  CLI::App* history_command = app.add_subcommand("history", "Show revisions, newest first");
  history_command->add_option("kind", flags->kind, "Only changes of this kind")->type_name("KIND");
  history_command->add_option("name", flags->name, "Only changes of this resource")
      ->type_name("NAME");
  history_command->add_option("--limit", flags->limit, "Most revisions to show")
      ->capture_default_str()
      ->check(wholeNumber(1))
      ->type_name("N");
  history_command->add_flag("--contents", flags->contents, "Show what changed in them");
  history_command->callback(does(history));

  CLI::App* watch_command = app.add_subcommand("watch", "Show changes as they are made");
  watch_command
      ->add_option("--after", flags->after, "Begin after this revision; default the head's")
      ->check(wholeNumber(0))
      ->type_name("N");
  watch_command->add_option("--kind", flags->kinds, std::string("Only ") + kKinds)
      ->type_name("KIND");
  watch_command->add_option("--count", flags->count, "End after this many revisions")
      ->check(wholeNumber(1))
      ->type_name("N");
  watch_command->callback(does(watch));
}

}  // namespace convoy::tools::ctl
