#pragma once

// SIGTERM and SIGINT drain and end the server, a second one ends it at once; SIGUSR1 reopens the
// access logs; SIGHUP only leaves a line in the log, as with Envoy: configuration comes from the
// control plane, and a terminal that closes must not end the node. SIGPIPE is ignored for the whole
// process. Thread: main's.

#include <uv.h>

#include <cstddef>
#include <memory>

namespace convoy::server {

class Server;

class Signals {
 public:
  explicit Signals(Server& server);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  class Watch;
  static constexpr size_t kWatched = 4;
  std::unique_ptr<Watch> watches_[kWatched];
};

}  // namespace convoy::server
