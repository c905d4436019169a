#pragma once

// Who of a cluster waits for a permit to open a connection, on all workers together. The counts
// (limit.h, host_limits.h) are exact, so a pool with requests that wait may find that others hold
// all permits: those of its host, or those of the cluster for its priority. It stands in the queue
// of what it lacks then. A queue has two classes: first come pools without any connection that will
// serve their requests sooner or later (urgent), then the others; within a class the longest wait.
// One pool at a time, the first, may take what is free; it has that one permit and stands behind
// the others for the next.
//
// No wake-up is lost: who enters looks at the count once more, and who gives a permit back looks
// whether anybody waits, each after its own write, all four sequentially consistent. What follows
// is told by looks: a message to a worker that it should look what it can take or give up. A look
// says nothing else, so one that comes late or twice does no harm, and at most one is under way to
// each worker.
//
// Any thread. The queues have a lock that is taken only while somebody waits, and is held for a few
// pointers' work. While nobody does, all that others read is one word, on a line that is not
// written then: anybody().

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/base/intrusive_list.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class Host;
class WorkerCluster;

// A pool in the queues. Its worker's; the links are the queues'.
class PermitWaiter : public base::ListHook<> {
 public:
  enum class Lacks : uint8_t { Nothing, Host, Cluster };  // a permit of

  PermitWaiter(size_t worker, const Host& host, Priority priority)
      : worker_(worker), host_(host), priority_(priority) {}
  virtual ~PermitWaiter() = default;

  // On the worker: it may be the first, and there may be a permit.
  virtual void onTurn() = 0;
  bool waiting() const { return lacks_ != Lacks::Nothing; }

 private:
  friend class PermitQueues;
  const size_t worker_;  // index
  const Host& host_;
  const Priority priority_;
  Lacks lacks_ = Lacks::Nothing;  // written by the worker, with the lock
  bool urgent_ = false;
};

class PermitQueues {
 public:
  using Lacks = PermitWaiter::Lacks;

  // What one worker keeps here for itself.
  struct alignas(64) OfWorker {
    WorkerCluster* cluster = nullptr;   // that gives up idle connections; null: none
    std::array<uint32_t, 2> held = {};  // connections, by priority
    std::atomic<bool> look_under_way{false};
  };
  // What is wanted of one queue.
  struct Demand {
    bool any = false;
    bool urgent = false;
    size_t worker = 0;  // of the first, if that is urgent
  };

  explicit PermitQueues(size_t workers) : of_(workers) {}
  PermitQueues(const PermitQueues&) = delete;
  PermitQueues& operator=(const PermitQueues&) = delete;

  // Before the first worker has it. Sends a look to a worker, which calls looked() first.
  void lookBy(std::function<void(size_t worker)> send) { send_ = std::move(send); }

  // Whether somebody wants what this worker may have. May be late by a moment, which the look that
  // follows makes good.
  bool anybody() const { return wanting_.load(std::memory_order_relaxed) > 0; }

  // From the waiter's worker. True: its place is another than before, so it is to try once more.
  bool wait(PermitWaiter& waiter, Lacks lacks, bool urgent);
  void leave(PermitWaiter& waiter);
  // Whether nobody comes before it, if it wants that permit.
  bool isFirst(const PermitWaiter& waiter, Lacks lacks, bool urgent) const;

  Demand ofCluster(Priority priority) const;
  Demand ofHost(const Host& host) const;

  // Something has changed: the first in the cluster's and the host's queue look whether it is their
  // turn; or, where there is no permit (full), all workers look whether they can give one up.
  void stir(Priority priority, bool cluster_full, const Host& host, bool host_full);
  void lookAll();
  void look(size_t worker);

  // For a worker that looks. Those of its pools whose turn it is.
  void looked(size_t worker) { of_[worker].look_under_way.exchange(false); }
  std::vector<PermitWaiter*> turnsOf(size_t worker) const;
  // Hosts whose permits are wanted, with their slots. They may be gone: to be compared only.
  std::vector<std::pair<const Host*, uint32_t>> wantedHosts() const;

  // Picks wait until other workers have given up idle connections to hosts at their limits
  // (AskForConnections). By workers.
  void beginAsking() { asking_.fetch_add(1), wanting_.fetch_add(1); }
  void endAsking() { asking_.fetch_sub(1), wanting_.fetch_sub(1); }
  bool asking() const { return asking_.load(std::memory_order_relaxed) > 0; }

  // From that worker.
  OfWorker& of(size_t worker) { return of_[worker]; }
  size_t workers() const { return of_.size(); }

 private:
  using List = base::IntrusiveList<PermitWaiter>;
  struct Queue {
    List urgent;
    List others;
    bool empty() const { return urgent.empty() && others.empty(); }
    PermitWaiter& front() { return urgent.empty() ? others.front() : urgent.front(); }
  };
  using OfHosts = std::unordered_map<const Host*, Queue>;

  Queue* find(const PermitWaiter& waiter, Lacks lacks) const;
  void unlink(PermitWaiter& waiter);
  static Demand demandOf(Queue& queue);

  alignas(64) std::atomic<uint32_t> wanting_{0};  // waiters, and workers that ask
  std::atomic<uint32_t> asking_{0};
  std::function<void(size_t worker)> send_;
  alignas(64) mutable std::mutex mutex_;
  mutable std::array<Queue, 2> of_cluster_;  // by priority; guarded by mutex_
  mutable OfHosts of_hosts_;                 // guarded by mutex_
  std::vector<OfWorker> of_;
};

}  // namespace convoy::upstream
