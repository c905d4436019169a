#include "proxy/config/http_connection_manager.h"

#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "proxy/filter/router/spec.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using std::chrono::milliseconds;

const std::string kRouter =
    "{name: router, typed_config: {\"@type\": "
    "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";

std::string with(const std::string& fields) {
  return "{stat_prefix: s, route_config: {name: r}, http_filters: [" + kRouter + "], " + fields +
         "}";
}

std::shared_ptr<const http::ConnectionManagerSpec> convert(const std::string& yaml,
                                                           Lines* errors = nullptr,
                                                           Lines* notes = nullptr) {
  base::FieldReport report;
  const auto filter =
      makeConnectionManager(fromYaml<HttpConnectionManager>(yaml), testContext(), report);
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << yaml;
  }
  if (notes != nullptr) *notes = brief(report.notes());
  return std::dynamic_pointer_cast<const http::ConnectionManagerSpec>(filter);
}

TEST(HttpConnectionManager, DefaultsAreEnvoys) {
  const auto spec = convert(with(""));
  EXPECT_EQ(spec->stat_prefix, "s");
  EXPECT_EQ(spec->codec, http::ConnectionManagerSpec::Codec::Auto);
  ASSERT_NE(spec->routes, nullptr);
  EXPECT_EQ(spec->routes->name, "r");
  EXPECT_TRUE(spec->access_logs.empty());
  EXPECT_FALSE(spec->use_remote_address);
  EXPECT_EQ(spec->xff_num_trusted_hops, 0u);
  EXPECT_TRUE(spec->generate_request_id);
  EXPECT_EQ(spec->server_name, "envoy");
  EXPECT_EQ(spec->server_header, http::ServerHeaderPolicy::Overwrite);
  EXPECT_EQ(spec->max_request_headers_kb, 60u);
  EXPECT_EQ(spec->max_headers_count, 100u);
  EXPECT_EQ(spec->idle_timeout, milliseconds(3'600'000));
  EXPECT_EQ(spec->stream_idle_timeout, milliseconds(300'000));
  EXPECT_EQ(spec->request_timeout, milliseconds(0));
  EXPECT_EQ(spec->drain_timeout, milliseconds(5000));
  EXPECT_EQ(spec->max_connection_duration, std::nullopt);
}

TEST(HttpConnectionManager, EveryHonouredField) {
  const auto spec = convert(R"({
stat_prefix: s, codec_type: HTTP1,
rds: {route_config_name: table, config_source: {ads: {}, resource_api_version: V3, initial_fetch_timeout: 0s}},
http_filters: [{name: r1, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router, suppress_envoy_headers: true}}],
access_log: [{name: x, typed_config: {"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /log}}],
use_remote_address: true, xff_num_trusted_hops: 2, skip_xff_append: true,
generate_request_id: false, preserve_external_request_id: true, always_set_request_id_in_response: true,
server_name: me, server_header_transformation: APPEND_IF_ABSENT, via: proxy,
common_http_protocol_options: {idle_timeout: 1s, max_connection_duration: 2s, max_stream_duration: 3s,
  max_headers_count: 7, max_requests_per_connection: 8},
http_protocol_options: {accept_http_10: true, enable_trailers: true, allow_absolute_url: true},
max_request_headers_kb: 96, stream_idle_timeout: 4s, request_timeout: 5s, request_headers_timeout: 6s,
drain_timeout: 7s, normalize_path: true,
request_id_extension: {typed_config: {"@type": type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig}}
})");
  EXPECT_EQ(spec->codec, http::ConnectionManagerSpec::Codec::Http1);
  EXPECT_EQ(spec->rds_name, "table");
  EXPECT_EQ(spec->rds_fetch_timeout, milliseconds(0));
  EXPECT_EQ(spec->routes, nullptr);
  ASSERT_EQ(spec->filters.size(), 1u);
  EXPECT_EQ(spec->filters[0]->name, "r1");
  EXPECT_EQ(spec->filters[0]->kind, filter::router::kKind);
  const auto* router = dynamic_cast<const filter::router::RouterSpec*>(spec->filters[0].get());
  ASSERT_NE(router, nullptr);
  EXPECT_TRUE(router->suppress_envoy_headers);
  EXPECT_EQ(spec->access_logs.at(0).path, "/log");
  EXPECT_TRUE(spec->use_remote_address);
  EXPECT_EQ(spec->xff_num_trusted_hops, 2u);
  EXPECT_TRUE(spec->skip_xff_append);
  EXPECT_FALSE(spec->generate_request_id);
  EXPECT_TRUE(spec->preserve_external_request_id);
  EXPECT_TRUE(spec->always_set_request_id_in_response);
  EXPECT_EQ(spec->server_name, "me");
  EXPECT_EQ(spec->server_header, http::ServerHeaderPolicy::AppendIfAbsent);
  EXPECT_EQ(spec->via, "proxy");
  EXPECT_EQ(spec->idle_timeout, milliseconds(1000));
  EXPECT_EQ(spec->max_connection_duration, milliseconds(2000));
  EXPECT_EQ(spec->max_stream_duration, milliseconds(3000));
  EXPECT_EQ(spec->max_headers_count, 7u);
  EXPECT_EQ(spec->max_requests_per_connection, 8u);
  EXPECT_EQ(spec->max_request_headers_kb, 96u);
  EXPECT_EQ(spec->stream_idle_timeout, milliseconds(4000));
  EXPECT_EQ(spec->request_timeout, milliseconds(5000));
  EXPECT_EQ(spec->request_headers_timeout, milliseconds(6000));
  EXPECT_EQ(spec->drain_timeout, milliseconds(7000));
  EXPECT_TRUE(spec->path.normalize);
  EXPECT_TRUE(spec->accept_http_10);
}

TEST(HttpConnectionManager, OtherPolicies) {
  EXPECT_EQ(convert(with("server_header_transformation: PASS_THROUGH"))->server_header,
            http::ServerHeaderPolicy::PassThrough);
}

TEST(HttpConnectionManager, AnOptionalFilterMayBeMissing) {
  Lines notes;
  const auto spec = convert(
      "{stat_prefix: s, route_config: {name: r}, http_filters: [{name: a, is_optional: true, "
      "typed_config: {\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}}, " +
          kRouter + "]}",
      nullptr, &notes);
  EXPECT_EQ(spec->filters.size(), 1u);
  EXPECT_EQ(notes, Lines({"http_filters[0].typed_config"}));
}

TEST(HttpConnectionManager, Errors) {
  const std::string base = "{stat_prefix: s, route_config: {name: r}, http_filters: [";
  const ErrorCase cases[] = {
      {with("http2_protocol_options: {connection_keepalive: {interval: 1s, timeout: 1s}}"),
       {"http2_protocol_options.connection_keepalive: unsupported_field: "}},
      {with("codec_type: HTTP3"), {"codec_type: unsupported_value: HTTP3"}},
      {"{stat_prefix: s, rds: {config_source: {ads: {}}}, http_filters: [" + kRouter + "]}",
       {"rds.route_config_name: required: "}},
      {"{stat_prefix: s, rds: {route_config_name: r, config_source: {ads: {}, "
       "resource_api_version: V2}}, http_filters: [" +
           kRouter + "]}",
       {"rds.config_source.resource_api_version: unsupported_value: V2"}},
      {base + "]}", {"http_filters: required: "}},
      {base + "{name: x}]}", {"http_filters[0].typed_config: required: "}},
      {base +
           "{name: x, typed_config: {\"@type\": "
           "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}}, " +
           kRouter + "]}",
       {"http_filters[0].typed_config: unsupported_extension: "
        "envoy.extensions.filters.http.cors.v3.Cors"}},
      {base + kRouter + ", " + kRouter + "]}",
       {"http_filters[0]: order: router", "http_filters[1].name: duplicate: router"}},
      {base + "{name: router, disabled: true, typed_config: {\"@type\": "
              "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}",
       {"http_filters[0].disabled: unsupported_value: true"}},
      {with("stream_idle_timeout: -1s"), {"stream_idle_timeout: range: -1s"}},
      {with("request_id_extension: {typed_config: {\"@type\": "
            "type.googleapis.com/google.protobuf.StringValue, value: x}}"),
       {"request_id_extension.typed_config: unsupported_extension: google.protobuf.StringValue"}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors;
    convert(c.yaml, &errors);
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
}

TEST(HttpConnectionManager, TheConnectionPartIsTheCodec) {
  google::protobuf::Any one;
  google::protobuf::Any two;
  one.PackFrom(fromYaml<HttpConnectionManager>("{stat_prefix: a, codec_type: HTTP1}"));
  two.PackFrom(fromYaml<HttpConnectionManager>("{stat_prefix: b, codec_type: HTTP1, via: x}"));
  EXPECT_EQ(connectionPart(one).value(), connectionPart(two).value());
  two.PackFrom(fromYaml<HttpConnectionManager>("{stat_prefix: a}"));
  EXPECT_NE(connectionPart(one).value(), connectionPart(two).value());
  // Other filters are taken whole.
  google::protobuf::Any other;
  other.PackFrom(envoy::extensions::filters::http::router::v3::Router());
  EXPECT_EQ(connectionPart(other).type_url(), other.type_url());
}

TEST(HttpConnectionManager, Upgrades) {
  const auto spec = convert(with(
      "upgrade_configs: [{upgrade_type: websocket}, {upgrade_type: CONNECT, enabled: false}]"));
  ASSERT_EQ(spec->upgrades.size(), 2u);
  EXPECT_EQ(spec->upgrades[0].protocol, "websocket");
  EXPECT_TRUE(spec->upgrades[0].enabled);
  EXPECT_FALSE(spec->upgrades[1].enabled);
  EXPECT_TRUE(convert(with(""))->upgrades.empty());
  Lines errors;
  convert(with("upgrade_configs: [{upgrade_type: ''}]"), &errors);
  EXPECT_EQ(errors, Lines({"upgrade_configs[0].upgrade_type: malformed: "}));
}

}  // namespace
}  // namespace convoy::config
