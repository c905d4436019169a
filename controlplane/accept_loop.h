#pragma once

// Accepts the connections of one listening socket, on a thread of its own, and hands over their
// descriptors. gRPC's own listener is not used: the first accept() for which the process has no
// descriptor left ends it for good, without a word (its issue 20418), so that a stranger who only
// connects could shut everybody out. Here a connection too many is closed at once, and if
// descriptors run out all the same, accepting pauses for kExhaustedPause and goes on; both are
// counted, and logged at most once in kLogInterval.
//
// How many are open is not counted but seen: the kernel gives each new descriptor the lowest free
// number, so a number beyond `most_descriptors` says that as many are in use.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "proxy/event/clock.h"
#include "proxy/net/listen_socket.h"

namespace convoy::controlplane {

struct AcceptOptions {
  std::string name;          // of the address, for the log: its flag
  int most_descriptors = 0;  // a connection whose descriptor is not below it is closed
};

// The limits of both addresses: `most_connections` together, within `limit`, the process's
// descriptors, of which some are kept for the process itself. Nodes cannot shut out the people:
// some of the rest are for the management address only.
struct DescriptorShares {
  int management = 0;
  int xds = 0;
};
DescriptorShares shareDescriptors(int limit, int most_connections);

// An error if a process with this limit, of which so many are open, could not even start; it says
// what to do.
absl::Status enoughDescriptors(int limit, uint64_t open);

class AcceptLoop {
 public:
  static constexpr std::chrono::milliseconds kExhaustedPause{100};
  static constexpr std::chrono::minutes kLogInterval{1};

  // Owns the descriptor; called on the loop's thread.
  using Take = std::function<void(int fd)>;

  // Accepts from now on. `clock` outlives it.
  AcceptLoop(net::ListenSocket socket, AcceptOptions options, const event::Clock* clock, Take take);
  // Ends accepting, and closes the socket.
  ~AcceptLoop();
  AcceptLoop(const AcceptLoop&) = delete;
  AcceptLoop& operator=(const AcceptLoop&) = delete;

  int64_t refused() const { return refused_; }
  int64_t pauses() const { return pauses_; }

 private:
  void run();
  // Waits for a connection, or for `patience` (negative: forever). False: it is to stop.
  bool waitFor(bool connections, std::chrono::milliseconds patience) const;
  // False: none is left, or it is to stop. Unless `somebody_waits`, nobody pauses.
  bool acceptOne(bool somebody_waits);
  void logAtTimes(absl::string_view event, absl::string_view why);

  const net::ListenSocket socket_;
  const AcceptOptions options_;
  const event::Clock* const clock_;
  const Take take_;
  const int stop_;  // an eventfd that is readable when the loop is to stop
  std::atomic<int64_t> refused_ = 0;
  std::atomic<int64_t> pauses_ = 0;
  event::MonotonicTime quiet_until_ = {};
  std::thread thread_;
};

}  // namespace convoy::controlplane
