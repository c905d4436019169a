#include "controlplane/compile/tls.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_join.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

constexpr char kBySds[] = "sds_config { ads { } resource_api_version: V3 }";

std::string text(const envoy::config::core::v3::TransportSocket& socket) {
  EXPECT_EQ(socket.name(), "envoy.transport_sockets.tls");
  const std::string all = shortText(socket.typed_config());
  return all.substr(all.rfind("v3.") + 3);
}

TEST(TlsTest, ListenersNameTheirCertificatesAndWriteTheDefaultsOut) {
  EXPECT_EQ(text(compileDownstreamTls(
                parse<v1::ListenerTls>(R"(certificates: "rsa" certificates: "ecdsa")"))),
            absl::StrCat("DownstreamTlsContext] { common_tls_context { tls_params { "
                         "tls_minimum_protocol_version: TLSv1_2 "
                         "tls_maximum_protocol_version: TLSv1_3 } "
                         "alpn_protocols: \"h2\" alpn_protocols: \"http/1.1\" "
                         "tls_certificate_sds_secret_configs { name: \"rsa\" ",
                         kBySds, " } tls_certificate_sds_secret_configs { name: \"ecdsa\" ", kBySds,
                         " } } session_ticket_keys_sds_secret_config { name: "
                         "\"convoy/session_tickets\" ",
                         kBySds, " } session_timeout { seconds: 86400 } }"));
}

TEST(TlsTest, ListenersNeedNotTakeTheFleetsTicketKeys) {
  const std::string node = text(
      compileDownstreamTls(parse<v1::ListenerTls>(R"(certificates: "a" session_tickets: NODE)")));
  EXPECT_EQ(node.find("session_ticket_keys"), std::string::npos) << node;
  EXPECT_NE(node.find("session_timeout { seconds: 86400 }"), std::string::npos) << node;
  const std::string off = text(
      compileDownstreamTls(parse<v1::ListenerTls>(R"(certificates: "a" session_tickets: OFF)")));
  EXPECT_EQ(off.find("session_ticket_keys"), std::string::npos) << off;
  EXPECT_NE(off.find("disable_stateless_session_resumption: true"), std::string::npos) << off;
}

TEST(TlsTest, TicketKeysAreASecret) {
  EXPECT_EQ(shortText(compileTicketKeys({"one", "two"})),
            "name: \"convoy/session_tickets\" session_ticket_keys { keys { inline_bytes: \"one\" "
            "} keys { inline_bytes: \"two\" } }");
}

TEST(TlsTest, ListenersAskForClientCertificates) {
  const std::string any = text(compileDownstreamTls(
      parse<v1::ListenerTls>(R"(certificates: "a" client_certificates { ca: "ca" })")));
  EXPECT_NE(any.find(absl::StrCat("validation_context_sds_secret_config { name: \"ca\" ", kBySds)),
            std::string::npos)
      << any;
  EXPECT_NE(any.find("require_client_certificate { value: true }"), std::string::npos) << any;

  const std::string named = text(compileDownstreamTls(parse<v1::ListenerTls>(
      R"(certificates: "a" min_version: TLS_1_3
         client_certificates { ca: "ca" optional: true names { uri_prefix: "spiffe://x/" } })")));
  EXPECT_NE(named.find("tls_minimum_protocol_version: TLSv1_3"), std::string::npos);
  EXPECT_NE(named.find("require_client_certificate { }"), std::string::npos) << named;
  EXPECT_NE(named.find("combined_validation_context { default_validation_context { "
                       "match_typed_subject_alt_names { san_type: URI "
                       "matcher { prefix: \"spiffe://x/\" } } } "
                       "validation_context_sds_secret_config { name: \"ca\""),
            std::string::npos)
      << named;
}

TEST(TlsTest, PoolsVerifyTheServerName) {
  const std::string pool = text(compileUpstreamTls(
      parse<v1::PoolTls>(R"(server_name: "a.example.com" ca: "ca" certificate: "me")")));
  for (const std::string& part : {
           std::string("UpstreamTlsContext] {"),
           // Envoy's own default ends at TLS 1.2.
           std::string("tls_maximum_protocol_version: TLSv1_3"),
           absl::StrCat("tls_certificate_sds_secret_configs { name: \"me\" ", kBySds),
           std::string("match_typed_subject_alt_names { san_type: DNS "
                       "matcher { exact: \"a.example.com\" } }"),
           absl::StrCat("validation_context_sds_secret_config { name: \"ca\" ", kBySds),
           std::string("sni: \"a.example.com\""),
       }) {
    EXPECT_NE(pool.find(part), std::string::npos) << part << " in " << pool;
  }
  EXPECT_EQ(pool.find("alpn"), std::string::npos);
}

TEST(TlsTest, PoolsVerifyOtherNamesInItsPlace) {
  const std::string pool = text(compileUpstreamTls(parse<v1::PoolTls>(
      R"(server_name: "sni" ca: "ca" names { uri: "u" } names { email: "e" } names { ip: "1.2.3.4" })")));
  EXPECT_EQ(pool.find("exact: \"sni\""), std::string::npos);
  EXPECT_NE(pool.find("{ san_type: URI matcher { exact: \"u\" } } match_typed_subject_alt_names { "
                      "san_type: EMAIL matcher { exact: \"e\" } } match_typed_subject_alt_names { "
                      "san_type: IP_ADDRESS matcher { exact: \"1.2.3.4\" } }"),
            std::string::npos)
      << pool;
}

TEST(TlsTest, NothingIsVerifiedOnlyWhenThatIsAskedFor) {
  const std::string pool =
      text(compileUpstreamTls(parse<v1::PoolTls>("insecure_skip_verification: true")));
  EXPECT_EQ(pool.find("validation"), std::string::npos) << pool;
}

TEST(TlsTest, ACertificateIsASecret) {
  const auto shown = compileSecret(parse<v1::Certificate>(
      R"(name: "web" certificate: "chain" private_key: "key" ocsp_response: "ocsp" info { count: 1 })"));
  EXPECT_EQ(shortText(shown),
            "name: \"web\" tls_certificate { certificate_chain { inline_string: \"chain\" } "
            "private_key { inline_string: \"key\" } ocsp_staple { inline_bytes: \"ocsp\" } }");
  const auto trusted = compileSecret(parse<v1::Certificate>(R"(name: "ca" certificate: "cas")"));
  EXPECT_EQ(shortText(trusted),
            "name: \"ca\" validation_context { trusted_ca { inline_string: \"cas\" } }");
}

TEST(TlsTest, KnowsWhichSecretsAreNamed) {
  EXPECT_EQ(
      absl::StrJoin(secretsOf(parse<v1::ListenerTls>(
                        R"(certificates: "b" certificates: "a" client_certificates { ca: "c" })")),
                    " "),
      "a b c convoy/session_tickets");
  for (const char* off : {"NODE", "OFF"}) {
    EXPECT_EQ(absl::StrJoin(secretsOf(parse<v1::ListenerTls>(
                                absl::StrCat("certificates: \"a\" session_tickets: ", off))),
                            " "),
              "a");
  }
  EXPECT_TRUE(secretsOf(v1::ListenerTls()).empty()) << "plain text";
  EXPECT_EQ(absl::StrJoin(secretsOf(parse<v1::PoolTls>(R"(ca: "c" certificate: "b")")), " "),
            "b c");
  EXPECT_TRUE(secretsOf(v1::PoolTls()).empty());
}

}  // namespace
}  // namespace convoy::controlplane::compile
