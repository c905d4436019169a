#include "proxy/config/field_text.h"

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/listener/v3/listener_components.pb.h"
#include "envoy/type/v3/range.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

std::string text(const google::protobuf::Message& message, const char* field, int index = -1) {
  return fieldText(message, *message.GetDescriptor()->FindFieldByName(field), index);
}

TEST(FieldText, EveryKind) {
  const auto cluster = fromYaml<envoy::config::cluster::v3::Cluster>(R"(
name: web
lb_policy: RANDOM
respect_dns_ttl: true
connect_timeout: 0.25s
per_connection_buffer_limit_bytes: 7
wait_for_warm_on_init: false
common_lb_config: {healthy_panic_threshold: {value: 12.5}}
lrs_report_endpoint_metrics: [a, b]
)");
  EXPECT_EQ(text(cluster, "name"), "web");
  EXPECT_EQ(text(cluster, "lb_policy"), "RANDOM");
  EXPECT_EQ(text(cluster, "respect_dns_ttl"), "true");
  EXPECT_EQ(text(cluster, "connect_timeout"), "0.25s");
  EXPECT_EQ(text(cluster, "per_connection_buffer_limit_bytes"), "7");
  EXPECT_EQ(text(cluster, "wait_for_warm_on_init"), "false");
  EXPECT_EQ(text(cluster.common_lb_config(), "healthy_panic_threshold"), "12.5");
  EXPECT_EQ(text(cluster, "common_lb_config"), "");
  EXPECT_EQ(text(cluster, "lrs_report_endpoint_metrics"), "");
  EXPECT_EQ(text(cluster, "lrs_report_endpoint_metrics", 1), "b");
}

TEST(FieldText, NumbersOfEveryWidth) {
  EXPECT_EQ(text(fromYaml<google::protobuf::Int32Value>("-1"), "value"), "-1");
  EXPECT_EQ(text(fromYaml<google::protobuf::Int64Value>("-2"), "value"), "-2");
  EXPECT_EQ(text(fromYaml<google::protobuf::UInt64Value>("3"), "value"), "3");
  EXPECT_EQ(text(fromYaml<google::protobuf::FloatValue>("0.5"), "value"), "0.5");
  EXPECT_EQ(text(fromYaml<google::protobuf::DoubleValue>("1.5"), "value"), "1.5");
  EXPECT_EQ(text(fromYaml<google::protobuf::BytesValue>("aGk="), "value"), "");
}

TEST(FieldText, AnEnumValueWithoutAName) {
  envoy::config::cluster::v3::Cluster cluster;
  cluster.set_lb_policy(static_cast<envoy::config::cluster::v3::Cluster::LbPolicy>(99));
  EXPECT_EQ(text(cluster, "lb_policy"), "99");
}

TEST(FieldText, Durations) {
  const auto of = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Duration duration;
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    return durationText(duration);
  };
  EXPECT_EQ(of(0, 0), "0s");
  EXPECT_EQ(of(5, 0), "5s");
  EXPECT_EQ(of(0, 1), "0.000000001s");
  EXPECT_EQ(of(-1, -500'000'000), "-1.5s");
  EXPECT_EQ(of(0, -500'000'000), "-0.5s");
  EXPECT_EQ(of(0, INT32_MIN), "-0.147483648s");  // out of range, but no crash
}

}  // namespace
}  // namespace convoy::config
