#pragma once

// What this process does with the descriptors that it may open (RLIMIT_NOFILE). Clients get a part
// of them, less one for each listening socket (listen_sockets.h); the rest is kept for what their
// requests need (connections to backends), the admin endpoint, the control plane and files, so that
// who only connects takes nothing from those.
// Pure functions, but for the one that looks at this process.

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace convoy::server {

// Kept at most: as many connections as a cluster has by default (circuit_breakers).
inline constexpr uint64_t kMostKeptDescriptors = 1024;

// Of `limit`, with `open` in use already: half of the rest is kept, at most kMostKeptDescriptors.
uint64_t descriptorsForClients(uint64_t limit, uint64_t open);
// The same, of this process now.
uint64_t descriptorsForClients();

// An error if a process with so many threads with a loop could not even start; it says what to do.
absl::Status enoughDescriptors(uint64_t limit, size_t threads);

}  // namespace convoy::server
