// A host's life, state by state, as people see it: on the admin page /clusters, as text and as
// JSON, and in what the node tells its control plane.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/convoy/ext/node_report.pb.h"
#include "envoy/admin/v3/clusters.pb.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/xds_server.h"
#include "test/integration/many_peers.h"
#include "test/proxy/server/pages.h"
#include "test/proxy/xds/resources.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

// A cluster "web" of two hosts, of which the first is looked at. Both have an endpoint for checks.
class HostStatesTest : public testing::Test {
 protected:
  HostStatesTest() {
    servers_.comeUp();
    xds::ClusterProto cluster = xds::edsCluster("web");
    cluster.set_lb_policy(xds::ClusterProto::ROUND_ROBIN);
    auto* check = cluster.add_health_checks();
    check->mutable_interval()->set_seconds(2);
    check->mutable_no_traffic_interval()->set_seconds(2);
    // As long as it likes: a check fails only if nobody listens.
    check->mutable_timeout()->set_seconds(600);
    check->mutable_unhealthy_threshold()->set_value(3);
    check->mutable_healthy_threshold()->set_value(2);
    check->mutable_tcp_health_check();
    cluster.set_ignore_health_on_host_removal(true);
    // Who may serve is for the states alone to say.
    cluster.mutable_common_lb_config()->mutable_healthy_panic_threshold()->set_value(0);
    control_plane_.run([&](XdsServer& server) {
      server.set("web", cluster);
      server.set("web", assignment({1}));
      server.set("public", xds::patientListener("public", "web"));
    });
    proxy_.emplace(adsBootstrap(control_plane_.address()), time_, /*workers=*/2);
  }
  xds::AssignmentProto assignment(const std::vector<size_t>& hosts) {
    xds::AssignmentProto made = xds::assignment("web", {});
    for (const size_t i : hosts) {
      const auto one = xds::assignment("web", {servers_.addresses()[i].port()});
      auto* endpoint = made.mutable_endpoints(0)->add_lb_endpoints();
      *endpoint = one.endpoints(0).lb_endpoints(0);
      endpoint->mutable_endpoint()->mutable_health_check_config()->set_port_value(
          checked_[i].localAddress().port());
    }
    return made;
  }
  void push(const xds::AssignmentProto& hosts) {
    control_plane_.run([&](XdsServer& server) {
      server.set("web", hosts);
      server.push();
    });
  }
  // Checks are made as time passes; what they have come to goes to main, and to the workers.
  [[nodiscard]] bool checkedUntil(const std::function<bool()>& done) {
    return until([&] {
      time_.advance(500ms);
      proxy_->untilWorkersKnow();
      return done();
    });
  }

  // What the page says of the host; empty: nothing.
  std::string field(const std::string& name) {
    return server::fieldOf(*proxy_, "web", servers_.addresses()[0], name);
  }
  // "removed, 2 requests", from the page's other form; empty: it is not there.
  std::string inJson() {
    const auto all =
        server::readJson<envoy::admin::v3::Clusters>(server::ask(*proxy_, "/clusters?format=json"));
    std::string state;
    uint64_t requests = 0;
    for (const auto& cluster : all.cluster_statuses()) {
      for (const auto& of : cluster.host_statuses()) {
        if (of.address().socket_address().port_value() != servers_.addresses()[0].port()) continue;
        for (const auto& stat : of.stats()) {
          if (absl::StartsWith(stat.name(), "state.")) state += stat.name().substr(6);
          if (stat.name() == "rq_active") requests = stat.value();
        }
      }
    }
    return state.empty() ? "" : absl::StrCat(state, ", ", requests, " requests");
  }
  void expectState(const std::string& state, size_t requests) {
    EXPECT_EQ(field("state"), state);
    EXPECT_EQ(field("rq_active"), std::to_string(requests));
    EXPECT_EQ(field("cx_active"), std::to_string(requests));
    EXPECT_EQ(inJson(), absl::StrCat(state, ", ", requests, " requests"));
  }
  // What the node has told of its hosts becomes this.
  void expectReport(const std::string& report) {
    // Changes are announced in batches, and reported a little later.
    time_.advance(100ms);
    for (int turn = 0; turn < 4; ++turn) time_.advance(0s);
    time_.advance(6s);
    std::string told;
    EXPECT_TRUE(control_plane_.waitFor("a report",
                                       [&](XdsServer& server) {
                                         told = reportOf(server.last().node);
                                         return told == report;
                                       }))
        << told << "\ninstead of\n"
        << report;
  }
  std::string host() const { return servers_.addresses()[0].text(); }

  Servers servers_{2};
  // Nobody accepts: that the connection can be made is all that a check asks.
  RawSocket checked_[2] = {RawSocket::listening(4096), RawSocket::listening(4096)};
  ThreadedXdsServer control_plane_;
  SimulatedClock time_;
  std::optional<ProxyHarness> proxy_;

 private:
  static std::string reportOf(const envoy::config::core::v3::Node& node) {
    const auto found = node.metadata().fields().find("convoy.ext.NodeReport");
    ext::NodeReport report;
    std::string json;
    if (found == node.metadata().fields().end() ||
        !google::protobuf::util::MessageToJsonString(found->second.struct_value(), &json).ok() ||
        !google::protobuf::util::JsonStringToMessage(json, &report).ok()) {
      return "none";
    }
    std::string text;
    for (const auto& host : report.unhealthy_hosts()) {
      absl::StrAppend(&text, host.cluster(), "/", host.address(), " ",
                      ext::NodeReport::OutBy_Name(host.out_by()), " ");
    }
    for (const auto& host : report.finishing_hosts()) {
      absl::StrAppend(&text, host.cluster(), "/", host.address(), " ",
                      ext::NodeReport::FinishingHost::State_Name(host.state()), " ",
                      host.requests(), " ");
    }
    return text;
  }
};

TEST_F(HostStatesTest, AreAllSeenOneAfterTheOther) {
  ASSERT_TRUE(
      checkedUntil([&] { return proxy_->metric("cluster.web.health_check.healthy") == 1; }));
  EXPECT_EQ(field("state"), "") << "it does not exist yet";

  push(assignment({0, 1}));
  ASSERT_TRUE(proxy_->becomes("cluster.web.membership_total", 2));
  expectState("unknown", 0);

  ASSERT_TRUE(checkedUntil([&] { return field("state") != "unknown"; }));
  expectState("healthy", 0);
  EXPECT_EQ(field("health_flags"), "healthy");
  constexpr size_t kAsked = 16;
  Clients clients(*proxy_, kAsked, "/web");
  ASSERT_TRUE(servers_.comeTo(kAsked));
  const size_t running = servers_.underWay(0);
  ASSERT_GT(running, 0u);
  expectState("healthy", running);

  checked_[0].close();
  ASSERT_TRUE(checkedUntil([&] { return field("state") != "healthy"; }));
  expectState("unhealthy", running);
  EXPECT_EQ(field("health_flags"), "/failed_active_hc");
  const std::string name = absl::StrCat("web/", host());
  expectReport(absl::StrCat(name, " OUT_BY_HEALTH_CHECK "));

  xds::AssignmentProto drains = assignment({1});
  const uint32_t check_port = checked_[1].localAddress().port();
  auto* leaves = drains.mutable_endpoints(0)->add_lb_endpoints();
  *leaves = xds::assignment("web", {servers_.addresses()[0].port()}).endpoints(0).lb_endpoints(0);
  leaves->mutable_endpoint()->mutable_health_check_config()->set_port_value(check_port);
  leaves->set_health_status(envoy::config::core::v3::DRAINING);
  push(drains);
  ASSERT_TRUE(until([&] { return field("state") != "unhealthy"; }));
  expectState("draining", running);
  expectReport(absl::StrCat(name, " STATE_DRAINING ", running, " "));

  push(assignment({1}));
  ASSERT_TRUE(until([&] { return field("state") != "draining"; }));
  expectState("removed", running);
  EXPECT_EQ(field("weight"), "") << "what its cluster said of it is gone";
  expectReport(absl::StrCat(name, " STATE_REMOVED ", running, " "));

  servers_.answerAll();
  ASSERT_TRUE(clients.areServed(kAsked));
  EXPECT_TRUE(until([&] { return field("state").empty(); })) << "with its last request";
  EXPECT_EQ(inJson(), "");
  expectReport("");
}

TEST_F(HostStatesTest, AnUnknownHostGetsNothingBeforeItsFirstPass) {
  ASSERT_TRUE(
      checkedUntil([&] { return proxy_->metric("cluster.web.health_check.healthy") == 1; }));
  push(assignment({0, 1}));
  ASSERT_TRUE(proxy_->becomes("cluster.web.membership_total", 2));
  proxy_->untilWorkersKnow();
  Clients early(*proxy_, 8, "/web");
  ASSERT_TRUE(servers_.comeTo(8));
  EXPECT_EQ(servers_.underWay(0), 0u);
  EXPECT_EQ(field("state"), "unknown") << "all that time";

  ASSERT_TRUE(checkedUntil([&] { return field("state") == "healthy"; }));
  proxy_->untilWorkersKnow();
  Clients later(*proxy_, 8, "/web");
  ASSERT_TRUE(servers_.comeTo(16));
  EXPECT_GT(servers_.underWay(0), 0u);
}

TEST_F(HostStatesTest, UnknownHostsServeWhereNoOtherCan) {
  // The cluster is empty for a while, so that nobody has passed, nor is trusted.
  push(assignment({}));
  ASSERT_TRUE(until([&] { return proxy_->metric("cluster.web.membership_total") == 0; }));
  push(assignment({0, 1}));
  ASSERT_TRUE(proxy_->becomes("cluster.web.membership_total", 2));
  proxy_->untilWorkersKnow();
  Clients clients(*proxy_, 8, "/web");
  ASSERT_TRUE(until([&] {
    servers_.take();
    clients.take();
    return servers_.underWay() + clients.refused() == 8;
  }));
  EXPECT_EQ(clients.refused(), 0u);
  EXPECT_GT(servers_.underWay(0), 0u);
  EXPECT_GT(servers_.underWay(1), 0u);
  EXPECT_EQ(field("state"), "unknown") << "all that time";
}

}  // namespace
}  // namespace convoy::test
