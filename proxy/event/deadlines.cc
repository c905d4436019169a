#include "proxy/event/deadlines.h"

#include "proxy/base/assert.h"

namespace convoy::event {

DeadlineQueue& Deadlines::findQueue(Duration duration) {
  CONVOY_ASSERT(duration > Duration::zero());
  std::unique_ptr<DeadlineQueue>& queue = queues_[duration];
  if (queue == nullptr) queue = std::make_unique<DeadlineQueue>(*this, duration);
  found_ = queue.get();
  return *queue;
}

void Deadlines::armAt(Deadline& deadline, MonotonicTime at) {
  deadline.unlink();
  if (points_.size() >= sweep_points_at_) dropEmptyPoints();
  deadline.expires_at_ = at;
  points_[at].pushBack(deadline);
  noteArmed(at);
}

void Deadlines::dropEmptyPoints() {
  std::erase_if(points_, [](const auto& point) { return point.second.empty(); });
  sweep_points_at_ = std::max<size_t>(64, points_.size() * 2);
}

Deadline* Deadlines::earliest() {
  Deadline* best = nullptr;
  while (!points_.empty()) {
    auto first = points_.begin();
    if (!first->second.empty()) {
      best = &first->second.front();
      break;
    }
    points_.erase(first);
  }
  for (const auto& [duration, queue] : queues_) {
    if (queue->pending_.empty()) continue;
    Deadline& front = queue->pending_.front();
    if (best == nullptr || front.expires_at_ < best->expires_at_) best = &front;
  }
  return best;
}

void Deadlines::runExpired() {
  const MonotonicTime until = now_;
  for (Deadline* next = earliest(); next != nullptr && next->expires_at_ <= until;
       next = earliest()) {
    next->unlink();
    next->callback_(next->context_);
  }
}

MonotonicTime Deadlines::nextExpiry() {
  const Deadline* const next = earliest();
  earliest_known_ = next == nullptr ? MonotonicTime::max() : next->expires_at_;
  return earliest_known_;
}

}  // namespace convoy::event
