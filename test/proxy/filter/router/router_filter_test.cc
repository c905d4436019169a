#include "proxy/filter/router/router_filter.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "test/proxy/filter/router/router_fixture.h"

namespace convoy::filter::router {
namespace {

using http::Failure;
using http::FilterVerdict;
using namespace std::chrono_literals;

using test::Exchange;

class RouterFilterTest : public test::RouterTest {};

// --- answers without a cluster ---

TEST_F(RouterFilterTest, WithoutARouteThereIsNothing) {
  route_.match.path.value = "/elsewhere";
  compile();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  EXPECT_EQ(e->context.replied, Failure::RouteNotFound);
}

TEST_F(RouterFilterTest, AnswersDirectly) {
  route_.action = route::DirectResponse{418, "short and stout"};
  compile();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  EXPECT_EQ(e->context.replied, Failure::DirectResponse);
  EXPECT_EQ(e->context.reply_status, 418);
  EXPECT_EQ(e->context.reply_body, "short and stout");
  EXPECT_FALSE(e->context.reply_empty);
}

TEST_F(RouterFilterTest, Redirects) {
  route::Redirect redirect;
  redirect.status = 308;
  redirect.host = "b.example";
  route_.action = redirect;
  compile();
  auto e = exchange(test::request("/a?b=c"));
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  EXPECT_EQ(e->context.reply_status, 308);
  EXPECT_EQ(e->context.reply_location, "http://b.example/a?b=c");
  EXPECT_TRUE(e->context.reply_empty);
}

// --- no host ---

TEST_F(RouterFilterTest, AClusterThatIsNotThere) {
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  EXPECT_EQ(e->context.aborted, Failure::ClusterNotFound);
  EXPECT_EQ(e->context.info().cluster, "web");
}

TEST_F(RouterFilterTest, AClusterWithoutHosts) {
  apply({.clusters = {clusterSpec()}});
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  EXPECT_EQ(e->context.aborted, Failure::NoHealthyUpstream);
}

TEST_F(RouterFilterTest, AHostThatCannotBeReached) {
  makeCluster();
  io_.refuse = true;
  auto e = sent();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamConnectFailure);
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.1:80");
  EXPECT_EQ(e->context.info().upstream_attempts, 1);
}

TEST_F(RouterFilterTest, AConnectThatTakesTooLongNamesTheClustersSetting) {
  auto spec = clusterSpec();
  spec->connect_timeout = std::chrono::milliseconds(250);
  spec->origins = base::TimerOrigins("Cluster/web:");
  spec->origins.setInResource(base::Timer::Connect);
  makeCluster(spec);
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  clock_.advance(260ms);
  EXPECT_EQ(e->context.aborted, Failure::UpstreamConnectTimeout);
  EXPECT_EQ(e->context.info().timer_origin, "Cluster/web:connect_timeout");
  e.reset();
  run();
}

TEST_F(RouterFilterTest, TheClientGoesWhileItWaitsForAConnection) {
  makeCluster();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  e->end();
  run();
  EXPECT_EQ(e->context.continued_requests, 0);
  EXPECT_TRUE(io_.peers.empty() || peer(0).take().empty());
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
}

// --- a host that the request names ---

TEST_F(RouterFilterTest, AHeaderNamesTheHostWhereTheClusterSaysSo) {
  auto spec = clusterSpec();
  spec->override_header = "x-backend";
  makeCluster(spec, 3);
  const auto askFor = [&](std::string_view host) {
    http::RequestHead head = test::request("/a");
    head.headers.add("x-backend", host);
    return std::string(sent(std::move(head))->context.info().upstream_host);
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(askFor("10.0.0.2:80"), "10.0.0.2:80");
  EXPECT_EQ(metrics().override_host_selected.value(), 3u);
  EXPECT_EQ(metrics().override_host_fallback.value(), 0u);
  // An address that is no host's, and one that may not have requests.
  setHosts({endpoint(1), endpoint(2, 1, upstream::HealthStatus::Unhealthy)});
  for (const char* host : {"10.0.0.2:80", "192.0.2.1:80", "", "nonsense"}) {
    EXPECT_EQ(askFor(host), "10.0.0.1:80") << host;
  }
  EXPECT_EQ(metrics().override_host_selected.value(), 3u);
  EXPECT_EQ(metrics().override_host_fallback.value(), 4u);
  EXPECT_EQ(sent()->context.info().upstream_host, "10.0.0.1:80");
  EXPECT_EQ(metrics().override_host_fallback.value(), 4u) << "this one had no header";
}

TEST_F(RouterFilterTest, ANamedHostThatIsFullIsLookedAtOnce) {
  auto spec = clusterSpec();
  spec->override_header = "x-backend";
  spec->max_connections_per_host = 1;
  makeCluster(spec, 2);
  const auto askForFirst = [&] {
    http::RequestHead head = test::request("/a");
    head.headers.add("x-backend", "10.0.0.1:80");
    return sent(std::move(head));
  };
  const auto first = askForFirst();
  const auto second = askForFirst();
  const auto third = askForFirst();
  EXPECT_EQ(first->context.info().upstream_host, "10.0.0.1:80");
  EXPECT_EQ(second->context.info().upstream_host, "10.0.0.2:80");
  EXPECT_EQ(third->context.aborted, Failure::UpstreamOverflow);
  EXPECT_EQ(metrics().host_limit_overflow.value(), 1u);
  EXPECT_EQ(metrics().override_host_selected.value(), 1u);
  EXPECT_EQ(metrics().override_host_fallback.value(), 2u);
}

TEST_F(RouterFilterTest, NoClusterListensToItUnlessItIsAskedTo) {
  makeCluster(2);
  std::set<std::string> hosts;
  for (int i = 0; i < 4; ++i) {
    http::RequestHead head = test::request("/a");
    head.headers.add("x-backend", "10.0.0.2:80");
    hosts.emplace(sent(std::move(head))->context.info().upstream_host);
  }
  EXPECT_EQ(hosts.size(), 2u);
}

TEST_F(RouterFilterTest, ARouteOfHighPriorityHasLimitsOfItsOwn) {
  auto spec = clusterSpec();
  spec->breakers.max_requests = 0;
  spec->high_breakers.max_requests = 1;
  makeCluster(spec);
  EXPECT_EQ(sent()->context.aborted, Failure::UpstreamOverflow);
  forward().high_priority = true;
  compile();
  auto e = sent();
  EXPECT_EQ(cluster().breakers().high.requests.used(), 1u);
  answer(*io_.peers.back());
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(cluster().breakers().high.requests.used(), 0u);
}

TEST_F(RouterFilterTest, ARouteAsksForASubsetOfTheHosts) {
  auto spec = clusterSpec();
  auto subsets = std::make_shared<upstream::SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  subsets->fallback = upstream::SubsetFallback::Any;
  spec->grouping.subsets = subsets;
  spec->override_header = "x-backend";
  auto second = endpoint(2);
  second.subset_labels = {{"version", "2"}};
  setHosts({endpoint(1), second, endpoint(3)}, {spec});
  forward().subset = base::subsetKeyOf(second.subset_labels);
  compile();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sent()->context.info().upstream_host, "10.0.0.2:80");
  EXPECT_EQ(metrics().lb_subsets_selected.value(), 3u);
  // The host that a request names counts more.
  http::RequestHead head = test::request("/a");
  head.headers.add("x-backend", "10.0.0.3:80");
  EXPECT_EQ(sent(std::move(head))->context.info().upstream_host, "10.0.0.3:80");
}

// --- a host that is known later ---

TEST_F(RouterFilterTest, AHostThatIsKnownLaterGetsTheRequest) {
  makeCluster();
  test::LatePolicy& policy = pickLate();
  auto e = sent();
  EXPECT_TRUE(io_.peers.empty());
  EXPECT_EQ(e->context.info().upstream_attempts, 0);
  answer(policy);
  EXPECT_EQ(e->context.continued_requests, 1);
  EXPECT_EQ(peer(0).take(), "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  answer(peer(0));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.info().upstream_attempts, 1);
}

TEST_F(RouterFilterTest, AKeptConnectionOfAHostThatIsKnownLaterIsTakenAtOnce) {
  makeCluster();
  warm();
  test::LatePolicy& policy = pickLate();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  answer(policy);
  EXPECT_EQ(e->context.continued_requests, 1);
  e->sendBody("abc", true);
  run();
  EXPECT_NE(peer(0).take().find("\r\n3\r\nabc\r\n0\r\n\r\n"), std::string::npos);
  answer(peer(0));
  EXPECT_EQ(e->context.status, 200);
}

TEST_F(RouterFilterTest, ThereMayBeNoHostInTheEnd) {
  makeCluster(/*count=*/0);
  test::LatePolicy& policy = pickLate();
  auto e = sent();
  EXPECT_EQ(e->context.aborted, std::nullopt);
  answer(policy);
  EXPECT_EQ(e->context.aborted, Failure::NoHealthyUpstream);
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 1u);
}

TEST_F(RouterFilterTest, WhoDoesNotWaitAnyMoreIsNotTold) {
  makeCluster();
  test::LatePolicy& policy = pickLate();
  auto e = sent();
  EXPECT_TRUE(policy.hasWaiters());
  e->end();
  EXPECT_FALSE(policy.hasWaiters());
  answer(policy);
  EXPECT_EQ(policy.picks, 1);
  EXPECT_TRUE(io_.peers.empty());
}

TEST_F(RouterFilterTest, TheTimeOutsHoldWhileTheHostIsUnknown) {
  struct Case {
    route::Forward forward;
    Failure failure = Failure::None;
  };
  Case cases[2];
  cases[0].forward.timeout = 5s;
  cases[0].failure = Failure::UpstreamResponseTimeout;
  cases[1].forward.first_byte_timeout = 5s;
  cases[1].failure = Failure::UpstreamFirstByteTimeout;
  makeCluster();
  test::LatePolicy& policy = pickLate();
  for (Case& c : cases) {
    c.forward.cluster = "web";
    route_.action = c.forward;
    compile();
    auto e = sent();
    clock_.advance(4900ms);
    EXPECT_EQ(e->context.aborted, std::nullopt);
    clock_.advance(200ms);
    EXPECT_EQ(e->context.aborted, c.failure);
    EXPECT_FALSE(policy.hasWaiters());
  }
  EXPECT_EQ(metrics().upstream_rq_timeout.value(), 0u) << "no host was slow";
}

TEST_F(RouterFilterTest, TheClusterGoesWhileTheHostIsUnknown) {
  makeCluster();
  pickLate();
  auto e = sent();
  apply({.removed = {"web"}});
  EXPECT_EQ(e->context.aborted, Failure::NoHealthyUpstream);
}

// --- the usual way ---

TEST_F(RouterFilterTest, SendsTheRequestAndReturnsTheResponse) {
  makeCluster();
  auto e = sent();
  EXPECT_EQ(e->context.continued_requests, 1) << "what waited in the path goes on";
  EXPECT_EQ(peer(0).take(), "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello");
  run();
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(e->context.fields, "X-A: 1\n");
  EXPECT_EQ(e->context.body, "hello");
  EXPECT_TRUE(e->context.ended);
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.1:80");
  EXPECT_EQ(e->context.info().upstream_attempts, 1);
  EXPECT_EQ(e->context.info().route_name, "web");
  EXPECT_EQ(e->context.info().virtual_host, "v");
  EXPECT_EQ(metrics().upstream_rq_completed.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_2xx.value(), 1u);
}

TEST_F(RouterFilterTest, AKeptConnectionTakesTheNextRequestAtOnce) {
  makeCluster();
  warm();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Continue);
  run();
  EXPECT_EQ(peer(0).take(), "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(io_.peers.size(), 1u);
}

TEST_F(RouterFilterTest, PassesBodyAndTrailersBothWays) {
  makeCluster();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("abc", false);
  http::HeaderList trailers;
  trailers.add("X-T", "1");
  EXPECT_EQ(e->filter->onRequestTrailers(trailers), FilterVerdict::Continue);
  run();
  EXPECT_EQ(peer(0).take(),
            "POST /a HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
  peer(0).send("HTTP/1.1 103 Early Hints\r\n\r\n");
  peer(0).send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-U: 2\r\n\r\n");
  run();
  EXPECT_EQ(e->context.informational, std::vector<int>{103});
  EXPECT_EQ(e->context.body, "ok");
  EXPECT_EQ(e->context.trailer_count, 1u);
  EXPECT_TRUE(e->context.ended);
}

TEST_F(RouterFilterTest, EditsWhatTheRouteSays) {
  makeCluster();
  forward().prefix_rewrite = "/new/";
  forward().host_rewrite = "b.example";
  forward().idle_timeout = 7s;
  route_.edits.request.push_back({"X-To", "host", route::HeaderEdit::Action::AddIfAbsent});
  route_.edits.response_remove.push_back("x-secret");
  compile();
  auto e = sent();
  EXPECT_EQ(peer(0).take(), "GET /new/a HTTP/1.1\r\nHost: b.example\r\nX-To: host\r\n\r\n");
  EXPECT_EQ(e->context.idle_timeout, event::Duration(7s));
  EXPECT_EQ(e->context.idle_failure, Failure::RouteIdleTimeout);
  peer(0).send("HTTP/1.1 204 No Content\r\nX-Secret: 1\r\nX-Open: 2\r\n\r\n");
  run();
  EXPECT_EQ(e->context.fields, "X-Open: 2\n");
}

// --- balancing ---

TEST_F(RouterFilterTest, RequestsOfOneKeyGoToOneHost) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = upstream::Algorithm::Maglev;
  makeCluster(spec, 8);
  forward().hash_policies = {{.kind = route::HashPolicy::Kind::Header, .name = "x-user"}};
  compile();
  std::set<std::string> hosts;
  for (const char* user : {"ann", "bob", "cid", "dan", "eve"}) {
    std::set<std::string> of_user;
    for (int i = 0; i < 3; ++i) {
      auto e = exchange(test::request("/a", "a.example", {{"x-user", user}}));
      EXPECT_EQ(e->start(), FilterVerdict::Pause);
      of_user.insert(std::string(e->context.info().upstream_host));
    }
    EXPECT_EQ(of_user.size(), 1u) << user;
    hosts.merge(of_user);
  }
  EXPECT_GT(hosts.size(), 1u);
}

TEST_F(RouterFilterTest, GivesAClientTheCookieThatItsRequestsAreHashedBy) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = upstream::Algorithm::RingHash;
  makeCluster(spec, 8);
  forward().hash_policies = {{.kind = route::HashPolicy::Kind::Cookie,
                              .name = "id",
                              .cookie_ttl = std::chrono::milliseconds(0)}};
  compile();
  auto first = sent();
  answer(peer(0));
  const std::string& fields = first->context.fields;
  const size_t at = fields.find("set-cookie: id=\"");
  ASSERT_NE(at, std::string::npos) << fields;
  const std::string value = fields.substr(at + 16, fields.find('"', at + 16) - at - 16);
  const std::string cookie = "id=" + value;
  auto second = exchange(test::request("/a", "a.example", {{"cookie", cookie}}));
  EXPECT_EQ(second->start(), FilterVerdict::Continue) << "the connection of the first";
  answer(peer(0));
  EXPECT_EQ(second->context.fields.find("set-cookie"), std::string::npos);
}

// Response times count from the end of the request to the response's head.
TEST_F(RouterFilterTest, SlowHostsLoseTheirTraffic) {
  auto spec = clusterSpec();
  spec->balancing.algorithm = upstream::Algorithm::LeastResponseTime;
  makeCluster(spec, 2);
  auto slow = sent();
  auto fast = sent();
  clock_.advance(10ms);
  answer(peer(1));
  clock_.advance(200ms);
  answer(peer(0));
  for (int i = 0; i < 4; ++i) {
    auto next = exchange();
    EXPECT_EQ(next->start(), FilterVerdict::Continue);
    EXPECT_EQ(next->context.info().upstream_host, "10.0.0.2:80");
    answer(peer(1));
  }
}

TEST_F(RouterFilterTest, AResponseMayComeBeforeTheRequestHasEnded) {
  makeCluster();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("abc", false);
  peer(0).send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  run();
  EXPECT_EQ(e->context.status, 413);
  EXPECT_TRUE(e->context.ended);
  e->sendBody("rest", true);  // dropped
  e->end();
  run();
  EXPECT_TRUE(gone(peer(0))) << "HTTP/1.1 cannot break off a request otherwise";
}

// Its connection used to be closed: the end of the body was never sent.
TEST_F(RouterFilterTest, ABodyOfNoBytesLeavesTheHostsConnectionInUse) {
  makeCluster();
  for (int i = 0; i < 2; ++i) {
    http::RequestHead head = post();
    head.body = {.kind = http::BodyLength::Kind::Known, .bytes = 0};
    auto e = exchange(std::move(head));
    EXPECT_EQ(e->start(), i == 0 ? FilterVerdict::Pause : FilterVerdict::Continue);
    run();
    EXPECT_EQ(peer(0).take(), "POST /a HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
    answer(peer(0));
    EXPECT_TRUE(e->context.ended);
  }
  EXPECT_EQ(io_.peers.size(), 1u);
}

// The response may still wait at a filter; it used to be broken off.
TEST_F(RouterFilterTest, AHostThatAnswersEarlyAndGoesDoesNotTakeTheAnswerBack) {
  makeCluster();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  e->sendBody("abc", false);
  answer(peer(0), "too much");
  EXPECT_TRUE(e->context.ended);
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_FALSE(e->context.aborted.has_value());
  e->sendBody("rest", true);
  EXPECT_EQ(metrics().upstream_rq_completed.value(), 1u);
}

// --- failures of the host ---

TEST_F(RouterFilterTest, AHostThatClosesAtOnce) {
  makeCluster();
  auto e = sent();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
  EXPECT_EQ(io_.peers.size(), 1u) << "a fresh connection is no reason to try again";
}

TEST_F(RouterFilterTest, AHostThatBreaksOffItsBody) {
  makeCluster();
  auto e = sent();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  run();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(e->context.body, "he");
  EXPECT_EQ(e->context.aborted, Failure::UpstreamAbortedBody);
}

TEST_F(RouterFilterTest, AMalformedResponse) {
  makeCluster();
  auto e = sent();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n");
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamProtocolError);
}

// What is sent again when the host closes a kept connection instead of answering.
TEST_F(RouterFilterTest, RepeatsOnlyWhatIsSafeToRepeat) {
  struct Case {
    std::string method;
    std::string said;  // by the host before it closes
    bool repeated;
  };
  const Case cases[] = {{"GET", "", true},   {"HEAD", "", true},   {"PUT", "", true},
                        {"POST", "", false}, {"PATCH", "", false}, {"GET", "HTTP/1.1 2", false}};
  makeCluster();
  for (const Case& c : cases) {
    io_.peers.clear();
    run();
    warm();
    http::RequestHead head = test::request("/again");
    head.method = c.method;
    auto e = exchange(std::move(head));
    ASSERT_EQ(e->start(), FilterVerdict::Continue);
    run();
    if (!c.said.empty()) peer(0).send(c.said);
    run();
    peer(0).connection->close(net::CloseMode::Flush);
    run();
    EXPECT_EQ(io_.peers.size(), c.repeated ? 2u : 1u) << c.method << c.said;
    EXPECT_EQ(e->context.aborted.has_value(), !c.repeated) << c.method << c.said;
    if (c.repeated) {
      EXPECT_EQ(peer(1).take().substr(0, c.method.size()), c.method);
      EXPECT_EQ(e->context.info().upstream_attempts, 2);
    }
  }
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 3u);
}

// A request that makes its host close is not tried on every connection that is kept.
TEST_F(RouterFilterTest, RepeatsOnceAndOnAConnectionThatWasNotIdle) {
  makeCluster();
  auto first = sent();
  auto second = sent();
  answer(peer(0));
  answer(peer(1));
  EXPECT_EQ(second->context.status, 200);
  ASSERT_EQ(io_.peers.size(), 2u) << "both are idle now";
  for (size_t i = 0; i < 2; ++i) peer(i).take();

  auto e = exchange();
  ASSERT_EQ(e->start(), FilterVerdict::Continue);
  run();
  test::Peer& used = peer(peer(0).take().empty() ? 1 : 0);
  used.connection->close(net::CloseMode::Flush);
  run();
  ASSERT_EQ(io_.peers.size(), 3u) << "not the idle one";
  EXPECT_FALSE(e->context.aborted.has_value());
  peer(2).connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamReset);
  EXPECT_EQ(e->context.info().upstream_attempts, 2);
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 1u);
}

// --- time ---

TEST_F(RouterFilterTest, TheResponseTimeOutRunsFromTheEndOfTheRequest) {
  makeCluster();
  forward().timeout = 3s;
  compile();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  clock_.advance(10s);
  EXPECT_FALSE(e->context.aborted.has_value());
  e->sendBody("abc", true);
  run();
  clock_.advance(2900ms);
  EXPECT_FALSE(e->context.aborted.has_value());
  clock_.advance(200ms);
  run();
  EXPECT_EQ(e->context.aborted, Failure::UpstreamResponseTimeout);
  EXPECT_EQ(metrics().upstream_rq_timeout.value(), 1u);
  EXPECT_TRUE(gone(peer(0)));
}

TEST_F(RouterFilterTest, TheFirstByteTimeOutEndsWithTheResponseHead) {
  makeCluster();
  forward().timeout = 0s;
  forward().first_byte_timeout = 2s;
  compile();
  auto answered = sent();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
  run();
  clock_.advance(1h);
  EXPECT_FALSE(answered->context.aborted.has_value());
  auto silent = sent();
  clock_.advance(2100ms);
  EXPECT_EQ(silent->context.aborted, Failure::UpstreamFirstByteTimeout);
}

TEST_F(RouterFilterTest, WithoutATimeOutItWaits) {
  makeCluster();
  forward().timeout = 0s;
  compile();
  auto e = sent();
  clock_.advance(24h);
  EXPECT_FALSE(e->context.aborted.has_value());
}

// --- back-pressure ---

TEST_F(RouterFilterTest, ASlowClientMakesTheHostWait) {
  makeCluster();
  auto e = sent();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
  run();
  ASSERT_NE(e->context.flow, nullptr);
  e->context.flow->onSendQueueAboveHigh();
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 1u);
  peer(0).send("0123456789");
  run();
  EXPECT_EQ(e->context.body, "");
  e->context.flow->onSendQueueBelowLow();
  run();
  EXPECT_EQ(e->context.body, "0123456789");
}

// It used to be forgotten while there was no connection.
TEST_F(RouterFilterTest, AClientThatIsSlowAlreadyMakesTheHostWait) {
  makeCluster();
  auto e = exchange();
  EXPECT_EQ(e->start(), FilterVerdict::Pause);
  e->context.flow->onSendQueueAboveHigh();
  run();
  answer(peer(0), "0123456789");
  EXPECT_EQ(e->context.body, "");
  EXPECT_EQ(metrics().upstream_flow_control_paused_reading_total.value(), 1u);
  e->context.flow->onSendQueueBelowLow();
  run();
  EXPECT_EQ(e->context.body, "0123456789");
  // One that was slow, and is no more.
  io_.peers.clear();
  run();
  auto next = exchange();
  EXPECT_EQ(next->start(), FilterVerdict::Pause);
  next->context.flow->onSendQueueAboveHigh();
  next->context.flow->onSendQueueBelowLow();
  run();
  answer(peer(0), "0123456789");
  EXPECT_EQ(next->context.body, "0123456789");
}

TEST_F(RouterFilterTest, ASlowHostMakesTheClientWait) {
  makeCluster();
  auto e = exchange(post());
  EXPECT_EQ(e->start(/*end_of_stream=*/false), FilterVerdict::Pause);
  run();
  peer(0).connection->pauseReading();
  e->sendBody(std::string(4'000'000, 'x'), false);
  run();
  EXPECT_EQ(e->context.pauses, 1);
  peer(0).connection->resumeReading();
  EXPECT_TRUE(loop_.runUntil([&] { return e->context.pauses == 0; }));
}

// --- the end ---

TEST_F(RouterFilterTest, TheClientGoesInTheMiddle) {
  makeCluster();
  auto e = sent();
  e->end();
  run();
  EXPECT_TRUE(gone(peer(0)));
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  EXPECT_EQ(metrics().upstream_rq_completed.value(), 0u);
}

// --- how long a stream may last ---

TEST_F(RouterFilterTest, StreamsAreLimitedByTheRouteOrByTheClientsDeadline) {
  makeCluster();
  auto plain = sent();
  EXPECT_EQ(plain->context.stream_limits, 0);
  forward().max_stream_duration = 9s;
  compile();
  auto by_route = sent(test::request("/a", "h", {{"grpc-timeout", "1S"}}));
  EXPECT_EQ(by_route->context.max_stream_duration, event::Duration(9s));
  EXPECT_FALSE(by_route->context.limited_by_client);
  forward().grpc_timeout_header_max = 5s;
  compile();
  auto by_client = sent(test::request("/a", "h", {{"grpc-timeout", "1S"}}));
  EXPECT_EQ(by_client->context.max_stream_duration, event::Duration(1s));
  EXPECT_TRUE(by_client->context.limited_by_client);
  auto unreadable = sent(test::request("/a", "h", {{"grpc-timeout", "soon"}}));
  EXPECT_EQ(unreadable->context.max_stream_duration, event::Duration(9s));
}

}  // namespace
}  // namespace convoy::filter::router
