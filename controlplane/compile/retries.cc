#include "controlplane/compile/retries.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.pb.h"

namespace convoy::controlplane::compile {

namespace {

namespace route_v3 = envoy::config::route::v3;

constexpr uint32_t kDefaultAttempts = 1;
constexpr uint32_t kDefaultBufferBytes = 65536;
constexpr int64_t kMostRetryAfterSeconds = 10;
constexpr int64_t kDefaultBackoffNanos = 25'000'000;
constexpr double kDefaultBudgetPercent = 20;
constexpr uint32_t kDefaultMinRetries = 3;

std::string nameOf(v1::RetryOn on) {
  switch (on) {
    case v1::RETRY_ON_CONNECT_FAILURE:
      return "connect-failure";
    case v1::RETRY_ON_REFUSED_STREAM:
      return "refused-stream";
    case v1::RETRY_ON_RESET_BEFORE_REQUEST:
      return "reset-before-request";
    case v1::RETRY_ON_RESET:
      return "reset";
    case v1::RETRY_ON_GATEWAY_ERROR:
      return "gateway-error";
    case v1::RETRY_ON_SERVER_ERROR:
      return "5xx";
    case v1::RETRY_ON_CONFLICT:
      return "retriable-4xx";
    case v1::RETRY_ON_GRPC_CANCELLED:
      return "cancelled";
    case v1::RETRY_ON_GRPC_DEADLINE_EXCEEDED:
      return "deadline-exceeded";
    case v1::RETRY_ON_GRPC_INTERNAL:
      return "internal";
    case v1::RETRY_ON_GRPC_RESOURCE_EXHAUSTED:
      return "resource-exhausted";
    case v1::RETRY_ON_GRPC_UNAVAILABLE:
      return "unavailable";
    default:  // validation refuses it
      return "";
  }
}

std::vector<std::string> conditionsOf(const v1::Retries& retries) {
  std::vector<std::string> names;
  for (const int on : retries.on()) names.push_back(nameOf(static_cast<v1::RetryOn>(on)));
  if (names.empty()) names = {"connect-failure", "refused-stream", "reset-before-request"};
  if (!retries.statuses().empty()) names.emplace_back("retriable-status-codes");
  return names;
}

bool replaysIdempotent(const v1::Retries& retries) {
  if (retries.on().empty()) return true;
  for (const int on : retries.on()) {
    if (on == v1::RETRY_ON_RESET_BEFORE_REQUEST) return true;
  }
  return false;
}

void setBackoff(const v1::Retries& retries, route_v3::RetryPolicy* out) {
  auto* limited = out->mutable_rate_limited_retry_back_off();
  auto* header = limited->add_reset_headers();
  header->set_name("retry-after");
  header->set_format(route_v3::RetryPolicy::SECONDS);
  limited->mutable_max_interval()->set_seconds(kMostRetryAfterSeconds);
  if (!retries.has_backoff()) return;
  auto* backoff = out->mutable_retry_back_off();
  if (retries.backoff().has_base()) {
    *backoff->mutable_base_interval() = retries.backoff().base();
  } else {
    backoff->mutable_base_interval()->set_nanos(kDefaultBackoffNanos);
  }
  if (retries.backoff().has_max()) *backoff->mutable_max_interval() = retries.backoff().max();
}

void compilePolicy(const v1::Retries& retries, route_v3::RetryPolicy* out) {
  out->set_retry_on(absl::StrJoin(conditionsOf(retries), ","));
  out->mutable_num_retries()->set_value(retries.has_attempts() ? retries.attempts()
                                                               : kDefaultAttempts);
  for (const uint32_t status : retries.statuses()) out->add_retriable_status_codes(status);
  if (retries.has_per_try_timeout() &&
      (retries.per_try_timeout().seconds() != 0 || retries.per_try_timeout().nanos() != 0)) {
    *out->mutable_per_try_timeout() = retries.per_try_timeout();
  }
  auto* predicate = out->add_retry_host_predicate();
  predicate->set_name("envoy.retry_host_predicates.previous_hosts");
  predicate->mutable_typed_config()->PackFrom(
      envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate());
  setBackoff(retries, out);
}

void compileThresholds(const v1::Pool& pool, const v1::PoolLimits& limits,
                       envoy::config::cluster::v3::CircuitBreakers::Thresholds* out) {
  constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  out->mutable_max_connections()->set_value(limits.has_max_connections() ? limits.max_connections()
                                                                         : kNone);
  out->mutable_max_pending_requests()->set_value(limits.has_max_pending() ? limits.max_pending()
                                                                          : kNone);
  out->mutable_max_requests()->set_value(limits.has_max_requests() ? limits.max_requests() : kNone);
  if (limits.has_max_retries()) {
    out->mutable_max_retries()->set_value(limits.max_retries());
    return;
  }
  auto* budget = out->mutable_retry_budget();
  budget->mutable_budget_percent()->set_value(
      pool.retry_budget().has_percent() ? pool.retry_budget().percent() : kDefaultBudgetPercent);
  budget->mutable_min_retry_concurrency()->set_value(pool.retry_budget().has_min_retries()
                                                         ? pool.retry_budget().min_retries()
                                                         : kDefaultMinRetries);
}

}  // namespace

void setDefaultRetries(route_v3::VirtualHost* host) {
  compilePolicy(v1::Retries::default_instance(), host->mutable_retry_policy());
  host->mutable_per_request_buffer_limit_bytes()->set_value(kDefaultBufferBytes);
}

void compileRetries(const v1::Route& route, route_v3::Route* out, ext::RoutePolicy* policy) {
  const v1::Retries& retries = route.retries();
  ext::RetryExtras* extras = policy->mutable_retries();
  extras->set_unseen_is_free(true);
  extras->set_lost_with_host_is_free(true);
  extras->set_too_long_is_final(true);
  extras->set_idempotent_resets(replaysIdempotent(retries));
  extras->set_tell_next_hop(retries.tell_next_hop());
  if (!route.has_retries()) return;
  compilePolicy(retries, out->mutable_route()->mutable_retry_policy());
  if (retries.hedge()) {
    out->mutable_route()->mutable_hedge_policy()->set_hedge_on_per_try_timeout(true);
  }
  if (retries.has_buffer_bytes()) {
    out->mutable_per_request_buffer_limit_bytes()->set_value(retries.buffer_bytes());
  }
}

// Envoy's defaults (1,024 connections, requests, waiting requests; 3 retries) answer 503 to what
// the backends would take; they are a guess about somebody else's backends. What bounds a node is
// its descriptors (docs/operating.md).
void compileLimits(const v1::Pool& pool, envoy::config::cluster::v3::CircuitBreakers* out) {
  compileThresholds(pool, pool.limits(), out->add_thresholds());
  // Written out like the others: unset would mean Envoy's.
  auto* high = out->add_thresholds();
  high->set_priority(envoy::config::core::v3::HIGH);
  compileThresholds(pool, pool.high_priority_limits(), high);
}

}  // namespace convoy::controlplane::compile
