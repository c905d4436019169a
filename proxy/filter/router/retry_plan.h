#pragma once

// Whether one request may be sent again, how often, and when: the route's policy and what the
// request itself says, and how much of it is used up. Made when the first of these matters, in the
// request's arena. Knows no host, no cluster and no clock. Worker's thread.

#include <chrono>
#include <cstdint>
#include <optional>

#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/filter/router/retry_headers.h"
#include "proxy/http/failure.h"
#include "proxy/http/message.h"
#include "proxy/route/retry_rules.h"

namespace convoy::filter::router {

// RFC 9110 9.2.2: repeating these has the effect of sending them once.
bool isIdempotent(std::string_view method);

// What is known of an attempt that failed without a response head.
struct AttemptFacts {
  http::Failure failure = http::Failure::None;
  bool head_sent = false;         // it had a stream
  bool bytes_received = false;    // of whatever kind
  bool may_have_crossed = false;  // UpstreamConnectionInfo's
};
// No host has looked at the request.
bool unseen(const AttemptFacts& facts);
// Its connection broke before a byte of the response.
bool unanswered(const AttemptFacts& facts);

class RetryPlan {
 public:
  // rules: null without a policy. head: as it goes to the host, before takeRetryHeaders() has taken
  // anything that overrides refers to; lives as long.
  RetryPlan(const route::RetryRules* rules, const RetryOverrides& overrides,
            const http::RequestHead& head);

  // Whether this is among what the request may be sent again for.
  bool wants(const AttemptFacts& facts) const;
  bool wants(const http::ResponseHead& response) const;
  // A part of the request that was sent may be needed again.
  bool needsBody(bool multiplexed) const;

  uint32_t left() const { return left_; }
  uint32_t made() const { return made_; }  // retries scheduled so far
  void spend() {
    --left_;
    ++made_;
  }
  // What others behind us have used up.
  void deduct(uint32_t retries) { left_ -= retries < left_ ? retries : left_; }

  const route::RetryPolicy& policy() const;
  event::Duration perTryTimeout() const { return per_try_timeout_; }
  // The request says how long, not the policy.
  bool perTryIsOfRequest() const { return per_try_is_of_request_; }
  bool hedges() const { return hedges_; }

  // The response asks for more time than the policy gives it, and nothing less: it is the last one.
  bool asksForTooLong(const http::ResponseHead& response, event::WallTime now) const;

  // How long to wait before the retry that spend() has counted. REQUIRES: made() > 0.
  struct Delay {
    event::Duration time{0};
    bool as_asked = false;  // by the response
  };
  // response: null if there was none. Envoy's: a random part of (2^n - 1) base intervals, at most
  // of the longest one; or what the response asks for and up to half as much again.
  Delay delay(const http::ResponseHead* response, event::WallTime now, event::Random& random) const;

 private:
  bool wantsStatus(uint16_t status) const;
  bool wantsHeaders(const http::ResponseHead& response) const;
  bool wantsGrpc(const http::ResponseHead& response) const;
  struct Asked {
    std::optional<std::chrono::seconds> wait;  // the first time that will do
    bool too_long = false;                     // none will, and some because it is too long
  };
  Asked asked(const http::ResponseHead& response, event::WallTime now) const;

  const route::RetryRules* const rules_;
  const std::string_view statuses_;
  const std::string_view header_names_;
  const bool idempotent_;
  uint32_t on_;
  uint32_t left_;
  uint32_t made_ = 0;
  event::Duration per_try_timeout_;
  const bool per_try_is_of_request_;
  bool hedges_;
};

}  // namespace convoy::filter::router
