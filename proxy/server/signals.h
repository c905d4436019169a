#pragma once

// SIGTERM and SIGINT drain and end the server, a second one ends it at once; SIGUSR1 reopens the
// access logs; SIGPIPE is ignored for the whole process. Thread: main's.

#include <uv.h>

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
  std::unique_ptr<Watch> watches_[3];
};

}  // namespace convoy::server
