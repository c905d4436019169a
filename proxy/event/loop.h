#pragma once

// One libuv loop and its thread: where every connection, request and timer of a worker lives.
// Owner: the thread that calls run(). Everything but post(), stop() and isOwnThread() may be called
// only there (asserted), or before run() by the thread that built the loop. Whatever holds handles
// of the loop (connections, acceptors) is destroyed before it.
//
// A "turn" is one run of our code called by libuv (a read, a timer, a posted task). At the end of
// each turn the loop runs the tasks that were deferred during it (flushing written connections,
// destroying closed objects), so that one turn makes at most one write call per connection. Every
// libuv callback of ours is therefore wrapped in a TurnScope. An "iteration" is what libuv does
// between two calls of epoll_wait: many turns, one reading of the clock.

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/clock.h"
#include "proxy/event/deadlines.h"
#include "proxy/event/random.h"

namespace convoy::event {

// Something to be run at the end of the current turn, once. A member of the object that it serves.
class EndOfTurnTask : public base::ListHook<> {
 public:
  using Callback = void (*)(void* context);
  EndOfTurnTask(Callback callback, void* context) : callback_(callback), context_(context) {}

 private:
  friend class Loop;
  Callback callback_;
  void* context_;
};

class Loop {
 public:
  // One read buffer for the whole loop: a connection's bytes are consumed or copied before its read
  // callback returns.
  static constexpr size_t kReadBufferBytes = 256 * 1024;

  Loop(std::string name, const Clock& clock, Random random);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). Binds the loop to the calling thread, which destroys what lives on the loop
  // once this returned.
  void run();
  // Runs one non-blocking (or, if wait, one blocking) turn of libuv; for tests and start-up.
  void runOnce(bool wait);
  // Any thread: run() returns after the tasks posted so far and the current iteration.
  void stop();

  // Any thread: runs the task on the loop's thread, in the order of posting. Tasks still queued
  // when the loop is destroyed are destroyed unrun. Capture values, indices or weak_ptrs; never a
  // bare pointer that the loop's own thread may free.
  void post(std::function<void()> task);
  bool isOwnThread() const;

  // Runs at the end of this turn; if none is open, the loop opens one soon. Idempotent while
  // pending.
  void atEndOfTurn(EndOfTurnTask& task);
  // Runs once before the loop waits again, in a turn of its own: for what gains from the input of
  // many connections, such as an HTTP/2 session that many requests write to. Idempotent while
  // pending; a task waits in one of the two places at a time.
  void atEndOfIteration(EndOfTurnTask& task);
  // Destroys the object at the end of this turn, when no frame of its own is on the stack any more.
  template <class T>
  void destroyAtEndOfTurn(std::unique_ptr<T> object) {
    deferred_destruction_.push_back({object.release(), [](void* o) { delete static_cast<T*>(o); }});
    scheduleEndOfTurn();
  }

  const std::string& name() const { return name_; }
  uv_loop_t* uv() { return &uv_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  // Both are read once per iteration.
  MonotonicTime now() const { return deadlines_.now(); }
  WallTime wallNow() {
    if (wall_stale_) refreshWall();
    return wall_now_;
  }
  DeadlineQueue& deadlineQueue(Duration duration) { return deadlines_.queue(duration); }
  Deadlines& deadlines() { return deadlines_; }
  char* readBuffer() { return read_buffer_.get(); }

  // RAII frame of one turn; nested scopes count as the outermost.
  class TurnScope {
   public:
    explicit TurnScope(Loop& loop) : loop_(loop) {
      if (loop_.turn_depth_++ == 0 && loop_.now_stale_) loop_.refreshNow();
    }
    ~TurnScope() {
      // What runs at the end still belongs to the turn.
      if (loop_.turn_depth_ == 1) loop_.endTurn();
      --loop_.turn_depth_;
    }
    TurnScope(const TurnScope&) = delete;
    TurnScope& operator=(const TurnScope&) = delete;

   private:
    Loop& loop_;
  };

  // Runs what has expired by the clock's present time: the tick, and the hand of a simulated clock.
  void runDeadlines();

 private:
  struct Garbage {
    void* object;
    void (*destroy)(void*);
  };

  void endTurn() {
    if (!end_of_turn_.empty() || !deferred_destruction_.empty()) runEndOfTurn();
  }
  void runEndOfTurn();
  void runEndOfIteration();
  void scheduleEndOfTurn() {
    if (turn_depth_ == 0) wake();
  }
  void wake();
  void runPosted();
  void refreshNow();
  void refreshWall();
  void onWake();
  void onPrepare();
  void armTick();

  const std::string name_;
  const Clock& clock_;
  Random random_;
  Deadlines deadlines_;
  WallTime wall_now_{};
  bool now_stale_ = true;
  bool wall_stale_ = true;
  bool tick_stale_ = false;  // something earlier than the armed tick may be pending
  int turn_depth_ = 0;
  uv_loop_t uv_;
  uv_async_t wake_;
  uv_timer_t tick_;
  uv_prepare_t before_wait_;
  MonotonicTime tick_at_ = MonotonicTime::max();
  base::IntrusiveList<EndOfTurnTask> end_of_turn_;
  base::IntrusiveList<EndOfTurnTask> end_of_iteration_;
  std::vector<Garbage> deferred_destruction_;
  std::vector<Garbage> being_destroyed_;  // keeps its capacity between turns
  std::unique_ptr<char[]> read_buffer_;
  std::atomic<std::thread::id> thread_;
  std::atomic<bool> stopping_{false};

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;  // guarded by posted_mutex_
  std::vector<std::function<void()>> running_;
};

// A one-shot timer of any length for rare work (reconnects, periodic jobs), on the loop's
// deadlines. Destruction cancels it.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  // Re-arms if already armed. A delay of 0 or less fires on the next tick.
  void armAfter(Duration delay);
  void cancel() { deadline_.cancel(); }
  bool armed() const { return deadline_.armed(); }

 private:
  static void onExpired(void* self);

  Loop& loop_;
  std::function<void()> callback_;
  Deadline deadline_;
};

}  // namespace convoy::event
