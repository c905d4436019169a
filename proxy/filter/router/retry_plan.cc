#include "proxy/filter/router/retry_plan.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/strings.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/http/http_date.h"
#include "proxy/route/retry_on.h"

namespace convoy::filter::router {

namespace {

using http::Failure;
using route::RetryOn;

constexpr std::string_view kEnvoyRateLimited = "x-envoy-ratelimited";

bool isConnectFailure(Failure failure) {
  return failure == Failure::UpstreamConnectFailure || failure == Failure::UpstreamConnectTimeout ||
         failure == Failure::UpstreamTransportFailure;
}

// What Envoy calls a reset: the host did not respond.
bool isReset(Failure failure) {
  return isConnectFailure(failure) || failure == Failure::UpstreamReset ||
         failure == Failure::UpstreamRefusedStream || failure == Failure::UpstreamProtocolError ||
         failure == Failure::UpstreamDrained || failure == Failure::UpstreamPerTryTimeout ||
         failure == Failure::UpstreamPerTryIdleTimeout;
}

uint32_t grpcCondition(uint8_t status) {
  switch (status) {
    case 1:
      return RetryOn::GrpcCancelled;
    case 4:
      return RetryOn::GrpcDeadlineExceeded;
    case 8:
      return RetryOn::GrpcResourceExhausted;
    case 13:
      return RetryOn::GrpcInternal;
    case 14:
      return RetryOn::GrpcUnavailable;
    default:
      return 0;
  }
}

// From now on; a number that `is_time` counts from 1970 on.
std::optional<int64_t> secondsSaid(std::string_view value, bool is_time, event::WallTime now) {
  const int64_t today =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (!value.empty() && value.find_first_not_of("0123456789") == value.npos) {
    constexpr uint64_t kMost = INT64_MAX;
    const auto seconds = static_cast<int64_t>(std::min(decimal(value).value_or(kMost), kMost));
    return is_time ? seconds - today : seconds;
  }
  // RFC 9110 10.2.3: Retry-After may be a date.
  const auto date = http::parseHttpDate(value);
  if (!date.has_value()) return std::nullopt;
  return *date - today;
}

const route::RetryPolicy& noPolicy() {
  static const auto* const policy = new route::RetryPolicy;
  return *policy;
}

}  // namespace

bool isIdempotent(std::string_view method) {
  return base::equals(method, "GET") || base::equals(method, "HEAD") ||
         base::equals(method, "OPTIONS") || base::equals(method, "PUT") ||
         base::equals(method, "DELETE") || base::equals(method, "TRACE");
}

bool unseen(const AttemptFacts& facts) {
  const bool unsent = !facts.head_sent && (facts.failure == Failure::UpstreamDrained ||
                                           facts.failure == Failure::UpstreamProtocolError);
  return unsent || isConnectFailure(facts.failure) ||
         facts.failure == Failure::UpstreamRefusedStream;
}

bool unanswered(const AttemptFacts& facts) {
  return facts.failure == Failure::UpstreamReset && !facts.bytes_received;
}

RetryPlan::RetryPlan(const route::RetryRules* rules, const RetryOverrides& overrides,
                     const http::RequestHead& head)
    : rules_(rules),
      statuses_(overrides.statuses),
      header_names_(overrides.header_names),
      idempotent_(isIdempotent(head.method)),
      on_(policy().on | overrides.on),
      left_(overrides.max_retries.value_or(policy().num_retries)),
      per_try_timeout_(overrides.per_try_timeout.value_or(policy().per_try_timeout)),
      per_try_is_of_request_(overrides.per_try_timeout.has_value()),
      hedges_(overrides.hedge.value_or(policy().hedge_on_per_try_timeout)) {
  if (overrides.retries_left.has_value()) left_ = std::min(left_, *overrides.retries_left);
  if (rules_ != nullptr && !rules_->requestQualifies(head)) on_ = left_ = 0;
}

const route::RetryPolicy& RetryPlan::policy() const {
  return rules_ == nullptr ? noPolicy() : rules_->policy();
}

bool RetryPlan::wants(const AttemptFacts& facts) const {
  if (!isReset(facts.failure)) return false;
  if ((on_ & (RetryOn::Reset | RetryOn::Status5xx | RetryOn::GatewayError)) != 0) return true;
  if ((on_ & RetryOn::ResetBeforeRequest) != 0 && !facts.head_sent) return true;
  if ((on_ & RetryOn::ConnectFailure) != 0 && isConnectFailure(facts.failure)) return true;
  if ((on_ & RetryOn::RefusedStream) != 0 && facts.failure == Failure::UpstreamRefusedStream) {
    return true;
  }
  return policy().idempotent_resets && idempotent_ && unanswered(facts) && left_ + made_ > 0;
}

bool RetryPlan::wants(const http::ResponseHead& response) const {
  if ((on_ & RetryOn::kResponses) == 0) return false;
  // As Envoy: whoever limits the rate does not want to be asked again.
  if (response.headers.find(kEnvoyRateLimited) != nullptr) {
    return (on_ & RetryOn::EnvoyRatelimited) != 0;
  }
  return wantsStatus(response.status) || wantsHeaders(response) || wantsGrpc(response);
}

bool RetryPlan::wantsStatus(uint16_t status) const {
  if ((on_ & RetryOn::Status5xx) != 0 && status / 100 == 5) return true;
  if ((on_ & RetryOn::GatewayError) != 0 && status >= 502 && status <= 504) return true;
  if ((on_ & RetryOn::Retriable4xx) != 0 && status == 409) return true;
  if ((on_ & RetryOn::RetriableStatusCodes) == 0) return false;
  const auto& codes = policy().statuses;
  if (std::find(codes.begin(), codes.end(), status) != codes.end()) return true;
  std::string_view list = statuses_;
  for (auto code = route::takeName(list); !code.empty(); code = route::takeName(list)) {
    if (decimal(code) == status) return true;
  }
  return false;
}

bool RetryPlan::wantsHeaders(const http::ResponseHead& response) const {
  if ((on_ & RetryOn::RetriableHeaders) == 0) return false;
  if (rules_ != nullptr && rules_->headersMatch(response)) return true;
  std::string_view list = header_names_;
  for (auto name = route::takeName(list); !name.empty(); name = route::takeName(list)) {
    if (response.headers.find(name) != nullptr) return true;
  }
  return false;
}

// Only of a response that is nothing but trailers: behind a body it is too late.
bool RetryPlan::wantsGrpc(const http::ResponseHead& response) const {
  if ((on_ & RetryOn::kGrpc) == 0) return false;
  const auto status = http::grpcStatus(response.headers);
  return status.has_value() && (on_ & grpcCondition(*status)) != 0;
}

bool RetryPlan::needsBody(bool multiplexed) const {
  if (left_ == 0) return false;
  const uint32_t sent = on_ & RetryOn::kSent;
  // Nobody but an HTTP/2 host refuses what was sent.
  return (sent & ~uint32_t{RetryOn::RefusedStream}) != 0 || (sent != 0 && multiplexed) ||
         (policy().idempotent_resets && idempotent_) || (hedges_ && per_try_timeout_.count() > 0);
}

RetryPlan::Asked RetryPlan::asked(const http::ResponseHead& response, event::WallTime now) const {
  const auto most = std::chrono::duration_cast<std::chrono::seconds>(policy().reset_max).count();
  Asked asked;
  for (const auto& header : policy().reset_headers) {
    const http::HeaderField* const field = response.headers.find(header.name);
    if (field == nullptr) continue;
    const int64_t seconds = secondsSaid(field->value, header.is_time, now).value_or(0);
    if (seconds > 0 && seconds <= most) return {.wait = std::chrono::seconds(seconds)};
    asked.too_long = asked.too_long || seconds > most;
  }
  return asked;
}

bool RetryPlan::asksForTooLong(const http::ResponseHead& response, event::WallTime now) const {
  return policy().too_long_is_final && asked(response, now).too_long;
}

RetryPlan::Delay RetryPlan::delay(const http::ResponseHead* response, event::WallTime now,
                                  event::Random& random) const {
  if (response != nullptr) {
    if (const auto asks = asked(*response, now).wait; asks.has_value()) {
      const event::Duration wait = *asks;
      return {wait + event::Duration(random.below(static_cast<uint64_t>(wait.count() / 2))), true};
    }
  }
  constexpr uint32_t kMostDoublings = 20;
  const uint64_t steps = (uint64_t{1} << std::min(made_, kMostDoublings)) - 1;
  const auto base = static_cast<uint64_t>(policy().backoff_base.count());
  const auto most = static_cast<uint64_t>(policy().backoff_max.count());
  const uint64_t range = steps > most / base ? most : std::min(steps * base, most);
  return {std::chrono::milliseconds(random.below(std::max<uint64_t>(range, 1))), false};
}

}  // namespace convoy::filter::router
