#include "proxy/server/descriptors.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/descriptor_limit.h"

namespace convoy::server {

namespace {

// Standard streams, main's loop and signals, the log's thread, admin, a few files and clients.
constexpr uint64_t kLeast = 32;
// Its loop's two, and listening sockets.
constexpr uint64_t kLeastPerThread = 4;
// By a server that is being made: admin's socket, signals, the control plane, logs.
constexpr uint64_t kOpenedLater = 16;

}  // namespace

uint64_t descriptorsForClients(uint64_t limit, uint64_t open) {
  const uint64_t left = limit - std::min(limit, open);
  return std::max<uint64_t>(left - std::min(left / 2, kMostKeptDescriptors), 1);
}

uint64_t descriptorsForClients() {
  return descriptorsForClients(base::descriptorLimit(), base::openDescriptors() + kOpenedLater);
}

absl::Status enoughDescriptors(uint64_t limit, size_t threads) {
  const uint64_t least = kLeast + kLeastPerThread * threads;
  if (limit >= least) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("this process may open ", limit, " descriptors, and needs at least ", least,
                   " with ", threads,
                   " threads: raise the limit (ulimit -Hn), or run fewer threads (--concurrency, "
                   "--health-threads)"));
}

}  // namespace convoy::server
