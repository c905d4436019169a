// The seeds of config_compile_fuzz_test that are resources as a control plane sends them. They are
// kept here as YAML, since nobody can read or write them; to write the files anew:
//   CONVOY_WRITE_SEEDS=test/fuzz/corpus/config_compile bazel-bin/test/proxy/config/resources_test

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

constexpr char kListenerHttp[] = R"(
name: public
address: {socket_address: {address: 0.0.0.0, port_value: 8080}}
additional_addresses: [{address: {socket_address: {address: "::1", port_value: 8080}}}]
per_connection_buffer_limit_bytes: 65536
filter_chains:
- filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: public
      use_remote_address: true
      common_http_protocol_options: {idle_timeout: 60s, max_stream_duration: 300s}
      upgrade_configs: [{upgrade_type: websocket}]
      access_log:
      - name: envoy.access_loggers.file
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
          path: /dev/stdout
          log_format: {text_format_source: {inline_string: "%RESPONSE_CODE% %RESPONSE_FLAGS%\n"}}
      route_config:
        name: local
        virtual_hosts:
        - {name: all, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: web}}]}
      http_filters:
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)";

constexpr char kListenerTls[] = R"(
name: secure
address: {socket_address: {address: 127.0.0.1, port_value: 8443}}
listener_filters:
- name: envoy.filters.listener.tls_inspector
  typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}
filter_chains:
- filter_chain_match: {server_names: [a.example, "*.b.example"]}
  transport_socket_connect_timeout: 10s
  transport_socket:
    name: envoy.transport_sockets.tls
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
      common_tls_context:
        alpn_protocols: [h2, http/1.1]
        tls_certificate_sds_secret_configs: [{name: web, sds_config: {ads: {}, resource_api_version: V3}}]
  filters:
  - name: envoy.filters.network.http_connection_manager
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
      stat_prefix: secure
      rds: {route_config_name: table, config_source: {ads: {}, resource_api_version: V3}}
      http_filters:
      - name: envoy.filters.http.router
        typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)";

constexpr char kListenerRefused[] = R"(
name: refused
address: {socket_address: {address: host.example, port_value: 70000}}
filter_chains:
- filters:
  - name: nothing
    typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
)";

constexpr char kRoutes[] = R"(
name: table
virtual_hosts:
- name: api
  domains: [api.example, "*.api.example"]
  response_headers_to_add: [{header: {key: x-served-by, value: convoy}}]
  routes:
  - match:
      path: /exact
      headers: [{name: x-canary, string_match: {exact: "1"}}]
      query_parameters: [{name: v, string_match: {prefix: "2"}}]
    route: {cluster: web, timeout: 5s, prefix_rewrite: /other, retry_policy: {retry_on: "5xx,reset", num_retries: 2, per_try_timeout: 1s}}
  - match: {prefix: /split}
    route: {weighted_clusters: {clusters: [{name: web, weight: 90}, {name: api, weight: 10}]}}
  - match: {prefix: /moved}
    redirect: {host_redirect: new.example, response_code: FOUND}
  - match: {safe_regex: {regex: "/[0-9]+"}}
    direct_response: {status: 404, body: {inline_string: no}}
- name: rest
  domains: ["*"]
  routes: [{match: {prefix: /}, route: {cluster: web, idle_timeout: 30s}}]
)";

constexpr char kRoutesRefused[] = R"(
name: refused
virtual_hosts:
- name: a
  domains: ["*", "*"]
  routes:
  - match: {safe_regex: {regex: "("}}
    route: {cluster_header: x}
- {name: a, domains: []}
)";

constexpr char kClusterStatic[] = R"(
name: web
type: STATIC
connect_timeout: 1s
lb_policy: LEAST_REQUEST
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config: {http2_protocol_options: {max_concurrent_streams: 100}}
circuit_breakers: {thresholds: [{max_connections: 100, max_requests: 1000, retry_budget: {budget_percent: {value: 20}, min_retry_concurrency: 3}}]}
health_checks:
- {timeout: 1s, interval: 2s, unhealthy_threshold: 3, healthy_threshold: 2, http_health_check: {path: /health}}
load_assignment:
  cluster_name: web
  endpoints:
  - lb_endpoints:
    - {endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}}, load_balancing_weight: 3}
    - {endpoint: {address: {pipe: {path: /run/web.sock}}}}
)";

constexpr char kClusterEds[] = R"(
name: web
type: EDS
eds_cluster_config: {eds_config: {ads: {}, resource_api_version: V3}, service_name: other}
connect_timeout: 1s
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
    sni: web.example
    common_tls_context:
      validation_context:
        trusted_ca: {filename: /etc/ca.pem}
        match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: web.example}}]
)";

constexpr char kClusterRefused[] = R"(
name: refused
type: ORIGINAL_DST
connect_timeout: -1s
lb_policy: CLUSTER_PROVIDED
health_checks: [{}]
)";

constexpr char kEndpoints[] = R"(
cluster_name: web
endpoints:
- lb_endpoints:
  - endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: 80}}, hostname: one}
    load_balancing_weight: 2
    health_status: DRAINING
  - endpoint: {address: {socket_address: {address: "2001:db8::1", port_value: 80}}}
)";

constexpr char kEndpointsRefused[] = R"(
cluster_name: web
endpoints:
- {priority: 200, lb_endpoints: [{load_balancing_weight: 0}, {endpoint: {address: {socket_address: {address: web.example, port_value: 80}}}}]}
policy: {drop_overloads: [{category: x}]}
)";

// The same bytes each time, whatever a map's order is.
std::string encoded(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  EXPECT_TRUE(message.SerializeToCodedStream(&coded));
  coded.Trim();
  return bytes;
}

// The seed NAME is what the YAML says, and the node takes it or does not.
template <typename Proto, typename Make>
void expectSeed(const std::string& name, const char* yaml, bool accepted, Make make) {
  SCOPED_TRACE(name);
  const auto message = fromYaml<Proto>(yaml);
  const auto made = make(message, testContext());
  EXPECT_EQ(made.ok(), accepted) << made.errors.text();
  if (const char* folder = std::getenv("CONVOY_WRITE_SEEDS"); folder != nullptr) {
    std::ofstream(folder + ("/" + name), std::ios::binary) << encoded(message);
    return;
  }
  std::ifstream file("test/fuzz/corpus/config_compile/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  EXPECT_TRUE(bytes.str() == encoded(message)) << "write it anew: the first lines say how";
}

TEST(FuzzSeedsTest, AreTheResourcesThatAControlPlaneSends) {
  using envoy::config::cluster::v3::Cluster;
  using envoy::config::endpoint::v3::ClusterLoadAssignment;
  using envoy::config::listener::v3::Listener;
  using envoy::config::route::v3::RouteConfiguration;
  expectSeed<Listener>("listener_http", kListenerHttp, true, makeListener);
  expectSeed<Listener>("listener_tls", kListenerTls, true, makeListener);
  expectSeed<Listener>("listener_refused", kListenerRefused, false, makeListener);
  expectSeed<RouteConfiguration>("routes", kRoutes, true, makeRouteTable);
  expectSeed<RouteConfiguration>("routes_refused", kRoutesRefused, false, makeRouteTable);
  expectSeed<Cluster>("cluster_static", kClusterStatic, true, makeCluster);
  expectSeed<Cluster>("cluster_eds", kClusterEds, true, makeCluster);
  expectSeed<Cluster>("cluster_refused", kClusterRefused, false, makeCluster);
  expectSeed<ClusterLoadAssignment>("endpoints", kEndpoints, true, makeAssignment);
  expectSeed<ClusterLoadAssignment>("endpoints_refused", kEndpointsRefused, false, makeAssignment);
}

}  // namespace
}  // namespace convoy::config
