#include "controlplane/accept_loop.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/base/event_log.h"
#include "proxy/base/assert.h"

namespace convoy::controlplane {

namespace {

// For the process itself: the store, files of TLS that are read again, what gRPC opens.
constexpr int kOwnDescriptors = 64;
// Of the management address only.
constexpr int kManagementShare = 32;
constexpr int kPerTurn = 64;
// What a start opens (store, sockets, what gRPC polls with), and a few connections.
constexpr int kLeastFree = 24;

}  // namespace

DescriptorShares shareDescriptors(int limit, int most_connections) {
  // Where there are few, a part of them.
  const int own = std::min(kOwnDescriptors, limit / 4);
  const int management = std::min({kManagementShare, limit / 8, most_connections});
  const int most = std::min(limit - own, own + most_connections);
  return {most, most - management};
}

absl::Status enoughDescriptors(int limit, uint64_t open) {
  const uint64_t least = open + kLeastFree;
  if (limit >= 0 && static_cast<uint64_t>(limit) >= least) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("this process may open ", limit,
                                                   " descriptors, and needs at least ", least,
                                                   ": raise the limit (ulimit -Hn)"));
}

AcceptLoop::AcceptLoop(net::ListenSocket socket, AcceptOptions options, const event::Clock* clock,
                       Take take)
    : socket_(std::move(socket)),
      options_(std::move(options)),
      clock_(clock),
      take_(std::move(take)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  CONVOY_ASSERT(stop_ >= 0);
  thread_ = std::thread([this] { run(); });
}

AcceptLoop::~AcceptLoop() {
  const uint64_t one = 1;
  CONVOY_ASSERT(::write(stop_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  ::close(stop_);
}

bool AcceptLoop::waitFor(bool connections, std::chrono::milliseconds patience) const {
  pollfd watched[] = {{stop_, POLLIN, 0}, {socket_.fd(), POLLIN, 0}};
  ::poll(watched, connections ? 2 : 1, static_cast<int>(patience.count()));
  return watched[0].revents == 0;
}

void AcceptLoop::run() {
  while (waitFor(true, std::chrono::milliseconds(-1))) {
    // However many come, the end of this loop is looked for between them.
    for (int i = 0; i < kPerTurn && acceptOne(/*somebody_waits=*/i == 0); ++i) {
    }
  }
}

bool AcceptLoop::acceptOne(bool somebody_waits) {
  const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= options_.most_descriptors) {
    ++refused_;
    ::close(fd);
    logAtTimes("connections_refused", "too many connections: see --max-connections and ulimit -Hn");
    return true;
  }
  if (fd >= 0) {
    take_(fd);
    return true;
  }
  const int error = errno;
  if (error == EINTR || error == ECONNABORTED) return true;  // gone before it was taken
  // The kernel looks for a descriptor first: whether another waits, the next look tells.
  if (error == EAGAIN || !somebody_waits) return false;
  // Out of descriptors or memory: the connection stays in the kernel's queue meanwhile.
  ++pauses_;
  logAtTimes("accepting_paused", strerror(error));
  return waitFor(false, kExhaustedPause);
}

void AcceptLoop::logAtTimes(absl::string_view event, absl::string_view why) {
  const event::MonotonicTime now = clock_->monotonicNow();
  if (now < quiet_until_) return;
  quiet_until_ = now + kLogInterval;
  const std::string refused = absl::StrCat(refused_.load());
  const std::string pauses = absl::StrCat(pauses_.load());
  logTrouble(event, {{"address", options_.name},
                     {"listening_on", socket_.address().text()},
                     {"reason", why},
                     {"refused", refused},
                     {"pauses", pauses}});
}

}  // namespace convoy::controlplane
