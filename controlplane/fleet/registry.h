#pragma once

// The nodes that this control plane drives: who is connected, what each has acknowledged and what
// it refuses. Kept in memory; a lost node is remembered for an hour. Thread-safe.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "api/convoy/v1/node.pb.h"
#include "controlplane/base/mutex.h"
#include "controlplane/base/observers.h"
#include "controlplane/model/selector.h"
#include "controlplane/store/store.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::fleet {

// Who connected.
struct Arrival {
  std::string id;
  std::string cluster;
  model::Labels labels;
  std::string user_agent;
  std::string peer;
};

// How far a connection is.
struct Progress {
  bool settled = false;                // nothing is on its way to it
  store::RevisionNumber revision = 0;  // what it is being brought to, or is at if settled
  // It was told of clusters or listeners whose endpoints or routes it has not asked for yet.
  bool expects_requests = false;
  struct Error {
    ext::ResourceError error;
    store::RevisionNumber revision = 0;
    friend bool operator==(const Error& a, const Error& b) {
      return a.revision == b.revision && a.error.SerializeAsString() == b.error.SerializeAsString();
    }
  };
  std::vector<Error> errors;
  std::optional<ext::NodeReport> report;
};

using ConnectionId = uint64_t;

// Counts the changes of the fleet.
using Sequence = uint64_t;

struct FleetChanges {
  Sequence sequence = 0;  // of this answer: ask from here the next time
  std::vector<v1::Node> nodes;
  std::vector<std::string> removed;
};

class Registry {
 public:
  static constexpr std::chrono::seconds kAskPatience{1};

  explicit Registry(const event::Clock* clock) : clock_(clock) {}

  // Connections with one id are one node, shown as the latest of those that are open: an earlier
  // one may be a node's that has reconnected, or another process by the same name.
  ConnectionId connected(const Arrival& arrival);
  void update(ConnectionId connection, const Progress& progress);
  void disconnected(ConnectionId connection);

  // Nodes after an id, ordered by id.
  std::vector<v1::Node> list(const v1::NodeSelector& selector, const std::string& after,
                             size_t limit);

  // What changed since; everything since 0.
  FleetChanges changesSince(Sequence sequence, const v1::NodeSelector& selector);

  // Blocks until every connection of now has acknowledged the revision or a later one, or
  // has gone, until `patience` is over, or until `cancelled` says so (it is asked several times a
  // second). Returns these nodes. A client may acknowledge a cluster before it asks for the
  // cluster's endpoints: it is given kAskPatience to do so, and one that does not is not waited for
  // again until it asks.
  std::vector<v1::Node> awaitRevision(store::RevisionNumber revision, absl::Duration patience,
                                      const std::function<bool()>& cancelled);

  // Told of every change.
  Observers& observers() { return observers_; }

 private:
  struct Connection {
    v1::Node node;
    Progress progress;
    store::RevisionNumber complete = 0;  // was settled there, and expected no request
    event::MonotonicTime settled_at;
    bool never_asks = false;  // kAskPatience was over once
  };
  struct Entry {
    std::map<ConnectionId, Connection> open;
    v1::Node last;  // of the connection that was lost last, while none is open
    event::MonotonicTime lost;
    Sequence changed = 0;

    v1::Node shown() const;
  };
  struct Found {
    Entry* entry = nullptr;  // null: there is no such connection
    Connection* connection = nullptr;
  };

  void touch(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    entry.changed = ++sequence_;
    changed_.signalAll();
  }
  void forgetLost() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Found find(ConnectionId connection) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Acknowledged, or not there to be waited for.
  bool reached(ConnectionId connection, store::RevisionNumber revision)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const event::Clock* const clock_;
  Observers observers_;

  Mutex mutex_;
  Condition changed_;
  std::map<std::string, Entry> nodes_ ABSL_GUARDED_BY(mutex_);
  std::map<ConnectionId, std::string> connections_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Sequence> removed_ ABSL_GUARDED_BY(mutex_);
  Sequence sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  ConnectionId last_connection_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace convoy::controlplane::fleet
