#include "proxy/filter/stateful_session/session_table.h"

#include <algorithm>

namespace convoy::filter::stateful_session {

SessionTable::SessionTable() = default;

void SessionTable::setLimits(event::Duration ttl, uint32_t max_entries) {
  ttl_.store(ttl.count(), std::memory_order_relaxed);
  const size_t most = (size_t{max_entries} + kShards - 1) / kShards;
  most_in_shard_.store(std::max(most, size_t{1}), std::memory_order_relaxed);
}

std::string_view SessionTable::find(const Key& client, event::MonotonicTime now, base::Arena& arena,
                                    bool* check) {
  const event::Duration ttl(ttl_.load(std::memory_order_relaxed));
  Shard& shard = shardOf(client);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.index.find(client);
  if (found == shard.index.end()) return {};
  Entry& entry = *found->second;
  if (now - entry.used >= ttl) return {};  // put() drops it
  entry.used = shard.used = now;
  shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  if (check != nullptr && now - entry.checked >= std::min(kCheckEvery, ttl / 2)) {
    *check = true;
    entry.checked = now;
  }
  return arena.copy(entry.host);
}

SessionTable::Change SessionTable::put(const Key& client, std::string_view host,
                                       event::MonotonicTime now) {
  const event::Duration ttl(ttl_.load(std::memory_order_relaxed));
  const size_t most = most_in_shard_.load(std::memory_order_relaxed);
  Change change;
  Shard& shard = shardOf(client);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  shard.used = now;
  const auto found = shard.index.find(client);
  if (found != shard.index.end()) {
    found->second->host = host;
    found->second->used = found->second->checked = now;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
  } else {
    shard.entries.push_front({client, std::string(host), now, now});
    shard.index.emplace(client, shard.entries.begin());
    ++change.entries;
  }
  // Two at most, so that what was left by a smaller limit or a quiet night goes bit by bit.
  for (int i = 0; i < 2 && shard.entries.size() > 1; ++i) {
    const Entry& oldest = shard.entries.back();
    const bool over = now - oldest.used >= ttl;
    if (!over && shard.entries.size() <= most) break;
    if (!over) ++change.evicted;
    --change.entries;
    shard.index.erase(oldest.client);
    shard.entries.pop_back();
  }
  return change;
}

void SessionTable::move(const Key& client, std::string_view host) {
  Shard& shard = shardOf(client);
  const std::lock_guard<std::mutex> lock(shard.mutex);
  const auto found = shard.index.find(client);
  if (found != shard.index.end()) found->second->host = host;
}

size_t SessionTable::size() const {
  size_t size = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    size += shard.entries.size();
  }
  return size;
}

bool SessionTable::isStale(event::MonotonicTime now) const {
  const event::Duration ttl(ttl_.load(std::memory_order_relaxed));
  return std::ranges::all_of(shards_, [&](const Shard& shard) {
    const std::lock_guard<std::mutex> lock(shard.mutex);
    return shard.entries.empty() || now - shard.used >= ttl;
  });
}

std::shared_ptr<SessionTable> SessionTables::get(const Learned& spec, event::MonotonicTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = tables_.find(spec.table);
  if (found == tables_.end()) {
    std::erase_if(tables_, [now](const auto& named) {
      return named.second.use_count() == 1 && named.second->isStale(now);
    });
    found = tables_.emplace(spec.table, std::make_shared<SessionTable>()).first;
  }
  found->second->setLimits(spec.ttl, spec.max_entries);
  return found->second;
}

}  // namespace convoy::filter::stateful_session
