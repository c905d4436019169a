#include "proxy/event/loop.h"

#include <utility>

#include "proxy/base/assert.h"

namespace convoy::event {

namespace {

Loop& loopOf(uv_handle_t* handle) {
  return *static_cast<Loop*>(handle->loop->data);
}

void closeHandle(uv_handle_t* handle) {
  uv_close(handle, nullptr);
}

}  // namespace

Loop::Loop(std::string name, const Clock& clock, Random random)
    : name_(std::move(name)),
      clock_(clock),
      random_(random),
      deadlines_(clock),
      read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferBytes)),
      thread_(std::this_thread::get_id()) {
  CONVOY_ASSERT(uv_loop_init(&uv_) == 0);
  uv_.data = this;
  CONVOY_ASSERT(uv_async_init(&uv_, &wake_, [](uv_async_t* handle) {
                  loopOf(reinterpret_cast<uv_handle_t*>(handle)).onWake();
                }) == 0);
  uv_timer_init(&uv_, &tick_);
  uv_prepare_init(&uv_, &before_wait_);
  uv_prepare_start(&before_wait_, [](uv_prepare_t* handle) {
    loopOf(reinterpret_cast<uv_handle_t*>(handle)).onPrepare();
  });
  deadlines_.onArmed([](void* self) { static_cast<Loop*>(self)->tick_stale_ = true; }, this);
}

Loop::~Loop() {
  thread_ = std::this_thread::get_id();
  { TurnScope turn(*this); }
  // Destroying a task may post another.
  while (true) {
    std::vector<std::function<void()>> unrun;
    {
      const std::lock_guard lock(posted_mutex_);
      unrun.swap(posted_);
    }
    if (unrun.empty()) break;
  }
  { TurnScope turn(*this); }
  closeHandle(reinterpret_cast<uv_handle_t*>(&wake_));
  closeHandle(reinterpret_cast<uv_handle_t*>(&tick_));
  closeHandle(reinterpret_cast<uv_handle_t*>(&before_wait_));
  // Handles that are closing need one pass; whoever left an open one behind is found by the assert.
  for (int pass = 0; pass < 4 && uv_loop_alive(&uv_) != 0; ++pass) uv_run(&uv_, UV_RUN_NOWAIT);
  CONVOY_ASSERT(uv_loop_close(&uv_) == 0);
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  do {
    uv_run(&uv_, UV_RUN_DEFAULT);
    runEndOfIteration();  // stopped, it did not come to onPrepare()
  } while (!stopping_.load(std::memory_order_acquire));
  stopping_ = false;
}

void Loop::runOnce(bool wait) {
  CONVOY_ASSERT(isOwnThread());
  uv_run(&uv_, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
  runEndOfIteration();
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  wake();
}

bool Loop::isOwnThread() const {
  return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
}

void Loop::post(std::function<void()> task) {
  bool first = false;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (first) wake();
}

void Loop::wake() {
  uv_async_send(&wake_);
}

void Loop::onWake() {
  {
    // Also ends what was deferred while no turn was open.
    TurnScope turn(*this);
  }
  runPosted();
  if (stopping_.load(std::memory_order_acquire)) uv_stop(&uv_);
}

void Loop::runPosted() {
  {
    const std::lock_guard lock(posted_mutex_);
    running_.swap(posted_);
  }
  for (std::function<void()>& task : running_) {
    TurnScope turn(*this);
    task();
    task = nullptr;  // what it captured goes in the same turn
  }
  running_.clear();
}

void Loop::atEndOfTurn(EndOfTurnTask& task) {
  if (task.linked()) return;
  end_of_turn_.pushBack(task);
  scheduleEndOfTurn();
}

void Loop::atEndOfIteration(EndOfTurnTask& task) {
  if (task.linked()) return;
  end_of_iteration_.pushBack(task);
  scheduleEndOfTurn();
}

void Loop::runEndOfTurn() {
  while (true) {
    while (!end_of_turn_.empty()) {
      EndOfTurnTask& task = end_of_turn_.popFront();
      task.callback_(task.context_);
    }
    if (deferred_destruction_.empty()) return;
    being_destroyed_.swap(deferred_destruction_);
    for (const Garbage& garbage : being_destroyed_) garbage.destroy(garbage.object);
    being_destroyed_.clear();
  }
}

void Loop::runEndOfIteration() {
  if (end_of_iteration_.empty()) return;
  TurnScope turn(*this);
  while (!end_of_iteration_.empty()) {
    EndOfTurnTask& task = end_of_iteration_.popFront();
    task.callback_(task.context_);
  }
}

void Loop::refreshNow() {
  deadlines_.refreshNow();
  now_stale_ = false;
  wall_stale_ = true;
}

void Loop::refreshWall() {
  wall_now_ = clock_.wallNow();
  wall_stale_ = false;
}

void Loop::onPrepare() {
  // One hook suffices: whatever ran since the last wait, timers and closing callbacks included, was
  // before this.
  runEndOfIteration();
  if (tick_stale_) armTick();
  now_stale_ = true;
}

void Loop::runDeadlines() {
  TurnScope turn(*this);
  refreshNow();
  deadlines_.runExpired();
  tick_stale_ = true;
}

// One libuv timer for all deadlines. It is not moved when deadlines are cancelled or armed behind
// it, so it may fire with nothing to do; it moves only when it fired or something earlier came.
void Loop::armTick() {
  tick_stale_ = false;
  if (!clock_.flowsByItself()) return;
  const MonotonicTime next = deadlines_.nextExpiry();
  if (next == MonotonicTime::max()) return;
  const Duration since_epoch = next.time_since_epoch();
  const MonotonicTime at((since_epoch + Deadlines::kTick - Duration(1)) / Deadlines::kTick *
                         Deadlines::kTick);
  if (at >= tick_at_) return;
  tick_at_ = at;
  // libuv counts whole milliseconds from its own reading of the clock.
  uv_update_time(&uv_);
  const Duration delay = std::max(Duration::zero(), at - clock_.monotonicNow());
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  uv_timer_start(
      &tick_,
      [](uv_timer_t* timer) {
        Loop& loop = loopOf(reinterpret_cast<uv_handle_t*>(timer));
        loop.tick_at_ = MonotonicTime::max();
        loop.runDeadlines();
      },
      static_cast<uint64_t>(milliseconds) + 1, 0);
}

Timer::Timer(Loop& loop, std::function<void()> callback)
    : loop_(loop), callback_(std::move(callback)), deadline_(&Timer::onExpired, this) {}

void Timer::armAfter(Duration delay) {
  CONVOY_ASSERT(loop_.isOwnThread());
  loop_.deadlines().armAt(deadline_, loop_.now() + std::max(delay, Duration(1)));
}

void Timer::onExpired(void* self) {
  // A copy: the callback may destroy the timer, and with it what it is running from.
  const std::function<void()> callback = static_cast<Timer*>(self)->callback_;
  callback();
}

}  // namespace convoy::event
