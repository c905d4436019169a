// What edits do to the verdicts of health checks: those of something else nothing, and another
// check takes over when it has come to a verdict of its own.

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "test/common/ads_bootstrap.h"
#include "test/common/xds_server.h"
#include "test/integration/many_peers.h"
#include "test/proxy/server/pages.h"
#include "test/proxy/xds/resources.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// A cluster "web" of one host, which is checked every minute: by a connection, or by a request that
// is answered with 500.
class CheckChangesTest : public testing::Test {
 protected:
  void start(const xds::ClusterProto& cluster) {
    control_plane_.run([&](XdsServer& server) {
      server.set("web", cluster);
      server.set("public", xds::patientListener("public", "web"));
    });
    proxy_.emplace(adsBootstrap(control_plane_.address()), time_);
  }
  // Returns when every worker knows.
  void push(const xds::ClusterProto& cluster) {
    const uint64_t before = proxy_->metric("cluster_manager.cds.update_success");
    control_plane_.run([&](XdsServer& server) {
      server.set("web", cluster);
      server.push();
    });
    ASSERT_TRUE(proxy_->becomes("cluster_manager.cds.update_success", before + 1));
    proxy_->untilWorkersKnow();
  }
  xds::ClusterProto checkedByConnection() const {
    xds::ClusterProto cluster = checked();
    cluster.mutable_health_checks(0)->mutable_tcp_health_check();
    return cluster;
  }
  xds::ClusterProto checkedByRequest() const {
    xds::ClusterProto cluster = checked();
    auto* http = cluster.mutable_health_checks(0)->mutable_http_health_check();
    http->set_path("/health");
    // Else the first one would be enough.
    auto* retriable = http->add_retriable_statuses();
    retriable->set_start(500);
    retriable->set_end(501);
    return cluster;
  }
  // One more check after this time. The first one, also of a check that is another than before,
  // comes within 5 s, the others a minute after the one before.
  void check(event::Duration after, const std::string& result) {
    const std::string name = "cluster.web.health_check." + result;
    const uint64_t before = proxy_->metric(name);
    time_.advance(after);
    ASSERT_TRUE(proxy_->becomes(name, before + 1));
  }
  std::string state() { return server::fieldOf(*proxy_, "web", web_.address(), "state"); }
  [[nodiscard]] bool becomes(const std::string& wanted) {
    const bool done = until([&] { return state() == wanted; });
    proxy_->untilWorkersKnow();
    return done;
  }
  int status() const { return proxy_->get("/web").status; }

  FakeUpstream web_;
  FakeUpstream checks_{"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"};
  ThreadedXdsServer control_plane_;
  SimulatedClock time_;
  std::optional<ProxyHarness> proxy_;

 private:
  xds::ClusterProto checked() const {
    xds::ClusterProto cluster = xds::staticCluster("web", web_.address().port());
    cluster.mutable_load_assignment()
        ->mutable_endpoints(0)
        ->mutable_lb_endpoints(0)
        ->mutable_endpoint()
        ->mutable_health_check_config()
        ->set_port_value(checks_.address().port());
    // A host that fails gets nothing, though there is no other.
    cluster.mutable_common_lb_config()->mutable_healthy_panic_threshold()->set_value(0);
    auto* check = cluster.add_health_checks();
    check->mutable_interval()->set_seconds(60);
    check->mutable_no_traffic_interval()->set_seconds(60);
    check->mutable_timeout()->set_seconds(600);
    check->mutable_unhealthy_threshold()->set_value(3);
    check->mutable_healthy_threshold()->set_value(2);
    return cluster;
  }
};

TEST_F(CheckChangesTest, AnEditOfSomethingElseChangesNeitherVerdictNorTimetable) {
  xds::ClusterProto cluster = checkedByConnection();
  start(cluster);
  check(5s, "success");
  ASSERT_TRUE(becomes("healthy"));
  cluster.mutable_connect_timeout()->set_seconds(3);
  push(cluster);
  cluster.mutable_load_assignment()
      ->mutable_endpoints(0)
      ->mutable_lb_endpoints(0)
      ->mutable_load_balancing_weight()
      ->set_value(7);
  push(cluster);
  EXPECT_EQ(server::fieldOf(*proxy_, "web", web_.address(), "weight"), "7");
  EXPECT_EQ(state(), "healthy");
  EXPECT_EQ(status(), 200);
  time_.advance(50s);
  EXPECT_EQ(proxy_->metric("cluster.web.health_check.attempt"), 1u) << "there is no new first one";
  EXPECT_EQ(state(), "healthy");
  check(10s, "success");
}

TEST_F(CheckChangesTest, AHostServesUntilTheNewCheckHasFoundThatItFails) {
  start(checkedByConnection());
  check(5s, "success");
  ASSERT_TRUE(becomes("healthy"));
  push(checkedByRequest());
  EXPECT_EQ(state(), "healthy") << "nothing is known yet";
  EXPECT_EQ(status(), 200);
  for (const auto after : {5s, 60s}) {
    check(after, "failure");
    EXPECT_EQ(state(), "healthy") << "a failure is no verdict";
    EXPECT_EQ(status(), 200);
  }
  check(60s, "failure");
  EXPECT_TRUE(becomes("unhealthy"));
  EXPECT_EQ(status(), 503);
}

TEST_F(CheckChangesTest, AHostIsOutUntilTheNewCheckHasFoundThatItIsWell) {
  start(checkedByRequest());
  for (const auto after : {5s, 60s, 60s}) check(after, "failure");
  ASSERT_TRUE(becomes("unhealthy"));
  push(checkedByConnection());
  EXPECT_EQ(state(), "unhealthy") << "nothing is known yet";
  EXPECT_EQ(status(), 503);
  check(5s, "success");
  EXPECT_EQ(state(), "unhealthy") << "one of two";
  EXPECT_EQ(status(), 503);
  check(60s, "success");
  EXPECT_TRUE(becomes("healthy"));
  EXPECT_EQ(status(), 200);
}

}  // namespace
}  // namespace convoy::test
