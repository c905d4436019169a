#include "proxy/upstream/outlier/governor.h"

#include <algorithm>
#include <chrono>

namespace convoy::upstream {

namespace {

constexpr event::Duration kTick = std::chrono::milliseconds(100);

}  // namespace

void Governor::reset() {
  members_.clear();
  active_ = false;
  first_return_.reset();
}

bool Governor::note(const net::Address& host, bool usable, event::MonotonicTime now) {
  Member& member = members_[host];
  member.round = round_;
  if (!usable) {
    member.standing = Standing::Out;
    return false;
  }
  if (member.standing == Standing::Out) {
    member.standing = active_ ? Standing::Waits : Standing::Free;
    const auto jitter = static_cast<uint64_t>(event::Duration(spec_.jitter).count());
    member.from = now + event::Duration(jitter == 0 ? 0 : random_.below(jitter));
  }
  if (member.standing == Standing::Waits && member.from <= now) {
    member.standing = Standing::Metered;
    if (!first_return_.has_value()) first_return_ = now;
    last_return_ = now;
  }
  return member.standing != Standing::Waits;
}

void Governor::endRound(event::MonotonicTime now) {
  absl::erase_if(members_, [this](const auto& entry) { return entry.second.round != round_; });
  out_ = waiting_ = 0;
  for (const auto& [address, member] : members_) {
    out_ += member.standing == Standing::Out;
    waiting_ += member.standing == Standing::Waits;
  }
  if (out_ * 100 > size_t{spec_.outage_percent} * members_.size()) {
    // It begins, or begins anew: whoever comes back then begins with an empty bucket.
    active_ = true;
    if (out_ == members_.size()) first_return_.reset();
    return;
  }
  const bool settled = out_ + waiting_ == 0 && now - last_return_ >= spec_.settle_time;
  if (!active_ || !settled) return;
  active_ = false;
  first_return_.reset();
  for (auto& [address, member] : members_) member.standing = Standing::Free;
}

bool Governor::due(event::MonotonicTime now) const {
  if (!active_) return false;
  if (out_ + waiting_ == 0 && now - last_return_ >= spec_.settle_time) return true;
  return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
    return entry.second.standing == Standing::Waits && entry.second.from <= now;
  });
}

std::optional<event::MonotonicTime> Governor::next(event::MonotonicTime now) const {
  if (!active_ || out_ == members_.size()) return std::nullopt;
  return now + kTick;
}

Governor::Standing Governor::standing(const net::Address& host) const {
  const auto found = members_.find(host);
  return found == members_.end() ? Standing::Free : found->second.standing;
}

uint32_t Governor::cap(event::MonotonicTime now) const {
  if (!active_ || !first_return_.has_value()) return kNoCap;
  const double seconds = std::chrono::duration<double>(now - *first_return_).count();
  const double tokens = (1 + seconds) * spec_.requests_per_second;
  return static_cast<uint32_t>(std::min(tokens, static_cast<double>(spec_.max_requests)));
}

}  // namespace convoy::upstream
