// A backend that is new, or has recovered, gets its share of the requests little by little, over
// 30 s, through the whole proxy.

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/xds_server.h"
#include "test/integration/many_peers.h"
#include "test/proxy/xds/resources.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// The parameter is the number of workers: the allowance is that of all together.
class SlowStartTest : public testing::TestWithParam<size_t> {
 protected:
  SlowStartTest() {
    servers_.comeUp(0);
    servers_.comeUp(1);
  }
  // So many more requests, which stay under way.
  void ask(ProxyHarness& proxy, size_t count) {
    clients_.emplace_back(proxy, count, "/web");
    asked_ += count;
    ASSERT_TRUE(servers_.comeTo(asked_));
  }
  void finish() {
    servers_.answerAll();
    size_t served = 0;
    EXPECT_TRUE(until([&] {
      served = 0;
      for (Clients& clients : clients_) {
        clients.take();
        served += clients.served();
      }
      return served == asked_;
    }));
  }
  void begin(ProxyHarness& proxy) {
    ask(proxy, 40);
    ASSERT_EQ(servers_.underWay(2), 0u);
  }
  void expectRamp(ProxyHarness& proxy) {
    ask(proxy, 30);
    EXPECT_EQ(servers_.underWay(2), 2u) << "a tenth of the twenty that each of the others has";
    time_.advanceInSteps(15s, 500ms);
    proxy.untilWorkersKnow();
    ask(proxy, 60);
    EXPECT_EQ(servers_.underWay(2), 17u) << "half of the 34 that each of the others had";
    time_.advanceInSteps(16s, 500ms);
    proxy.untilWorkersKnow();
    ask(proxy, 30);
    EXPECT_GT(servers_.underWay(2), 22u) << "its share";
    finish();
  }

  Servers servers_{3};
  SimulatedClock time_;
  std::deque<Clients> clients_;
  size_t asked_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Workers, SlowStartTest, testing::Values(1, 3));

TEST_P(SlowStartTest, AfterRecovery) {
  // A check may take as long as it likes: only one that nobody listens for fails.
  ProxyHarness proxy(
      absl::StrCat(staticBootstrap(servers_.addresses(),
                                   "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}"),
                   "    round_robin_lb_config: {slow_start_config: {slow_start_window: 30s}}\n"
                   "    health_checks: [{interval: 2s, no_traffic_interval: 2s, timeout: 600s, "
                   "unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {}}]\n"),
      time_, GetParam());
  time_.advance(2s);
  ASSERT_TRUE(proxy.becomes("cluster.web.health_check.failure", 1));
  ASSERT_TRUE(proxy.becomes("cluster.web.health_check.success", 2));
  time_.advance(100ms);
  ASSERT_TRUE(until([&] { return proxy.metric("cluster.web.membership_healthy") == 2; }));
  time_.advanceInSteps(30s, 500ms);  // the others are warm, as they began together
  proxy.untilWorkersKnow();
  begin(proxy);
  servers_.comeUp(2);
  time_.advance(2s);
  ASSERT_TRUE(proxy.becomes("cluster.web.membership_healthy", 3));
  proxy.untilWorkersKnow();
  expectRamp(proxy);
}

TEST_P(SlowStartTest, AfterItWasAdded) {
  const auto addresses = servers_.addresses();
  servers_.comeUp(2);
  const auto assignment = [&](size_t hosts) {
    std::vector<uint32_t> ports;
    for (size_t i = 0; i < hosts; ++i) ports.push_back(addresses[i].port());
    return xds::assignment("web", ports);
  };
  ThreadedXdsServer control_plane;
  control_plane.run([&](XdsServer& server) {
    xds::ClusterProto cluster = xds::edsCluster("web");
    cluster.mutable_round_robin_lb_config()
        ->mutable_slow_start_config()
        ->mutable_slow_start_window()
        ->set_seconds(30);
    server.set("web", cluster);
    server.set("web", assignment(2));
    server.set("public", xds::patientListener("public", "web"));
  });
  ProxyHarness proxy(adsBootstrap(control_plane.address()), time_, GetParam());
  time_.advance(31s);  // the first two are warm, as they began together
  begin(proxy);
  control_plane.run([&](XdsServer& server) {
    server.set("web", assignment(3));
    server.push();
  });
  ASSERT_TRUE(proxy.becomes("cluster.web.membership_total", 3));
  proxy.untilWorkersKnow();
  expectRamp(proxy);
}

}  // namespace
}  // namespace convoy::test
