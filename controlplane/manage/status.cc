#include "controlplane/manage/status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"

namespace convoy::controlplane::manage {

namespace {

constexpr char kProblems[] = "type.googleapis.com/convoy.v1.ProblemList";

}  // namespace

absl::Status refusal(absl::StatusCode code, const v1::ProblemList& problems) {
  const v1::Problem& first = problems.problems(0);
  std::string message =
      absl::StrCat(first.field_path(), first.field_path().empty() ? "" : ": ", first.reason());
  if (problems.total() > 1) {
    absl::StrAppend(&message, " (and ", problems.total() - 1, " more)");
  }
  absl::Status status(code, message);
  status.SetPayload(kProblems, absl::Cord(problems.SerializeAsString()));
  return status;
}

v1::ProblemList problemsOf(const absl::Status& status) {
  v1::ProblemList problems;
  const absl::optional<absl::Cord> payload = status.GetPayload(kProblems);
  if (payload.has_value()) problems.ParseFromString(std::string(*payload));
  return problems;
}

grpc::Status toGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message(status.message());
  const v1::ProblemList problems = problemsOf(status);
  if (problems.problems().empty()) return grpc::Status(code, message);
  google::rpc::Status details;
  details.set_code(code);
  details.set_message(message);
  details.add_details()->PackFrom(problems);
  return grpc::Status(code, message, details.SerializeAsString());
}

}  // namespace convoy::controlplane::manage
