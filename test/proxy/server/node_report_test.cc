#include "proxy/server/node_report.h"

#include <gtest/gtest.h>

namespace convoy::server {
namespace {

net::Address at(std::string_view text) {
  return *net::Address::parse(text);
}

TEST(NodeReportTest, NamesEachAddressOfEachListenerInForce) {
  const auto in_force = std::make_shared<const net::ListenerSpec>();
  const std::map<std::string, ListenerManager::Active> listeners{
      {"admitted", {nullptr, {at("127.0.0.1:1")}, {at("127.0.0.1:1")}}},
      {"public",
       {in_force, {at("0.0.0.0:0"), at("[::1]:80")}, {at("0.0.0.0:34567"), at("[::1]:80")}}},
  };
  const ext::NodeReport report = nodeReport(ext::NodeReport::LIFECYCLE_LIVE, listeners);
  EXPECT_EQ(
      report.ShortDebugString(),
      "lifecycle: LIFECYCLE_LIVE "
      "bound_addresses { listener: \"public\" configured: \"0.0.0.0:0\" actual: "
      "\"0.0.0.0:34567\" } "
      "bound_addresses { listener: \"public\" configured: \"[::1]:80\" actual: \"[::1]:80\" }");
}

// A host of the cluster "web", of which this is said.
class HostReportTest : public testing::Test {
 protected:
  std::string reported(const upstream::CheckedHost& checked,
                       const upstream::EjectionView& ejection = {}) {
    ext::NodeReport report;
    addHost("web", {*host_, endpoint_, locality_, /*eligible=*/false, checked, false, ejection},
            &report);
    return report.ShortDebugString();
  }

  const std::shared_ptr<upstream::Host> host_ =
      std::make_shared<upstream::Host>(at("10.0.0.1:80"), 0, 2);
  upstream::EndpointSpec endpoint_;
  const upstream::LocalitySpec locality_;
};

TEST_F(HostReportTest, WhoGetsNoRequestsIsNamedWithWhatIsAgainstIt) {
  using upstream::ActiveHealth;
  using upstream::EjectionView;
  const std::string host = "unhealthy_hosts { cluster: \"web\" address: \"10.0.0.1:80\" ";
  const std::string end = " } unhealthy_host_count: 1";
  const upstream::CheckedHost passes{ActiveHealth::Healthy};
  EXPECT_EQ(reported(passes), "");
  EXPECT_EQ(reported({ActiveHealth::Unhealthy, "status 503"}, {.ejected = true, .evidence = "x"}),
            host + "reason: \"status 503\" out_by: OUT_BY_HEALTH_CHECK" + end);
  EXPECT_EQ(reported(passes, {.ejected = true, .evidence = "5 in a row"}),
            host + "reason: \"5 in a row\" ejected: true out_by: OUT_BY_EJECTION" + end);
  EXPECT_EQ(reported(passes, {.breaker_open = true}),
            host + "reason: \"its circuit breaker is open\" out_by: OUT_BY_BREAKER_OPEN" + end);
  EXPECT_EQ(
      reported(passes, {.breaker_half_open = true}),
      host + "reason: \"its circuit breaker is half-open\" out_by: OUT_BY_BREAKER_HALF_OPEN" + end);
  EXPECT_EQ(
      reported(passes, {.waits = true}),
      host + "reason: \"it waits for its turn after an outage\" out_by: OUT_BY_RECOVERY" + end);
}

TEST_F(HostReportTest, WhoServesIsNotAmongThem) {
  using upstream::ActiveHealth;
  EXPECT_EQ(reported({ActiveHealth::Unhealthy, "status 503"}, {.held = true}), "");
  EXPECT_EQ(reported({ActiveHealth::Unknown}), "");
  // What the control plane itself says it knows.
  endpoint_.health = upstream::HealthStatus::Unhealthy;
  EXPECT_EQ(reported({}), "");
}

TEST_F(HostReportTest, WhoDrainsIsNamedUntilItHasFinished) {
  endpoint_.health = upstream::HealthStatus::Draining;
  EXPECT_EQ(reported({}), "");
  host_->metrics(0).rq_active.add(3);
  host_->metrics(1).rq_active.add(1);
  host_->metrics(1).cx_active.add(2);
  EXPECT_EQ(reported({}),
            "finishing_hosts { cluster: \"web\" address: \"10.0.0.1:80\" state: STATE_DRAINING "
            "requests: 4 connections: 2 } finishing_host_count: 1");
}

TEST_F(HostReportTest, TheFirstOfManyAreNamed) {
  ext::NodeReport report;
  for (int i = 0; i < kMostHosts + 5; ++i) {
    const auto draining = std::make_shared<upstream::Host>(at("10.0.0.2:80"), 1, 1);
    draining->metrics(0).cx_active.add();
    upstream::EndpointSpec leaves;
    leaves.health = upstream::HealthStatus::Draining;
    addHost("web", {*draining, leaves, locality_, false}, &report);
    addHost("web", {*host_, endpoint_, locality_, false, {}, false, {.breaker_open = true}},
            &report);
  }
  EXPECT_EQ(report.unhealthy_hosts_size(), kMostHosts);
  EXPECT_EQ(report.unhealthy_host_count(), uint64_t{kMostHosts} + 5);
  EXPECT_EQ(report.finishing_hosts_size(), kMostHosts);
  EXPECT_EQ(report.finishing_host_count(), uint64_t{kMostHosts} + 5);
}

}  // namespace
}  // namespace convoy::server
