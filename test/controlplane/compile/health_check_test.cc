#include "controlplane/compile/health_check.h"

#include <gtest/gtest.h>

#include <string>

#include "api/convoy/ext/health_check.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::cluster::v3::Cluster;

Cluster compile(const std::string& pool) {
  Cluster cluster;
  compileHealthCheck(parse<v1::Pool>(pool), &cluster);
  return cluster;
}

std::string checkOf(const std::string& pool) {
  return shortText(compile(pool).health_checks(0));
}

constexpr char kDefaults[] =
    "timeout { seconds: 3 } interval { seconds: 5 } unhealthy_threshold { value: 3 } "
    "healthy_threshold { value: 2 } ";
constexpr char kBehind[] = "no_traffic_interval { seconds: 5 } interval_jitter_percent: 5";
constexpr char kStatuses[] =
    "expected_statuses { start: 200 end: 300 } retriable_statuses { start: 100 end: 600 }";

TEST(HealthCheckTest, DefaultsAreWrittenOut) {
  const std::string expected = std::string(kDefaults) + "http_health_check { path: \"/health\" " +
                               kStatuses + " } " + kBehind;
  EXPECT_EQ(checkOf("health_check {}"), expected);
  EXPECT_EQ(checkOf("health_check { http {} }"), expected);
  const Cluster cluster = compile("health_check {}");
  EXPECT_TRUE(cluster.ignore_health_on_host_removal());
  EXPECT_FALSE(cluster.has_metadata());
}

TEST(HealthCheckTest, OfHttp) {
  const Cluster cluster = compile(R"(
      protocol: PROTOCOL_HTTP2
      health_check { http { path: "/ready" host: "a.test" method: "POST" expected_statuses: 204
                            body_contains: "DB_OK" json: true }
                     interval { seconds: 2 } timeout { seconds: 1 } unhealthy_threshold: 4
                     healthy_threshold: 5 })");
  EXPECT_EQ(shortText(cluster.health_checks(0)),
            "timeout { seconds: 1 } interval { seconds: 2 } unhealthy_threshold { value: 4 } "
            "healthy_threshold { value: 5 } http_health_check { host: \"a.test\" path: \"/ready\" "
            "receive { binary: \"DB_OK\" } expected_statuses { start: 204 end: 205 } "
            "codec_client_type: HTTP2 retriable_statuses { start: 100 end: 600 } method: POST "
            "response_buffer_size { value: 65536 } } no_traffic_interval { seconds: 2 } "
            "interval_jitter_percent: 5");
  ext::HealthCheckPolicy policy;
  ASSERT_TRUE(cluster.metadata()
                  .typed_filter_metadata()
                  .at("convoy.ext.HealthCheckPolicy")
                  .UnpackTo(&policy));
  EXPECT_TRUE(policy.json());
}

TEST(HealthCheckTest, OfTheOtherKinds) {
  EXPECT_EQ(checkOf("health_check { tcp {} }"),
            std::string(kDefaults) + "tcp_health_check { } " + kBehind);
  EXPECT_EQ(checkOf(R"(health_check { grpc { service: "shop" } })"),
            std::string(kDefaults) + "grpc_health_check { service_name: \"shop\" } " + kBehind);
  const auto check =
      compile(R"(health_check { command { command: "c" arguments: "a" arguments: "b" } })")
          .health_checks(0);
  ext::CommandHealthCheck command;
  ASSERT_TRUE(check.custom_health_check().typed_config().UnpackTo(&command));
  EXPECT_EQ(shortText(command), "command: \"c\" arguments: \"a\" arguments: \"b\"");
}

}  // namespace
}  // namespace convoy::controlplane::compile
