#pragma once

// Channel credentials from the files of TLS that the command line or a context names.

#include <grpcpp/security/credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "tools/ctl/session.h"

namespace convoy::tools::ctl {

// Without files: plain text. Otherwise the server has to have a certificate of these authorities
// for the host of its address. Errors name the file that is to blame; gRPC would only say that it
// cannot connect.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentialsOf(const TlsPaths& tls);

}  // namespace convoy::tools::ctl
