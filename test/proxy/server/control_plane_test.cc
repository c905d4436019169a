#include "proxy/server/control_plane.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proxy/admin/stats.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"
#include "test/common/xds_server.h"
#include "test/proxy/server/specs.h"
#include "test/proxy/xds/ads_fixture.h"

namespace convoy::server {
namespace {

class ControlPlaneTest : public testing::Test {
 protected:
  ControlPlaneTest() { clock_.attach(test_loop_.loop()); }
  ~ControlPlaneTest() override {
    control_plane_.reset();
    test_loop_.runReady();
    clock_.detach(test_loop_.loop());
  }

  config::BootstrapSpec bootstrap() {
    config::BootstrapSpec spec;
    spec.clusters = {clusterOf("other", *net::Address::parse("127.0.0.1:1")),
                     clusterOf("control", server_.address())};
    spec.ads = config::AdsSpec{.cluster = "control", .authority = ""};
    spec.lds = spec.cds = true;
    envoy::config::core::v3::Node node;
    node.set_id("node-1");
    spec.node.encoded = node.SerializeAsString();
    return spec;
  }
  absl::Status make(const config::BootstrapSpec& spec, bool reject_unknown_fields = false) {
    auto made =
        ControlPlane::make(test_loop_.loop(), spec, {}, reject_unknown_fields, sink_, registry_);
    if (!made.ok()) return made.status();
    control_plane_ = *std::move(made);
    return absl::OkStatus();
  }
  void start(const config::BootstrapSpec& spec) {
    const absl::Status made = make(spec);
    ASSERT_TRUE(made.ok()) << made;
    control_plane_->start([this] { ++ready_; });
  }
  std::string ignoredFields() {
    return admin::renderStats(registry_, "control_plane.ignored_fields");
  }
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    return test_loop_.runUntil(condition);
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  observe::MetricRegistry registry_;
  test::XdsServer server_{test_loop_.loop()};
  xds::RecordingSink sink_;
  std::unique_ptr<ControlPlane> control_plane_;
  int ready_ = 0;
};

TEST_F(ControlPlaneTest, BringsTheFirstConfigurationAndSaysWhenItIsInForce) {
  server_.set("web", xds::staticCluster("web"));
  start(bootstrap());
  EXPECT_EQ(control_plane_->status().state, xds::AdsStatus::State::Opening);
  ASSERT_TRUE(until([&] { return ready_ == 1; }));
  EXPECT_EQ(sink_.clusters.count("web"), 1u);
  EXPECT_EQ(server_.last().node.id(), "node-1");
  EXPECT_EQ(control_plane_->status().state, xds::AdsStatus::State::Active);
  control_plane_->stop();
  EXPECT_EQ(control_plane_->status().state, xds::AdsStatus::State::Stopped);
  EXPECT_EQ(sink_.clusters.count("web"), 1u);
}

TEST_F(ControlPlaneTest, TheAuthorityIsTheBootstrapsOrElseTheClustersName) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "control"},
      {"xds.example:443", "xds.example:443"},
  };
  for (const auto& [configured, expected] : cases) {
    config::BootstrapSpec spec = bootstrap();
    spec.ads->authority = configured;
    const size_t before = server_.transport().accepted();
    start(spec);
    ASSERT_TRUE(until([&] {
      return server_.transport().accepted() > before &&
             !server_.transport().lastPeer().calls().empty();
    }));
    EXPECT_EQ(server_.transport().lastPeer().onlyCall().headers.at(":authority"), expected);
    control_plane_.reset();
  }
}

TEST_F(ControlPlaneTest, SubscribesToWhatTheBootstrapSaysAndWaitsAsLongAsItSays) {
  config::BootstrapSpec spec = bootstrap();
  spec.lds = false;
  spec.cds_fetch_timeout = std::chrono::seconds(3);
  server_.fallSilent();
  start(spec);
  ASSERT_TRUE(until([&] { return server_.streams() == 1 && !server_.last().types.empty(); }));
  EXPECT_FALSE(server_.type(config::kListenerType).asked);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(ready_, 0);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(ready_, 1);

  // The same for listeners; 0 waits for ever.
  control_plane_.reset();
  spec = bootstrap();
  spec.lds_fetch_timeout = std::chrono::seconds(0);
  start(spec);
  ASSERT_TRUE(until([&] { return server_.streams() == 2; }));
  clock_.advance(std::chrono::hours(100));
  EXPECT_EQ(ready_, 1);
}

TEST_F(ControlPlaneTest, EveryEndpointOfTheClusterIsTried) {
  const test::RawSocket refusing = test::RawSocket::boundTo(*net::Address::parse("127.0.0.1:0"));
  config::BootstrapSpec spec = bootstrap();
  auto two =
      std::make_shared<upstream::ClusterSpec>(*clusterOf("control", refusing.localAddress()));
  auto assignment = std::make_shared<upstream::AssignmentSpec>(*two->assignment);
  assignment->localities.push_back(
      clusterOf("control", server_.address())->assignment->localities[0]);
  two->assignment = assignment;
  spec.clusters = {two};
  start(spec);
  ASSERT_TRUE(until([&] {
    if (control_plane_->status().state == xds::AdsStatus::State::Backoff) {
      clock_.advance(std::chrono::seconds(1));
    }
    test_loop_.loop().post([] {});  // another look
    return ready_ == 1;
  }));
  EXPECT_EQ(server_.streams(), 1u);
}

TEST_F(ControlPlaneTest, ABootstrapThatNamesNoUsableClusterIsRefused) {
  const auto refuses = [&](config::BootstrapSpec spec) {
    const absl::Status status = make(spec);
    return status.code() == absl::StatusCode::kInvalidArgument &&
           status.message().find(spec.ads->cluster) != std::string::npos;
  };
  config::BootstrapSpec missing = bootstrap();
  missing.ads->cluster = "nowhere";
  EXPECT_TRUE(refuses(missing));

  config::BootstrapSpec discovered = bootstrap();
  auto eds = std::make_shared<upstream::ClusterSpec>();
  eds->name = "control";
  eds->discovery = upstream::ClusterSpec::Discovery::Eds;
  discovered.clusters = {eds};
  EXPECT_TRUE(refuses(discovered));

  config::BootstrapSpec empty = bootstrap();
  auto none = std::make_shared<upstream::ClusterSpec>(*clusterOf("control", server_.address()));
  none->assignment = std::make_shared<upstream::AssignmentSpec>();
  empty.clusters = {none};
  EXPECT_TRUE(refuses(empty));
}

TEST_F(ControlPlaneTest, FieldsWithoutEffectAreCountedAndTold) {
  xds::ClusterProto web = xds::staticCluster("web");
  web.set_alt_stat_name("unused");
  server_.set("web", web);
  start(bootstrap());
  ASSERT_TRUE(until([&] { return ready_ == 1 && server_.settled(); }));
  EXPECT_EQ(ignoredFields(), "control_plane.ignored_fields: 1\n");
  control_plane_->setReport({});
  ASSERT_TRUE(until(
      [&] { return server_.last().node.metadata().fields().contains("convoy.ext.NodeReport"); }));
  const auto& told =
      server_.last().node.metadata().fields().at("convoy.ext.NodeReport").struct_value().fields();
  EXPECT_EQ(told.at("ignoredFieldCount").string_value(), "1");
  const auto& field = told.at("ignoredFields").list_value().values(0).struct_value().fields();
  EXPECT_EQ(field.at("typeUrl").string_value(), config::kClusterType);
  EXPECT_EQ(field.at("name").string_value(), "web");
  EXPECT_EQ(field.at("fieldPath").string_value(), "alt_stat_name");

  server_.set("web", xds::staticCluster("web"));
  server_.push();
  ASSERT_TRUE(until([&] { return ignoredFields() == "control_plane.ignored_fields: 0\n"; }));
}

TEST_F(ControlPlaneTest, UnknownFieldsAreRefusedIfAskedFor) {
  for (const bool reject : {false, true}) {
    xds::ClusterProto odd = xds::staticCluster("odd");
    odd.GetReflection()->MutableUnknownFields(&odd)->AddVarint(9999, 1);
    server_.set("odd", odd);
    sink_.clusters.clear();
    const absl::Status made = make(bootstrap(), reject);
    ASSERT_TRUE(made.ok()) << made;
    const int ready_before = ready_;
    control_plane_->start([this] { ++ready_; });
    ASSERT_TRUE(until([&] { return ready_ > ready_before && server_.settled(); }));
    EXPECT_EQ(sink_.clusters.count("odd"), reject ? 0u : 1u);
    EXPECT_EQ(server_.type(config::kClusterType).nacks.size(), reject ? 1u : 0u);
    control_plane_.reset();
  }
}

}  // namespace
}  // namespace convoy::server
