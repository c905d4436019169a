#include "proxy/filter/router/retry_plan.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "proxy/route/retry_on.h"
#include "test/proxy/route/requests.h"

namespace convoy::filter::router {
namespace {

using http::Failure;
using route::RetryOn;
using route::RetryPolicy;
using namespace std::chrono_literals;

class Planned {
 public:
  explicit Planned(RetryPolicy policy, RetryOverrides overrides = {},
                   http::RequestHead head = test::request("/"))
      : head_(std::move(head)),
        rules_(*route::RetryRules::compile(std::make_shared<const RetryPolicy>(policy))),
        plan_(rules_.get(), overrides, head_) {}
  RetryPlan* operator->() { return &plan_; }

 private:
  const http::RequestHead head_;
  const std::shared_ptr<const route::RetryRules> rules_;
  RetryPlan plan_;
};

http::ResponseHead response(
    uint16_t status, std::vector<std::pair<std::string_view, std::string_view>> fields = {}) {
  http::ResponseHead head;
  head.status = status;
  for (const auto& [name, value] : fields) head.headers.add(name, value);
  return head;
}

// --- decisions ---

TEST(RetryPlan, Failures) {
  struct Case {
    uint32_t on;
    AttemptFacts facts;
    bool wanted;
  };
  const AttemptFacts refused_connection{.failure = Failure::UpstreamConnectFailure};
  const AttemptFacts reset{.failure = Failure::UpstreamReset, .head_sent = true};
  const AttemptFacts refused{.failure = Failure::UpstreamRefusedStream, .head_sent = true};
  const AttemptFacts slow{.failure = Failure::UpstreamPerTryTimeout, .head_sent = true};
  const Case cases[] = {
      {RetryOn::ConnectFailure, refused_connection, true},
      {RetryOn::ConnectFailure, {.failure = Failure::UpstreamConnectTimeout}, true},
      {RetryOn::ConnectFailure, {.failure = Failure::UpstreamTransportFailure}, true},
      {RetryOn::ConnectFailure, reset, false},
      {RetryOn::ConnectFailure, refused, false},
      {RetryOn::RefusedStream, refused, true},
      {RetryOn::RefusedStream, reset, false},
      {RetryOn::ResetBeforeRequest, refused_connection, true},
      {RetryOn::ResetBeforeRequest, reset, false},
      {RetryOn::Reset, refused_connection, true},
      {RetryOn::Reset, reset, true},
      {RetryOn::Reset, refused, true},
      {RetryOn::Reset, slow, true},
      {RetryOn::Reset, {.failure = Failure::UpstreamProtocolError, .head_sent = true}, true},
      {RetryOn::Status5xx, reset, true},
      {RetryOn::GatewayError, slow, true},
      {RetryOn::Reset, {.failure = Failure::UpstreamDrained, .head_sent = true}, true},
      {RetryOn::Status5xx, {.failure = Failure::UpstreamDrained}, true},
      {RetryOn::ConnectFailure, {.failure = Failure::UpstreamDrained}, false},
      {RetryOn::Retriable4xx, reset, false},
      {RetryOn::Status5xx, {.failure = Failure::UpstreamOverflow}, false},
      {RetryOn::Status5xx, {.failure = Failure::NoHealthyUpstream}, false},
      {RetryOn::Status5xx, {.failure = Failure::UpstreamResponseTimeout, .head_sent = true}, false},
      {0, refused_connection, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Planned({.on = c.on})->wants(c.facts), c.wanted)
        << c.on << " " << http::info(c.facts.failure).code;
  }
}

TEST(RetryPlan, Responses) {
  struct Case {
    uint32_t on;
    http::ResponseHead head;
    bool wanted;
  };
  const Case cases[] = {
      {RetryOn::Status5xx, response(500), true},
      {RetryOn::Status5xx, response(599), true},
      {RetryOn::Status5xx, response(499), false},
      {RetryOn::GatewayError, response(500), false},
      {RetryOn::GatewayError, response(502), true},
      {RetryOn::GatewayError, response(504), true},
      {RetryOn::GatewayError, response(505), false},
      {RetryOn::Retriable4xx, response(409), true},
      {RetryOn::Retriable4xx, response(404), false},
      {RetryOn::RetriableStatusCodes, response(418), true},
      {RetryOn::RetriableStatusCodes, response(429), false},
      {RetryOn::Status5xx, response(418), false},
      {RetryOn::Reset, response(503), false},
      {RetryOn::GrpcUnavailable, response(200, {{"grpc-status", "14"}}), true},
      {RetryOn::GrpcUnavailable, response(200, {{"grpc-status", "13"}}), false},
      {RetryOn::GrpcInternal, response(200, {{"grpc-status", "13"}}), true},
      {RetryOn::GrpcCancelled, response(200, {{"grpc-status", "1"}}), true},
      {RetryOn::GrpcDeadlineExceeded, response(200, {{"grpc-status", "4"}}), true},
      {RetryOn::GrpcResourceExhausted, response(200, {{"grpc-status", "8"}}), true},
      {RetryOn::kGrpc, response(200, {{"grpc-status", "0"}}), false},
      {RetryOn::kGrpc, response(200), false},
      {RetryOn::Status5xx, response(503, {{"x-envoy-ratelimited", "true"}}), false},
      {RetryOn::Status5xx | RetryOn::EnvoyRatelimited,
       response(429, {{"x-envoy-ratelimited", "true"}}), true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Planned({.on = c.on, .statuses = {418}})->wants(c.head), c.wanted)
        << c.on << " " << c.head.status;
  }
}

TEST(RetryPlan, HeadersOfResponses) {
  RetryPolicy policy{.on = RetryOn::RetriableHeaders};
  policy.response_headers.push_back({.name = "x-again", .value = {}, .range = {}});
  EXPECT_TRUE(Planned(policy)->wants(response(200, {{"X-Again", "1"}})));
  EXPECT_FALSE(Planned(policy)->wants(response(200)));
  Planned named(policy, {.header_names = "x-one, x-two"});
  EXPECT_TRUE(named->wants(response(200, {{"X-Two", "1"}})));
  policy.on = RetryOn::Status5xx;
  EXPECT_FALSE(Planned(policy)->wants(response(200, {{"X-Again", "1"}})));
}

TEST(RetryPlan, WhatTheRequestSaysComesBesideThePolicy) {
  Planned plan({.on = RetryOn::Reset, .num_retries = 1},
               {.on = RetryOn::RetriableStatusCodes, .max_retries = 5, .statuses = "429, 500"});
  EXPECT_TRUE(plan->wants(response(429)));
  EXPECT_FALSE(plan->wants(response(418)));
  EXPECT_TRUE(plan->wants({.failure = Failure::UpstreamReset, .head_sent = true}));
  EXPECT_EQ(plan->left(), 5u);
  EXPECT_EQ(Planned({.num_retries = 5}, {.retries_left = 2})->left(), 2u);
}

TEST(RetryPlan, RequestsThatDoNotQualify) {
  RetryPolicy policy{.on = RetryOn::Status5xx};
  policy.request_headers.push_back({.name = "x-please", .value = {}, .range = {}});
  EXPECT_FALSE(Planned(policy)->wants(response(500)));
  EXPECT_TRUE(
      Planned(policy, {}, test::request("/", "h", {{"x-please", "1"}}))->wants(response(500)));
}

TEST(RetryPlan, IdempotentRequestsBeforeTheFirstByte) {
  const RetryPolicy policy{.on = RetryOn::ConnectFailure, .idempotent_resets = true};
  const AttemptFacts reset{.failure = Failure::UpstreamReset, .head_sent = true};
  EXPECT_TRUE(Planned(policy)->wants(reset));
  AttemptFacts answered = reset;
  answered.bytes_received = true;
  EXPECT_FALSE(Planned(policy)->wants(answered));
  http::RequestHead post = test::request("/");
  post.method = "POST";
  EXPECT_FALSE(Planned(policy, {}, post)->wants(reset));
}

TEST(RetryPlan, TheBodyIsKeptOnlyIfItCanBeNeeded) {
  EXPECT_FALSE(Planned({.on = RetryOn::ConnectFailure})->needsBody(true));
  EXPECT_FALSE(Planned({.on = RetryOn::RefusedStream})->needsBody(false));
  EXPECT_TRUE(Planned({.on = RetryOn::RefusedStream})->needsBody(true));
  EXPECT_TRUE(Planned({.on = RetryOn::Status5xx})->needsBody(false));
  EXPECT_FALSE(Planned({.on = RetryOn::Status5xx, .num_retries = 0})->needsBody(false));
}

TEST(RetryPlan, RetriesAreUsedUpHereAndBehind) {
  Planned plan({.num_retries = 3});
  plan->spend();
  EXPECT_EQ(plan->left(), 2u);
  EXPECT_EQ(plan->made(), 1u);
  plan->deduct(1);
  EXPECT_EQ(plan->left(), 1u);
  plan->deduct(7);
  EXPECT_EQ(plan->left(), 0u);
}

// --- time ---

TEST(RetryPlan, BackOffIsARandomPartOfADoublingRange) {
  Planned plan({.num_retries = 9, .backoff_base = 25ms, .backoff_max = 250ms});
  event::Random random(42);
  event::Random same(42);
  for (const uint64_t range : {25, 75, 175, 250, 250}) {
    plan->spend();
    const auto delay = plan->delay(nullptr, {}, random);
    EXPECT_EQ(delay.time, event::Duration(std::chrono::milliseconds(same.below(range))));
    EXPECT_FALSE(delay.as_asked);
  }
}

TEST(RetryPlan, BackOffOfManyRetriesDoesNotOverflow) {
  Planned plan({.num_retries = 100, .backoff_base = 1h, .backoff_max = 100h});
  event::Random random(1);
  for (int i = 0; i < 70; ++i) plan->spend();
  EXPECT_LE(plan->delay(nullptr, {}, random).time, event::Duration(100h));
}

TEST(RetryPlan, TheResponseMaySayHowLong) {
  RetryPolicy policy{.num_retries = 1};
  policy.reset_headers = {{.name = "retry-after"}, {.name = "x-ratelimit-reset", .is_time = true}};
  policy.reset_max = 10s;
  const event::WallTime now{event::Duration(1000s)};
  struct Case {
    http::ResponseHead head;
    int seconds;  // 0: as if nothing was said
  };
  const Case cases[] = {
      {response(503, {{"Retry-After", "4"}}), 4},
      {response(503, {{"X-RateLimit-Reset", "1006"}}), 6},
      {response(503, {{"Retry-After", "soon"}, {"x-ratelimit-reset", "1006"}}), 6},
      {response(503, {{"Retry-After", "11"}, {"x-ratelimit-reset", "1006"}}), 6},
      {response(503, {{"Retry-After", "Thu, 01 Jan 1970 00:16:47 GMT"}}), 7},  // 1007 s
      {response(503, {{"Retry-After", "Thu, 01 Jan 1970 00:16:51 GMT"}}), 0},  // too late
      {response(503, {{"Retry-After", "Thu, 01 Jan 1970 00:16:40 GMT"}}), 0},  // over
      {response(503, {{"Retry-After", "0"}}), 0},
      {response(503, {{"x-ratelimit-reset", "999"}}), 0},
      {response(503, {{"Retry-After", "99999999999999999999"}}), 0},
      {response(503), 0},
  };
  for (const Case& c : cases) {
    Planned plan(policy);
    plan->spend();
    event::Random random(1);
    const auto delay = plan->delay(&c.head, now, random);
    EXPECT_EQ(delay.as_asked, c.seconds != 0);
    EXPECT_GE(delay.time, event::Duration(c.seconds * 1s));
    EXPECT_LE(delay.time, event::Duration(c.seconds * 1500ms) + (c.seconds == 0 ? 25ms : 0ms));
  }
}

TEST(RetryPlan, WhatAsksForTooLongIsTheLast) {
  RetryPolicy policy{.num_retries = 1};
  policy.reset_headers = {{.name = "retry-after"}};
  policy.reset_max = 10s;
  const event::WallTime now{event::Duration(1000s)};
  const auto too_long = [&](const char* value) {
    return Planned(policy)->asksForTooLong(response(503, {{"Retry-After", value}}), now);
  };
  EXPECT_FALSE(too_long("11")) << "unless the policy says so";
  policy.too_long_is_final = true;
  EXPECT_FALSE(too_long("10"));
  EXPECT_TRUE(too_long("11"));
  EXPECT_FALSE(too_long("Thu, 01 Jan 1970 00:16:50 GMT"));
  EXPECT_TRUE(too_long("Thu, 01 Jan 1970 00:16:51 GMT"));
  EXPECT_FALSE(too_long("soon"));
  EXPECT_TRUE(too_long("99999999999999999999"));
  policy.reset_headers.push_back({.name = "x-wait"});
  const auto asks = response(503, {{"Retry-After", "100"}, {"x-wait", "5"}});
  EXPECT_FALSE(Planned(policy)->asksForTooLong(asks, now)) << "5 s will do";
}

}  // namespace
}  // namespace convoy::filter::router
