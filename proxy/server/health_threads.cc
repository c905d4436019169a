#include "proxy/server/health_threads.h"

#include <string>

#include "proxy/base/assert.h"

namespace convoy::server {

HealthThreads::HealthThreads(size_t count, const event::Clock& clock, event::Random& random) {
  for (size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<event::Loop>("health-" + std::to_string(i), clock,
                                                   event::Random(random.next())));
  }
}

HealthThreads::~HealthThreads() {
  CONVOY_ASSERT(threads_.empty());
}

void HealthThreads::start() {
  for (const auto& loop : loops_) threads_.emplace_back([l = loop.get()] { l->run(); });
}

void HealthThreads::stopAndJoin() {
  if (threads_.empty()) return;
  // Behind what was posted, and a turn later: closed connections are gone by then.
  for (const auto& loop : loops_) {
    loop->post([l = loop.get()] { l->post([l] { l->stop(); }); });
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<event::Loop*> HealthThreads::loops() const {
  std::vector<event::Loop*> loops;
  for (const auto& loop : loops_) loops.push_back(loop.get());
  return loops;
}

}  // namespace convoy::server
