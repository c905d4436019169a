#include "controlplane/compile/host_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/compile/balancing.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

std::string policyOf(const std::string& pool) {
  envoy::config::cluster::v3::Cluster cluster;
  compileHostPolicy(parse<v1::Pool>(pool), &cluster);
  return shortText(cluster);
}

std::string expected(const std::string& fields) {
  return "metadata { typed_filter_metadata { key: \"convoy.ext.HostPolicy\" value { "
         "[type.googleapis.com/convoy.ext.HostPolicy] { " +
         fields + " } } } }";
}

TEST(HostPolicyTest, TheDrainTimeoutIsWrittenOut) {
  EXPECT_EQ(policyOf(""), expected("drain_timeout { seconds: 30 }"));
  EXPECT_EQ(policyOf("drain_timeout {}"), expected("drain_timeout { }"));
  EXPECT_EQ(policyOf("drain_timeout { seconds: 5 } override_header: \"X-Backend\""),
            expected("override_header: \"x-backend\" drain_timeout { seconds: 5 }"));
}

TEST(HostPolicyTest, EveryClientStartsSlowlyAsFarAsItCan) {
  struct {
    const char* algorithm;
    const char* has;
  } const cases[] = {
      {"ROUND_ROBIN", "round_robin_lb_config { slow_start_config { slow_start_window { seconds: 9"},
      {"POWER_OF_TWO",
       "choice_count { value: 2 } slow_start_config { slow_start_window { seconds: "},
      {"LEAST_RESPONSE_TIME",
       "least_request.v3.LeastRequest] { slow_start_config { slow_start_window { seconds: 9"},
      {"LEAST_RESPONSE_TIME",
       "round_robin.v3.RoundRobin] { slow_start_config { slow_start_window { seconds: 9"},
      {"MAGLEV", "[type.googleapis.com/convoy.ext.HostPolicy] { slow_start { window { seconds: 9"},
      {"RANDOM", "[type.googleapis.com/convoy.ext.HostPolicy] { slow_start { window { seconds: 9"},
  };
  for (const auto& [algorithm, has] : cases) {
    const auto pool = parse<v1::Pool>("algorithm: ALGORITHM_" + std::string(algorithm) +
                                      " slow_start { seconds: 9 }");
    envoy::config::cluster::v3::Cluster cluster;
    compileBalancing(pool, &cluster);
    compileHostPolicy(pool, &cluster);
    EXPECT_NE(shortText(cluster).find(has), std::string::npos) << shortText(cluster);
  }
}

TEST(HostPolicyTest, Backends) {
  const auto endpoint = [](const std::string& backend) {
    envoy::config::endpoint::v3::LbEndpoint endpoint;
    compileEndpointPolicy(parse<v1::Backend>(backend), &endpoint);
    return shortText(endpoint);
  };
  EXPECT_EQ(endpoint(""), "");
  EXPECT_EQ(endpoint("enabled: true"), "");
  EXPECT_EQ(endpoint("enabled: false"), "health_status: DRAINING");
  EXPECT_EQ(endpoint("max_connections: 3"),
            "metadata { typed_filter_metadata { key: \"convoy.ext.EndpointPolicy\" value { "
            "[type.googleapis.com/convoy.ext.EndpointPolicy] { max_connections: 3 } } } }");
}

}  // namespace
}  // namespace convoy::controlplane::compile
