#include "proxy/upstream/outlier/host_breakers.h"

#include <algorithm>
#include <utility>

namespace convoy::upstream {

void HostBreakers::setHosts(const std::vector<std::shared_ptr<const Host>>& hosts) {
  auto before = std::exchange(breakers_, {});
  absl::flat_hash_map<const Host*, std::unique_ptr<Breaker>*> known;
  for (auto& breaker : before) known[breaker->host.get()] = &breaker;
  by_address_.clear();
  not_closed_.clear();
  for (const auto& host : hosts) {
    if (by_address_.contains(host->address())) continue;
    const auto found = known.find(host.get());
    auto& breaker = breakers_.emplace_back(found == known.end() ? std::make_unique<Breaker>()
                                                                : std::move(*found->second));
    if (breaker->host == nullptr) {
      breaker->host = host;
      host->streaks().forget(Streak::Failures);
      host->streaks().stopProbes();
    }
    by_address_[host->address()] = breaker.get();
    breaker->place = breakers_.size();
    if (breaker->state != State::Closed) not_closed_[breaker->place] = breaker.get();
  }
}

HostBreakers::Breaker* HostBreakers::find(const Host& host) {
  const auto found = by_address_.find(host.address());
  if (found == by_address_.end() || found->second->host.get() != &host) return nullptr;
  return found->second;
}

void HostBreakers::open(Breaker& breaker, event::MonotonicTime now) {
  breaker.state = State::Open;
  not_closed_[breaker.place] = &breaker;
  breaker.until = now + spec_.open_time;
  breaker.host->streaks().stopProbes();
}

bool HostBreakers::onFailures(const Host& host, event::MonotonicTime now) {
  Breaker* const breaker = find(host);
  const uint32_t length = host.streaks().length(Streak::Failures);
  if (breaker == nullptr || breaker->state != State::Closed) return false;
  if (length < spec_.failures) {  // a success came meanwhile
    host.streaks().tellAgain(Streak::Failures);
    return false;
  }
  open(*breaker, now);
  return true;
}

bool HostBreakers::onProbe(const Host& host, bool passed, event::MonotonicTime now) {
  Breaker* const breaker = find(host);
  if (breaker == nullptr || breaker->state != State::HalfOpen) return false;
  host.streaks().forget(Streak::Failures);
  if (!passed) {
    open(*breaker, now);
    return true;
  }
  breaker->state = State::Closed;
  not_closed_.erase(breaker->place);
  host.streaks().stopProbes();
  return true;
}

std::vector<std::shared_ptr<const Host>> HostBreakers::advance(event::MonotonicTime now) {
  std::vector<std::shared_ptr<const Host>> changed;
  for (const auto& [place, breaker] : not_closed_) {
    if (breaker->state != State::Open || breaker->until > now) continue;
    breaker->state = State::HalfOpen;
    breaker->host->streaks().allowProbes();
    changed.push_back(breaker->host);
  }
  return changed;
}

std::optional<event::MonotonicTime> HostBreakers::next() const {
  std::optional<event::MonotonicTime> next;
  for (const auto& [place, breaker] : not_closed_) {
    if (breaker->state != State::Open) continue;
    next = std::min(next.value_or(breaker->until), breaker->until);
  }
  return next;
}

HostBreakers::State HostBreakers::state(const net::Address& host) const {
  const auto found = by_address_.find(host);
  return found == by_address_.end() ? State::Closed : found->second->state;
}

bool HostBreakers::allowProbes(const net::Address& host, bool allowed) {
  const auto found = by_address_.find(host);
  if (found == by_address_.end()) return false;
  Breaker& breaker = *found->second;
  return std::exchange(breaker.probed, allowed) != allowed && breaker.state == State::HalfOpen;
}

std::vector<std::shared_ptr<const Host>> HostBreakers::halfOpen() const {
  std::vector<std::shared_ptr<const Host>> hosts;
  for (const auto& [place, breaker] : not_closed_) {
    if (breaker->state == State::HalfOpen && breaker->probed) hosts.push_back(breaker->host);
  }
  return hosts;
}

}  // namespace convoy::upstream
