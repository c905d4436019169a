#pragma once

// Immutable configuration of retries: what config/ makes of envoy.config.route.v3.RetryPolicy and
// HedgePolicy, with Envoy's defaults. Plain data; part of a route's spec (spec.h).

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/timer_origins.h"
#include "proxy/route/match_spec.h"

namespace convoy::route {

struct RetryPolicy {
  uint32_t on = 0;  // RetryOn (retry_on.h)
  uint32_t num_retries = 1;
  Milliseconds per_try_timeout{0};                 // 0: none
  Milliseconds per_try_idle_timeout{0};            // 0: none
  std::vector<uint32_t> statuses = {};             // for RetriableStatusCodes
  std::vector<HeaderMatch> response_headers = {};  // for RetriableHeaders: any of them
  std::vector<HeaderMatch> request_headers = {};   // one must be there; empty: every request
  Milliseconds backoff_base{25};                   // >= 1
  Milliseconds backoff_max{250};                   // >= base
  struct ResetHeader {
    std::string name;      // lower case
    bool is_time = false;  // seconds since the epoch, else seconds from now
  };
  std::vector<ResetHeader> reset_headers = {};  // empty: none is looked at
  Milliseconds reset_max{300'000};
  bool hedge_on_per_try_timeout = false;
  base::TimerOrigins origins = {};  // of the times of an attempt

  // convoy.ext.RetryExtras.
  // A request that no host has looked at is sent again at once, while there is another host, and
  // without a charge to the budget: for the hosts it is the first time.
  bool unseen_is_free = false;
  // Nor is what is lost with its host (upstream/host_loss.h).
  bool lost_with_host_is_free = false;
  // A response that asks for more time than reset_max is the last one.
  bool too_long_is_final = false;
  // An idempotent request whose connection broke before a byte of the response may be sent again.
  bool idempotent_resets = false;
  // Tells the next hop how long it has and how many retries are left (filter/router/retry_hops.h).
  bool tell_next_hop = false;
};

}  // namespace convoy::route
