#include "proxy/config/message_reader.h"

#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "google/protobuf/field_mask.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "proxy/config/yaml_document.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::Metadata;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::Route;

// Errors as "path: rule: value".
std::vector<std::string> read(std::string_view yaml, google::protobuf::Message* message,
                              ReadOptions options = {}) {
  DocumentResult document = parseYaml(yaml, DocumentLimits());
  if (const auto* error = std::get_if<DocumentError>(&document)) return {error->message};
  base::FieldReport report;
  readMessage(*std::get<DocumentRoot>(document), options, message, &report);
  std::vector<std::string> errors;
  for (const base::FieldError& error : report.errors()) {
    errors.push_back(error.field_path + ": " + error.rule + ": " + error.value);
  }
  return errors;
}

using Errors = std::vector<std::string>;

TEST(MessageReader, FieldsOfEveryKind) {
  Cluster cluster;
  EXPECT_EQ(read(R"(
name: web
type: EDS
connectTimeout: 0.25s
lb_policy: 2
per_connection_buffer_limit_bytes: 32768
common_lb_config:
  healthy_panic_threshold: {value: 12.5}
  ignore_new_hosts_until_first_hc: yes
circuit_breakers:
  thresholds:
  - max_requests: "7"
wait_for_warm_on_init: false
dns_lookup_family: ~
metadata:
  filter_metadata:
    envoy.lb: {a: 1, b: [true, null, x], c: {d: 0.5}}
)",
                 &cluster),
            Errors());
  EXPECT_EQ(cluster.name(), "web");
  EXPECT_EQ(cluster.type(), Cluster::EDS);
  EXPECT_EQ(cluster.connect_timeout().nanos(), 250'000'000);
  EXPECT_EQ(cluster.lb_policy(), Cluster::RING_HASH);
  EXPECT_EQ(cluster.per_connection_buffer_limit_bytes().value(), 32768u);
  EXPECT_EQ(cluster.common_lb_config().healthy_panic_threshold().value(), 12.5);
  EXPECT_TRUE(cluster.common_lb_config().ignore_new_hosts_until_first_hc());
  EXPECT_EQ(cluster.circuit_breakers().thresholds(0).max_requests().value(), 7u);
  EXPECT_TRUE(cluster.has_wait_for_warm_on_init());
  const auto& fields = cluster.metadata().filter_metadata().at("envoy.lb").fields();
  EXPECT_EQ(fields.at("a").number_value(), 1);
  EXPECT_TRUE(fields.at("b").list_value().values(0).bool_value());
  EXPECT_EQ(fields.at("b").list_value().values(1).kind_case(), google::protobuf::Value::kNullValue);
  EXPECT_EQ(fields.at("b").list_value().values(2).string_value(), "x");
  EXPECT_EQ(fields.at("c").struct_value().fields().at("d").number_value(), 0.5);
}

TEST(MessageReader, AnyByTypeUrl) {
  Listener listener;
  EXPECT_EQ(read(R"(
filter_chains:
- filters:
  - name: x
    typedConfig:
      "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
      suppressEnvoyHeaders: true
  - name: y
    typed_config: {"@type": type.googleapis.com/google.protobuf.StringValue, value: text}
  - name: z
    typed_config: {}
)",
                 &listener),
            Errors());
  envoy::extensions::filters::http::router::v3::Router router;
  ASSERT_TRUE(listener.filter_chains(0).filters(0).typed_config().UnpackTo(&router));
  EXPECT_TRUE(router.suppress_envoy_headers());
  google::protobuf::StringValue text;
  ASSERT_TRUE(listener.filter_chains(0).filters(1).typed_config().UnpackTo(&text));
  EXPECT_EQ(text.value(), "text");
  EXPECT_TRUE(listener.filter_chains(0).filters(2).typed_config().type_url().empty());
}

struct ErrorCase {
  std::string yaml;
  Errors errors;
};

TEST(MessageReader, ErrorsOfAListener) {
  const ErrorCase cases[] = {
      {"- a", {": type: "}},
      {"adress: {}", {"adress: unknown_field: adress"}},
      {"\"a.b\": {}", {": unknown_field: a.b"}},
      {"<<: {}", {"<<: unknown_field: <<"}},
      {"\"@type\": x", {"@type: unknown_field: @type"}},
      {"name: [x]", {"name: type: "}},
      {"name: \"\\xff\"", {}},  // U+00FF
      {"filter_chains: {}", {"filter_chains: type: "}},
      {"filter_chains: [~]", {"filter_chains[0]: type: "}},
      {"filter_chains: [{name: a}, 5]", {"filter_chains[1]: type: 5"}},
      {"stat_prefix: a\nstatPrefix: b", {"stat_prefix: duplicate: statPrefix"}},
      {"drain_type: MODIFY", {"drain_type: enum: MODIFY"}},
      {"drain_type: 17", {"drain_type: enum: 17"}},
      {"drain_type: {}", {"drain_type: type: "}},
      {"reuse_port: 3", {"reuse_port: type: 3"}},
      {"tcp_backlog_size: -1", {"tcp_backlog_size: type: -1"}},
      {"listener_filters_timeout: 5", {"listener_filters_timeout: type: 5"}},
      {"address: {socket_address: {port_value: 80, named_port: x}}",
       {"address.socket_address.named_port: oneof: "}},
      {"address: {socket_address: {port_value: 80, named_port: ~}}", {}},
      {"metadata: {filter_metadata: {a: ~}}", {"metadata.filter_metadata[\"a\"]: type: "}},
      {"metadata: {filter_metadata: {a: 5}}", {"metadata.filter_metadata[\"a\"]: type: 5"}},
      {"metadata: {filter_metadata: []}", {"metadata.filter_metadata: type: "}},
      {"api_listener: {api_listener: {\"@type\": nonsense}}",
       {"api_listener.api_listener.@type: unknown_type: nonsense"}},
      {"api_listener: {api_listener: {\"@type\": type.googleapis.com/envoy.api.v2.Listener}}",
       {"api_listener.api_listener.@type: unknown_type: "
        "type.googleapis.com/envoy.api.v2.Listener"}},
      {"api_listener: {api_listener: {x: y}}", {"api_listener.api_listener.@type: required: "}},
      {"api_listener: {api_listener: []}", {"api_listener.api_listener: type: "}},
      {"api_listener: {api_listener: {\"@type\": "
       "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router, x: y}}",
       {"api_listener.api_listener.x: unknown_field: x"}},
  };
  for (const ErrorCase& c : cases) {
    Listener listener;
    EXPECT_EQ(read(c.yaml, &listener), c.errors) << c.yaml;
  }
}

TEST(MessageReader, HintsNameTheWayOut) {
  const std::pair<std::string, std::string> cases[] = {
      {"adress: {}",
       "envoy.config.listener.v3.Listener has no such field; did you mean \"address\"?"},
      {"drain_type: MODIFY_ONLI",
       "is no value of envoy.config.listener.v3.Listener.DrainType; did you mean "
       "\"MODIFY_ONLY\"?"},
      {"filter_chains: {}", "must be a list, not a map; write each element behind \"- \""},
      {"filter_chains: x", "must be a list, not a scalar; write each element behind \"- \""},
  };
  for (const auto& [yaml, hint] : cases) {
    Listener listener;
    base::FieldReport report;
    const DocumentResult document = parseYaml(yaml, DocumentLimits());
    readMessage(*std::get<DocumentRoot>(document), {}, &listener, &report);
    ASSERT_EQ(report.errors().size(), 1u) << yaml;
    EXPECT_EQ(report.errors()[0].hint, hint);
  }
}

TEST(MessageReader, WellKnownTypesAtTheRoot) {
  google::protobuf::Timestamp timestamp;
  EXPECT_EQ(read("\"2024-01-31T12:00:00Z\"", &timestamp), Errors());
  EXPECT_EQ(timestamp.seconds(), 1706702400);
  EXPECT_EQ(read("soon", &timestamp), Errors({": type: soon"}));

  google::protobuf::FieldMask mask;
  EXPECT_EQ(read("fooBar,baz.quux", &mask), Errors());
  ASSERT_EQ(mask.paths_size(), 2);
  EXPECT_EQ(mask.paths(0), "foo_bar");
  EXPECT_EQ(mask.paths(1), "baz.quux");
  EXPECT_EQ(read("[a]", &mask), Errors({": type: "}));

  google::protobuf::ListValue list;
  EXPECT_EQ(read("[a, {}]", &list), Errors());
  EXPECT_EQ(list.values_size(), 2);
  EXPECT_EQ(read("{}", &list), Errors({": type: "}));

  google::protobuf::Value null_value;
  EXPECT_EQ(read("~", &null_value), Errors());
  EXPECT_TRUE(null_value.has_null_value());

  google::protobuf::Struct map;
  EXPECT_EQ(read("{a: {b: [1]}}", &map), Errors());
  EXPECT_EQ(read("[]", &map), Errors({": type: "}));
  const std::string invalid_key = "{\"a\": 1, \"\xff\": 2}";
  EXPECT_FALSE(read(invalid_key, &map).empty());
}

TEST(MessageReader, EveryNumberType) {
  google::protobuf::Int32Value int32;
  google::protobuf::Int64Value int64;
  google::protobuf::UInt64Value uint64;
  google::protobuf::FloatValue float_value;
  google::protobuf::DoubleValue double_value;
  google::protobuf::BytesValue bytes;
  EXPECT_EQ(read("-2147483648", &int32), Errors());
  EXPECT_EQ(read("2147483648", &int32), Errors({": type: 2147483648"}));
  EXPECT_EQ(read("\"-9223372036854775808\"", &int64), Errors());
  EXPECT_EQ(int64.value(), INT64_MIN);
  EXPECT_EQ(read("\"18446744073709551615\"", &uint64), Errors());
  EXPECT_EQ(uint64.value(), UINT64_MAX);
  EXPECT_EQ(read("0.5", &float_value), Errors());
  EXPECT_EQ(float_value.value(), 0.5f);
  EXPECT_EQ(read("NaN", &double_value), Errors());
  EXPECT_EQ(read("x", &double_value), Errors({": type: x"}));
  EXPECT_EQ(read("aGk=", &bytes), Errors());
  EXPECT_EQ(bytes.value(), "hi");
  EXPECT_EQ(read("\"*\"", &bytes), Errors({": type: *"}));
}

TEST(MessageReader, NamesForPeople) {
  v1::Pool pool;
  EXPECT_EQ(read("algorithm: round_robin\nconnect_timeout: 250ms", &pool, {.for_people = true}),
            Errors());
  EXPECT_EQ(pool.algorithm(), v1::ALGORITHM_ROUND_ROBIN);
  EXPECT_EQ(pool.connect_timeout().nanos(), 250'000'000);
  EXPECT_EQ(read("algorithm: ALGORITHM_ROUND_ROBIN", &pool, {.for_people = true}), Errors());
  EXPECT_EQ(read("algorithm: round_robin", &pool), Errors({"algorithm: enum: round_robin"}));

  base::FieldReport report;
  const DocumentResult document = parseYaml("algorithm: round_robbin", DocumentLimits());
  readMessage(*std::get<DocumentRoot>(document), {.for_people = true}, &pool, &report);
  ASSERT_EQ(report.errors().size(), 1u);
  EXPECT_EQ(report.errors()[0].hint,
            "is no value of convoy.v1.Algorithm; did you mean \"round_robin\"?");

  base::FieldReport all;
  const DocumentResult unlike = parseYaml("algorithm: fastest", DocumentLimits());
  readMessage(*std::get<DocumentRoot>(unlike), {.for_people = true}, &pool, &all);
  ASSERT_EQ(all.errors().size(), 1u);
  EXPECT_TRUE(all.errors()[0].hint.starts_with(
      "is no value of convoy.v1.Algorithm: round_robin, weighted_least_connections, "))
      << all.errors()[0].hint;
}

}  // namespace
}  // namespace convoy::config
