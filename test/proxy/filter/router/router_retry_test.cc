// What becomes of requests whose attempts fail: with the router's own cluster on simulated time.

#include <memory>
#include <string>
#include <utility>

#include "proxy/route/retry_on.h"
#include "test/proxy/filter/router/router_fixture.h"

namespace convoy::filter::router {
namespace {

using http::Failure;
using http::FilterVerdict;
using route::RetryOn;
using test::Exchange;
using namespace std::chrono_literals;

constexpr std::string_view k503 = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy";

class RouterRetryTest : public test::RouterTest {
 protected:
  RouterRetryTest() { makeCluster(3); }

  route::RetryPolicy policy(uint32_t on, uint32_t retries = 1) {
    route::RetryPolicy out;
    out.on = on;
    out.num_retries = retries;
    out.backoff_base = out.backoff_max = 1ms;  // a part of it: none
    return out;
  }
  void use(route::RetryPolicy policy) {
    forward().retries = std::make_shared<const route::RetryPolicy>(std::move(policy));
    compile();
  }
  void use(uint32_t on, uint32_t retries = 1) { use(policy(on, retries)); }
  void limit(std::optional<upstream::RetryBudget> budget, uint32_t max_retries = 3) {
    auto spec = clusterSpec();
    spec->breakers.retry_budget = budget;
    spec->breakers.max_retries = max_retries;
    makeCluster(std::move(spec), 3);
  }
  void say(size_t to, std::string_view bytes) {
    peer(to).send(bytes);
    run();
  }
  void breakOff(size_t which) {
    peer(which).connection->close(net::CloseMode::Reset);
    run();
  }
  uint32_t charged() { return cluster().breakers().retries.used(); }
  std::string to(size_t which) { return peer(which).address.text(); }
};

// --- which failures ---

TEST_F(RouterRetryTest, AHostThatCannotBeReachedIsPassedOver) {
  use(RetryOn::ConnectFailure);
  io_.refuses = [](const net::Address& at) { return at == address(1); };
  auto e = sent();
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(to(1), "10.0.0.2:80");
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.2:80");
  EXPECT_EQ(e->context.info().upstream_attempts, 2);
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_retry_success.value(), 1u);
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterRetryTest, WithoutAPolicyItIsNot) {
  io_.refuses = [](const net::Address& at) { return at == address(1); };
  auto e = sent();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamConnectFailure);
  EXPECT_FALSE(e->context.info().retries_exhausted);
}

// Nothing of it was sent: it needs no policy.
TEST_F(RouterRetryTest, WhatWaitsForAHostUntilThatIsDrainedGoesToAnother) {
  auto spec = clusterSpec();
  spec->breakers.max_connections = 1;
  spec->host_drain_timeout = 1s;
  makeCluster(spec, 1);
  auto running = sent();
  auto waits = sent();
  EXPECT_EQ(waits->context.info().upstream_host, "10.0.0.1:80");
  setHosts({endpoint(2)});
  clock_.advance(1100ms);
  run();
  EXPECT_EQ(running->context.aborted, Failure::UpstreamDrained);
  EXPECT_EQ(waits->context.info().upstream_host, "10.0.0.2:80");
  answer(peer(1));
  EXPECT_EQ(waits->context.status, 200);
}

TEST_F(RouterRetryTest, WhatADrainedHostHasNotAnsweredMayBeSentAgain) {
  use(RetryOn::Reset);
  auto spec = clusterSpec();
  spec->host_drain_timeout = 1s;
  makeCluster(spec, 1);
  auto e = sent();
  setHosts({endpoint(2)});
  clock_.advance(1100ms);
  run();
  clock_.advance(10ms);
  run();
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.2:80");
}

// The rest of the answer is read, so that HTTP/1.1 keeps its connection.
TEST_F(RouterRetryTest, AnAnswerThatIsToBeRetriedIsThrownAway) {
  use(RetryOn::GatewayError);
  auto e = sent();
  say(0, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbu");
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(peer(1).take(), "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  say(0, "sy");
  EXPECT_FALSE(gone(peer(0)));
  answer(peer(1), "fine");
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.body, "fine");
  EXPECT_EQ(metrics().upstream_rq_5xx.value(), 0u) << "the client has not seen it";
  EXPECT_EQ(metrics().upstream_rq_2xx.value(), 1u);
}

TEST_F(RouterRetryTest, AnAnswerWithoutAnEndCostsItsConnection) {
  use(RetryOn::GatewayError);
  auto e = sent();
  say(0, "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(gone(peer(0)));
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
}

TEST_F(RouterRetryTest, TheLastAnswerIsTheClients) {
  use(RetryOn::Status5xx, 2);
  auto e = sent();
  for (size_t i = 0; i < 3; ++i) say(i, k503);
  EXPECT_EQ(e->context.status, 503);
  EXPECT_EQ(e->context.body, "busy");
  EXPECT_TRUE(e->context.info().retries_exhausted);
  EXPECT_EQ(e->context.info().upstream_attempts, 3);
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_retry_limit_exceeded.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_retry_success.value(), 0u);
}

TEST_F(RouterRetryTest, AFailureThatComesLastIsTheClients) {
  use(RetryOn::Reset);
  auto e = sent();
  breakOff(0);
  ASSERT_EQ(io_.peers.size(), 2u);
  breakOff(1);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
  EXPECT_TRUE(e->context.info().retries_exhausted);
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterRetryTest, AResponseThatHasBegunIsNotBegunAgain) {
  use(RetryOn::Reset | RetryOn::Status5xx, 5);
  auto e = sent();
  say(0, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  breakOff(0);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamAbortedBody);
  EXPECT_EQ(io_.peers.size(), 1u);
}

TEST_F(RouterRetryTest, WithOneHostItIsTriedThereAgain) {
  makeCluster(1);
  use(RetryOn::Status5xx);
  auto e = sent();
  say(0, k503);
  answer(peer(0));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.info().upstream_attempts, 2);
}

// --- the budget ---

TEST_F(RouterRetryTest, TheBudgetIsChargedUntilTheAnswer) {
  limit(upstream::RetryBudget{.percent = 0, .min_concurrency = 1});
  use(RetryOn::Status5xx);
  auto first = sent();
  auto second = sent();
  say(0, k503);
  EXPECT_EQ(charged(), 1u);
  say(1, k503);
  EXPECT_EQ(second->context.status, 503) << "there is one retry at a time";
  EXPECT_EQ(metrics().upstream_rq_retry_overflow.value(), 1u);
  EXPECT_FALSE(second->context.info().retries_exhausted);
  answer(peer(2));
  EXPECT_EQ(first->context.status, 200);
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterRetryTest, WhatNoHostHasSeenMayBeFree) {
  limit(upstream::RetryBudget{.percent = 0, .min_concurrency = 0});
  auto extended = policy(RetryOn::ConnectFailure);
  extended.backoff_base = extended.backoff_max = 1h;
  extended.unseen_is_free = true;
  use(extended);
  io_.refuses = [](const net::Address& at) { return at == address(1); };
  auto e = sent();
  ASSERT_EQ(io_.peers.size(), 2u) << "at once";
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(metrics().upstream_rq_retry_overflow.value(), 0u);
}

// Six requests, the first on their connections all, and the host of two of them dies.
TEST_F(RouterRetryTest, SoMayWhatIsLostWithItsHost) {
  for (const bool free : {true, false}) {
    limit(upstream::RetryBudget{.percent = 20, .min_concurrency = 1});
    auto extended = policy(RetryOn::Reset);
    extended.backoff_base = extended.backoff_max = 1h;
    extended.lost_with_host_is_free = free;
    use(extended);
    io_.peers.clear();
    std::vector<std::unique_ptr<Exchange>> under_way;
    while (under_way.size() < 6) under_way.push_back(sent());
    const std::string dies = to(0);
    ASSERT_EQ(to(3), dies);
    breakOff(0);
    breakOff(3);
    EXPECT_EQ(io_.peers.size(), free ? 8u : 6u) << "at once, or later";
    EXPECT_EQ(metrics().upstream_rq_retry_overflow.value(), free ? 0u : 1u);
    EXPECT_EQ(charged(), free ? 0u : 1u);
    if (!free) continue;
    for (const size_t other : {6, 7}) {
      EXPECT_NE(to(other), dies);
      answer(peer(other));
    }
    EXPECT_EQ(under_way[0]->context.status, 200);
    EXPECT_EQ(under_way[3]->context.status, 200);
  }
}

// One that breaks whatever it is sent is no host that has died.
TEST_F(RouterRetryTest, AHostThatGoesOnToBreakConnectionsIsCharged) {
  limit(upstream::RetryBudget{.percent = 0, .min_concurrency = 0});
  auto extended = policy(RetryOn::Reset);
  extended.lost_with_host_is_free = true;
  use(extended);
  const std::string breaks = address(1).text();
  std::vector<std::unique_ptr<Exchange>> under_way;
  int broken = 0;
  int repeated = 0;
  for (int i = 0; i < 180; ++i) {
    const size_t before = io_.peers.size();
    under_way.push_back(sent());
    clock_.advance(50ms);
    if (to(before) != breaks) continue;
    ++broken;
    breakOff(before);
    repeated += io_.peers.size() == before + 2;
  }
  EXPECT_GE(broken, 50) << "in 9 s";
  EXPECT_LE(repeated, 24) << "those of two seconds";
  EXPECT_GE(repeated, 4);
}

// --- back-off ---

TEST_F(RouterRetryTest, WaitsForTheTimeThatTheHostAsksFor) {
  auto asks = policy(RetryOn::Status5xx);
  asks.reset_headers = {{.name = "retry-after"}};
  use(asks);
  forward().timeout = 0s;
  compile();
  auto e = sent();
  say(0, "HTTP/1.1 503 Busy\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(charged(), 1u) << "from the moment in which it is scheduled";
  clock_.advance(3900ms);
  run();
  EXPECT_EQ(io_.peers.size(), 1u);
  clock_.advance(2200ms);
  run();
  ASSERT_EQ(io_.peers.size(), 2u);
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(metrics().upstream_rq_retry_backoff_ratelimited.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_retry_backoff_exponential.value(), 0u);
}

TEST_F(RouterRetryTest, OneThatAsksForMoreThanThatIsLeftAlone) {
  auto asks = policy(RetryOn::Status5xx);
  asks.reset_headers = {{.name = "retry-after"}};
  asks.reset_max = 10s;
  asks.too_long_is_final = true;
  use(asks);
  auto e = sent();
  constexpr std::string_view kTooLong =
      "HTTP/1.1 503 Busy\r\nRetry-After: 11\r\nContent-Length: 0\r\n\r\n";
  say(0, kTooLong);
  EXPECT_EQ(e->context.status, 503);
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 0u);
  // Such an answer to a retry is no success of it.
  auto repeated = sent();
  say(1, k503);
  ASSERT_EQ(io_.peers.size(), 3u);
  say(2, kTooLong);
  EXPECT_EQ(repeated->context.status, 503);
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_retry_success.value(), 0u);
  EXPECT_EQ(metrics().upstream_rq_retry_limit_exceeded.value(), 1u);
  EXPECT_TRUE(repeated->context.info().retries_exhausted);
}

TEST_F(RouterRetryTest, TheClientGoesWhileItWaits) {
  auto slow = policy(RetryOn::Status5xx);
  slow.backoff_base = slow.backoff_max = 1h;
  use(slow);
  auto e = sent();
  say(0, k503);
  EXPECT_EQ(charged(), 1u);
  e->end();
  EXPECT_EQ(charged(), 0u);
  clock_.advance(2h);
  run();
  EXPECT_EQ(io_.peers.size(), 1u);
}

TEST_F(RouterRetryTest, TheRoutesTimeoutEndsTheWait) {
  auto slow = policy(RetryOn::Status5xx);
  slow.reset_headers = {{.name = "retry-after"}};
  use(slow);
  forward().timeout = 1s;
  compile();
  auto e = sent();
  say(0, "HTTP/1.1 503 Busy\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n");
  clock_.advance(1100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamResponseTimeout);
  EXPECT_EQ(charged(), 0u);
}

// --- the body ---

TEST_F(RouterRetryTest, TheBodyIsSentAgain) {
  use(RetryOn::Status5xx);
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("abc", false);
  http::HeaderList trailers;
  trailers.add("X-T", "1");
  EXPECT_EQ(e->filter->onRequestTrailers(trailers), FilterVerdict::Continue);
  run();
  const std::string first = peer(0).take();
  say(0, k503);
  EXPECT_EQ(peer(1).take(), first);
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
}

TEST_F(RouterRetryTest, ABodyOfNoBytesIsSentAgain) {
  use(RetryOn::Status5xx);
  http::RequestHead head = post();
  head.body = {.kind = http::BodyLength::Kind::Known, .bytes = 0};
  auto e = exchange(std::move(head));
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("", true);
  run();
  say(0, k503);
  EXPECT_EQ(peer(1).take(), "POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
}

TEST_F(RouterRetryTest, ABodyThatIsTooLargeIsNotKept) {
  use(RetryOn::Status5xx);
  forward().retry_buffer_bytes = 5;
  compile();
  for (const auto& [body, retried] : {std::pair("12345", true), std::pair("123456", false)}) {
    io_.peers.clear();
    run();
    auto e = exchange(post());
    EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
    run();
    e->sendBody(body, true);
    run();
    say(0, k503);
    EXPECT_EQ(io_.peers.size(), retried ? 2u : 1u) << body;
    EXPECT_EQ(e->context.status, retried ? 0 : 503);
  }
  EXPECT_EQ(metrics().retry_or_shadow_abandoned.value(), 1u);
}

TEST_F(RouterRetryTest, TheListenersBufferLimitsItToo) {
  use(RetryOn::Status5xx);
  auto e = exchange(post());
  e->context.buffer_limit = 5;
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("123456", true);
  run();
  say(0, k503);
  EXPECT_EQ(e->context.status, 503);
}

// The client waits meanwhile; what comes all the same is not lost.
TEST_F(RouterRetryTest, InTheMiddleOfABody) {
  use(RetryOn::Reset);
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("one", false);
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(e->context.pauses, 0) << "the next attempt is under way";
  e->sendBody("two", true);
  run();
  EXPECT_EQ(peer(1).take(),
            "POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
}

TEST_F(RouterRetryTest, WhatComesBetweenTwoAttemptsIsKept) {
  auto slow = policy(RetryOn::Status5xx);
  slow.reset_headers = {{.name = "retry-after"}};
  use(slow);
  forward().retry_buffer_bytes = 4;
  compile();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("one", false);
  say(0, "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(e->context.pauses, 1);
  e->sendBody("two", false);
  clock_.advance(1600ms);
  run();
  EXPECT_EQ(e->context.pauses, 0);
  e->sendBody("", true);
  run();
  EXPECT_EQ(peer(1).take(),
            "POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
            "6\r\nonetwo\r\n0\r\n\r\n");
  say(1, k503);
  EXPECT_EQ(e->context.status, 503) << "it was too much to be kept for longer";
  EXPECT_EQ(metrics().retry_or_shadow_abandoned.value(), 1u);
}

// --- requests that are safe to repeat ---

TEST_F(RouterRetryTest, IdempotentRequestsMayBeRepeatedBeforeTheFirstByte) {
  auto extended = policy(RetryOn::ConnectFailure);
  extended.idempotent_resets = true;
  use(extended);
  struct Case {
    std::string method;
    std::string said;
    bool repeated;
  };
  const Case cases[] = {{"GET", "", true}, {"GET", "HTTP/1.1 2", false}, {"POST", "", false}};
  for (const Case& c : cases) {
    io_.peers.clear();
    run();
    http::RequestHead head = test::request("/");
    head.method = c.method;
    auto e = sent(std::move(head));
    if (!c.said.empty()) say(0, c.said);
    breakOff(0);
    EXPECT_EQ(io_.peers.size(), c.repeated ? 2u : 1u) << c.method << c.said;
    EXPECT_EQ(e->context.aborted.has_value(), !c.repeated) << c.method << c.said;
  }
}

// A host that is being stopped closes its kept connections, and resets new ones.
TEST_F(RouterRetryTest, AKeptConnectionThatBreaksIsRepeatedOnAnotherHost) {
  auto spec = clusterSpec();
  spec->balancing.algorithm =
      upstream::Algorithm::WeightedLeastConnections;  // the first one, when idle
  makeCluster(std::move(spec), 2);
  warm();
  auto e = exchange();
  ASSERT_EQ(e->start(), FilterVerdict::Continue);
  run();
  breakOff(0);
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_NE(to(1), to(0));
}

// A kept connection that breaks costs none of the policy's retries, once.
TEST_F(RouterRetryTest, AKeptConnectionThatBreaksIsNoAttempt) {
  makeCluster(1);
  use(RetryOn::ConnectFailure);
  warm();
  auto e = exchange();
  ASSERT_EQ(e->start(), FilterVerdict::Continue);
  run();
  makeCluster(2);
  io_.refuses = [](const net::Address& at) { return at == address(1); };
  peer(0).connection->close(net::CloseMode::Flush);
  run();
  answer(*io_.peers.back());
  EXPECT_EQ(e->context.status, 200);
}

// --- what the balancing hears ---

class RouterResultsTest : public RouterRetryTest {
 protected:
  RouterResultsTest() {
    auto spec = clusterSpec();
    spec->balancing.algorithm = upstream::Algorithm::LeastResponseTime;
    makeCluster(std::move(spec), 2);
    // Both answer in 10 ms, on connections that stay: the first one is taken.
    auto one = sent();
    auto other = sent();
    clock_.advance(10ms);
    answer(peer(0));
    answer(peer(1));
  }
  // A request on a kept connection.
  std::unique_ptr<Exchange> begin() {
    auto e = exchange();
    EXPECT_EQ(e->start(), FilterVerdict::Continue);
    run();
    return e;
  }
  std::string next() {
    auto e = begin();
    std::string host(e->context.info().upstream_host);
    for (size_t i = 0; i < 2; ++i) {
      if (to(i) == host) answer(peer(i));
    }
    return host;
  }
};

TEST_F(RouterResultsTest, AnAnswerThatTheClientDoesNotGetCounts) {
  use(RetryOn::GatewayError);
  auto e = begin();
  EXPECT_EQ(e->context.info().upstream_host, to(0));
  say(0, k503);
  clock_.advance(10ms);
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(next(), to(1)) << "a failure counts as twice what was expected";
}

TEST_F(RouterResultsTest, AGrpcCallThatFailsAtOnceIsNoFastAnswer) {
  auto e = begin();
  say(0, "HTTP/1.1 200 OK\r\ngrpc-status: 14\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(next(), to(1));
}

TEST_F(RouterResultsTest, AnAttemptThatTookTooLongCounts) {
  auto limited = policy(RetryOn::Reset);
  limited.per_try_timeout = 100ms;
  use(limited);
  auto e = begin();
  clock_.advance(100ms);
  run();
  clock_.advance(10ms);
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(next(), to(1));
}

TEST_F(RouterResultsTest, AConnectionThatWasTooOldDoesNot) {
  auto e = begin();
  breakOff(0);
  clock_.advance(10ms);
  answer(*io_.peers.back());
  EXPECT_EQ(e->context.status, 200);
  auto again = exchange();
  EXPECT_EQ(again->start(), FilterVerdict::Pause);
  EXPECT_EQ(again->context.info().upstream_host, to(0));
}

TEST_F(RouterResultsTest, AClientThatLeavesIsNobodysFailure) {
  auto quick = begin();
  clock_.advance(1ms);
  quick->end();
  run();
  auto again = exchange();
  EXPECT_EQ(again->start(), FilterVerdict::Pause);
  EXPECT_EQ(again->context.info().upstream_host, to(0)) << "nor a fast answer: still equal";
  again->end();
  run();
  auto slow = exchange();
  EXPECT_EQ(slow->start(), FilterVerdict::Continue) << "opened for the one before";
  run();
  clock_.advance(300ms);
  slow->end();
  run();
  EXPECT_EQ(next(), to(1)) << "it would have taken longer than that";
}

// --- time of one attempt ---

TEST_F(RouterRetryTest, AnAttemptThatTakesTooLongIsGivenUp) {
  auto quick = policy(RetryOn::Reset);
  quick.per_try_timeout = 2s;
  quick.origins = base::TimerOrigins("envoy.yaml");
  quick.origins.setInFile(base::Timer::PerTry, 21);
  use(quick);
  auto e = sent();
  clock_.advance(2100ms);
  run();
  EXPECT_TRUE(gone(peer(0)));
  ASSERT_EQ(io_.peers.size(), 2u);
  clock_.advance(2100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamPerTryTimeout);
  EXPECT_EQ(e->context.info().timer_origin, "envoy.yaml:21");
  EXPECT_EQ(metrics().upstream_rq_per_try_timeout.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_timeout.value(), 0u);
}

TEST_F(RouterRetryTest, ATimeOfTheRequestItselfIsNamedByItsField) {
  forward().timeout = 20s;
  compile();
  auto e = exchange();
  e->context.from_inside = true;
  e->head.headers.add("x-envoy-upstream-rq-timeout-ms", "1000");
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  run();
  clock_.advance(1100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamResponseTimeout);
  EXPECT_EQ(e->context.info().timer_origin, "x-envoy-upstream-rq-timeout-ms");
}

TEST_F(RouterRetryTest, WhatAnEarlierAttemptWaitedForIsNotWhatItFailedOf) {
  auto quick = policy(RetryOn::Reset);
  quick.per_try_timeout = 2s;
  use(quick);
  auto e = sent();
  clock_.advance(2100ms);
  run();
  ASSERT_EQ(io_.peers.size(), 2u);
  breakOff(1);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
  EXPECT_EQ(e->context.info().timer_origin, "");
}

TEST_F(RouterRetryTest, AnAttemptMayBeSilentForSoLong) {
  auto quick = policy(RetryOn::Reset);
  quick.per_try_idle_timeout = 2s;
  quick.origins.setInResource(base::Timer::PerTryIdle);
  use(quick);
  forward().timeout = 0s;
  compile();
  auto e = sent();
  clock_.advance(2100ms);
  run();
  ASSERT_EQ(io_.peers.size(), 2u);
  say(1, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  for (const char* byte : {"a", "b"}) {
    clock_.advance(1900ms);
    say(1, byte);
  }
  EXPECT_FALSE(e->context.aborted.has_value());
  clock_.advance(2100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamPerTryIdleTimeout);
  EXPECT_EQ(e->context.info().timer_origin, "per_try_idle_timeout");
  EXPECT_EQ(metrics().upstream_rq_per_try_idle_timeout.value(), 2u);
}

TEST_F(RouterRetryTest, AHostThatIsNotReadIsNotSilent) {
  auto quick = policy(RetryOn::Reset);
  quick.per_try_idle_timeout = 2s;
  use(quick);
  forward().timeout = 0s;
  compile();
  auto e = sent();
  say(0, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na");
  // For two reasons: its output is full, and a filter's.
  e->context.flow->onSendQueueAboveHigh();
  e->context.flow->onSendQueueAboveHigh();
  clock_.advance(1min);
  e->context.flow->onSendQueueBelowLow();
  clock_.advance(1min);
  run();
  EXPECT_FALSE(e->context.aborted.has_value());
  e->context.flow->onSendQueueBelowLow();
  clock_.advance(1900ms);
  EXPECT_FALSE(e->context.aborted.has_value());
  clock_.advance(200ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamPerTryIdleTimeout);
}

// One that is asked while the client takes nothing is watched from then on when it does.
TEST_F(RouterRetryTest, AnAttemptOfASlowClientIsWatchedOnceItReads) {
  auto quick = policy(RetryOn::Reset, 0);
  quick.per_try_idle_timeout = 2s;
  use(quick);
  forward().timeout = 0s;
  compile();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  e->context.flow->onSendQueueAboveHigh();
  run();
  clock_.advance(1min);
  EXPECT_FALSE(e->context.aborted.has_value());
  e->context.flow->onSendQueueBelowLow();
  clock_.advance(2100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamPerTryIdleTimeout);
}

// --- hedging ---

class RouterHedgeTest : public RouterRetryTest {
 protected:
  RouterHedgeTest() {
    auto hedged = policy(RetryOn::Status5xx, 2);
    hedged.per_try_timeout = 2s;
    hedged.hedge_on_per_try_timeout = true;
    use(hedged);
  }
  void passTime() {
    clock_.advance(2100ms);
    run();
  }
};

TEST_F(RouterHedgeTest, TheSecondMayBeFaster) {
  auto e = sent();
  passTime();
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_FALSE(gone(peer(0))) << "it goes on";
  EXPECT_EQ(charged(), 1u);
  answer(peer(1), "second");
  EXPECT_EQ(e->context.body, "second");
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.2:80");
  EXPECT_TRUE(gone(peer(0)));
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterHedgeTest, OrTheFirst) {
  auto e = sent();
  passTime();
  answer(peer(0), "first");
  EXPECT_EQ(e->context.body, "first");
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.1:80");
  EXPECT_TRUE(gone(peer(1)));
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterHedgeTest, ABadAnswerDoesNotWin) {
  auto e = sent();
  passTime();
  say(0, k503);
  EXPECT_EQ(e->context.status, 0) << "the second is under way";
  EXPECT_EQ(io_.peers.size(), 2u) << "and takes the place of a retry";
  say(1, k503);
  ASSERT_EQ(io_.peers.size(), 3u);
  say(2, k503);
  EXPECT_EQ(e->context.status, 503);
  EXPECT_TRUE(e->context.info().retries_exhausted);
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterHedgeTest, NorDoesOneThatAsksForTooLong) {
  auto asks = policy(RetryOn::Status5xx, 2);
  asks.per_try_timeout = 1s;
  asks.hedge_on_per_try_timeout = true;
  asks.reset_headers = {{.name = "retry-after"}};
  asks.too_long_is_final = true;
  use(asks);
  auto e = sent();
  passTime();
  ASSERT_EQ(io_.peers.size(), 2u);
  say(1, "HTTP/1.1 503 Busy\r\nRetry-After: 3600\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(e->context.status, 0) << "the first one is under way";
  say(0, k503);
  ASSERT_EQ(io_.peers.size(), 3u) << "and fails like one that nobody has overtaken";
  answer(peer(2), "good");
  EXPECT_EQ(e->context.body, "good");
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterHedgeTest, NoMoreThanAllowed) {
  auto e = sent();
  for (int i = 0; i < 5; ++i) passTime();
  EXPECT_EQ(io_.peers.size(), 3u);
  EXPECT_FALSE(e->context.aborted.has_value());
  answer(peer(1), "late");
  EXPECT_EQ(e->context.body, "late");
  EXPECT_FALSE(e->context.info().retries_exhausted) << "it was not needed";
  EXPECT_EQ(charged(), 0u);
}

TEST_F(RouterHedgeTest, AllOfThemBreak) {
  auto e = sent();
  passTime();
  breakOff(0);
  EXPECT_FALSE(e->context.aborted.has_value());
  breakOff(1);
  ASSERT_EQ(io_.peers.size(), 3u);
  breakOff(2);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
}

TEST_F(RouterHedgeTest, TheClientGoes) {
  auto e = sent();
  passTime();
  e->end();
  run();
  EXPECT_TRUE(gone(peer(0)));
  EXPECT_TRUE(gone(peer(1)));
  EXPECT_EQ(charged(), 0u);
}

// --- what the request says, and what others are told ---

TEST_F(RouterRetryTest, RequestsFromInsideMayAskForRetries) {
  for (const bool inside : {false, true}) {
    io_.peers.clear();
    run();
    auto e = exchange(test::request("/a", "a.example",
                                    {{"X-Envoy-Retry-On", "5xx"}, {"x-envoy-max-retries", "2"}}));
    e->context.from_inside = inside;
    EXPECT_EQ(e->start(), FilterVerdict::Pause);
    run();
    EXPECT_EQ(peer(0).take(), "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
    say(0, k503);
    clock_.advance(30ms);  // longer than any back-off by default
    run();
    EXPECT_EQ(io_.peers.size(), inside ? 2u : 1u);
    EXPECT_EQ(e->context.status, inside ? 0 : 503);
  }
}

TEST_F(RouterRetryTest, AndSayHowLongTheyWait) {
  for (const bool respects : {false, true}) {
    spec_->respect_expected_rq_timeout = respects;
    auto e =
        exchange(test::request("/a", "a.example", {{"x-envoy-expected-rq-timeout-ms", "500"}}));
    e->context.hop_from_inside = true;
    EXPECT_EQ(e->start(), FilterVerdict::Pause);
    run();
    clock_.advance(600ms);
    run();
    EXPECT_EQ(e->context.aborted.has_value(), respects);
  }
}

TEST_F(RouterRetryTest, ButNotLongerThanTheRoute) {
  spec_->respect_expected_rq_timeout = true;
  forward().timeout = 500ms;
  compile();
  for (const char* expected : {"0", "700"}) {
    auto e =
        exchange(test::request("/a", "a.example", {{"x-envoy-expected-rq-timeout-ms", expected}}));
    e->context.hop_from_inside = true;
    EXPECT_EQ(e->start(), FilterVerdict::Pause);
    run();
    clock_.advance(600ms);
    run();
    EXPECT_TRUE(e->context.aborted.has_value()) << expected;
  }
}

TEST_F(RouterRetryTest, AttemptsAreCountedForHostsAndClients) {
  use(RetryOn::Status5xx);
  forward().tells_attempts_to_host = forward().tells_attempts_to_client = true;
  compile();
  auto e = sent();
  EXPECT_EQ(peer(0).take(),
            "GET /a HTTP/1.1\r\nHost: a.example\r\nx-envoy-attempt-count: 1\r\n\r\n");
  say(0, k503);
  EXPECT_EQ(peer(1).take(),
            "GET /a HTTP/1.1\r\nHost: a.example\r\nx-envoy-attempt-count: 2\r\n\r\n");
  answer(peer(1));
  EXPECT_EQ(e->context.fields, "x-envoy-attempt-count: 2\n");
}

TEST_F(RouterRetryTest, ProxiesInARowShareTheirRetries) {
  auto told = policy(RetryOn::Status5xx, 3);
  told.tell_next_hop = true;
  use(told);
  forward().timeout = 2s;
  compile();
  auto e = exchange(test::request("/a", "a.example", {{"x-convoy-retries-left", "2"}}));
  e->context.hop_from_inside = true;
  e->context.info().request_received = loop_.loop().now();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  run();
  EXPECT_EQ(peer(0).take(),
            "GET /a HTTP/1.1\r\nHost: a.example\r\nx-convoy-retries-left: 2\r\n"
            "x-envoy-expected-rq-timeout-ms: 2000\r\n\r\n");
  clock_.advance(500ms);
  run();
  say(0, "HTTP/1.1 503 Busy\r\nx-convoy-retries-used: 1\r\nContent-Length: 0\r\n\r\n");
  ASSERT_EQ(io_.peers.size(), 2u);
  EXPECT_EQ(peer(1).take(),
            "GET /a HTTP/1.1\r\nHost: a.example\r\nx-convoy-retries-left: 0\r\n"
            "x-envoy-expected-rq-timeout-ms: 1500\r\n\r\n");
  say(1, k503);
  EXPECT_EQ(e->context.status, 503) << "one here and one behind are all that there were";
  EXPECT_EQ(e->context.fields, "x-convoy-retries-used: 2\n");
}

// grpc-timeout has at most eight digits, and servers refuse a request that has more.
TEST_F(RouterRetryTest, TheNextHopIsToldADeadlineOfGrpcThatItCanRead) {
  auto told = policy(RetryOn::Status5xx);
  told.tell_next_hop = true;
  use(told);
  const struct {
    std::chrono::milliseconds left;
    std::string text;
  } cases[] = {
      {1500ms, "1500m"}, {99'999'999ms, "99999999m"}, {30h, "108000S"}, {30h + 1ms, "108001S"}};
  for (const auto& c : cases) {
    io_.peers.clear();
    run();
    forward().timeout = c.left;
    compile();
    auto e = exchange(test::request("/a", "a.example", {{"grpc-timeout", "40H"}}));
    e->context.info().request_received = loop_.loop().now();
    EXPECT_EQ(e->start(), FilterVerdict::Pause);
    run();
    EXPECT_EQ(peer(0).take(),
              "GET /a HTTP/1.1\r\nHost: a.example\r\ngrpc-timeout: " + c.text +
                  "\r\nx-convoy-retries-left: 1\r\nx-envoy-expected-rq-timeout-ms: " +
                  std::to_string(c.left.count()) + "\r\n\r\n");
  }
}

TEST_F(RouterRetryTest, AFailureSaysWhatItHasUsed) {
  use(RetryOn::Reset, 3);
  auto e = exchange(test::request("/a", "a.example", {{"x-convoy-retries-left", "1"}}));
  e->context.hop_from_inside = true;
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  run();
  breakOff(0);
  breakOff(1);
  EXPECT_EQ(e->context.replied, Failure::UpstreamReset);
  EXPECT_EQ(e->context.reply_fields, "x-convoy-retries-used: 1\n");
}

// --- connections that their host is about to close ---

TEST_F(RouterRetryTest, AHostSaysHowLongItKeepsAConnection) {
  auto e = sent();
  say(0, "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(e->context.status, 200);
  clock_.advance(4s);
  run();
  EXPECT_FALSE(gone(peer(0)));
  clock_.advance(500ms);
  run();
  EXPECT_TRUE(gone(peer(0)));
}

}  // namespace
}  // namespace convoy::filter::router
