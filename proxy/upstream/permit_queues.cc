#include "proxy/upstream/permit_queues.h"

#include "proxy/base/assert.h"
#include "proxy/upstream/host.h"

namespace convoy::upstream {

// Null: nobody waits there. REQUIRES: the lock, as all private ones.
PermitQueues::Queue* PermitQueues::find(const PermitWaiter& waiter, Lacks lacks) const {
  if (lacks == Lacks::Cluster) return &of_cluster_[static_cast<size_t>(waiter.priority_)];
  const auto found = of_hosts_.find(&waiter.host_);
  return found == of_hosts_.end() ? nullptr : &found->second;
}

void PermitQueues::link(PermitWaiter& waiter) {
  Queue* queue = find(waiter, waiter.lacks_);
  if (queue == nullptr) {
    queue = &of_hosts_[&waiter.host_];
    noteChange(*queue);
  }
  if (waiter.urgent_) ++queue->urgent_count;
  List& list = waiter.urgent_ ? queue->urgent : queue->others;
  if (list.empty() || list.back().since_ < waiter.since_) return list.pushBack(waiter);
  // One that was first in another queue is among the first here.
  PermitWaiter* before = &list.front();
  while (before->since_ < waiter.since_) before = list.next(*before);
  list.insertBefore(*before, waiter);
}

void PermitQueues::unlink(PermitWaiter& waiter) {
  Queue& queue = *find(waiter, waiter.lacks_);
  if (waiter.urgent_) --queue.urgent_count;
  waiter.unlink();
  if (waiter.lacks_ == Lacks::Host && queue.empty()) of_hosts_.erase(&waiter.host_);
}

void PermitQueues::noteChange(Queue& of_host) {
  of_host.changed = ++changes_;
  of_host.unlink();
  changed_.pushFront(of_host);
}

bool PermitQueues::wait(PermitWaiter& waiter, Lacks lacks, bool urgent) {
  CONVOY_ASSERT(lacks != Lacks::Nothing);
  if (waiter.lacks_ == lacks && waiter.urgent_ == urgent) return false;
  const std::lock_guard lock(mutex_);
  if (waiter.waiting()) {
    unlink(waiter);
  } else {
    wanting_.fetch_add(1);
  }
  // Who loses its last connection, or gets one, begins anew.
  if (!waiter.waiting() || waiter.urgent_ != urgent) waiter.since_ = ++entered_;
  waiter.lacks_ = lacks;
  waiter.urgent_ = urgent;
  link(waiter);
  return true;
}

void PermitQueues::leave(PermitWaiter& waiter) {
  if (!waiter.waiting()) return;
  const std::lock_guard lock(mutex_);
  unlink(waiter);
  waiter.lacks_ = Lacks::Nothing;
  wanting_.fetch_sub(1);
}

bool PermitQueues::isFirst(const PermitWaiter& waiter, Lacks lacks, bool urgent) const {
  // It has had its turn at the host, or need not wait there. Were it to stand behind those who do,
  // two who want the same host while the cluster is full would send each other from queue to queue.
  if (waiter.lacks_ == Lacks::Cluster && lacks == Lacks::Host) return true;
  const std::lock_guard lock(mutex_);
  Queue* const queue = find(waiter, lacks);
  if (queue == nullptr || queue->empty()) return true;
  if (waiter.lacks_ == lacks) return &queue->front() == &waiter;
  return urgent && queue->urgent.empty();
}

PermitQueues::Demand PermitQueues::demandOf(Queue& queue) {
  return {.any = !queue.empty(),
          .urgent = queue.urgent_count,
          .worker = queue.urgent.empty() ? 0 : queue.urgent.front().worker_};
}

PermitQueues::Demand PermitQueues::ofCluster(Priority priority) const {
  const std::lock_guard lock(mutex_);
  return demandOf(of_cluster_[static_cast<size_t>(priority)]);
}

PermitQueues::Demand PermitQueues::ofHost(const Host& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = of_hosts_.find(&host);
  return found == of_hosts_.end() ? Demand{} : demandOf(found->second);
}

void PermitQueues::stir(Priority priority, bool cluster_full, const Host& host, bool host_full) {
  if (wanting_.load() == 0) return;
  bool all = false;
  std::array<size_t, 2> turns{};
  size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto visit = [&](Queue& queue, bool full) {
      if (queue.empty()) return;
      if (full) {
        all = true;
      } else {
        turns[count++] = queue.front().worker_;
      }
    };
    visit(of_cluster_[static_cast<size_t>(priority)], cluster_full);
    const auto found = of_hosts_.find(&host);
    if (found != of_hosts_.end()) {
      noteChange(found->second);
      visit(found->second, host_full);
    }
  }
  if (all) return sendAll();
  for (size_t i = 0; i < count; ++i) send(turns[i]);
}

void PermitQueues::stirAll(size_t worker) {
  {
    const std::lock_guard lock(mutex_);
    of_[worker].seen = 0;
  }
  send(worker);
}

void PermitQueues::stirAll() {
  for (size_t i = 0; i < of_.size(); ++i) stirAll(i);
}

void PermitQueues::sendAll() {
  for (size_t i = 0; i < of_.size(); ++i) send(i);
}

void PermitQueues::send(size_t worker) {
  if (!send_ || of_[worker].look_under_way.exchange(true)) return;
  send_(worker);
}

PermitQueues::Look PermitQueues::look(size_t worker) {
  OfWorker& own = of_[worker];
  own.look_under_way.exchange(false);  // what changes from here on is the next one's
  Look look;
  const std::lock_guard lock(mutex_);
  const auto visit = [&](Queue& queue) {
    PermitWaiter& first = queue.front();
    if (first.worker_ == worker) look.turns.push_back(&first);
    return &first.host_;
  };
  for (Queue& queue : of_cluster_) {
    if (!queue.empty()) visit(queue);
  }
  Queue* queue = changed_.empty() ? nullptr : &changed_.front();
  for (; queue != nullptr && queue->changed > own.seen; queue = changed_.next(*queue)) {
    const Host* const host = visit(*queue);
    look.wanted.emplace_back(host, host->slot());
  }
  own.seen = changes_;
  return look;
}

}  // namespace convoy::upstream
