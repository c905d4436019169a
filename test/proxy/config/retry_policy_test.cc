#include "proxy/config/retry_policy.h"

#include "proxy/route/retry_on.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using route::RetryOn;
using std::chrono::milliseconds;

// A virtual host with the fields of `host` and one route for each of `routes`.
std::vector<route::Forward> convert(const std::string& host, const std::vector<std::string>& routes,
                                    Lines* errors = nullptr) {
  const auto virtual_host = fromYaml<envoy::config::route::v3::VirtualHost>(host);
  base::FieldReport report;
  const Context context = testContext();
  RetryPolicies policies(virtual_host, context, report);
  std::vector<route::Forward> out;
  for (const std::string& yaml : routes) {
    const auto route = fromYaml<envoy::config::route::v3::Route>(yaml);
    policies.set(route, &out.emplace_back());
  }
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << host;
  }
  return out;
}

std::shared_ptr<const route::RetryPolicy> policy(const std::string& yaml) {
  return convert("{}", {"{route: {cluster: a, retry_policy: " + yaml + "}}"})[0].retries;
}

TEST(RetryPolicy, NoneUnlessAskedFor) {
  const auto forward = convert("{}", {"{route: {cluster: a}}"})[0];
  EXPECT_EQ(forward.retries, nullptr);
  EXPECT_EQ(forward.retry_buffer_bytes, std::nullopt);
  EXPECT_FALSE(forward.tells_attempts_to_host);
}

TEST(RetryPolicy, UnsetFieldsMeanWhatEnvoyDocuments) {
  const auto plain = policy("{}");
  EXPECT_EQ(plain->on, 0u);
  EXPECT_EQ(plain->num_retries, 1u);
  EXPECT_EQ(plain->backoff_base, milliseconds(25));
  EXPECT_EQ(plain->backoff_max, milliseconds(250));
  EXPECT_EQ(plain->reset_max, milliseconds(300'000));
  EXPECT_FALSE(plain->hedge_on_per_try_timeout);
  EXPECT_FALSE(plain->unseen_is_free);
  EXPECT_EQ(policy("{retry_back_off: {base_interval: 2s}}")->backoff_max, milliseconds(20'000));
}

TEST(RetryPolicy, EveryField) {
  const auto all = policy(R"({
    retry_on: "5xx,retriable-headers,unavailable", num_retries: 4, per_try_timeout: 2s,
    per_try_idle_timeout: 1s, host_selection_retry_max_attempts: 5,
    retry_host_predicate: [{name: p, typed_config: {"@type":
      type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate}}],
    retriable_status_codes: [429, 409],
    retry_back_off: {base_interval: 0.0001s, max_interval: 0.5s},
    rate_limited_retry_back_off: {max_interval: 9s, reset_headers: [
      {name: Retry-After}, {name: X-RateLimit-Reset, format: UNIX_TIMESTAMP}]},
    retriable_headers: [{name: X-A, string_match: {exact: b}}],
    retriable_request_headers: [{name: x-c}]})");
  EXPECT_EQ(all->on, RetryOn::Status5xx | RetryOn::RetriableHeaders | RetryOn::GrpcUnavailable);
  EXPECT_EQ(all->num_retries, 4u);
  EXPECT_EQ(all->per_try_timeout, milliseconds(2000));
  EXPECT_EQ(all->per_try_idle_timeout, milliseconds(1000));
  EXPECT_EQ(all->statuses, (std::vector<uint32_t>{429, 409}));
  EXPECT_EQ(all->backoff_base, milliseconds(1)) << "rounded up";
  EXPECT_EQ(all->backoff_max, milliseconds(500));
  ASSERT_EQ(all->reset_headers.size(), 2u);
  EXPECT_FALSE(all->reset_headers[0].is_time);
  EXPECT_TRUE(all->reset_headers[1].is_time);
  EXPECT_EQ(all->reset_max, milliseconds(9000));
  EXPECT_EQ(all->response_headers[0].name, "x-a");
  EXPECT_EQ(all->request_headers[0].name, "x-c");
}

TEST(RetryPolicy, ARouteWithoutOneHasThatOfItsHost) {
  const auto routes = convert(
      "{retry_policy: {retry_on: 5xx}, hedge_policy: {hedge_on_per_try_timeout: true}, "
      "per_request_buffer_limit_bytes: 7, include_request_attempt_count: true, "
      "include_attempt_count_in_response: true}",
      {"{route: {cluster: a}}", "{route: {cluster: a}}",
       "{route: {cluster: a, retry_policy: {retry_on: reset}}, per_request_buffer_limit_bytes: 9}",
       "{route: {cluster: a, hedge_policy: {}}}"});
  EXPECT_EQ(routes[0].retries, routes[1].retries) << "one object for all of them";
  EXPECT_TRUE(routes[0].retries->hedge_on_per_try_timeout);
  EXPECT_EQ(routes[0].retry_buffer_bytes, 7u);
  EXPECT_TRUE(routes[0].tells_attempts_to_host);
  EXPECT_TRUE(routes[0].tells_attempts_to_client);
  EXPECT_EQ(routes[2].retries->on, uint32_t{RetryOn::Reset});
  EXPECT_TRUE(routes[2].retries->hedge_on_per_try_timeout);
  EXPECT_EQ(routes[2].retry_buffer_bytes, 9u);
  EXPECT_EQ(routes[3].retries->on, uint32_t{RetryOn::Status5xx});
  EXPECT_FALSE(routes[3].retries->hedge_on_per_try_timeout);
}

TEST(RetryPolicy, ExtrasOfRoutes) {
  const std::string extras =
      "{route: {cluster: a}, metadata: {typed_filter_metadata: {convoy.ext.RoutePolicy: "
      "{\"@type\": "
      "type.googleapis.com/convoy.ext.RoutePolicy, retries: {unseen_is_free: true, "
      "idempotent_resets: true, tell_next_hop: true, lost_with_host_is_free: true, "
      "too_long_is_final: true}}}}}";
  const auto routes =
      convert("{retry_policy: {retry_on: 5xx}}", {extras, extras, "{route: {cluster: a}}"});
  EXPECT_EQ(routes[0].retries, routes[1].retries);
  EXPECT_EQ(routes[0].retries->on, uint32_t{RetryOn::Status5xx});
  EXPECT_TRUE(routes[0].retries->unseen_is_free);
  EXPECT_TRUE(routes[0].retries->idempotent_resets);
  EXPECT_TRUE(routes[0].retries->lost_with_host_is_free);
  EXPECT_TRUE(routes[0].retries->too_long_is_final);
  EXPECT_TRUE(routes[0].retries->tell_next_hop);
  EXPECT_FALSE(routes[2].retries->unseen_is_free);
  EXPECT_FALSE(routes[2].retries->lost_with_host_is_free);
  EXPECT_FALSE(routes[2].retries->too_long_is_final);
  // A hop that retries nothing may say how long it waits.
  const auto alone = convert("{}", {extras, "{route: {cluster: a}}"});
  ASSERT_NE(alone[0].retries, nullptr);
  EXPECT_TRUE(alone[0].retries->tell_next_hop);
  EXPECT_EQ(alone[0].retries->on, 0u);
  EXPECT_EQ(alone[1].retries, nullptr);
}

TEST(RetryPolicy, Refused) {
  const ErrorCase cases[] = {
      {"{retry_on: \"5xx,sometimes\"}",
       {"route.retry_policy.retry_on: unsupported_value: sometimes"}},
      {"{retry_host_predicate: [{name: c, typed_config: {\"@type\": "
       "type.googleapis.com/envoy.extensions.retry.host.omit_canary_hosts.v3."
       "OmitCanaryHostsPredicate}}]}",
       {"route.retry_policy.retry_host_predicate[0].typed_config: unsupported_extension: "
        "envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate"}},
      {"{retry_back_off: {base_interval: 2s, max_interval: 1s}}",
       {"route.retry_policy.retry_back_off.max_interval: range: 1000 ms"}},
      {"{per_try_timeout: -1s}", {"route.retry_policy.per_try_timeout: range: -1s"}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors;
    convert("{}", {"{route: {cluster: a, retry_policy: " + c.yaml + "}}"}, &errors);
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
  Lines errors;
  convert("{hedge_policy: {initial_requests: 2}}", {}, &errors);
  EXPECT_EQ(errors, Lines({"hedge_policy.initial_requests: unsupported_value: 2"}));
}

}  // namespace
}  // namespace convoy::config
