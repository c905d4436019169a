#pragma once

// What a request itself says about retries and time-outs: Envoy's x-envoy-... fields, and what the
// hop before tells (retry_hops.h). They count if the request comes from inside, and never go on to
// the host. Pure functions of a head.

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/event/clock.h"
#include "proxy/http/message.h"

namespace convoy::filter::router {

inline constexpr std::string_view kRetriesLeft = "x-convoy-retries-left";
inline constexpr std::string_view kRetriesUsed = "x-convoy-retries-used";
inline constexpr std::string_view kExpectedTimeout = "x-envoy-expected-rq-timeout-ms";
inline constexpr std::string_view kTimeout = "x-envoy-upstream-rq-timeout-ms";
inline constexpr std::string_view kPerTryTimeout = "x-envoy-upstream-rq-per-try-timeout-ms";
inline constexpr std::string_view kAttemptCount = "x-envoy-attempt-count";

// Views are into the head's fields.
struct RetryOverrides {
  uint32_t on = 0;                                      // RetryOn, beside the route's
  std::optional<uint32_t> max_retries = {};             // instead of the route's
  std::string_view statuses = {};                       // list, beside the route's
  std::string_view header_names = {};                   // list, beside the route's
  std::optional<event::Duration> per_try_timeout = {};  // instead of the route's; 0: none
  std::optional<event::Duration> timeout = {};          // likewise
  std::optional<bool> hedge = {};                       // likewise
  std::optional<event::Duration> expected = {};         // how long the hop before waits
  std::optional<uint32_t> retries_left = {};            // of all hops from here on together
};

// Takes them out of the head. Unset: there were none, or they do not count. What cannot be read is
// as if it was not there. counts: whether a client's fields do, and those of the hop before, which
// can only make a request end earlier.
std::optional<RetryOverrides> takeRetryHeaders(http::RequestHead& head,
                                               bool (*counts)(void* self, bool of_hop), void* self);

// A decimal number, and nothing else.
std::optional<uint64_t> decimal(std::string_view text);

// x-convoy-retries-used of a response, which is taken out; 0: unsaid.
uint32_t takeRetriesUsed(http::ResponseHead& head);

}  // namespace convoy::filter::router
