#include "controlplane/fleet/registry.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "controlplane/base/timestamps.h"

namespace convoy::controlplane::fleet {

namespace {

constexpr std::chrono::hours kRememberLost{1};
constexpr size_t kMostRemoved = 10'000;

v1::Node::State stateOf(const Progress& progress) {
  if (!progress.settled) return v1::Node::PENDING;
  return progress.errors.empty() ? v1::Node::SYNCED : v1::Node::REFUSING;
}

}  // namespace

ConnectionId Registry::connected(const Arrival& arrival) {
  ConnectionId id = 0;
  {
    MutexLock lock(&mutex_);
    forgetLost();
    id = ++last_connection_;
    Entry& entry = nodes_[arrival.id];
    connections_.erase(entry.connection);
    connections_[id] = arrival.id;
    removed_.erase(arrival.id);
    entry.connection = id;
    entry.progress = Progress();
    entry.complete = 0;
    entry.never_asks = false;
    v1::Node& node = entry.node;
    node.Clear();
    node.set_id(arrival.id);
    node.set_cluster(arrival.cluster);
    node.mutable_labels()->insert(arrival.labels.begin(), arrival.labels.end());
    node.set_user_agent(arrival.user_agent);
    node.set_peer(arrival.peer);
    node.set_state(v1::Node::PENDING);
    setTimestamp(clock_->wallNow(), node.mutable_connect_time());
    touch(entry);
    changed_.signalAll();
  }
  observers_.notify();
  return id;
}

Registry::Entry* Registry::entryOf(ConnectionId connection) {
  const auto id = connections_.find(connection);
  return id == connections_.end() ? nullptr : &nodes_.at(id->second);
}

void Registry::update(ConnectionId connection, const Progress& progress) {
  {
    MutexLock lock(&mutex_);
    Entry* entry = entryOf(connection);
    if (entry == nullptr) return;
    v1::Node& node = entry->node;
    if (progress.errors != entry->progress.errors) {
      node.clear_errors();
      for (const Progress::Error& error : progress.errors) {
        v1::NodeError* out = node.add_errors();
        *out->mutable_error() = error.error;
        out->set_revision(error.revision);
        setTimestamp(clock_->wallNow(), out->mutable_time());
      }
    }
    if (progress.report.has_value()) *node.mutable_report() = *progress.report;
    node.set_state(stateOf(progress));
    if (progress.settled) {
      node.set_acknowledged_revision(progress.revision);
      if (!entry->progress.settled || entry->progress.revision != progress.revision) {
        entry->settled_at = clock_->monotonicNow();
      }
      if (!progress.expects_requests) {
        entry->complete = progress.revision;
        entry->never_asks = false;
      }
    }
    entry->progress = progress;
    touch(*entry);
    changed_.signalAll();
  }
  observers_.notify();
}

void Registry::disconnected(ConnectionId connection) {
  {
    MutexLock lock(&mutex_);
    Entry* entry = entryOf(connection);
    if (entry == nullptr) return;
    connections_.erase(connection);
    entry->connection = 0;
    entry->lost = clock_->monotonicNow();
    entry->node.set_state(v1::Node::DISCONNECTED);
    setTimestamp(clock_->wallNow(), entry->node.mutable_disconnect_time());
    touch(*entry);
    changed_.signalAll();
  }
  observers_.notify();
}

void Registry::forgetLost() {
  const event::MonotonicTime now = clock_->monotonicNow();
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    if (it->second.connection != 0 || now - it->second.lost < kRememberLost) {
      ++it;
      continue;
    }
    removed_[it->first] = ++sequence_;
    it = nodes_.erase(it);
  }
  // Who has not asked for so long hears of some nodes only by their silence.
  while (removed_.size() > kMostRemoved) removed_.erase(removed_.begin());
}

std::vector<v1::Node> Registry::list(const v1::NodeSelector& selector, const std::string& after,
                                     size_t limit) {
  MutexLock lock(&mutex_);
  forgetLost();
  std::vector<v1::Node> found;
  for (auto it = nodes_.upper_bound(after); it != nodes_.end() && found.size() < limit; ++it) {
    const v1::Node& node = it->second.node;
    if (model::selects(selector, {node.labels().begin(), node.labels().end()})) {
      found.push_back(node);
    }
  }
  return found;
}

FleetChanges Registry::changesSince(Sequence sequence, const v1::NodeSelector& selector) {
  MutexLock lock(&mutex_);
  forgetLost();
  FleetChanges changes;
  changes.sequence = sequence_;
  for (const auto& [id, entry] : nodes_) {
    if (entry.changed <= sequence) continue;
    const auto& labels = entry.node.labels();
    if (model::selects(selector, {labels.begin(), labels.end()})) {
      changes.nodes.push_back(entry.node);
    }
  }
  for (const auto& [id, at] : removed_) {
    if (at > sequence) changes.removed.push_back(id);
  }
  return changes;
}

bool Registry::reached(const std::string& id, store::RevisionNumber revision) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end() || found->second.connection == 0) return true;
  Entry& entry = found->second;
  if (entry.complete >= revision) return true;
  if (!entry.progress.settled || entry.progress.revision < revision) return false;
  if (clock_->monotonicNow() - entry.settled_at >= kAskPatience) entry.never_asks = true;
  return entry.never_asks;
}

std::vector<v1::Node> Registry::awaitRevision(store::RevisionNumber revision,
                                              absl::Duration patience,
                                              const std::function<bool()>& cancelled) {
  constexpr std::chrono::milliseconds kPoll{100};
  const event::MonotonicTime end = clock_->monotonicNow() + absl::ToChronoNanoseconds(patience);
  MutexLock lock(&mutex_);
  std::vector<std::string> connected;
  for (const auto& [id, entry] : nodes_) {
    if (entry.connection != 0) connected.push_back(id);
  }
  // Those before `next` have been there; what they are on their way to since does not matter.
  auto next = connected.begin();
  while (true) {
    while (next != connected.end() && reached(*next, revision)) ++next;
    const event::Duration left = end - clock_->monotonicNow();
    if (next == connected.end() || left <= event::Duration(0) || cancelled()) break;
    changed_.waitFor(&mutex_, std::min<event::Duration>(left, kPoll));
  }
  std::vector<v1::Node> nodes;
  for (const std::string& id : connected) {
    const auto found = nodes_.find(id);
    if (found != nodes_.end()) nodes.push_back(found->second.node);
  }
  return nodes;
}

}  // namespace convoy::controlplane::fleet
