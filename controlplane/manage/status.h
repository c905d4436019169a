#pragma once

// How a refusal travels: as a status with a readable message, which carries the ProblemList.

#include <grpcpp/support/status.h>
#include "absl/status/status.h"
#include "api/convoy/v1/problem.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::manage {

// REQUIRES: there are problems.
absl::Status refusal(absl::StatusCode code, const v1::ProblemList& problems);

// The problems of a refusal; empty if the status is none.
v1::ProblemList problemsOf(const absl::Status& status);

// The same for gRPC: the problems are in the google.rpc.Status of the details.
grpc::Status toGrpc(const absl::Status& status);

}  // namespace convoy::controlplane::manage
