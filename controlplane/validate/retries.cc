#include "controlplane/validate/retries.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr uint32_t kMostAttempts = 10;
constexpr uint32_t kMostBufferBytes = 16 * 1024 * 1024;
constexpr int64_t kDefaultBaseNanos = 25'000'000;
constexpr int64_t kNanos = 1'000'000'000;

bool isPositive(const google::protobuf::Duration& duration) {
  return duration.seconds() > 0 || duration.nanos() > 0;
}

int64_t nanosOf(const google::protobuf::Duration& duration) {
  return duration.seconds() * kNanos + duration.nanos();
}

void checkBackoff(const v1::Retries::Backoff& backoff, const Place& place) {
  constexpr char kRange[] = "1 ms to 1 h";
  if (backoff.has_base()) checkDuration(backoff.base(), 1, kHourMs, kRange, place.field("base"));
  if (!backoff.has_max()) return;
  checkDuration(backoff.max(), 1, kHourMs, kRange, place.field("max"));
  const int64_t base = backoff.has_base() ? nanosOf(backoff.base()) : kDefaultBaseNanos;
  if (nanosOf(backoff.max()) >= base) return;
  place.field("max").refuse("range", "", "must not be shorter than base, which is 25 ms if unset");
}

void checkLimits(const v1::Pool& pool, const v1::PoolLimits& limits, const Place& at) {
  const auto atLeastOne = [&at](bool set, uint32_t value, absl::string_view field) {
    if (set) checkRange(value, 1, UINT32_MAX, at.field(field));
  };
  atLeastOne(limits.has_max_connections(), limits.max_connections(), "max_connections");
  atLeastOne(limits.has_max_pending(), limits.max_pending(), "max_pending");
  atLeastOne(limits.has_max_requests(), limits.max_requests(), "max_requests");
  if (limits.has_max_retries() && pool.has_retry_budget()) {
    at.field("max_retries")
        .refuse("conflict", absl::StrCat(limits.max_retries()),
                "retry_budget limits the same retries: remove one of the two");
  }
}

}  // namespace

void checkRetries(const v1::Retries& retries, const Place& place) {
  for (int i = 0; i < retries.on_size(); ++i) {
    const int on = retries.on(i);
    if (v1::RetryOn_IsValid(on) && on != v1::RETRY_ON_UNSPECIFIED) continue;
    place.element("on", i).refuse("enum", absl::StrCat(on),
                                  "there is no such condition; see docs/retries.md");
  }
  for (int i = 0; i < retries.statuses_size(); ++i) {
    checkRange(retries.statuses(i), 400, 599, place.element("statuses", i));
  }
  if (retries.has_attempts()) {
    checkRange(retries.attempts(), 0, kMostAttempts, place.field("attempts"));
  }
  if (retries.has_per_try_timeout()) {
    checkDuration(retries.per_try_timeout(), 0, kDayMs, "0 (no limit) to 24 h",
                  place.field("per_try_timeout"));
  }
  if (retries.has_backoff()) checkBackoff(retries.backoff(), place.field("backoff"));
  if (retries.hedge() && !isPositive(retries.per_try_timeout())) {
    place.field("hedge").refuse("conflict", "true",
                                "the second attempt begins at the end of per_try_timeout; set it");
  }
  if (retries.has_buffer_bytes()) {
    checkRange(retries.buffer_bytes(), 1, kMostBufferBytes, place.field("buffer_bytes"));
  }
}

void checkPoolLimits(const v1::Pool& pool, const Place& place) {
  checkLimits(pool, pool.limits(), place.field("limits"));
  checkLimits(pool, pool.high_priority_limits(), place.field("high_priority_limits"));
  const Place budget = place.field("retry_budget");
  const double percent = pool.retry_budget().percent();
  if (!(percent >= 0 && percent <= 100)) {
    budget.field("percent").refuse("range", absl::StrCat(percent), "must be from 0 to 100");
  }
  if (pool.retry_budget().has_min_retries()) {
    checkRange(pool.retry_budget().min_retries(), 0, 1'000'000, budget.field("min_retries"));
  }
}

}  // namespace convoy::controlplane::validate
