#include "proxy/config/request_policy.h"

#include "proxy/config/http_connection_manager.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

http::ConnectionManagerSpec convert(const std::string& yaml, Lines* errors = nullptr) {
  base::FieldReport report;
  http::ConnectionManagerSpec spec;
  setRequestPolicy(fromYaml<HttpConnectionManager>(yaml), testContext(), &spec, report);
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << yaml;
  }
  return spec;
}

const std::string kTrusted =
    "{name: x, typed_config: {\"@type\": type.googleapis.com/convoy.ext.TrustedProxies, cidrs: ";

TEST(RequestPolicy, DefaultsAreEnvoys) {
  const auto spec = convert("{}");
  EXPECT_EQ(spec.path, http::PathPolicy());
  EXPECT_EQ(spec.underscores, http::UnderscoresAction::Allow);
  EXPECT_EQ(spec.strip_port, http::StripPort::None);
  EXPECT_FALSE(spec.strip_trailing_host_dot);
  EXPECT_FALSE(spec.accept_http_10);
  EXPECT_FALSE(spec.use_remote_address);
  EXPECT_FALSE(spec.append_forwarded);
}

TEST(RequestPolicy, Paths) {
  const auto spec = convert(
      "{normalize_path: true, merge_slashes: true, path_with_escaped_slashes_action: "
      "UNESCAPE_AND_REDIRECT}");
  EXPECT_EQ(spec.path, (http::PathPolicy{true, true, http::EscapedSlashes::UnescapeAndRedirect}));
  using http::EscapedSlashes;
  const std::pair<std::string, EscapedSlashes> actions[] = {
      {"IMPLEMENTATION_SPECIFIC_DEFAULT", EscapedSlashes::Keep},
      {"KEEP_UNCHANGED", EscapedSlashes::Keep},
      {"REJECT_REQUEST", EscapedSlashes::Reject},
      {"UNESCAPE_AND_FORWARD", EscapedSlashes::UnescapeAndForward},
  };
  for (const auto& [name, action] : actions) {
    EXPECT_EQ(convert("{path_with_escaped_slashes_action: " + name + "}").path.escaped_slashes,
              action);
  }
}

TEST(RequestPolicy, HostsVersionsAndNames) {
  EXPECT_EQ(convert("{strip_matching_host_port: true}").strip_port, http::StripPort::Matching);
  EXPECT_EQ(convert("{strip_any_host_port: true}").strip_port, http::StripPort::Any);
  EXPECT_TRUE(convert("{strip_trailing_host_dot: true}").strip_trailing_host_dot);
  const auto spec = convert(
      "{http_protocol_options: {accept_http_10: true, default_host_for_http_10: \"a.test:80\"}, "
      "common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}}");
  EXPECT_TRUE(spec.accept_http_10);
  EXPECT_EQ(spec.default_host_for_http_10, "a.test:80");
  EXPECT_EQ(spec.underscores, http::UnderscoresAction::RejectRequest);
  EXPECT_EQ(
      convert("{common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}}")
          .underscores,
      http::UnderscoresAction::DropHeader);
}

TEST(RequestPolicy, ClientAddresses) {
  const auto trusted = convert("{original_ip_detection_extensions: [" + kTrusted +
                               "[10.0.0.0/8, 192.0.2.7, \"2001:db8::/32\"]}}]}");
  ASSERT_EQ(trusted.trusted_proxies.size(), 3u);
  EXPECT_EQ(trusted.trusted_proxies[0].prefix_length, 8);
  EXPECT_EQ(trusted.trusted_proxies[1].prefix_length, 32);
  EXPECT_EQ(trusted.trusted_proxies[2].prefix_length, 32);
  EXPECT_TRUE(trusted.use_remote_address);
  const auto xff = convert(
      "{original_ip_detection_extensions: [{name: x, typed_config: {\"@type\": "
      "type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig, "
      "xff_num_trusted_hops: 2}}]}");
  EXPECT_EQ(xff.xff_num_trusted_hops, 2u);
  EXPECT_FALSE(xff.use_remote_address);
  EXPECT_TRUE(convert("{early_header_mutation_extensions: [{name: x, typed_config: {\"@type\": "
                      "type.googleapis.com/convoy.ext.ForwardedHeader}}]}")
                  .append_forwarded);
}

TEST(RequestPolicy, InternalAddresses) {
  EXPECT_TRUE(convert("{}").internal_ranges.empty());
  const auto spec = convert(
      "{internal_address_config: {unix_sockets: true, cidr_ranges: [{address_prefix: 10.1.0.0, "
      "prefix_len: 16}]}}");
  EXPECT_TRUE(spec.unix_sockets_are_internal);
  ASSERT_EQ(spec.internal_ranges.size(), 1u);
  EXPECT_EQ(spec.internal_ranges[0].prefix_length, 16);
}

TEST(RequestPolicy, Errors) {
  const std::string at = "original_ip_detection_extensions[0].typed_config.";
  const ErrorCase cases[] = {
      {"{strip_matching_host_port: true, strip_any_host_port: true}",
       {"strip_any_host_port: conflict: true"}},
      {"{http_protocol_options: {default_host_for_http_10: \"a b\"}}",
       {"http_protocol_options.default_host_for_http_10: syntax: a b"}},
      {"{original_ip_detection_extensions: [" + kTrusted + "[]}}]}", {at + "cidrs: required: "}},
      {"{original_ip_detection_extensions: [" + kTrusted +
           "[10.0.0.0/33, x, 10.0.0.0/, \"::/129\", 10.0.0.0/8x]}}]}",
       {at + "cidrs[0]: syntax: 10.0.0.0/33", at + "cidrs[1]: syntax: x",
        at + "cidrs[2]: syntax: 10.0.0.0/", at + "cidrs[3]: syntax: ::/129",
        at + "cidrs[4]: syntax: 10.0.0.0/8x"}},
      {"{use_remote_address: true, original_ip_detection_extensions: [" + kTrusted +
           "[10.0.0.0/8]}}]}",
       {"original_ip_detection_extensions: conflict: "}},
      {"{original_ip_detection_extensions: [" + kTrusted + "[10.0.0.0/8]}}, " + kTrusted +
           "[10.0.0.0/8]}}]}",
       {"original_ip_detection_extensions: too_many: 2"}},
      {"{early_header_mutation_extensions: [{name: x, typed_config: {\"@type\": "
       "type.googleapis.com/google.protobuf.StringValue, value: x}}]}",
       {"early_header_mutation_extensions[0].typed_config: unsupported_extension: "
        "google.protobuf.StringValue"}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors;
    convert(c.yaml, &errors);
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
