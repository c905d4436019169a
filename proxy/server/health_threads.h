#pragma once

// The threads of the active health checks: a loop each, started when the first check is configured.
// Owner and caller: main.

#include <memory>
#include <thread>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/event/random.h"

namespace convoy::server {

class HealthThreads {
 public:
  HealthThreads(size_t count, const event::Clock& clock, event::Random& random);
  // REQUIRES: stopAndJoin() returned, or start() was never called.
  ~HealthThreads();
  HealthThreads(const HealthThreads&) = delete;
  HealthThreads& operator=(const HealthThreads&) = delete;

  void start();
  bool started() const { return !threads_.empty(); }
  // Runs what was posted, then ends the loops. Without effect if they never ran.
  void stopAndJoin();

  std::vector<event::Loop*> loops() const;

 private:
  std::vector<std::unique_ptr<event::Loop>> loops_;
  std::vector<std::thread> threads_;
};

}  // namespace convoy::server
