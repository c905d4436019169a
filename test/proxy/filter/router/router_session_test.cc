// What the router makes of a request's session.

#include <string>
#include <tuple>

#include "proxy/filter/router/router_filter.h"
#include "proxy/route/retry_on.h"
#include "test/proxy/filter/router/router_fixture.h"

namespace convoy::filter::router {
namespace {

using Found = http::SessionBinding::Found;
using http::Failure;

class RouterSessionTest : public test::RouterTest {
 protected:
  std::unique_ptr<test::Exchange> start(const http::SessionBinding& session) {
    auto out = exchange();
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

}  // namespace
}  // namespace convoy::filter::router
