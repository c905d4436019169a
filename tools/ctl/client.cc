#include "tools/ctl/client.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

#include "google/rpc/status.pb.h"
#include "tools/ctl/contexts.h"
#include "tools/ctl/credentials.h"
#include "tools/ctl/kinds.h"
#include "tools/ctl/table.h"

namespace convoy::tools::ctl {

namespace {

constexpr int kMostMessageBytes = 256 << 20;

// gRPC's name of an address: an IP and port as they are, "unix:@name" is "unix-abstract:name".
std::string targetOf(const std::string& address) {
  constexpr std::string_view kAbstract = "unix:@";
  if (address.rfind(kAbstract, 0) == 0) return "unix-abstract:" + address.substr(kAbstract.size());
  return address;
}

// Of what convoyctl has read from a file, the text names the file: "private_key_file".
config::Position placeOf(const std::string& path, const config::SourceMap& sources) {
  const config::Position at = sources.find(path);
  const size_t dot = path.rfind('.');
  const bool is_there = dot == std::string::npos || at != sources.find(path.substr(0, dot));
  return is_there ? at : sources.find(path + "_file");
}

// Whether a line of the file can be about it. A path with an identity in front is of a stored
// resource; the author and the comment come from flags.
bool isOfConfig(const std::string& path) {
  if (path.find(": ") != std::string::npos) return false;
  const std::string field = path.substr(0, path.find_first_of("[."));
  return field.empty() || v1::Config::descriptor()->FindFieldByName(field) != nullptr;
}

}  // namespace

Client::Client(std::string address, const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : address_(std::move(address)) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMostMessageBytes);
  // The address is meant as it stands: no proxy of the environment in between.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto channel = grpc::CreateCustomChannel(targetOf(address_), credentials, arguments);
  config_ = v1::ConfigService::NewStub(channel);
  fleet_ = v1::FleetService::NewStub(channel);
}

std::unique_ptr<Client> Client::forSession(Session& session, int* code) {
  const auto refuse = [&session, code](const absl::Status& why) {
    const bool missing = absl::IsNotFound(why);
    *code =
        complain(session, missing ? kNotFound : kBadInput, printable(std::string(why.message())));
    return nullptr;
  };
  const absl::StatusOr<Context> server = chosenServer(session);
  if (!server.ok()) return refuse(server.status());
  const auto credentials = credentialsOf(server->tls);
  if (!credentials.ok()) return refuse(credentials.status());
  return std::make_unique<Client>(server->address, *credentials);
}

void setDeadline(const Session& session, int more_seconds, grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::seconds(session.timeout_seconds + more_seconds));
}

v1::ProblemList problemsOf(const grpc::Status& status) {
  v1::ProblemList problems;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return problems;
  for (const google::protobuf::Any& any : details.details()) {
    if (any.UnpackTo(&problems)) break;
  }
  return problems;
}

std::string problemText(const v1::Problem& problem, const config::SourceMap* sources) {
  std::string value = printable(problem.value());
  base::FieldError error{problem.field_path(), problem.rule(), value, printable(problem.reason())};
  const bool from_file = isOfConfig(problem.field_path());
  if (error.field_path.empty() && !problem.id().name().empty()) {
    error.field_path = idText(problem.id());
  }
  if (sources != nullptr && from_file) {
    return config::LocatedError{sources->file(), placeOf(problem.field_path(), *sources), error}
        .text();
  }
  std::string text = config::LocatedError{"", {}, error}.text();
  return text.substr(2);  // No file, so nothing before the colon.
}

void printProblems(const v1::ProblemList& problems, const config::SourceMap* sources,
                   std::ostream& out) {
  for (const v1::Problem& problem : problems.problems()) {
    out << problemText(problem, sources) << "\n";
  }
  const int64_t more = problems.total() - problems.problems_size();
  if (more > 0) out << "and " << more << " more\n";
}

int fail(Session& session, const Client& client, const grpc::Status& status,
         const config::SourceMap* sources) {
  const v1::ProblemList problems = problemsOf(status);
  if (!problems.problems().empty()) {
    printProblems(problems, sources, session.err);
    return complain(session, kBadInput, "refused; nothing changed");
  }
  const std::string message = printable(status.error_message());
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return complain(session, kUnreachable,
                      "no control plane answers at " + client.address() + " (" + message +
                          "); is convoy-control running there? --server ADDRESS or `convoyctl "
                          "context` chooses another");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return complain(session, kUnreachable,
                      "the control plane at " + client.address() +
                          " gave no answer in time; --timeout SECONDS waits longer. Whether a "
                          "change was made, `convoyctl history` tells");
    case grpc::StatusCode::ABORTED:
      return complain(session, kConflict, message + "; nothing changed");
    case grpc::StatusCode::NOT_FOUND:
      return complain(session, kNotFound, message);
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
      return complain(session, kBadInput, message);
    case grpc::StatusCode::UNIMPLEMENTED:
      return complain(session, kFailure,
                      client.address() +
                          " answers, but does not know this call: it is not the management "
                          "address of convoy-control (its --listen; --xds-listen is for nodes), "
                          "or an older one" +
                          (message.empty() ? "" : " (" + message + ")"));
    default:
      return complain(session, kFailure,
                      "the control plane at " + client.address() +
                          (message.empty() ? " gives no reason" : " says: " + message) +
                          " (gRPC code " + std::to_string(status.error_code()) + ")");
  }
}

}  // namespace convoy::tools::ctl
