#pragma once

// Time-outs. A loop keeps one FIFO per time-out value, so arming and cancelling are O(1) pointer
// work (31 instructions where a uv_timer per request costs 284): all entries of one FIFO have the
// same length, hence the oldest expires first. Expiry is checked on a coarse tick (kTick) and never
// early. Everything here belongs to the loop's thread.

#include <algorithm>
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

  // The queue for this duration, made at first use; duration > 0. Only for durations that come from
  // configuration: a queue is never freed.
  DeadlineQueue& queue(Duration duration) {
    return found_ != nullptr && found_->duration_ == duration ? *found_ : findQueue(duration);
  }
  // (Re-)arms for a point in time: for rare deadlines of arbitrary length, such as jittered ones.
  // O(log n) and an allocation.
  void armAt(Deadline& deadline, MonotonicTime at);

  // The loop's idea of now: read once per loop iteration, not per request.
  MonotonicTime now() const { return now_; }
  void refreshNow() { now_ = clock_.monotonicNow(); }

  // Runs what has expired by now(), the earliest first. Callbacks may arm and cancel freely.
  void runExpired();
  // Earliest pending expiry, or MonotonicTime::max() if there is none. From here on, the callback
  // of onArmed() tells of anything earlier.
  MonotonicTime nextExpiry();
  // Called by the loop to learn that an expiry earlier than any before may have been armed.
  void onArmed(void (*notify)(void*), void* context) {
    notify_ = notify;
    notify_context_ = context;
  }
  size_t pointsForTest() const { return points_.size(); }

 private:
  friend class Deadline;
  void noteArmed(MonotonicTime at) {
    if (at >= earliest_known_) return;
    earliest_known_ = at;
    if (notify_ != nullptr) notify_(notify_context_);
  }
  DeadlineQueue& findQueue(Duration duration);
  void dropEmptyPoints();
  Deadline* earliest();

  const Clock& clock_;
  MonotonicTime now_;
  MonotonicTime earliest_known_ = MonotonicTime::max();
  std::map<Duration, std::unique_ptr<DeadlineQueue>> queues_;
  DeadlineQueue* found_ = nullptr;  // last: one request's time-out is mostly the next one's
  // Of armAt(). Cancelling leaves an empty list behind, dropped when its time comes or, at the
  // latest, when the map has doubled since the last sweep.
  std::map<MonotonicTime, base::IntrusiveList<Deadline>> points_;
  size_t sweep_points_at_ = 64;
  void (*notify_)(void*) = nullptr;
  void* notify_context_ = nullptr;
};

inline void Deadline::arm(DeadlineQueue& queue) {
  unlink();
  expires_at_ = queue.owner_.now_ + queue.duration_;
  // Behind an older entry there is nothing to tell: that one expires first.
  const bool first = queue.pending_.empty();
  queue.pending_.pushBack(*this);
  if (first) queue.owner_.noteArmed(expires_at_);
}

}  // namespace convoy::event
