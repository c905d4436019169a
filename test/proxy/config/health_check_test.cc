#include "proxy/config/health_check.h"

#include "proxy/tls/spec.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using std::chrono::milliseconds;
using std::chrono::seconds;
using upstream::HealthCheckSpec;

constexpr char kTls[] =
    "transport_socket: {name: tls, typed_config: {\"@type\": type.googleapis.com/"
    "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}";
constexpr char kJson[] =
    "metadata: {typed_filter_metadata: {convoy.ext.HealthCheckPolicy: {\"@type\": "
    "type.googleapis.com/convoy.ext.HealthCheckPolicy, json: true}}}";
constexpr char kCommand[] =
    "custom_health_check: {name: c, typed_config: {\"@type\": "
    "type.googleapis.com/convoy.ext.CommandHealthCheck, ";

// A cluster with this check, whose required fields are there unless `bare`.
std::string clusterYaml(const std::string& check, const std::string& cluster = "") {
  return "{name: c, load_assignment: {cluster_name: c}, health_checks: [{timeout: 1s, interval: "
         "2s, unhealthy_threshold: 3, healthy_threshold: 2, " +
         check + "}]" + (cluster.empty() ? "" : ", " + cluster) + "}";
}

std::shared_ptr<const HealthCheckSpec> make(const std::string& check,
                                            const std::string& cluster = "") {
  const auto result = makeCluster(fromYaml<Cluster>(clusterYaml(check, cluster)), testContext());
  EXPECT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(result.note_count, 0u);
  return result.ok() ? result.spec->health_check : nullptr;
}

TEST(HealthCheck, WhatEnvoyDerivesIsDerived) {
  const auto spec = make("tcp_health_check: {}");
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(spec->timeout, seconds(1));
  EXPECT_EQ(spec->interval, seconds(2));
  EXPECT_EQ(spec->no_traffic_interval, seconds(60));
  EXPECT_EQ(spec->no_traffic_healthy_interval, seconds(60));
  EXPECT_EQ(spec->unhealthy_interval, seconds(2));
  EXPECT_EQ(spec->unhealthy_edge_interval, seconds(2));
  EXPECT_EQ(spec->healthy_edge_interval, seconds(2));
  EXPECT_EQ(spec->unhealthy_threshold, 3u);
  EXPECT_EQ(spec->healthy_threshold, 2u);
  EXPECT_TRUE(spec->reuse_connection);
  EXPECT_FALSE(spec->log_failures);
  EXPECT_EQ(spec->transport, nullptr);
  EXPECT_TRUE(std::get<upstream::TcpCheckSpec>(spec->checker).receive.empty());
  const auto edges = make(
      "tcp_health_check: {}, no_traffic_interval: 9s, unhealthy_interval: 3s, "
      "healthy_edge_interval: 4s");
  EXPECT_EQ(edges->no_traffic_healthy_interval, seconds(9));
  EXPECT_EQ(edges->unhealthy_edge_interval, seconds(3));
  EXPECT_EQ(edges->healthy_edge_interval, seconds(4));
}

TEST(HealthCheck, EveryTimeAndSwitch) {
  const auto spec = make(
      "tcp_health_check: {send: {text: 504F4e47}, receive: [{text: \"00ff\"}, {binary: YQ==}]}, "
      "initial_jitter: 0.1s, interval_jitter: 0.2s, interval_jitter_percent: 7, alt_port: 8081, "
      "reuse_connection: false, no_traffic_healthy_interval: 8s, unhealthy_edge_interval: 5s, "
      "always_log_health_check_failures: true, always_log_health_check_success: true");
  ASSERT_NE(spec, nullptr);
  const auto& tcp = std::get<upstream::TcpCheckSpec>(spec->checker);
  EXPECT_EQ(tcp.send, "PONG");
  EXPECT_EQ(tcp.receive, (std::vector<std::string>{std::string("\0\xff", 2), "a"}));
  EXPECT_EQ(spec->initial_jitter, milliseconds(100));
  EXPECT_EQ(spec->interval_jitter, milliseconds(200));
  EXPECT_EQ(spec->interval_jitter_percent, 7u);
  EXPECT_EQ(spec->alt_port, 8081);
  EXPECT_FALSE(spec->reuse_connection);
  EXPECT_EQ(spec->no_traffic_healthy_interval, seconds(8));
  EXPECT_EQ(spec->unhealthy_edge_interval, seconds(5));
  EXPECT_TRUE(spec->log_failures);
  EXPECT_TRUE(spec->log_successes);
}

TEST(HealthCheck, Http) {
  const auto spec = make(R"(http_health_check: {
    host: a.test, path: /ready, method: POST, send: {text: "61"}, receive: [{binary: T0s=}],
    response_buffer_size: 0, codec_client_type: HTTP2,
    expected_statuses: [{start: 200, end: 300}], retriable_statuses: [{start: 500, end: 600}],
    request_headers_to_add: [{header: {key: X-A, value: "50%%"}},
                             {header: {key: x-b, value: x}, append_action: OVERWRITE_IF_EXISTS},
                             {header: {key: user-agent, value: me}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}],
    request_headers_to_remove: [X-C], service_name_matcher: {prefix: shop}})");
  ASSERT_NE(spec, nullptr);
  const auto& http = std::get<upstream::HttpCheckSpec>(spec->checker);
  EXPECT_EQ(http.method, "POST");
  EXPECT_EQ(http.host, "a.test");
  EXPECT_EQ(http.path, "/ready");
  EXPECT_EQ(http.send, "a");
  EXPECT_EQ(http.receive, std::vector<std::string>{"OK"});
  EXPECT_EQ(http.body_limit, 1024u * 1024);
  EXPECT_TRUE(http.http2);
  EXPECT_FALSE(http.json);
  ASSERT_EQ(http.expected.size(), 1u);
  EXPECT_EQ(http.expected[0].to, 300);
  ASSERT_EQ(http.retriable.size(), 1u);
  EXPECT_EQ(http.retriable[0].from, 500);
  EXPECT_EQ(http.headers, (std::vector<upstream::Header>{{"x-a", "50%"}, {"user-agent", "me"}}));
  EXPECT_EQ(http.removed, std::vector<std::string>{"x-c"});
  EXPECT_EQ(http.service_name->value, "shop");
}

TEST(HealthCheck, HttpDefaultsAndTheDeepCheck) {
  const auto plain = make("http_health_check: {path: /h}");
  const auto& http = std::get<upstream::HttpCheckSpec>(plain->checker);
  EXPECT_EQ(http.method, "GET");
  EXPECT_EQ(http.body_limit, 1024u);
  ASSERT_EQ(http.expected.size(), 1u);  // Envoy's: 200 alone
  EXPECT_EQ(http.expected[0].from, 200);
  EXPECT_EQ(http.expected[0].to, 201);
  const auto deep = make("http_health_check: {path: /h}", kJson);
  EXPECT_TRUE(std::get<upstream::HttpCheckSpec>(deep->checker).json);
  EXPECT_EQ(std::get<upstream::HttpCheckSpec>(deep->checker).body_limit, 64u * 1024);
  EXPECT_NE(deep->hash, plain->hash);
}

TEST(HealthCheck, GrpcAndCommands) {
  const auto grpc = make(
      "grpc_health_check: {service_name: s, authority: a, initial_metadata: [{header: {key: k, "
      "value: v}}]}");
  const auto& check = std::get<upstream::GrpcCheckSpec>(grpc->checker);
  EXPECT_EQ(check.service, "s");
  EXPECT_EQ(check.authority, "a");
  EXPECT_EQ(check.metadata, (std::vector<upstream::Header>{{"k", "v"}}));
  const auto command = make(std::string(kCommand) + "command: check-db, arguments: [a, b c]}}");
  const auto& program = std::get<upstream::CommandCheckSpec>(command->checker);
  EXPECT_EQ(program.command, "check-db");
  EXPECT_EQ(program.arguments, (std::vector<std::string>{"a", "b c"}));
}

// Whatever the cluster offers to speak, a check says what it speaks itself.
TEST(HealthCheck, AlpnIsThatOfTheCheck) {
  const auto alpn = [](const std::string& check) {
    const auto spec = make(check, kTls);
    const auto* const client = dynamic_cast<const tls::ClientSpec*>(spec->transport.get());
    return client == nullptr ? Lines{"none"} : client->common.alpn;
  };
  EXPECT_EQ(alpn("http_health_check: {path: /}"), Lines{"http/1.1"});
  EXPECT_EQ(alpn("http_health_check: {path: /, codec_client_type: HTTP2}"), Lines{"h2"});
  EXPECT_EQ(alpn("grpc_health_check: {}"), Lines{"h2"});
  EXPECT_EQ(alpn("tcp_health_check: {}"), Lines{"http/1.1"});  // as the cluster's connections
  EXPECT_EQ(alpn("http_health_check: {path: /}, tls_options: {alpn_protocols: [x, y]}"),
            (Lines{"x", "y"}));
  EXPECT_EQ(alpn(std::string(kCommand) + "command: c}}"), Lines{"none"});
}

TEST(HealthCheck, TheHashIsTheChecksOwn) {
  const auto hash = [](const std::string& check, const std::string& cluster = "") {
    return make(check, cluster)->hash;
  };
  const uint64_t one = hash("tcp_health_check: {}");
  EXPECT_EQ(hash("tcp_health_check: {}", "connect_timeout: 7s"), one);
  EXPECT_NE(hash("tcp_health_check: {send: {text: \"00\"}}"), one);
  EXPECT_NE(hash("tcp_health_check: {}, unhealthy_interval: 3s"), one);
}

TEST(HealthCheck, Errors) {
  const std::string at = "health_checks[0].";
  const std::string tcp = "tcp_health_check: {}, ";
  const ErrorCase cases[] = {
      {clusterYaml("tcp_health_check: {send: {text: 5x}}"),
       {at + "tcp_health_check.send.text: syntax: 5x"}},
      {clusterYaml("tcp_health_check: {receive: [{text: \"123\"}]}"),
       {at + "tcp_health_check.receive[0].text: syntax: 123"}},
      {clusterYaml("tcp_health_check: {proxy_protocol_config: {}}"),
       {at + "tcp_health_check.proxy_protocol_config: unsupported_field: "}},
      {clusterYaml("http_health_check: {path: health}"),
       {at + "http_health_check.path: syntax: health"}},
      {clusterYaml("http_health_check: {path: /, codec_client_type: HTTP3}"),
       {at + "http_health_check.codec_client_type: unsupported_value: HTTP3"}},
      {clusterYaml("http_health_check: {path: /, response_buffer_size: 1048577}"),
       {at + "http_health_check.response_buffer_size: range: 1048577"}},
      {clusterYaml("http_health_check: {path: /, expected_statuses: [{start: 99, end: 200}, "
                   "{start: 200, end: 200}], retriable_statuses: [{start: 500, end: 601}]}"),
       {at + "http_health_check.expected_statuses[0]: range: 99 to 200",
        at + "http_health_check.expected_statuses[1]: range: 200 to 200",
        at + "http_health_check.retriable_statuses[0]: range: 500 to 601"}},
      {clusterYaml("http_health_check: {path: /, request_headers_to_add: [{header: {key: a, "
                   "value: \"%PROTOCOL%\"}}]}"),
       {at + "http_health_check.request_headers_to_add: unsupported_value: a"}},
      {clusterYaml("http_health_check: {path: /, service_name_matcher: {safe_regex: {regex: "
                   "\"(\"}}}"),
       {at + "http_health_check.service_name_matcher.safe_regex.regex: regex: ("}},
      {clusterYaml(tcp + "alt_port: 65536"), {at + "alt_port: range: 65536"}},
      {clusterYaml(tcp + "event_log_path: /x"), {at + "event_log_path: unsupported_field: /x"}},
      {clusterYaml(tcp + "transport_socket_match_criteria: {a: b}"),
       {at + "transport_socket_match_criteria: unsupported_field: "}},
      {clusterYaml("custom_health_check: {name: x, typed_config: {\"@type\": "
                   "type.googleapis.com/google.protobuf.StringValue, value: y}}"),
       {at + "custom_health_check.typed_config: unsupported_extension: "
             "google.protobuf.StringValue"}},
      {clusterYaml(std::string(kCommand) + "command: ../sh}}"),
       {at + "custom_health_check.typed_config.command: syntax: ../sh"}},
      {clusterYaml(std::string(kCommand) + "command: \"\"}}"),
       {at + "custom_health_check.typed_config.command: syntax: "}},
      {clusterYaml("tcp_health_check: {}",
                   "metadata: {typed_filter_metadata: {convoy.ext.HealthCheckPolicy: {\"@type\": "
                   "type.googleapis.com/google.protobuf.StringValue}}}"),
       {"metadata.typed_filter_metadata[\"convoy.ext.HealthCheckPolicy\"]: malformed: "
        "type.googleapis.com/google.protobuf.StringValue"}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(makeCluster(fromYaml<Cluster>(c.yaml), testContext()).errors.errors), c.errors)
        << c.yaml;
  }
  const std::string check =
      "{timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1, "
      "tcp_health_check: {}}";
  EXPECT_EQ(brief(makeCluster(fromYaml<Cluster>("{name: c, load_assignment: {cluster_name: c}, "
                                                "health_checks: [" +
                                                check + ", " + check + "]}"),
                              testContext())
                      .errors.errors),
            Lines{"health_checks: too_many: 2"});
}

}  // namespace
}  // namespace convoy::config
