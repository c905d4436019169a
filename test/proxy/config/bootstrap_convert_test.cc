#include "proxy/config/bootstrap_convert.h"

#include "proxy/base/version.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::bootstrap::v3::Bootstrap;

struct Converted {
  BootstrapSpec spec;
  Lines errors;
};

Converted convert(const std::string& yaml) {
  base::FieldReport report;
  Converted converted;
  converted.spec = toBootstrap(fromYaml<Bootstrap>(yaml), testContext(), report);
  converted.errors = brief(report.errors());
  return converted;
}

constexpr char kControlPlane[] = R"(
static_resources:
  clusters:
  - name: control
    load_assignment:
      cluster_name: control
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 18000}}}}]}]
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
)";

TEST(BootstrapConvert, Node) {
  const Converted converted = convert(
      "node: {id: n1, cluster: edge, locality: {zone: z}, metadata: {labels: {role: edge, n: 5}, "
      "other: x}}\ncluster_manager: {local_cluster_name: edge}");
  EXPECT_EQ(converted.errors, Lines());
  EXPECT_EQ(converted.spec.node.id, "n1");
  EXPECT_EQ(converted.spec.node.locality, (upstream::LocalityName{"", "z", ""}));
  EXPECT_EQ(converted.spec.local_cluster, "edge");
  EXPECT_EQ(converted.spec.node.cluster, "edge");
  EXPECT_EQ(converted.spec.node.labels, (std::map<std::string, std::string>{{"role", "edge"}}));
  envoy::config::core::v3::Node node;
  ASSERT_TRUE(node.ParseFromString(converted.spec.node.encoded));
  EXPECT_EQ(node.locality().zone(), "z");
  EXPECT_EQ(node.user_agent_name(), "convoy-proxy");
  EXPECT_EQ(node.user_agent_version(), base::kVersion);
}

TEST(BootstrapConvert, Admin) {
  const Converted converted = convert(
      "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}, access_log: [{name: "
      "x, "
      "typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /dev/null}}]}");
  EXPECT_EQ(converted.errors, Lines());
  ASSERT_TRUE(converted.spec.admin.has_value());
  EXPECT_EQ(converted.spec.admin->address.text(), "127.0.0.1:0");
  EXPECT_EQ(converted.spec.admin->access_log_path, "/dev/null");
  EXPECT_FALSE(convert("{}").spec.admin.has_value());
}

TEST(BootstrapConvert, DynamicResources) {
  const Converted converted = convert(std::string(kControlPlane) + R"(
dynamic_resources:
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services: [{envoy_grpc: {cluster_name: control, authority: control.example}}]
  cds_config: {ads: {}, resource_api_version: V3, initial_fetch_timeout: 1.5s}
)");
  EXPECT_EQ(converted.errors, Lines());
  ASSERT_TRUE(converted.spec.ads.has_value());
  EXPECT_EQ(converted.spec.ads->cluster, "control");
  EXPECT_EQ(converted.spec.ads->authority, "control.example");
  EXPECT_TRUE(converted.spec.ads->incremental);
  EXPECT_TRUE(converted.spec.cds);
  EXPECT_FALSE(converted.spec.lds);
  EXPECT_EQ(converted.spec.cds_fetch_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(converted.spec.lds_fetch_timeout, std::chrono::seconds(15));
  EXPECT_EQ(converted.spec.clusters.at(0)->protocol, upstream::UpstreamProtocol::Http2);
}

TEST(BootstrapConvert, RuntimeLimits) {
  const Converted converted = convert(R"(
layered_runtime:
  layers:
  - name: limits
    static_layer: {overload.global_downstream_max_connections: 50, envoy.resource_limits.listener.l.connection_limit: 5}
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: s
          route_config: {name: r}
          http_filters: [{name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
)");
  EXPECT_EQ(converted.errors, Lines());
  EXPECT_EQ(converted.spec.max_downstream_connections, 50u);
  EXPECT_EQ(converted.spec.listener_connection_limits, (std::map<std::string, uint64_t>{{"l", 5}}));
}

TEST(BootstrapConvert, Errors) {
  const std::string ads = "dynamic_resources: {ads_config: {";
  const std::string at = "dynamic_resources.ads_config.";
  const std::string file =
      "{name: x, typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /log";
  const std::string admin =
      "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}, access_log: [";
  const ErrorCase cases[] = {
      {ads + "api_type: GRPC, transport_api_version: V3, grpc_services: [{envoy_grpc: "
             "{cluster_name: c}}]}}",
       {at + "api_type: unsupported_value: GRPC"}},
      {ads + "api_type: DELTA_GRPC, grpc_services: [{envoy_grpc: {cluster_name: c}}]}}",
       {at + "transport_api_version: unsupported_value: AUTO"}},
      {ads + "api_type: DELTA_GRPC, transport_api_version: V3}}",
       {at + "grpc_services: required: 0"}},
      {ads + "api_type: DELTA_GRPC, transport_api_version: V3, grpc_services: [{}, {}]}}",
       {at + "grpc_services: required: 2"}},
      {"dynamic_resources: {cds_config: {ads: {}}, lds_config: {ads: {}}}",
       {"dynamic_resources.lds_config.ads: required: ",
        "dynamic_resources.cds_config.ads: required: "}},
      {"admin: {}", {"admin.address: required: "}},
      {"admin: {address: {socket_address: {address: localhost, port_value: 1}}}",
       {"admin.address.socket_address.address: address: localhost"}},
      {admin + file + "}}, " + file + "}}]}", {"admin.access_log: unsupported_value: "}},
      {admin + file + "}}], access_log_path: /other}", {"admin.access_log: unsupported_value: "}},
      {admin + file + ", log_format: {text_format: '%PROTOCOL%'}}}]}",
       {"admin.access_log[0]: unsupported_value: "}},
  };
  for (const ErrorCase& c : cases) EXPECT_EQ(convert(c.yaml).errors, c.errors) << c.yaml;
}

}  // namespace
}  // namespace convoy::config
