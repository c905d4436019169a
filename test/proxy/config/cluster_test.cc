#include "proxy/config/cluster.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::milliseconds;

constexpr char kHttpOptions[] =
    "typed_extension_protocol_options: {envoy.extensions.upstreams.http.v3.HttpProtocolOptions: "
    "{\"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, ";

Result<upstream::ClusterSpec> make(std::string_view yaml) {
  return makeCluster(fromYaml<Cluster>(yaml), testContext());
}

// A cluster with these fields more.
std::string clusterWith(const std::string& fields) {
  return "{name: c, load_assignment: {cluster_name: c}, " + fields + "}";
}

std::string policies(const std::string& list) {
  return clusterWith("load_balancing_policy: {policies: [" + list + "]}");
}

std::string policy(const std::string& type) {
  return "{typed_extension_config: {name: x, typed_config: {\"@type\": type.googleapis.com/" +
         type + "}}}";
}

TEST(Cluster, Defaults) {
  const auto result = make(clusterWith(""));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const upstream::ClusterSpec& spec = *result.spec;
  EXPECT_EQ(spec.name, "c");
  EXPECT_EQ(spec.discovery, upstream::ClusterSpec::Discovery::Static);
  ASSERT_NE(spec.assignment, nullptr);
  EXPECT_EQ(spec.balancing.algorithm, upstream::Algorithm::RoundRobin);
  EXPECT_EQ(spec.protocol, upstream::UpstreamProtocol::Http1);
  EXPECT_EQ(spec.connect_timeout, milliseconds(5000));
  EXPECT_EQ(spec.idle_timeout, std::nullopt);
  EXPECT_EQ(spec.breakers.max_requests, 1024u);
  EXPECT_EQ(spec.per_connection_buffer_limit_bytes, 256u * 1024);
  EXPECT_EQ(result.note_count, 0u);
}

TEST(Cluster, EveryHonouredField) {
  Context context = testContext();
  context.version = "v3";
  const auto result = makeCluster(fromYaml<Cluster>(R"(
name: c
type: EDS
eds_cluster_config:
  service_name: service
  eds_config: {ads: {}, resource_api_version: V3, initial_fetch_timeout: 3s}
connect_timeout: 0.0005s
lb_policy: LEAST_REQUEST
per_connection_buffer_limit_bytes: 4096
circuit_breakers:
  thresholds:
  - {max_connections: 1, max_pending_requests: 2, max_requests: 3}
  - {priority: HIGH, max_connections: 9}
upstream_bind_config: {source_address: {address: 127.0.0.2, port_value: 0}}
transport_socket:
  name: envoy.transport_sockets.raw_buffer
  typed_config: {"@type": type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer}
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    common_http_protocol_options:
      idle_timeout: 60s
      max_connection_duration: 600s
      max_requests_per_connection: 100
    explicit_http_config: {http_protocol_options: {enable_trailers: true}}
)"),
                                  context);
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const upstream::ClusterSpec& spec = *result.spec;
  EXPECT_EQ(spec.version, "v3");
  EXPECT_EQ(spec.discovery, upstream::ClusterSpec::Discovery::Eds);
  EXPECT_EQ(spec.eds_service_name, "service");
  EXPECT_EQ(spec.eds_fetch_timeout, milliseconds(3000));
  EXPECT_EQ(spec.assignment, nullptr);
  EXPECT_EQ(spec.connect_timeout, milliseconds(1));  // never rounded to none
  EXPECT_EQ(spec.balancing.algorithm, upstream::Algorithm::LeastRequest);
  EXPECT_EQ(spec.per_connection_buffer_limit_bytes, 4096u);
  EXPECT_EQ(spec.breakers.max_connections, 1u);
  EXPECT_EQ(spec.breakers.max_pending_requests, 2u);
  EXPECT_EQ(spec.breakers.max_requests, 3u);
  EXPECT_FALSE(spec.breakers.retry_budget.has_value());
  ASSERT_TRUE(spec.bind_to.has_value());
  EXPECT_EQ(spec.bind_to->ipText(), "127.0.0.2");
  EXPECT_EQ(spec.idle_timeout, milliseconds(60'000));
  EXPECT_EQ(spec.max_connection_duration, milliseconds(600'000));
  EXPECT_EQ(spec.max_requests_per_connection, 100u);
  EXPECT_EQ(spec.high_breakers.max_connections, 9u);
  EXPECT_EQ(result.note_count, 1u);  // enable_trailers
}

TEST(Cluster, RetryBudgets) {
  const auto breakers = [](const std::string& budget) {
    const auto result =
        make(clusterWith("circuit_breakers: {thresholds: [{retry_budget: " + budget + "}]}"));
    EXPECT_TRUE(result.ok()) << result.errors.text();
    return result.ok() ? result.spec->breakers : upstream::CircuitBreakers();
  };
  const auto plain = breakers("{}").retry_budget;
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->percent, 20);
  EXPECT_EQ(plain->min_concurrency, 3u);
  const auto set =
      breakers("{budget_percent: {value: 12.5}, min_retry_concurrency: 0}").retry_budget;
  ASSERT_TRUE(set.has_value());
  EXPECT_EQ(set->percent, 12.5);
  EXPECT_EQ(set->min_concurrency, 0u);
}

TEST(Cluster, DeprecatedFormsOfTheProtocolOptions) {
  const auto result = make(clusterWith(
      "common_http_protocol_options: {idle_timeout: 7s}, max_requests_per_connection: 8, "
      "http_protocol_options: {enable_trailers: true}"));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.spec->idle_timeout, milliseconds(7000));
  EXPECT_EQ(result.spec->max_requests_per_connection, 8u);
}

TEST(Cluster, Algorithms) {
  const std::string lb = "envoy.extensions.load_balancing_policies.";
  const std::pair<std::string, upstream::Algorithm> cases[] = {
      {clusterWith("lb_policy: ROUND_ROBIN"), upstream::Algorithm::RoundRobin},
      {clusterWith("lb_policy: RANDOM"), upstream::Algorithm::Random},
      {policies(policy(lb + "round_robin.v3.RoundRobin")), upstream::Algorithm::RoundRobin},
      {policies(policy(lb + "least_request.v3.LeastRequest")), upstream::Algorithm::LeastRequest},
      {policies(policy(lb + "random.v3.Random")), upstream::Algorithm::Random},
      {policies(policy("convoy.ext.WeightedLeastConnections") + ", " +
                policy(lb + "least_request.v3.LeastRequest")),
       upstream::Algorithm::WeightedLeastConnections},
      {policies("{typed_extension_config: {name: x, typed_config: {\"@type\": "
                "type.googleapis.com/xds.type.v3.TypedStruct, "
                "type_url: type.googleapis.com/convoy.ext.WeightedLeastConnections}}}"),
       upstream::Algorithm::WeightedLeastConnections},
      // What this build does not have is passed over.
      {policies(policy(lb + "pick_first.v3.PickFirst") + ", " + policy(lb + "random.v3.Random")),
       upstream::Algorithm::Random},
  };
  for (const auto& [yaml, algorithm] : cases) {
    const auto result = make(yaml);
    ASSERT_TRUE(result.ok()) << result.errors.text();
    EXPECT_EQ(result.spec->balancing.algorithm, algorithm) << yaml;
  }
}

TEST(Cluster, SpeaksHttp2) {
  const std::string options =
      "{max_concurrent_streams: 7, initial_stream_window_size: 65536, "
      "initial_connection_window_size: 131072, hpack_table_size: 0, allow_connect: true}";
  const std::string forms[] = {
      "http2_protocol_options: " + options,
      kHttpOptions + std::string("explicit_http_config: {http2_protocol_options: ") + options +
          "}}}",
  };
  for (const std::string& form : forms) {
    const auto result = make(clusterWith(form));
    ASSERT_TRUE(result.ok()) << result.errors.text();
    EXPECT_EQ(result.spec->protocol, upstream::UpstreamProtocol::Http2) << form;
    EXPECT_EQ(result.spec->http2.max_concurrent_streams, 7u);
    EXPECT_EQ(result.spec->http2.stream_window, 65536u);
    EXPECT_EQ(result.spec->http2.connection_window, 131072u);
    EXPECT_EQ(result.spec->http2.header_table, 0u);
    EXPECT_TRUE(result.spec->http2.allow_extended_connect);
  }
}

TEST(Cluster, FindsOutWhichConnectionsAreDead) {
  const auto plain = make(clusterWith("http2_protocol_options: {}"));
  ASSERT_TRUE(plain.ok()) << plain.errors.text();
  EXPECT_FALSE(plain.spec->http2_keepalive.has_value());
  EXPECT_FALSE(plain.spec->tcp_keepalive.has_value());
  const std::string options =
      "http2_protocol_options: {connection_keepalive: {interval: 30s, timeout: 5s}}";
  for (const std::string& form :
       {options, kHttpOptions + std::string("explicit_http_config: {") + options + "}}}"}) {
    const auto result = make(
        clusterWith(form + ", upstream_connection_options: {tcp_keepalive: {keepalive_time: 60}}"));
    ASSERT_TRUE(result.ok()) << result.errors.text();
    EXPECT_EQ(result.note_count, 0u);
    ASSERT_TRUE(result.spec->http2_keepalive.has_value());
    EXPECT_EQ(result.spec->http2_keepalive->interval, milliseconds(30'000));
    EXPECT_EQ(result.spec->http2_keepalive->timeout, milliseconds(5000));
    ASSERT_TRUE(result.spec->tcp_keepalive.has_value());
    EXPECT_EQ(result.spec->tcp_keepalive->idle_seconds, 60);
  }
}

TEST(Cluster, RangesOfWhatFindsDeadConnections) {
  const auto errors = [](const std::string& keepalive, const std::string& tcp) {
    return brief(make(clusterWith("http2_protocol_options: {connection_keepalive: " + keepalive +
                                  "}, upstream_connection_options: {tcp_keepalive: " + tcp + "}"))
                     .errors.errors);
  };
  const std::string pings = "http2_protocol_options.connection_keepalive.";
  const std::string probes = "upstream_connection_options.tcp_keepalive.";
  EXPECT_EQ(errors("{interval: 0.0005s}", "{keepalive_time: 0, keepalive_probes: 128}"),
            Lines({pings + "interval: range: 0.0005s",
                   pings + "timeout: required: ", probes + "keepalive_probes: out_of_range: 128",
                   probes + "keepalive_time: out_of_range: 0"}));
  EXPECT_EQ(errors("{timeout: 1s, interval_jitter: {value: 101}}", "{keepalive_interval: 32768}"),
            Lines({pings + "interval_jitter.value: range: 101",
                   probes + "keepalive_interval: out_of_range: 32768"}));
}

TEST(Cluster, Errors) {
  const ErrorCase cases[] = {
      {"{load_assignment: {cluster_name: c}}", {"name: required: "}},
      {"{name: c}", {"load_assignment: required: "}},
      {"{name: c, type: STRICT_DNS}", {"load_assignment: required: "}},
      {"{name: c, type: ORIGINAL_DST}", {"type: unsupported_value: ORIGINAL_DST"}},
      {"{name: c, cluster_type: {name: x}}", {"cluster_type: unsupported_field: "}},
      {"{name: c, type: EDS}", {"eds_cluster_config.eds_config: required: "}},
      {"{name: c, type: EDS, eds_cluster_config: {eds_config: {path: /x}}}",
       {"eds_cluster_config.eds_config.path: unsupported_field: /x"}},
      {"{name: c, type: EDS, eds_cluster_config: {eds_config: {ads: {}, resource_api_version: "
       "V2}}}",
       {"eds_cluster_config.eds_config.resource_api_version: unsupported_value: V2"}},
      {clusterWith("connect_timeout: 0s"), {"connect_timeout: range: 0s"}},
      {clusterWith("connect_timeout: -1s"), {"connect_timeout: range: -1s"}},
      {clusterWith("lb_policy: LOAD_BALANCING_POLICY_CONFIG"),
       {"load_balancing_policy: required: "}},
      {policies(""), {"load_balancing_policy.policies: unsupported_extension: "}},
      {policies(policy("envoy.extensions.load_balancing_policies.pick_first.v3.PickFirst")),
       {"load_balancing_policy.policies: unsupported_extension: "
        "envoy.extensions.load_balancing_policies.pick_first.v3.PickFirst"}},
      {clusterWith("health_checks: [{timeout: 1s, interval: 1s, unhealthy_threshold: 0, "
                   "healthy_threshold: 1, tcp_health_check: {}}]"),
       {"health_checks[0].unhealthy_threshold: range: 0"}},
      {clusterWith("circuit_breakers: {thresholds: [{}, {}]}"),
       {"circuit_breakers.thresholds[1].priority: duplicate: DEFAULT"}},
      {clusterWith("common_http_protocol_options: {max_headers_count: 5, max_stream_duration: 1s, "
                   "headers_with_underscores_action: DROP_HEADER}"),
       {"common_http_protocol_options.max_stream_duration: unsupported_field: ",
        "common_http_protocol_options.max_headers_count: unsupported_field: ",
        "common_http_protocol_options.headers_with_underscores_action: unsupported_field: "}},
      {clusterWith("http2_protocol_options: {hpack_table_size: 1048577}"),
       {"http2_protocol_options.hpack_table_size: out_of_range: 1048577"}},
      {clusterWith("http2_protocol_options: {allow_metadata: true}"),
       {"http2_protocol_options.allow_metadata: unsupported_field: true"}},
      {clusterWith(kHttpOptions + std::string("auto_config: {}}}")),
       {"auto_config: unsupported_value: "}},
      {clusterWith("typed_extension_protocol_options: {x: {\"@type\": "
                   "type.googleapis.com/google.protobuf.StringValue, value: y}}"),
       {"typed_extension_protocol_options[\"x\"]: unsupported_extension: "
        "google.protobuf.StringValue"}},
      {clusterWith(kHttpOptions + std::string("explicit_http_config: {}}}")),
       {"typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3."
        "HttpProtocolOptions\"].explicit_http_config: required: "}},
      {clusterWith("transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/"
                   "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}"),
       {}},
      {clusterWith("transport_socket: {name: tls}"), {"transport_socket.typed_config: required: "}},
      {clusterWith("upstream_bind_config: {source_address: {address: here, port_value: 0}}"),
       {"upstream_bind_config.source_address.address: address: here"}},
      {clusterWith("common_lb_config: {healthy_panic_threshold: {value: 101}}"),
       {"common_lb_config.healthy_panic_threshold.value: range: 101"}},
      {clusterWith(
           "common_lb_config: {override_host_status: {statuses: [DEGRADED, UNKNOWN, HEALTHY]}}"),
       {}},
      {clusterWith("common_lb_config: {override_host_status: {statuses: [DRAINING, HEALTHY]}}"),
       {"common_lb_config.override_host_status: unsupported_value: "}},
      {clusterWith("upstream_bind_config: {freebind: false}"), {}},
      {clusterWith("upstream_bind_config: {freebind: true}"),
       {"upstream_bind_config.freebind: unsupported_field: true"}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(make(c.yaml).errors.errors), c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
