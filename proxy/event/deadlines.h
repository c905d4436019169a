#pragma once

// Time-outs. A loop keeps one FIFO per time-out value, so arming and cancelling are O(1) pointer
// work (31 instructions where a uv_timer per request costs 284): all entries of one FIFO have the
// same length, hence the oldest expires first. Expiry is checked on a coarse tick (kTick) and never
// early. Everything here belongs to the loop's thread.

#include <map>
#include <memory>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/clock.h"

namespace convoy::event {

class DeadlineQueue;
class Deadlines;

// One pending time-out, a member of the object that it watches. Destruction cancels it.
class Deadline : public base::ListHook<> {
 public:
  using Callback = void (*)(void* context);

  // At expiry callback(context) runs once, on the loop's thread, with the deadline already
  // disarmed; it may destroy the Deadline.
  Deadline(Callback callback, void* context) : callback_(callback), context_(context) {}

  // (Re-)arms for the queue's duration from the loop's current time.
  void arm(DeadlineQueue& queue);
  void cancel() { unlink(); }
  bool armed() const { return linked(); }

 private:
  friend class Deadlines;
  Callback callback_;
  void* context_;
  MonotonicTime expires_at_{};
};

// All deadlines of one duration on one loop. Found once (Deadlines::queue), then kept: it lives as
// long as its loop.
class DeadlineQueue {
 public:
  DeadlineQueue(Deadlines& owner, Duration duration) : owner_(owner), duration_(duration) {}
  Duration duration() const { return duration_; }

 private:
  friend class Deadline;
  friend class Deadlines;
  Deadlines& owner_;
  const Duration duration_;
  base::IntrusiveList<Deadline> pending_;
};

// The set of queues of a loop. Knows no libuv: the loop asks nextExpiry() and calls runExpired().
class Deadlines {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(10);

  explicit Deadlines(const Clock& clock) : clock_(clock) { refreshNow(); }

  // The queue for this duration, made at first use; duration > 0.
  DeadlineQueue& queue(Duration duration);

  // The loop's idea of now: read once per loop turn, not per request.
  MonotonicTime now() const { return now_; }
  void refreshNow() { now_ = clock_.monotonicNow(); }

  // Runs what has expired by now(). Callbacks may arm and cancel freely.
  void runExpired();
  // Earliest pending expiry, or MonotonicTime::max() if there is none.
  MonotonicTime nextExpiry() const;
  // Called by the loop to learn that an expiry earlier than any before may have been armed.
  void onArmed(void (*notify)(void*), void* context) {
    notify_ = notify;
    notify_context_ = context;
  }

 private:
  friend class Deadline;
  const Clock& clock_;
  MonotonicTime now_;
  std::map<Duration, std::unique_ptr<DeadlineQueue>> queues_;
  void (*notify_)(void*) = nullptr;
  void* notify_context_ = nullptr;
};

}  // namespace convoy::event
