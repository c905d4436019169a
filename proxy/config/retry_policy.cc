#include "proxy/config/retry_policy.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/config/origins.h"
#include "proxy/config/registry.h"
#include "proxy/config/route_action.h"
#include "proxy/config/route_match.h"
#include "proxy/config/values.h"
#include "proxy/route/retry_on.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::route::v3;

constexpr char kPreviousHosts[] =
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
constexpr int kBackoffFactor = 10;  // Envoy's: from the base to the longest interval

uint32_t toConditions(const std::string& list, base::FieldReport& report) {
  uint32_t conditions = 0;
  std::string_view rest = list;
  for (std::string_view name = route::takeName(rest); !name.empty(); name = route::takeName(rest)) {
    const uint32_t condition = route::retryCondition(name);
    conditions |= condition;
    if (condition != 0) continue;
    if (base::equalsIgnoreCase(name, "http3-post-connect-failure")) {
      report.note("retry_on", "http3-post-connect-failure is for HTTP/3 only");
      continue;
    }
    report.error("retry_on", "unsupported_value", name,
                 "is no condition that this build knows; see docs/retries.md for those it has");
  }
  return conditions;
}

std::vector<route::HeaderMatch> toHeaders(
    const google::protobuf::RepeatedPtrField<proto::HeaderMatcher>& matchers,
    std::string_view field, base::FieldReport& report) {
  std::vector<route::HeaderMatch> headers;
  for (int i = 0; i < matchers.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    headers.push_back(toHeaderMatch(matchers[i], report));
  }
  return headers;
}

void setHostPredicates(const proto::RetryPolicy& proto, base::FieldReport& report) {
  for (int i = 0; i < proto.retry_host_predicate_size(); ++i) {
    auto at = report.in("retry_host_predicate", static_cast<size_t>(i));
    const std::string_view type = typeName(proto.retry_host_predicate(i).typed_config());
    if (type == kPreviousHosts) continue;
    report.error("typed_config", "unsupported_extension", type,
                 "this build has envoy.retry_host_predicates.previous_hosts only");
  }
}

void setBackoff(const proto::RetryPolicy& proto, route::RetryPolicy* policy,
                base::FieldReport& report) {
  if (proto.has_retry_back_off()) {
    auto at = report.in("retry_back_off");
    const auto& backoff = proto.retry_back_off();
    policy->backoff_base = toMilliseconds(backoff.base_interval(), "base_interval", report);
    policy->backoff_base = std::max(policy->backoff_base, Milliseconds(1));
    policy->backoff_max = policy->backoff_base * kBackoffFactor;
    if (backoff.has_max_interval()) {
      policy->backoff_max = toMilliseconds(backoff.max_interval(), "max_interval", report);
      if (policy->backoff_max < policy->backoff_base) {
        report.error("max_interval", "range", std::to_string(policy->backoff_max.count()) + " ms",
                     "must not be shorter than base_interval");
      }
    }
  }
  if (!proto.has_rate_limited_retry_back_off()) return;
  auto at = report.in("rate_limited_retry_back_off");
  const auto& limited = proto.rate_limited_retry_back_off();
  for (const auto& header : limited.reset_headers()) {
    policy->reset_headers.push_back(
        {header.name(), header.format() == proto::RetryPolicy::UNIX_TIMESTAMP});
  }
  if (limited.has_max_interval()) {
    policy->reset_max = toMilliseconds(limited.max_interval(), "max_interval", report);
  }
}

route::RetryPolicy toPolicy(const proto::RetryPolicy& proto, const Context& context,
                            base::FieldReport& report) {
  route::RetryPolicy policy;
  policy.origins = originsAt(context, report);
  policy.on = toConditions(proto.retry_on(), report);
  if (proto.has_num_retries()) policy.num_retries = proto.num_retries().value();
  if (proto.has_per_try_timeout()) {
    policy.per_try_timeout = toMilliseconds(proto.per_try_timeout(), "per_try_timeout", report);
    noteOrigin(base::Timer::PerTry, context, report, &policy.origins);
  }
  if (proto.has_per_try_idle_timeout()) {
    policy.per_try_idle_timeout =
        toMilliseconds(proto.per_try_idle_timeout(), "per_try_idle_timeout", report);
    noteOrigin(base::Timer::PerTryIdle, context, report, &policy.origins);
  }
  setHostPredicates(proto, report);
  policy.statuses.assign(proto.retriable_status_codes().begin(),
                         proto.retriable_status_codes().end());
  // As Envoy: codes without the condition do nothing.
  policy.response_headers = toHeaders(proto.retriable_headers(), "retriable_headers", report);
  policy.request_headers =
      toHeaders(proto.retriable_request_headers(), "retriable_request_headers", report);
  setBackoff(proto, &policy, report);
  return policy;
}

bool hedges(const proto::HedgePolicy& proto, base::FieldReport& report) {
  if (proto.has_initial_requests() && proto.initial_requests().value() != 1) {
    report.error("initial_requests", "unsupported_value",
                 std::to_string(proto.initial_requests().value()),
                 "one request is sent first; write 1");
  }
  return proto.hedge_on_per_try_timeout();
}

void setExtras(const ext::RetryExtras& extras, route::RetryPolicy* policy) {
  policy->unseen_is_free = extras.unseen_is_free();
  policy->idempotent_resets = extras.idempotent_resets();
  policy->tell_next_hop = extras.tell_next_hop();
  policy->lost_with_host_is_free = extras.lost_with_host_is_free();
  policy->too_long_is_final = extras.too_long_is_final();
}

}  // namespace

size_t RetryPolicies::bitsOf(const ext::RetryExtras& extras) {
  const std::array<bool, kExtras> set = {extras.unseen_is_free(), extras.idempotent_resets(),
                                         extras.tell_next_hop(), extras.lost_with_host_is_free(),
                                         extras.too_long_is_final()};
  size_t bits = 0;
  for (const bool one : set) bits = bits << 1 | static_cast<size_t>(one);
  return bits;
}

RetryPolicies::RetryPolicies(const proto::VirtualHost& host, const Context& context,
                             base::FieldReport& report)
    : host_(host), context_(context), report_(report) {
  if (!host.has_retry_policy() && !host.has_hedge_policy()) return;
  auto policy = std::make_shared<route::RetryPolicy>();
  if (host.has_retry_policy()) {
    auto at = report.in("retry_policy");
    *policy = toPolicy(host.retry_policy(), context, report);
  }
  if (host.has_hedge_policy()) {
    auto at = report.in("hedge_policy");
    policy->hedge_on_per_try_timeout = hedges(host.hedge_policy(), report);
  }
  of_host_ = std::move(policy);
}

void RetryPolicies::set(const proto::Route& route, route::Forward* forward) {
  if (route.has_per_request_buffer_limit_bytes()) {
    forward->retry_buffer_bytes = route.per_request_buffer_limit_bytes().value();
  } else if (host_.has_per_request_buffer_limit_bytes()) {
    forward->retry_buffer_bytes = host_.per_request_buffer_limit_bytes().value();
  }
  forward->tells_attempts_to_host = host_.include_request_attempt_count();
  forward->tells_attempts_to_client = host_.include_attempt_count_in_response();
  forward->retries = of(route);
}

RetryPolicyPtr RetryPolicies::of(const proto::Route& route) {
  const proto::RouteAction& action = route.route();
  const auto route_policy = routePolicy(route);
  const ext::RetryExtras& extras =
      route_policy.has_value() ? route_policy->retries() : ext::RetryExtras::default_instance();
  const bool plain = !action.has_retry_policy() && !action.has_hedge_policy();
  RetryPolicyPtr& shared = extended_[bitsOf(extras)];
  // The next hop may be told about time where nothing is retried; the others say how to.
  const bool without = of_host_ == nullptr ? !extras.tell_next_hop() : bitsOf(extras) == 0;
  if (plain && without) return of_host_;
  if (plain && shared != nullptr) return shared;
  auto policy = of_host_ == nullptr ? std::make_shared<route::RetryPolicy>()
                                    : std::make_shared<route::RetryPolicy>(*of_host_);
  auto at = report_.in("route");
  if (action.has_retry_policy()) {
    auto in = report_.in("retry_policy");
    const bool hedge = policy->hedge_on_per_try_timeout;
    *policy = toPolicy(action.retry_policy(), context_, report_);
    policy->hedge_on_per_try_timeout = hedge;
    if (route_policy.has_value() && route_policy->has_origin()) {
      policy->origins = base::TimerOrigins(route_policy->origin().path());
      noteSource(base::Timer::PerTry, route_policy->origin(), &policy->origins);
    }
  }
  if (action.has_hedge_policy()) {
    auto in = report_.in("hedge_policy");
    policy->hedge_on_per_try_timeout = hedges(action.hedge_policy(), report_);
  }
  setExtras(extras, policy.get());
  if (plain) shared = policy;
  return policy;
}

}  // namespace convoy::config
