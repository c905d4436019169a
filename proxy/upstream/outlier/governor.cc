#include "proxy/upstream/outlier/governor.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace convoy::upstream {

namespace {

constexpr event::Duration kTick = std::chrono::milliseconds(100);

}  // namespace

void Governor::reset() {
  members_.clear();
  active_ = outage_ = others_wait_anew_ = false;
  out_ = waiting_ = serving_ = 0;
  tokens_.reset();
  grows_since_.reset();
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
    if (!grows_since_.has_value()) {
      tokens_ = tokens_.value_or(0) + spec_.requests_per_second;
      grows_since_ = now;
    }
    // One that comes and goes does not make it last.
    if (!std::exchange(member.returned, true)) last_return_ = now;
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
  const bool before = std::exchange(outage_, outage());
  if (before || outage_) last_return_ = now;
  if (outage_) {
    if (!before || out_ == members_.size()) emptyBucket(now);
    active_ = true;
    return;
  }
  if (!active_ || !settled(now)) return;
  active_ = false;
  tokens_.reset();
  grows_since_.reset();
  for (auto& [address, member] : members_) {
    if (member.standing != Standing::Out) member.standing = Standing::Free;
    member.returned = false;
  }
}

void Governor::noteServing(size_t hosts) {
  const bool nobody_before = std::exchange(serving_, hosts) == 0;
  others_wait_anew_ = nobody_before != (serving_ == 0) && waiting_ > 0;
}

// A few may be out for good: they belong to no outage of many.
bool Governor::settled(event::MonotonicTime now) const {
  const size_t few = std::max<size_t>(1, members_.size() * spec_.outage_percent / 200);
  return waiting_ == 0 && !outage() && out_ <= few && now - last_return_ >= spec_.settle_time;
}

// But for the share of those that serve on: none of these is without a request.
void Governor::emptyBucket(event::MonotonicTime now) {
  size_t metered = 0, of_outages = 0;
  for (auto& [address, member] : members_) {
    member.returned = false;
    metered += member.standing == Standing::Metered;
    of_outages += member.standing != Standing::Free;
  }
  const auto theirs = static_cast<double>(metered);
  const double kept = cap(now) * theirs / static_cast<double>(std::max<size_t>(of_outages, 1));
  tokens_ = metered == 0 ? std::nullopt : std::optional(std::max(kept, theirs));
  grows_since_.reset();
}

bool Governor::due(event::MonotonicTime now) const {
  if (!active_) return false;
  if (others_wait_anew_ || settled(now)) return true;
  return waiting_ > 0 && std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
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
  if (!active_) return kNoCap;
  if (!tokens_.has_value()) return spec_.max_requests;
  double tokens = *tokens_;
  if (grows_since_.has_value()) {
    const double seconds = std::chrono::duration<double>(now - *grows_since_).count();
    tokens += seconds * spec_.requests_per_second;
  }
  return static_cast<uint32_t>(std::min(tokens, static_cast<double>(spec_.max_requests)));
}

}  // namespace convoy::upstream
