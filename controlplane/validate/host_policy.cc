#include "controlplane/validate/host_policy.h"

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kTenMinutesMs = 600 * 1000;
constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr absl::string_view kPrefix = "x-";

void checkKeepalive(const v1::Pool& pool, const Place& place) {
  if (!pool.has_keepalive()) return;
  if (pool.protocol() != v1::PROTOCOL_HTTP2) {
    place.refuse("conflict", "",
                 "only HTTP/2 can ask whether a connection is alive; set protocol to http2, or "
                 "remove it");
  }
  const v1::Keepalive& keepalive = pool.keepalive();
  const bool off = keepalive.interval().seconds() == 0 && keepalive.interval().nanos() == 0;
  if (keepalive.has_interval() && !off) {
    checkDuration(keepalive.interval(), 1000, kHourMs, "0, or 1 s to 1 h", place.field("interval"));
  }
  if (keepalive.has_timeout()) {
    checkDuration(keepalive.timeout(), 100, kTenMinutesMs, "100 ms to 10 min",
                  place.field("timeout"));
  }
}

}  // namespace

void checkHostPolicy(const v1::Pool& pool, const Place& place) {
  checkKeepalive(pool, place.field("keepalive"));
  if (pool.has_slow_start()) {
    checkDuration(pool.slow_start(), 100, kHourMs, "100 ms to 1 h", place.field("slow_start"));
  }
  if (pool.has_drain_timeout()) {
    checkDuration(pool.drain_timeout(), 0, kDayMs, "0 to 24 h", place.field("drain_timeout"));
  }
  const std::string& header = pool.override_header();
  if (header.empty()) return;
  const bool named = absl::StartsWithIgnoreCase(header, kPrefix) &&
                     header.size() > kPrefix.size() && isToken(header);
  const bool plain =
      header.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == std::string::npos;
  if (named && plain) return;
  place.field("override_header")
      .refuse("syntax", header,
              "the name of a header that begins with \"x-\" is needed, such as \"x-backend\"");
}

void checkBackendLimits(const v1::Backend& backend, const Place& place) {
  if (!backend.has_max_connections()) return;
  checkRange(backend.max_connections(), 1, UINT32_MAX, place.field("max_connections"));
}

}  // namespace convoy::controlplane::validate
