#include "proxy/server/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/descriptor_limit.h"

namespace convoy::server {

namespace {

// Standard streams, main's loop and signals, the log's thread, admin, a few files and clients.
constexpr uint64_t kLeast = 32;
// Its loop's two, and listening sockets.
constexpr uint64_t kLeastPerThread = 4;
// By a server that is being made: sockets of listeners and admin, signals, the control plane.
constexpr uint64_t kOpenedLater = 16;

}  // namespace

uint64_t descriptorsForClients(uint64_t limit, uint64_t open) {
  const uint64_t left = limit - std::min(limit, open);
  return std::max<uint64_t>(left - std::min(left / 2, kMostKeptDescriptors), 1);
}

uint64_t descriptorsForClients() {
  // The kernel gives out the lowest number that is free.
  const int lowest_free = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (lowest_free >= 0) ::close(lowest_free);
  const auto open = static_cast<uint64_t>(std::max(lowest_free, 0));
  return descriptorsForClients(base::descriptorLimit(), open + kOpenedLater);
}

absl::Status enoughDescriptors(uint64_t limit, size_t threads) {
  const uint64_t least = kLeast + kLeastPerThread * threads;
  if (limit >= least) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("this process may open ", limit, " descriptors, and needs at least ", least,
                   " with ", threads,
                   " threads: raise the limit (ulimit -n), or run fewer threads (--concurrency, "
                   "--health-threads)"));
}

}  // namespace convoy::server
