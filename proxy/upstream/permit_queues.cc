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

void PermitQueues::unlink(PermitWaiter& waiter) {
  waiter.unlink();
  if (waiter.lacks_ != Lacks::Host) return;
  const auto found = of_hosts_.find(&waiter.host_);
  if (found->second.empty()) of_hosts_.erase(found);
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
  waiter.lacks_ = lacks;
  waiter.urgent_ = urgent;
  Queue& queue = lacks == Lacks::Cluster ? of_cluster_[static_cast<size_t>(waiter.priority_)]
                                         : of_hosts_[&waiter.host_];
  (urgent ? queue.urgent : queue.others).pushBack(waiter);
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
  const bool urgent = !queue.urgent.empty();
  return {
      .any = !queue.empty(), .urgent = urgent, .worker = urgent ? queue.urgent.front().worker_ : 0};
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
    if (found != of_hosts_.end()) visit(found->second, host_full);
  }
  if (all) return lookAll();
  for (size_t i = 0; i < count; ++i) look(turns[i]);
}

void PermitQueues::lookAll() {
  for (size_t i = 0; i < of_.size(); ++i) look(i);
}

void PermitQueues::look(size_t worker) {
  if (!send_ || of_[worker].look_under_way.exchange(true)) return;
  send_(worker);
}

std::vector<PermitWaiter*> PermitQueues::turnsOf(size_t worker) const {
  std::vector<PermitWaiter*> waiters;
  const std::lock_guard lock(mutex_);
  const auto visit = [&](Queue& queue) {
    if (!queue.empty() && queue.front().worker_ == worker) waiters.push_back(&queue.front());
  };
  for (Queue& queue : of_cluster_) visit(queue);
  for (auto& [host, queue] : of_hosts_) visit(queue);
  return waiters;
}

std::vector<std::pair<const Host*, uint32_t>> PermitQueues::wantedHosts() const {
  std::vector<std::pair<const Host*, uint32_t>> hosts;
  const std::lock_guard lock(mutex_);
  for (const auto& [host, queue] : of_hosts_) hosts.emplace_back(host, host->slot());
  return hosts;
}

}  // namespace convoy::upstream
