#include "controlplane/compile/request_policy.h"

#include <gtest/gtest.h>

#include "api/convoy/ext/client_address.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::core::v3::HttpProtocolOptions;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

HttpConnectionManager compiled(const std::string& listener) {
  HttpConnectionManager manager;
  compileRequestPolicy(parse<v1::Listener>(listener), &manager);
  return manager;
}

TEST(RequestPolicyTest, SecureDefaultsAreWrittenOut) {
  const auto manager = compiled("");
  EXPECT_TRUE(manager.normalize_path().value());
  EXPECT_TRUE(manager.merge_slashes());
  EXPECT_EQ(manager.path_with_escaped_slashes_action(),
            HttpConnectionManager::UNESCAPE_AND_REDIRECT);
  EXPECT_EQ(manager.common_http_protocol_options().headers_with_underscores_action(),
            HttpProtocolOptions::REJECT_REQUEST);
  EXPECT_TRUE(manager.http_protocol_options().accept_http_10());
  EXPECT_TRUE(manager.use_remote_address().value());
  EXPECT_EQ(manager.server_name(), "convoy");
  EXPECT_EQ(manager.server_header_transformation(), HttpConnectionManager::OVERWRITE);
  EXPECT_EQ(manager.via(), "");
  EXPECT_EQ(manager.request_headers_timeout().seconds(), 10);
  EXPECT_FALSE(manager.has_request_timeout());
  EXPECT_FALSE(manager.strip_matching_host_port());
  EXPECT_FALSE(manager.strip_any_host_port());
  EXPECT_TRUE(manager.original_ip_detection_extensions().empty());
  EXPECT_TRUE(manager.early_header_mutation_extensions().empty());
}

TEST(RequestPolicyTest, EveryField) {
  const auto manager = compiled(R"(
      paths { normalize: false merge_slashes: false escaped_slashes: ESCAPED_SLASHES_KEEP }
      headers_with_underscores: UNDERSCORES_ALLOW accept_http10: false
      default_host_for_http10: "a.test" forwarded: FORWARDED_APPEND
      trusted_proxies: "10.0.0.0/8" server_header: SERVER_HEADER_APPEND_IF_ABSENT via: "1.1 edge"
      strip_port: STRIP_PORT_ANY request_timeout { seconds: 1 }
      max_connection_duration { seconds: 2 } max_stream_duration { seconds: 3 }
      request_headers_timeout { seconds: 4 })");
  EXPECT_FALSE(manager.normalize_path().value());
  EXPECT_FALSE(manager.merge_slashes());
  EXPECT_EQ(manager.path_with_escaped_slashes_action(), HttpConnectionManager::KEEP_UNCHANGED);
  const auto& common = manager.common_http_protocol_options();
  EXPECT_EQ(common.headers_with_underscores_action(), HttpProtocolOptions::ALLOW);
  EXPECT_FALSE(manager.http_protocol_options().accept_http_10());
  EXPECT_EQ(manager.http_protocol_options().default_host_for_http_10(), "a.test");
  EXPECT_FALSE(manager.has_use_remote_address());
  ext::TrustedProxies proxies;
  ASSERT_EQ(manager.original_ip_detection_extensions_size(), 1);
  ASSERT_TRUE(manager.original_ip_detection_extensions(0).typed_config().UnpackTo(&proxies));
  EXPECT_EQ(proxies.cidrs(0), "10.0.0.0/8");
  ASSERT_EQ(manager.early_header_mutation_extensions_size(), 1);
  EXPECT_TRUE(
      manager.early_header_mutation_extensions(0).typed_config().Is<ext::ForwardedHeader>());
  EXPECT_EQ(manager.server_header_transformation(), HttpConnectionManager::APPEND_IF_ABSENT);
  EXPECT_EQ(manager.via(), "1.1 edge");
  EXPECT_TRUE(manager.strip_any_host_port());
  EXPECT_EQ(manager.request_timeout().seconds(), 1);
  EXPECT_EQ(common.max_connection_duration().seconds(), 2);
  EXPECT_EQ(common.max_stream_duration().seconds(), 3);
  EXPECT_EQ(manager.request_headers_timeout().seconds(), 4);
}

TEST(RequestPolicyTest, ForwardsWhoTheClientIs) {
  const auto forwarded = [](const std::string& clients) {
    const auto manager = compiled(R"(tls { certificates: "a" )" + clients + "}");
    return HttpConnectionManager::ForwardClientCertDetails_Name(
               manager.forward_client_cert_details()) +
           ": " + shortText(manager.set_current_client_cert_details());
  };
  const std::pair<const char*, const char*> rows[] = {
      {"", "SANITIZE: "},
      {"client_certificates { }", "SANITIZE_SET: subject { value: true } dns: true uri: true"},
      {"client_certificates { forward: URI }", "SANITIZE_SET: uri: true"},
      {"client_certificates { forward: SUBJECT forward: DNS }",
       "SANITIZE_SET: subject { value: true } dns: true"},
      {"client_certificates { forward: CERT forward: CHAIN }",
       "SANITIZE_SET: cert: true chain: true"},
      {"client_certificates { forward: NONE }", "SANITIZE: "},
  };
  for (const auto& [clients, expected] : rows) EXPECT_EQ(forwarded(clients), expected) << clients;
}

TEST(RequestPolicyTest, OtherChoices) {
  EXPECT_EQ(compiled("paths { escaped_slashes: ESCAPED_SLASHES_REJECT }")
                .path_with_escaped_slashes_action(),
            HttpConnectionManager::REJECT_REQUEST);
  EXPECT_EQ(compiled("paths { escaped_slashes: ESCAPED_SLASHES_DECODE }")
                .path_with_escaped_slashes_action(),
            HttpConnectionManager::UNESCAPE_AND_FORWARD);
  EXPECT_EQ(compiled("headers_with_underscores: UNDERSCORES_DROP")
                .common_http_protocol_options()
                .headers_with_underscores_action(),
            HttpProtocolOptions::DROP_HEADER);
  EXPECT_EQ(compiled("server_header: SERVER_HEADER_PASS_THROUGH").server_header_transformation(),
            HttpConnectionManager::PASS_THROUGH);
  EXPECT_TRUE(compiled("strip_port: STRIP_PORT_MATCHING").strip_matching_host_port());
}

}  // namespace
}  // namespace convoy::controlplane::compile
