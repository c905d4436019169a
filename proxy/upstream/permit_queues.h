#pragma once

// Who of a cluster waits for a permit to open a connection, on all workers together. The counts
// (limit.h, host_limits.h) are exact, so a pool with requests that wait may find that others hold
// all permits: those of its host, or those of the cluster for its priority. It stands in the queue
// of what it lacks then. A queue has two classes: first come pools without any connection that will
// serve their requests sooner or later (urgent), then the others; within a class who has been in it
// for longest, in whichever queue: who finds that it lacks the other permit now keeps its place.
// One pool at a time, the first, may take what is free; it has that one permit and stands behind
// the others for the next.
//
// No wake-up is lost: who enters looks at the count once more, and who gives a permit back looks
// whether anybody waits, each after its own write, all four sequentially consistent. What follows
// is told by looks: a message to a worker that it should look what it can take or give up. A look
// says nothing else, so one that comes late or twice does no harm, and at most one is under way to
// each worker. It is about the cluster's queues and those of the hosts where something has changed
// since that worker's last one, however many others there are.
//
// Picks that find all hosts at their limits do not wait here: other workers are asked for what they
// do not need (AskForConnections).
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
  uint64_t since_ = 0;  // when it began to wait so: a number that grows
};

class PermitQueues {
 public:
  using Lacks = PermitWaiter::Lacks;

  // What one worker keeps here for itself.
  struct alignas(64) OfWorker {
    WorkerCluster* cluster = nullptr;   // that gives up idle connections; null: none
    std::array<uint32_t, 2> held = {};  // connections that stay, by priority
    std::atomic<bool> look_under_way{false};
    uint64_t seen = 0;  // the last change that it has looked at; guarded by mutex_
  };
  // What is wanted of one queue.
  struct Demand {
    bool any = false;
    uint32_t urgent = 0;  // how many
    size_t worker = 0;    // of the first, if that is urgent
  };
  // What a worker that looks is told.
  struct Look {
    std::vector<PermitWaiter*> turns;  // those of its pools whose turn it is
    // Hosts whose permits are wanted, with their slots. They may be gone: to be compared only.
    std::vector<std::pair<const Host*, uint32_t>> wanted;
  };

  explicit PermitQueues(size_t workers) : of_(workers) {}
  PermitQueues(const PermitQueues&) = delete;
  PermitQueues& operator=(const PermitQueues&) = delete;

  // Before the first worker has it. Sends a look to a worker, which calls look() first.
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
  // The limits may be others: that worker, or each, looks at all queues.
  void stirAll(size_t worker);
  void stirAll();

  // For a worker that looks.
  Look look(size_t worker);

  // From that worker.
  OfWorker& of(size_t worker) { return of_[worker]; }
  size_t workers() const { return of_.size(); }

 private:
  using List = base::IntrusiveList<PermitWaiter>;
  struct Queue : base::ListHook<> {
    List urgent;
    List others;
    uint32_t urgent_count = 0;
    uint64_t changed = 0;  // of a host: when, a number that grows
    bool empty() const { return urgent.empty() && others.empty(); }
    PermitWaiter& front() { return urgent.empty() ? others.front() : urgent.front(); }
  };
  using OfHosts = std::unordered_map<const Host*, Queue>;

  Queue* find(const PermitWaiter& waiter, Lacks lacks) const;
  void link(PermitWaiter& waiter);
  void unlink(PermitWaiter& waiter);
  void noteChange(Queue& of_host);
  static Demand demandOf(Queue& queue);
  void send(size_t worker);
  void sendAll();

  alignas(64) std::atomic<uint32_t> wanting_{0};  // waiters
  std::function<void(size_t worker)> send_;
  alignas(64) mutable std::mutex mutex_;
  mutable std::array<Queue, 2> of_cluster_;  // by priority; guarded by mutex_
  mutable OfHosts of_hosts_;                 // guarded by mutex_, like all that follow
  base::IntrusiveList<Queue> changed_;       // of_hosts_, that with the last change in front
  uint64_t changes_ = 0;
  uint64_t entered_ = 0;
  std::vector<OfWorker> of_;
};

}  // namespace convoy::upstream
