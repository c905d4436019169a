#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "proxy/config/utf8.h"
#include "tools/ctl/certificate_files.h"
#include "tools/ctl/client.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/kinds.h"
#include "tools/ctl/views.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

using google::protobuf::util::TimeUtil;

constexpr int64_t kMostWaitMs = 3'600'000;

struct ChangeFlags {
  std::string file;
  std::vector<std::string> words;  // delete: KIND NAME...
  bool prune = false;
  bool dry_run = false;
  int64_t expected_revision = -1;  // -1: not checked
  std::string author;
  std::string comment;
  std::string wait;  // empty: none
};

// What a file holds, and where in it.
struct Input {
  v1::Config config;
  std::shared_ptr<const config::SourceMap> sources;
};

std::string cannotRead(const char* why) {
  return absl::StrCat("cannot be read; -f takes a file, or - for stdin: ", why);
}

// False, having complained, if the file is not a Config.
bool readInput(Session& session, const std::string& path, Input* input) {
  const std::string name = path == "-" ? "stdin" : path;
  const auto refuse = [&](const std::string& why) {
    complain(session, kBadInput, absl::StrCat(name, ": ", why));
    return false;
  };
  std::ifstream file;
  if (path != "-") {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return refuse(cannotRead("it is a folder"));
    file.open(path, std::ios::binary);
    if (!file) return refuse(cannotRead(std::strerror(errno)));
  }
  std::istream& in = path == "-" ? session.in : file;
  const std::optional<std::string> text = config::readText(in);
  if (!text.has_value()) return refuse("has more than 64 MiB; split it");
  if (in.bad()) return refuse(cannotRead("reading failed"));
  config::LoadOptions options;
  options.read.for_people = true;
  const config::Loaded loaded = config::loadYaml(*text, name, &input->config, options);
  input->sources = loaded.sources;
  // With --prune it would delete everything, and what made it has probably failed.
  if (loaded.ok() && loaded.sources->empty()) {
    return refuse("is empty; write {} if that is what you mean");
  }
  std::vector<config::LocatedError> errors = loaded.errors;
  uint64_t error_count = loaded.error_count;
  if (loaded.ok()) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    errors = readCertificateFiles(folder, *input->sources, &input->config);
    error_count = errors.size();
  }
  if (error_count == 0) return true;
  session.err << config::describeErrors(errors, error_count) << "\n";
  complain(session, kBadInput, "refused; nothing changed");
  return false;
}

// Error: the environment's name of the user is not text.
absl::StatusOr<std::string> authorOf(const Session& session, const ChangeFlags& flags) {
  if (!flags.author.empty()) return flags.author;
  for (const char* variable : {"USER", "LOGNAME"}) {
    const std::string user = session.env(variable);
    if (user.empty()) continue;
    if (config::isUtf8(user)) return user;
    return absl::InvalidArgumentError(
        absl::StrCat("$", variable, " is not valid UTF-8; --author TEXT says who changes it"));
  }
  return "";
}

// Sets what Apply and Delete have in common. Returns the seconds that the call may wait; -1, having
// complained, if --wait is no duration or the author no text.
template <typename Request>
int fill(Session& session, const ChangeFlags& flags, Request* request) {
  if (flags.expected_revision >= 0) request->set_expected_revision(flags.expected_revision);
  absl::StatusOr<std::string> author = authorOf(session, flags);
  if (!author.ok()) {
    complain(session, kBadInput, std::string(author.status().message()));
    return -1;
  }
  request->set_author(*std::move(author));
  request->set_comment(flags.comment);
  if (flags.wait.empty()) return 0;
  const int64_t wait = parseWait(flags.wait);
  if (wait < 0) {
    complain(session, kBadInput,
             "--wait " + flags.wait + ": must be a time up to 1h, such as 500ms, 30s or 5m");
    return -1;
  }
  *request->mutable_wait() = TimeUtil::MillisecondsToDuration(wait);
  return static_cast<int>(wait / 1000) + 1;
}

// With --wait: whether every node took the change.
int judgeNodes(Session& session, const google::protobuf::RepeatedPtrField<v1::Node>& nodes) {
  int code = kOk;
  for (const v1::Node& node : nodes) {
    for (const v1::NodeError& error : node.errors()) {
      session.err << nodeErrorText(node, error) << "\n";
    }
    if (node.state() == v1::Node::SYNCED) continue;
    code = kNodesBehind;
    if (node.state() == v1::Node::PENDING) {
      session.err << "node " << node.id() << " has not answered in time\n";
    } else if (node.state() == v1::Node::DISCONNECTED) {
      session.err << "node " << node.id() << " is not connected\n";
    }
  }
  if (code != kOk) complain(session, kNodesBehind, "committed, but not in force on every node");
  return code;
}

template <typename Response>
int report(Session& session, const ChangeFlags& flags, const Response& response, bool unchanged) {
  if (session.output == Output::Json) {
    session.out << toJson(response);
  } else if (session.output == Output::Yaml) {
    session.out << toYaml(response);
  } else if (unchanged) {
    session.out << "nothing to change, still revision " << response.revision().number() << "\n";
  } else {
    session.out << "revision " << response.revision().number() << ": "
                << countChanges(response.revision().changes(), response.revision().change_count())
                << "\n";
    printChanges(response.revision().changes(), response.revision().change_count(), session.out);
  }
  const int code = judgeNodes(session, response.nodes());
  if (code == kOk && !flags.wait.empty() && session.output == Output::Table) {
    if (response.nodes().empty()) {
      session.out << "no node is connected: each takes it when it comes\n";
      return code;
    }
    session.out << "in force on " << response.nodes_size()
                << (response.nodes_size() == 1 ? " node\n" : " nodes\n");
  }
  return code;
}

// Answers Validate, for `validate` and `apply --dry-run`.
int preview(Session& session, const ChangeFlags& flags, bool show_changes) {
  Input input;
  if (!readInput(session, flags.file, &input)) return kBadInput;
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  v1::ValidateRequest request;
  *request.mutable_config() = input.config;
  request.set_prune(flags.prune);
  v1::ValidateResponse response;
  grpc::ClientContext context;
  setDeadline(session, 0, &context);
  const grpc::Status status = client->config().Validate(&context, request, &response);
  if (!status.ok()) return fail(session, *client, status, input.sources.get());
  if (flags.expected_revision >= 0 && flags.expected_revision != response.revision()) {
    return complain(session, kConflict,
                    "expected revision " + std::to_string(flags.expected_revision) +
                        ", but the newest is " + std::to_string(response.revision()));
  }
  if (session.output == Output::Json) session.out << toJson(response);
  if (session.output == Output::Yaml) session.out << toYaml(response);
  if (response.problems().total() > 0) {
    printProblems(response.problems(), input.sources.get(), session.err);
    return complain(session, kBadInput, "would be refused");
  }
  if (session.output != Output::Table) return kOk;
  if (!show_changes) {
    session.out << input.sources->file() << ": good\n";
  } else if (response.change_count() == 0) {
    session.out << "would change nothing, revision " << response.revision() << "\n";
  } else {
    session.out << "would change revision " << response.revision() << ": "
                << countChanges(response.changes(), response.change_count()) << "\n";
    printChanges(response.changes(), response.change_count(), session.out);
  }
  return kOk;
}

int apply(Session& session, const ChangeFlags& flags) {
  if (flags.dry_run) return preview(session, flags, true);
  Input input;
  if (!readInput(session, flags.file, &input)) return kBadInput;
  v1::ApplyRequest request;
  *request.mutable_config() = input.config;
  request.set_prune(flags.prune);
  const int wait = fill(session, flags, &request);
  if (wait < 0) return kBadInput;
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  v1::ApplyResponse response;
  grpc::ClientContext context;
  setDeadline(session, wait, &context);
  const grpc::Status status = client->config().Apply(&context, request, &response);
  if (!status.ok()) return fail(session, *client, status, input.sources.get());
  return report(session, flags, response, response.unchanged());
}

int remove(Session& session, const ChangeFlags& flags) {
  const std::optional<v1::Kind> kind = parseKind(flags.words.front());
  if (!kind.has_value()) return complain(session, kBadInput, noKindText(flags.words.front()));
  if (flags.words.size() < 2) {
    return complain(session, kBadInput,
                    "delete " + flags.words.front() +
                        ": names are missing; write, for example, convoyctl delete pool web");
  }
  v1::DeleteRequest request;
  for (size_t i = 1; i < flags.words.size(); ++i) {
    v1::ResourceId& id = *request.add_ids();
    id.set_kind(*kind);
    id.set_name(flags.words[i]);
  }
  const int wait = fill(session, flags, &request);
  if (wait < 0) return kBadInput;
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  v1::DeleteResponse response;
  grpc::ClientContext context;
  setDeadline(session, wait, &context);
  const grpc::Status status = client->config().Delete(&context, request, &response);
  if (!status.ok()) return fail(session, *client, status);
  return report(session, flags, response, false);
}

// Returns --wait.
CLI::Option* addCommonFlags(CLI::App& command, ChangeFlags& flags) {
  command
      .add_option("--expected-revision", flags.expected_revision,
                  "Refuse (exit code 3) unless this is the head's revision")
      ->check(wholeNumber(0))
      ->type_name("N");
  command.add_option("--author", flags.author, "Who changes it, for the history; default $USER")
      ->type_name("TEXT");
  command.add_option("--comment", flags.comment, "Why, for the history")->type_name("TEXT");
  return command
      .add_option("--wait", flags.wait,
                  "Wait until every node has taken it, at most this long, such as 30s")
      ->type_name("TIME");
}

}  // namespace

int64_t parseWait(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0)) return -1;
  const std::string unit(rest, end);
  const double scale = unit == "ms"  ? 1
                       : unit == "s" ? 1000
                       : unit == "m" ? 60'000
                       : unit == "h" ? 3'600'000
                                     : -1;
  const double ms = value * scale;
  return ms >= 0 && ms <= kMostWaitMs && scale > 0 ? static_cast<int64_t>(ms) : -1;
}

void addChangeCommands(CLI::App& app, Runner& runner) {
  const auto flags = std::make_shared<ChangeFlags>();
  Session& session = runner.session;
  CLI::App* apply_command =
      app.add_subcommand("apply", "Add and change what a file names, all or nothing");
  apply_command
      ->add_option("-f,--file", flags->file, "YAML or JSON of convoy.v1.Config; - is stdin")
      ->required()
      ->type_name("FILE");
  apply_command->add_flag("--prune", flags->prune,
                          "Make the file the whole truth: delete what it does not name");
  CLI::Option* dry_run =
      apply_command->add_flag("--dry-run,--preview", flags->dry_run,
                              "Show what would change, deletions included, and change nothing");
  addCommonFlags(*apply_command, *flags)->excludes(dry_run);
  apply_command->callback([&session, flags, &runner] {
    runner.action = [&session, flags] { return apply(session, *flags); };
  });

  CLI::App* validate =
      app.add_subcommand("validate", "Say whether apply would accept a file; change nothing");
  validate->add_option("-f,--file", flags->file, "YAML or JSON of convoy.v1.Config; - is stdin")
      ->required()
      ->type_name("FILE");
  validate->add_flag("--prune", flags->prune, "As in apply");
  validate->callback([&session, flags, &runner] {
    runner.action = [&session, flags] { return preview(session, *flags, false); };
  });

  CLI::App* delete_command = app.add_subcommand("delete", "Delete resources, all or nothing");
  delete_command
      ->add_option("resources", flags->words,
                   std::string("Kind (") + kKinds + ") and names; a backend's is POOL/ADDRESS")
      ->required()
      ->type_name("KIND NAME...");
  addCommonFlags(*delete_command, *flags);
  delete_command->callback([&session, flags, &runner] {
    runner.action = [&session, flags] { return remove(session, *flags); };
  });
}

}  // namespace convoy::tools::ctl
