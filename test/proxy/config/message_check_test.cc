#include "proxy/config/message_check.h"

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::listener::v3::Listener;

struct Checked {
  Lines errors;
  Lines notes;
  std::vector<base::FieldError> full;
};

Checked check(const google::protobuf::Message& message, bool refuse_unknown = false) {
  Context context = testContext();
  context.refuse_unknown_fields = refuse_unknown;
  base::FieldReport report;
  checkMessage(message, context, report);
  return {brief(report.errors()), brief(report.notes()), report.errors()};
}

TEST(MessageCheck, RefusedFieldsAreNamed) {
  const Checked checked = check(fromYaml<Listener>(
      "{freebind: true, enable_mptcp: true, api_listener: {}, filter_chains: [{use_proxy_proto: "
      "true}], address: {socket_address: {address: a, named_port: http}}}"));
  EXPECT_EQ(checked.errors,
            Lines({"address.socket_address.named_port: unsupported_field: http",
                   "filter_chains[0].use_proxy_proto: unsupported_field: true",
                   "freebind: unsupported_field: true",
                   "api_listener: unsupported_field: ", "enable_mptcp: unsupported_field: true"}));
  EXPECT_EQ(checked.full[2].hint,
            "is not supported: the address must exist; write false or remove it");
  EXPECT_EQ(checked.full[4].hint, "is not supported: multipath TCP is not supported");
}

TEST(MessageCheck, HarmlessValuesPass) {
  const Checked checked = check(fromYaml<Listener>(
      "{freebind: false, bind_to_port: true, filter_chains: [{use_proxy_proto: false}]}"));
  EXPECT_EQ(checked.errors, Lines());
  EXPECT_EQ(checked.notes, Lines());
}

TEST(MessageCheck, FieldsWithoutEffectAreNotedOnceAndNotLookedInto) {
  const Checked checked = check(fromYaml<Cluster>(
      "{name: c, cleanup_interval: 5s, common_lb_config: {update_merge_window: 1s}, "
      "preconnect_policy: {per_upstream_preconnect_ratio: 0}}"));
  EXPECT_EQ(checked.errors, Lines());
  EXPECT_EQ(checked.notes, Lines({"cleanup_interval", "common_lb_config.update_merge_window",
                                  "preconnect_policy"}));
}

TEST(MessageCheck, RulesAreEnforcedOnTheWay) {
  const Checked checked =
      check(fromYaml<Cluster>("{connect_timeout: 0s, load_assignment: {endpoints: [{lb_endpoints: "
                              "[{load_balancing_weight: 0}]}]}}"));
  EXPECT_EQ(
      checked.errors,
      Lines({"name: required: ", "connect_timeout: range: 0s",
             "load_assignment.cluster_name: required: ",
             "load_assignment.endpoints[0].lb_endpoints[0].load_balancing_weight: range: 0"}));
}

TEST(MessageCheck, TypedConfigsAreLookedIntoIfTheTypeIsKnown) {
  const std::string at = "filter_chains[0].filters[0].typed_config.";
  const auto filter = [](const std::string& type) {
    return "{filter_chains: [{filters: [{name: x, typed_config: {\"@type\": type.googleapis.com/" +
           type + "}}]}]}";
  };
  EXPECT_EQ(
      check(fromYaml<Listener>(filter("envoy.extensions.filters.network.http_connection_manager.v3."
                                      "HttpConnectionManager, proxy_status_config: {}, "
                                      "add_user_agent: true")))
          .errors,
      Lines({at.substr(0, at.size() - 1) + ": required: ", at + "stat_prefix: required: ",
             at + "add_user_agent: unsupported_field: true",
             at + "proxy_status_config: unsupported_field: "}));
  EXPECT_EQ(check(fromYaml<Listener>(filter(
                      "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: ''")))
                .errors,
            Lines());
  // What cannot be parsed is the converter's to refuse.
  Listener garbage = fromYaml<Listener>(
      filter("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"));
  garbage.mutable_filter_chains(0)->mutable_filters(0)->mutable_typed_config()->set_value("\xff");
  EXPECT_EQ(check(garbage).errors, Lines());
}

TEST(MessageCheck, MapsOfMessagesAreLookedInto) {
  EXPECT_EQ(check(fromYaml<Cluster>(
                      "{name: c, typed_extension_protocol_options: {x: {\"@type\": "
                      "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, "
                      "use_downstream_protocol_config: {}}}}"))
                .errors,
            Lines({"typed_extension_protocol_options[\"x\"].use_downstream_protocol_config: "
                   "unsupported_field: "}));
}

// A newer control plane's field, at the top and inside a typed_config.
TEST(MessageCheck, FieldsThatTheSchemaDoesNotKnow) {
  Cluster cluster = fromYaml<Cluster>("{name: c, load_assignment: {cluster_name: c}}");
  cluster.GetReflection()->MutableUnknownFields(&cluster)->AddVarint(9999, 1);
  auto* inner = cluster.mutable_load_assignment();
  inner->GetReflection()->MutableUnknownFields(inner)->AddLengthDelimited(8888, "x");
  EXPECT_EQ(check(cluster).errors, Lines());
  EXPECT_EQ(check(cluster).notes, Lines({"field_9999", "load_assignment.field_8888"}));
  EXPECT_EQ(check(cluster, true).errors,
            Lines({"field_9999: unknown_field: ", "load_assignment.field_8888: unknown_field: "}));
}

TEST(MessageCheck, WhatTheTableDoesNotHaveIsRefused) {
  // No root of ours reaches this message.
  EXPECT_EQ(check(fromYaml<envoy::config::bootstrap::v3::Watchdog>("{miss_timeout: 1s}")).errors,
            Lines({"miss_timeout: unsupported_field: 1s"}));
}

}  // namespace
}  // namespace convoy::config
