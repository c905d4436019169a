#include "controlplane/fleet/registry.h"

#include <algorithm>
#include <chrono>
#include <set>
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

void setErrors(const std::vector<Progress::Error>& errors, event::WallTime now, v1::Node* node) {
  node->clear_errors();
  for (const Progress::Error& error : errors) {
    v1::NodeError* out = node->add_errors();
    *out->mutable_error() = error.error;
    out->set_revision(error.revision);
    setTimestamp(now, out->mutable_time());
  }
}

}  // namespace

v1::Node Registry::Entry::shown() const {
  if (open.empty()) return last;
  v1::Node node = open.rbegin()->second.node;
  node.set_connections(static_cast<uint32_t>(open.size()));
  return node;
}

ConnectionId Registry::connected(const Arrival& arrival) {
  ConnectionId id = 0;
  {
    MutexLock lock(&mutex_);
    forgetLost();
    id = ++last_connection_;
    Entry& entry = nodes_[arrival.id];
    connections_[id] = arrival.id;
    removed_.erase(arrival.id);
    v1::Node& node = entry.open[id].node;
    node.set_id(arrival.id);
    node.set_cluster(arrival.cluster);
    node.mutable_labels()->insert(arrival.labels.begin(), arrival.labels.end());
    node.set_user_agent(arrival.user_agent);
    node.set_peer(arrival.peer);
    node.set_state(v1::Node::PENDING);
    setTimestamp(clock_->wallNow(), node.mutable_connect_time());
    touch(entry);
  }
  observers_.notify();
  return id;
}

Registry::Found Registry::find(ConnectionId connection) {
  const auto id = connections_.find(connection);
  if (id == connections_.end()) return {};
  Entry& entry = nodes_.at(id->second);
  return {&entry, &entry.open.at(connection)};
}

void Registry::update(ConnectionId connection, const Progress& progress) {
  {
    MutexLock lock(&mutex_);
    const Found found = find(connection);
    if (found.entry == nullptr) return;
    Connection& on = *found.connection;
    if (progress.errors != on.progress.errors) {
      setErrors(progress.errors, clock_->wallNow(), &on.node);
    }
    if (progress.report.has_value()) *on.node.mutable_report() = *progress.report;
    on.node.set_state(stateOf(progress));
    if (progress.settled) {
      on.node.set_acknowledged_revision(progress.revision);
      if (!on.progress.settled || on.progress.revision != progress.revision) {
        on.settled_at = clock_->monotonicNow();
      }
      if (!progress.expects_requests) {
        on.complete = progress.revision;
        on.never_asks = false;
      }
    }
    on.progress = progress;
    touch(*found.entry);
  }
  observers_.notify();
}

void Registry::disconnected(ConnectionId connection) {
  {
    MutexLock lock(&mutex_);
    const Found found = find(connection);
    if (found.entry == nullptr) return;
    Entry& entry = *found.entry;
    if (entry.open.size() == 1) {
      entry.last = std::move(found.connection->node);
      entry.last.set_state(v1::Node::DISCONNECTED);
      setTimestamp(clock_->wallNow(), entry.last.mutable_disconnect_time());
      entry.lost = clock_->monotonicNow();
    }
    entry.open.erase(connection);
    connections_.erase(connection);
    touch(entry);
  }
  observers_.notify();
}

void Registry::forgetLost() {
  const event::MonotonicTime now = clock_->monotonicNow();
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    if (!it->second.open.empty() || now - it->second.lost < kRememberLost) {
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
    v1::Node node = it->second.shown();
    if (model::selects(selector, {node.labels().begin(), node.labels().end()})) {
      found.push_back(std::move(node));
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
    v1::Node node = entry.shown();
    if (model::selects(selector, {node.labels().begin(), node.labels().end()})) {
      changes.nodes.push_back(std::move(node));
    }
  }
  for (const auto& [id, at] : removed_) {
    if (at > sequence) changes.removed.push_back(id);
  }
  return changes;
}

bool Registry::reached(ConnectionId connection, store::RevisionNumber revision) {
  const Found found = find(connection);
  if (found.entry == nullptr) return true;
  Connection& on = *found.connection;
  if (on.complete >= revision) return true;
  if (!on.progress.settled || on.progress.revision < revision) return false;
  if (clock_->monotonicNow() - on.settled_at >= kAskPatience) on.never_asks = true;
  return on.never_asks;
}

std::vector<v1::Node> Registry::awaitRevision(store::RevisionNumber revision,
                                              absl::Duration patience,
                                              const std::function<bool()>& cancelled) {
  constexpr std::chrono::milliseconds kPoll{100};
  const event::MonotonicTime end = clock_->monotonicNow() + absl::ToChronoNanoseconds(patience);
  MutexLock lock(&mutex_);
  const std::map<ConnectionId, std::string> connected = connections_;
  // Those before `next` have been there; what they are on their way to since does not matter.
  auto next = connected.begin();
  while (true) {
    while (next != connected.end() && reached(next->first, revision)) ++next;
    const event::Duration left = end - clock_->monotonicNow();
    if (next == connected.end() || left <= event::Duration(0) || cancelled()) break;
    changed_.waitFor(&mutex_, std::min<event::Duration>(left, kPoll));
  }
  std::set<std::string> ids;
  for (const auto& [connection, id] : connected) ids.insert(id);
  std::vector<v1::Node> nodes;
  for (const std::string& id : ids) {
    const auto found = nodes_.find(id);
    if (found != nodes_.end()) nodes.push_back(found->second.shown());
  }
  return nodes;
}

}  // namespace convoy::controlplane::fleet
