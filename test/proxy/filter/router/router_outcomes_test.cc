// What the outlier detection is told of requests.

#include <memory>
#include <string>
#include <utility>

#include "proxy/route/retry_on.h"
#include "proxy/upstream/outlier/spec.h"
#include "test/proxy/filter/router/router_fixture.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::filter::router {
namespace {

namespace h2 = http::h2;
using http::Failure;
using upstream::HostMetrics;
using upstream::Streak;
using namespace std::chrono_literals;

constexpr std::string_view k500 = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";

class RouterOutcomesTest : public test::RouterTest {
 protected:
  RouterOutcomesTest() { watch({}); }
  void watch(upstream::OutlierSpec outlier, int hosts = 1) {
    outlier.latency.emplace();
    outlier.consecutive_5xx = 1000;
    auto spec = clusterSpec();
    spec->outlier = std::make_shared<const upstream::OutlierSpec>(outlier);
    makeCluster(spec, hosts);
  }
  const upstream::Host& host(int index = 1) {
    const upstream::Host* found = nullptr;
    manager_->forEach([&](const upstream::ClusterManager::ClusterView& view) {
      for (const auto& view_of_host : view.hosts) {
        if (view_of_host.host.address() == address(index)) found = &view_of_host.host;
      }
    });
    return *found;
  }
  // A request that has a connection at once.
  std::unique_ptr<test::Exchange> sentOnKept(http::RequestHead head) {
    auto out = exchange(std::move(head));
    EXPECT_EQ(out->start(), http::FilterVerdict::Continue);
    run();
    return out;
  }
  // Answers, failures.
  std::pair<int64_t, int64_t> counts(int index = 1) {
    return {host(index).sum(&HostMetrics::answers_ok),
            host(index).sum(&HostMetrics::answers_failed)};
  }
  using Pair = std::pair<int64_t, int64_t>;
};

TEST_F(RouterOutcomesTest, Responses) {
  auto e = sent();
  answer(peer(0));
  EXPECT_EQ(counts(), Pair(1, 0));
  e = sentOnKept(test::request("/a"));
  peer(0).send(k500);
  run();
  EXPECT_EQ(counts(), Pair(1, 1));
}

TEST_F(RouterOutcomesTest, NoConnection) {
  io_.refuse = true;
  auto e = sent();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamConnectFailure);
  EXPECT_EQ(counts(), Pair(0, 1));
  EXPECT_EQ(host().streaks().length(Streak::GatewayFailures), 1u);
}

TEST_F(RouterOutcomesTest, ACircuitBreakerSaysNothingOfTheHost) {
  auto spec = clusterSpec();
  spec->outlier = std::make_shared<const upstream::OutlierSpec>();
  spec->breakers.max_pending_requests = 0;
  makeCluster(spec);
  auto e = exchange();
  EXPECT_EQ(e->start(), http::FilterVerdict::Pause);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamOverflow);
  EXPECT_EQ(counts(), Pair(0, 0));
}

TEST_F(RouterOutcomesTest, AConnectionThatBreaks) {
  auto e = sent();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
  EXPECT_EQ(counts(), Pair(0, 1));
}

TEST_F(RouterOutcomesTest, AKeptConnectionThatTheHostClosesIsNoFailure) {
  warm();
  auto e = sentOnKept(post());
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(counts(), Pair(1, 0));
}

TEST_F(RouterOutcomesTest, ARefusedStreamIsAFailureUnlessTheHostGoesAway) {
  auto spec = clusterSpec();
  spec->outlier = std::make_shared<const upstream::OutlierSpec>();
  spec->protocol = upstream::UpstreamProtocol::Http2;
  makeCluster(spec);
  auto first = exchange(), second = exchange();
  EXPECT_EQ(first->start(), http::FilterVerdict::Pause);
  EXPECT_EQ(second->start(), http::FilterVerdict::Pause);
  run();
  peer(0).send(h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}}));
  run();
  peer(0).send(h2::rstStream(3, NGHTTP2_REFUSED_STREAM));
  run();
  EXPECT_EQ(counts(), Pair(0, 1));
  // It is sent again, on stream 5.
  peer(0).send(h2::goAway(1, NGHTTP2_NO_ERROR));
  run();
  EXPECT_EQ(io_.peers.size(), 2u) << "and again";
  EXPECT_EQ(counts(), Pair(0, 1));
}

// That the requests may be sent again, if they are idempotent, is another matter.
TEST_F(RouterOutcomesTest, AConnectionThatBreaksUnderStreamsIsAFailureOfEach) {
  auto spec = clusterSpec();
  spec->outlier = std::make_shared<const upstream::OutlierSpec>();
  spec->protocol = upstream::UpstreamProtocol::Http2;
  makeCluster(spec);
  auto first = exchange(post()), second = exchange(post()), third = exchange(post());
  for (auto* const each : {&first, &second, &third}) {
    EXPECT_EQ((*each)->start(), http::FilterVerdict::Pause);
  }
  run();
  peer(0).send(h2::settings({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}}));
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(counts(), Pair(0, 3));
}

TEST_F(RouterOutcomesTest, AHostThatGoesAwayAtOnceFails) {
  auto spec = clusterSpec();
  spec->outlier = std::make_shared<const upstream::OutlierSpec>();
  spec->protocol = upstream::UpstreamProtocol::Http2;
  makeCluster(spec);
  auto e = sent();
  peer(0).send(h2::settings());
  peer(0).send(h2::goAway(0, NGHTTP2_NO_ERROR));
  run();
  EXPECT_EQ(counts(), Pair(0, 1));
}

TEST_F(RouterOutcomesTest, AResponseThatBreaksOffIsBoth) {
  auto e = sent();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(counts(), Pair(1, 1));
}

TEST_F(RouterOutcomesTest, ALateResponse) {
  forward().timeout = 1s;
  compile();
  auto e = sent();
  clock_.advance(1100ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamResponseTimeout);
  EXPECT_EQ(counts(), Pair(0, 1));
}

TEST_F(RouterOutcomesTest, EveryAttemptCounts) {
  watch({}, 2);
  route::RetryPolicy policy;
  policy.on = route::RetryOn::Status5xx;
  policy.num_retries = 1;
  policy.backoff_base = policy.backoff_max = 1ms;
  forward().retries = std::make_shared<const route::RetryPolicy>(policy);
  compile();
  auto e = sent();
  peer(0).send(k500);
  run();
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  const Pair first = counts(1), second = counts(2);
  EXPECT_EQ(Pair(first.first + second.first, first.second + second.second), Pair(1, 1));
}

TEST_F(RouterOutcomesTest, ToldApartIfThatIsWanted) {
  upstream::OutlierSpec outlier;
  outlier.split_local_errors = true;
  watch(outlier);
  auto e = sent();
  EXPECT_EQ(host().sum(&HostMetrics::reached), 1);
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(host().sum(&HostMetrics::unreached), 1);
  EXPECT_EQ(counts(), Pair(0, 0));
}

TEST_F(RouterOutcomesTest, TheHostsTimeBeginsWhenItHasTheRequest) {
  auto e = sent();
  clock_.advance(250ms);
  run();
  answer(peer(0));
  EXPECT_EQ(host().sum(&HostMetrics::timed_answers), 1);
  EXPECT_EQ(host().sum(&HostMetrics::answer_time_us), 250'000);
}

TEST_F(RouterOutcomesTest, GrpcHasItsStatusAtTheEnd) {
  const std::pair<std::string_view, Pair> kCases[] = {{"0", {1, 0}}, {"14", {0, 1}}, {"5", {1, 0}}};
  for (const auto& [status, expected] : kCases) {
    watch({});
    setHosts({});
    setHosts({endpoint(1)});
    io_.peers.clear();
    http::RequestHead head = test::request("/a");
    head.headers.add("content-type", "application/grpc");
    auto e = sent(std::move(head));
    peer(0).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    run();
    EXPECT_EQ(counts(), Pair(0, 0));
    peer(0).send("0\r\ngrpc-status: " + std::string(status) + "\r\n\r\n");
    run();
    EXPECT_EQ(counts(), expected) << status;
  }
}

// Of streams the response begins long before the request ends.
TEST_F(RouterOutcomesTest, AClientThatGoesOnDoesNotMakeItsHostFaster) {
  http::RequestHead head = post();
  head.headers.add("content-type", "application/grpc");
  auto e = exchange(std::move(head));
  EXPECT_EQ(e->start(/*end_of_stream=*/false), http::FilterVerdict::Pause);
  run();
  clock_.advance(30ms);
  run();
  peer(0).send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  run();
  clock_.advance(10s);
  e->context.info().request_received = e->context.loop().now();
  e->sendBody("", /*end_of_stream=*/true);
  run();
  peer(0).send("0\r\ngrpc-status: 0\r\n\r\n");
  run();
  EXPECT_EQ(host().sum(&HostMetrics::timed_answers), 1);
  EXPECT_EQ(host().sum(&HostMetrics::answer_time_us), 30'000);
}

// --- panic ---

TEST_F(RouterOutcomesTest, ResponsesSayThatThereIsPanic) {
  auto spec = clusterSpec();
  spec->panic = {upstream::PanicSpec::Mode::ServeAll, 50};
  makeCluster(spec);
  auto e = sent();
  answer(peer(0));
  EXPECT_EQ(e->context.fields.find("x-convoy-panic"), std::string::npos);
  setHosts({endpoint(1, 1, upstream::HealthStatus::Unhealthy)});
  e = sent();
  answer(peer(io_.peers.size() - 1));
  ASSERT_EQ(e->context.status, 200);
  EXPECT_NE(e->context.fields.find("x-convoy-panic: serve_all"), std::string::npos)
      << e->context.fields;
  EXPECT_EQ(metrics().lb_healthy_panic.value(), 1u);
}

TEST_F(RouterOutcomesTest, OnlyResponsesOfHostsThatServeInPanicSayIt) {
  auto spec = clusterSpec();
  spec->panic = {upstream::PanicSpec::Mode::ServeAll, 50};
  // 28 % and 70 % of what is needed: the first priority is below its threshold, the other is not.
  auto hosts = assignment({endpoint(1)});
  for (int i = 2; i <= 5; ++i) {
    hosts->localities[0].endpoints.push_back(endpoint(i, 1, upstream::HealthStatus::Unhealthy));
  }
  hosts->localities.emplace_back().priority = 1;
  hosts->localities[1].endpoints = {endpoint(6), endpoint(7, 1, upstream::HealthStatus::Unhealthy)};
  apply({.clusters = {spec}, .assignments = {{"web", hosts}}});
  int told = 0;
  for (int i = 0; i < 40; ++i) {
    auto e = exchange();
    static_cast<void>(e->start());  // it may find a connection, or wait for one
    run();
    const bool in_panic = e->context.info().upstream_host != "10.0.0.6:80";
    for (const auto& peer : io_.peers) {
      if (!peer->take().empty()) answer(*peer);
    }
    ASSERT_EQ(e->context.status, 200);
    EXPECT_EQ(e->context.fields.find("x-convoy-panic") != std::string::npos, in_panic);
    told += in_panic;
  }
  EXPECT_GT(told, 0);
  EXPECT_LT(told, 40);
}

}  // namespace
}  // namespace convoy::filter::router
