#include "controlplane/compile/listener.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/base/proto_bytes.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

HttpConnectionManager managerOf(const std::string& listener) {
  const auto compiled = compileListener(parse<v1::Listener>(listener));
  HttpConnectionManager manager;
  EXPECT_TRUE(compiled.filter_chains(0).filters(0).typed_config().UnpackTo(&manager));
  return manager;
}

TEST(ListenerTest, DefaultsAreWrittenOut) {
  auto compiled = compileListener(parse<v1::Listener>(R"(name: "public" address: "0.0.0.0:8080")"));
  EXPECT_EQ(
      shortText(compiled),
      R"(name: "public" address { socket_address { address: "0.0.0.0" port_value: 8080 } } )"
      R"(filter_chains { filters { name: "envoy.filters.network.http_connection_manager" typed_config { )"
      R"([type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager] )"
      R"({ stat_prefix: "public" rds { config_source { ads { } resource_api_version: V3 } )"
      R"(route_config_name: "listener/public" } http_filters { name: "envoy.filters.http.router" typed_config )"
      R"({ [type.googleapis.com/envoy.extensions.filters.http.router.v3.Router] { respect_expected_rq_timeout: true } } } )"
      R"(http_protocol_options { accept_http_10: true } http2_protocol_options { allow_connect: true } )"
      R"(server_name: "convoy" use_remote_address { value: true } )"
      R"(upgrade_configs { upgrade_type: "websocket" } )"
      R"(max_request_headers_kb { value: 60 } normalize_path { value: true } merge_slashes: true )"
      R"(common_http_protocol_options { idle_timeout { seconds: 3600 } max_headers_count { value: 100 } headers_with_underscores_action: REJECT_REQUEST } )"
      R"(request_headers_timeout { seconds: 10 } path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT } } } })");
}

TEST(ListenerTest, EveryField) {
  const auto manager = managerOf(R"(name: "l" address: "0.0.0.0:80" route_table: "t"
      idle_timeout { seconds: 9 } request_headers_timeout { seconds: 8 } max_request_headers_kib: 7
      max_request_headers_count: 6)");
  EXPECT_EQ(manager.rds().route_config_name(), "t");
  EXPECT_EQ(manager.common_http_protocol_options().idle_timeout().seconds(), 9);
  EXPECT_EQ(manager.request_headers_timeout().seconds(), 8);
  EXPECT_EQ(manager.max_request_headers_kb().value(), 7u);
  EXPECT_EQ(manager.common_http_protocol_options().max_headers_count().value(), 6u);
}

TEST(ListenerTest, HandshakesHaveATimeLimit) {
  const auto chain = [](const std::string& listener) {
    return compileListener(parse<v1::Listener>(listener)).filter_chains(0);
  };
  EXPECT_EQ(chain(R"(name: "l" address: "0.0.0.0:443" tls { certificates: "web" })")
                .transport_socket_connect_timeout()
                .seconds(),
            10);
  EXPECT_FALSE(chain(R"(name: "l" address: "0.0.0.0:80")").has_transport_socket_connect_timeout());
}

TEST(ListenerTest, HeaderEditsAreAFilterBeforeTheRouter) {
  const auto manager = managerOf(R"(name: "l" address: "0.0.0.0:80"
      headers { request { remove: "x-r" } })");
  ASSERT_EQ(manager.http_filters_size(), 2);
  EXPECT_EQ(manager.http_filters(0).name(), "envoy.filters.http.header_mutation");
  EXPECT_EQ(managerOf(R"(name: "l" address: "0.0.0.0:80" headers {})").http_filters_size(), 1);
}

TEST(ListenerTest, UpgradesReplaceTheDefault) {
  const auto listed =
      managerOf(R"(name: "l" address: "0.0.0.0:80" upgrades: "chat" upgrades: "IRC/6.9")");
  ASSERT_EQ(listed.upgrade_configs_size(), 2);
  EXPECT_EQ(listed.upgrade_configs(1).upgrade_type(), "IRC/6.9");
  EXPECT_EQ(managerOf(R"(name: "l" address: "0.0.0.0:80" upgrades: "none")").upgrade_configs_size(),
            0);
}

TEST(ListenerTest, SeveralAddresses) {
  const auto both = compileListener(parse<v1::Listener>(
      R"(name: "l" address: "0.0.0.0:1" addresses: "[::]:2" addresses: "unix:@a")"));
  EXPECT_EQ(both.address().socket_address().port_value(), 1u);
  ASSERT_EQ(both.additional_addresses_size(), 2);
  EXPECT_EQ(both.additional_addresses(0).address().socket_address().address(), "::");
  EXPECT_EQ(both.additional_addresses(1).address().pipe().path(), "@a");
  const auto list = compileListener(
      parse<v1::Listener>(R"(name: "l" addresses: "0.0.0.0:1" addresses: "0.0.0.0:2")"));
  EXPECT_EQ(list.address().socket_address().port_value(), 1u);
  EXPECT_EQ(list.additional_addresses_size(), 1);
}

TEST(ListenerTest, AccessLogs) {
  EXPECT_EQ(managerOf(R"(name: "l" address: "0.0.0.0:1")").access_log_size(), 0);
  envoy::extensions::access_loggers::file::v3::FileAccessLog file;
  const auto plain = managerOf(R"(name: "l" address: "0.0.0.0:1" access_log {})");
  ASSERT_TRUE(plain.access_log(0).typed_config().UnpackTo(&file));
  EXPECT_EQ(file.path(), "/dev/stdout");
  EXPECT_FALSE(file.has_log_format());
  const auto json =
      managerOf(R"(name: "l" address: "0.0.0.0:1" access_log { format: JSON path: "/log" })");
  ASSERT_TRUE(json.access_log(0).typed_config().UnpackTo(&file));
  EXPECT_EQ(file.path(), "/log");
  EXPECT_EQ(file.log_format().json_format().fields().at("response_code").string_value(),
            "%RESPONSE_CODE%");
}

TEST(ListenerTest, BytesAreTheSameEveryTime) {
  const auto listener =
      parse<v1::Listener>(R"(name: "l" address: "0.0.0.0:1" access_log { format: JSON })");
  const std::string once = deterministicBytes(compileListener(listener));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(deterministicBytes(compileListener(listener)), once);
}

}  // namespace
}  // namespace convoy::controlplane::compile
