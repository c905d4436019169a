#pragma once

// Where the control plane may listen: where only this user, or who is on this machine, gets; and
// elsewhere only if clients show certificates, or if somebody says that it may be unauthenticated.

#include <string>

#include "absl/status/statusor.h"
#include "proxy/net/address.h"

namespace convoy::controlplane {

struct Guard {
  bool certificates = false;  // clients on IP addresses have to show one
  bool insecure = false;      // nobody has to
};

// `flag`: named in errors. "localhost" stands for 127.0.0.1. Error: InvalidArgument.
absl::StatusOr<net::Address> listenAddress(const std::string& flag, const std::string& text,
                                           const Guard& guard);

}  // namespace convoy::controlplane
