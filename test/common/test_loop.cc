#include "test/common/test_loop.h"

#include <latch>
#include <utility>

namespace convoy::test {

TestLoop::TestLoop(const event::Clock& clock, uint64_t seed)
    : loop_("test", clock, event::Random(seed)) {
  uv_timer_init(loop_.uv(), &watchdog_);
  watchdog_.data = this;
}

TestLoop::~TestLoop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&watchdog_), nullptr);
}

bool TestLoop::runUntil(const std::function<bool()>& condition) {
  out_of_patience_ = false;
  uv_update_time(loop_.uv());
  uv_timer_start(
      &watchdog_,
      [](uv_timer_t* timer) { static_cast<TestLoop*>(timer->data)->out_of_patience_ = true; },
      std::chrono::milliseconds(kPatience).count(), 0);
  while (!condition() && !out_of_patience_) loop_.runOnce(/*wait=*/true);
  uv_timer_stop(&watchdog_);
  return condition();
}

void TestLoop::runReady() {
  // Each iteration may make something ready for the next; a few are enough for every chain of
  // events on one machine's loopback and on in-memory connections.
  for (int i = 0; i < 16; ++i) loop_.runOnce(/*wait=*/false);
}

LoopThread::LoopThread(const event::Clock& clock, std::string name)
    : loop_(std::move(name), clock, event::Random(1)) {
  std::latch running(1);
  thread_ = std::thread([this, &running] {
    loop_.post([&running] { running.count_down(); });
    loop_.run();
  });
  running.wait();
}

LoopThread::~LoopThread() {
  stop();
}

void LoopThread::run(const std::function<void()>& task) {
  std::latch done(1);
  loop_.post([&task, &done] {
    task();
    done.count_down();
  });
  done.wait();
}

void LoopThread::stop() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

}  // namespace convoy::test
