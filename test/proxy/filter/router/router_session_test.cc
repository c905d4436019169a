// What the router makes of a request's session.

#include <string>
#include <tuple>
#include <utility>

#include "proxy/filter/router/router_filter.h"
#include "proxy/route/retry_on.h"
#include "test/proxy/filter/router/router_fixture.h"

namespace convoy::filter::router {
namespace {

using Found = http::SessionBinding::Found;
using http::Failure;

class RouterSessionTest : public test::RouterTest {
 protected:
  std::unique_ptr<test::Exchange> start(const http::SessionBinding& session,
                                        http::RequestHead head = test::request("/a")) {
    auto out = exchange(std::move(head));
    out->context.info().session = &session;
    // Continue on a connection that is there, Pause on a new one.
    std::ignore = out->start();
    run();
    return out;
  }
  // hits, misses, repicked, expired, tampered
  std::string counted() {
    const upstream::ClusterMetrics& m = metrics();
    std::string out;
    for (const auto* counter : {&m.sticky_hit, &m.sticky_miss, &m.sticky_repicked,
                                &m.sticky_expired, &m.sticky_tampered}) {
      out += std::to_string(counter->value()) + " ";
    }
    return out;
  }
};

TEST_F(RouterSessionTest, GoesToTheSessionsHost) {
  makeCluster(3);
  const http::SessionBinding session{.found = Found::Host, .host = "10.0.0.3:80"};
  for (int i = 0; i < 2; ++i) {
    auto e = start(session);
    EXPECT_EQ(e->context.info().upstream_host, "10.0.0.3:80");
    answer(peer(0));
  }
  EXPECT_EQ(counted(), "2 0 0 0 0 ");
}

TEST_F(RouterSessionTest, CountsWhatWasFound) {
  makeCluster(1);
  for (const Found found : {Found::Nothing, Found::Expired, Found::Tampered}) {
    const http::SessionBinding session{.found = found, .host = {}};
    auto e = start(session);
    answer(peer(0));
  }
  EXPECT_EQ(counted(), "0 1 0 1 1 ");
  const http::SessionBinding gone{.found = Found::Host, .host = "10.0.0.7:80"};
  auto e = start(gone);
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.1:80");
  answer(peer(0));
  EXPECT_EQ(counted(), "0 1 1 1 1 ");
}

TEST_F(RouterSessionTest, ARetryMovesOn) {
  auto policy = std::make_shared<route::RetryPolicy>();
  policy->on = route::RetryOn::ConnectFailure;
  policy->num_retries = 2;
  forward().retries = policy;
  compile();
  makeCluster(2);
  io_.refuses = [](const net::Address& to) { return to == address(2); };
  const http::SessionBinding session{.found = Found::Host, .host = "10.0.0.2:80"};
  auto e = start(session);
  clock_.advance(std::chrono::seconds(1));
  run();
  EXPECT_EQ(e->context.info().upstream_host, "10.0.0.1:80");
  answer(peer(1));
  EXPECT_EQ(e->context.status, 200);
  EXPECT_EQ(counted(), "1 0 0 0 0 ") << "counted once, by the first choice";
}

TEST_F(RouterSessionTest, AStrictSessionGoesNowhereElse) {
  makeCluster(2);
  const http::SessionBinding session{.found = Found::Host, .strict = true, .host = "10.0.0.7:80"};
  auto e = start(session);
  EXPECT_EQ(e->context.aborted, Failure::NoHealthyUpstream);
  EXPECT_EQ(counted(), "0 0 1 0 0 ");
}

// The header of a cluster's override_header, of a request with a session.
TEST_F(RouterSessionTest, AHostThatTheRequestNamesComesFirst) {
  auto spec = clusterSpec();
  spec->override_header = "x-backend";
  makeCluster(spec, 3);
  const auto goesTo = [&](std::string_view named, bool strict) {
    http::RequestHead head = test::request("/a");
    head.headers.add("x-backend", named);
    const http::SessionBinding session{
        .found = Found::Host, .strict = strict, .host = "10.0.0.3:80"};
    return std::string(start(session, std::move(head))->context.info().upstream_host);
  };
  for (const bool strict : {false, true}) {
    EXPECT_EQ(goesTo("10.0.0.2:80", strict), "10.0.0.2:80");
    // One that serves nobody takes no client from its session's.
    for (const char* named : {"", "nonsense", "10.0.0.7:80"}) {
      EXPECT_EQ(goesTo(named, strict), "10.0.0.3:80") << named << " " << strict;
    }
  }
  EXPECT_EQ(counted(), "6 0 0 0 0 ");
  EXPECT_EQ(metrics().override_host_selected.value(), 2u);
  EXPECT_EQ(metrics().override_host_fallback.value(), 6u);
}

TEST_F(RouterSessionTest, ANamedHostThatIsFullSendsItToItsSessions) {
  auto spec = clusterSpec();
  spec->override_header = "x-backend";
  auto two = endpoint(2);
  two.max_connections = 0;
  setHosts({endpoint(1), two, endpoint(3)}, {spec});
  const http::SessionBinding session{.found = Found::Host, .strict = true, .host = "10.0.0.3:80"};
  for (int i = 0; i < 3; ++i) {
    http::RequestHead head = test::request("/a");
    head.headers.add("x-backend", "10.0.0.2:80");
    auto e = start(session, std::move(head));
    EXPECT_EQ(e->context.info().upstream_host, "10.0.0.3:80");
  }
  EXPECT_EQ(metrics().override_host_fallback.value(), 3u);
}

}  // namespace
}  // namespace convoy::filter::router
