#include "controlplane/compile/retries.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

namespace route_v3 = envoy::config::route::v3;

struct Compiled {
  route_v3::Route route;
  ext::RoutePolicy policy;
};

Compiled compiled(const std::string& text) {
  Compiled out;
  compileRetries(parse<v1::Route>(text), &out.route, &out.policy);
  return out;
}

std::string limits(const std::string& pool) {
  envoy::config::cluster::v3::CircuitBreakers out;
  compileLimits(parse<v1::Pool>(pool), &out);
  EXPECT_EQ(out.thresholds_size(), 2);
  EXPECT_EQ(out.thresholds(1).priority(), envoy::config::core::v3::HIGH);
  return shortText(out.thresholds(0));
}

constexpr char kAsked[] =
    "rate_limited_retry_back_off { reset_headers { name: \"retry-after\" } max_interval { seconds: "
    "10 } }";
constexpr char kPredicate[] =
    "retry_host_predicate { name: \"envoy.retry_host_predicates.previous_hosts\" typed_config { "
    "[type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate] { "
    "} } } ";

TEST(RetriesTest, DefaultsAreWrittenOutOnceForEachHost) {
  route_v3::VirtualHost host;
  setDefaultRetries(&host);
  EXPECT_EQ(shortText(host),
            "retry_policy { retry_on: \"connect-failure,refused-stream,reset-before-request\" "
            "num_retries { value: 1 } " +
                std::string(kPredicate) + kAsked +
                " } per_request_buffer_limit_bytes { value: 65536 }");
  const Compiled plain = compiled(R"(pool: "w")");
  EXPECT_EQ(shortText(plain.route), "");
  EXPECT_EQ(shortText(plain.policy),
            "retries { unseen_is_free: true idempotent_resets: true lost_with_host_is_free: true "
            "too_long_is_final: true }");
}

TEST(RetriesTest, EveryField) {
  const Compiled all = compiled(R"(pool: "w" retries {
      on: [RETRY_ON_SERVER_ERROR, RETRY_ON_GRPC_UNAVAILABLE] statuses: [409, 429] attempts: 4
      per_try_timeout { seconds: 2 } backoff { base { seconds: 1 } max { seconds: 3 } }
      hedge: true buffer_bytes: 7 tell_next_hop: true })");
  EXPECT_EQ(shortText(all.route),
            "route { retry_policy { retry_on: \"5xx,unavailable,retriable-status-codes\" "
            "num_retries { value: 4 } per_try_timeout { seconds: 2 } " +
                std::string(kPredicate) +
                "retriable_status_codes: 409 retriable_status_codes: 429 retry_back_off { "
                "base_interval { seconds: 1 } max_interval { seconds: 3 } } " +
                kAsked +
                " } hedge_policy { hedge_on_per_try_timeout: true } } "
                "per_request_buffer_limit_bytes { value: 7 }");
  EXPECT_EQ(shortText(all.policy),
            "retries { unseen_is_free: true tell_next_hop: true lost_with_host_is_free: true "
            "too_long_is_final: true }");
}

TEST(RetriesTest, EveryConditionHasEnvoysName) {
  for (int on = v1::RetryOn_MIN + 1; on <= v1::RetryOn_MAX; ++on) {
    v1::Route route;
    route.mutable_retries()->add_on(static_cast<v1::RetryOn>(on));
    route_v3::Route out;
    ext::RoutePolicy policy;
    compileRetries(route, &out, &policy);
    EXPECT_FALSE(out.route().retry_policy().retry_on().empty()) << v1::RetryOn_Name(on);
  }
}

TEST(RetriesTest, OffIsNoRetries) {
  EXPECT_EQ(
      compiled(R"(retries { attempts: 0 })").route.route().retry_policy().num_retries().value(),
      0u);
}

TEST(RetriesTest, Limits) {
  EXPECT_EQ(
      limits(R"(retry_budget { percent: 50 min_retries: 0 } limits { max_connections: 1
      max_pending: 2 max_requests: 3 })"),
      "max_connections { value: 1 } max_pending_requests { value: 2 } max_requests { value: 3 "
      "} retry_budget { budget_percent { value: 50 } min_retry_concurrency { } }");
  EXPECT_EQ(limits("limits { max_retries: 7 }"),
            "max_connections { value: 4294967295 } max_pending_requests { value: 4294967295 } "
            "max_requests { value: 4294967295 } max_retries { value: 7 }");
}

TEST(RetriesTest, LimitsOfHighPriority) {
  envoy::config::cluster::v3::CircuitBreakers out;
  compileLimits(parse<v1::Pool>("limits { max_requests: 1 } high_priority_limits { max_requests: 2 "
                                "max_connections: 3 max_pending: 4 max_retries: 5 }"),
                &out);
  EXPECT_EQ(shortText(out.thresholds(1)),
            "priority: HIGH max_connections { value: 3 } max_pending_requests { value: 4 } "
            "max_requests { value: 2 } max_retries { value: 5 }");
}

}  // namespace
}  // namespace convoy::controlplane::compile
