#pragma once

// Where the control plane may listen: anywhere on this machine, and elsewhere only if clients show
// certificates, or if somebody says that it may be unauthenticated.

#include <string>

#include "absl/status/statusor.h"
#include "proxy/net/address.h"

namespace convoy::controlplane {

// `exposed`: other machines may reach it. `flag`: named in errors. "localhost" stands for
// 127.0.0.1. Error: InvalidArgument.
absl::StatusOr<net::Address> listenAddress(const std::string& flag, const std::string& text,
                                           bool exposed);

// The address in gRPC's syntax.
std::string grpcAddress(const net::Address& address);

}  // namespace convoy::controlplane
