#include "controlplane/validate/tls.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"
#include "test/controlplane/validate/problem_text.h"

namespace convoy::controlplane::validate {
namespace {

TEST(TlsTest, Listeners) {
  std::string many;
  for (int i = 0; i < 101; ++i) absl::StrAppend(&many, "certificates: \"c", i, "\" ");
  std::string names;
  for (int i = 0; i < 101; ++i) names += "names { dns: \"a\" } ";
  const std::pair<std::string, std::string> rows[] = {
      {R"(certificates: "a" certificates: "b" min_version: TLS_1_3
          client_certificates { ca: "c" optional: true names { uri_prefix: "spiffe://x/" } })",
       ""},
      {"", "tls.certificates: required"},
      {many, "tls.certificates: too_many"},
      {R"(certificates: "a" certificates: "/" certificates: "a")",
       "tls.certificates[1]: name, tls.certificates[2]: duplicate"},
      {R"(certificates: "a" min_version: 7)", "tls.min_version: enum"},
      {R"(certificates: "a" session_tickets: OFF)", ""},
      {R"(certificates: "a" session_tickets: 4)", "tls.session_tickets: enum"},
      {R"(certificates: "a" client_certificates {})", "tls.client_certificates.ca: required"},
      {R"(certificates: "a" client_certificates { ca: "c" forward: SUBJECT forward: URI
          forward: DNS forward: CERT forward: CHAIN })",
       ""},
      {R"(certificates: "a" client_certificates { ca: "c" forward: NONE })", ""},
      {R"(certificates: "a" client_certificates { ca: "c" forward: NONE forward: URI })",
       "tls.client_certificates.forward: conflict"},
      {R"(certificates: "a" client_certificates { ca: "c" forward: URI forward: URI
          forward: DETAIL_UNSPECIFIED forward: 9 })",
       "tls.client_certificates.forward[1]: duplicate, tls.client_certificates.forward[2]: enum, "
       "tls.client_certificates.forward[3]: enum"},
      {absl::StrCat(R"(certificates: "a" client_certificates { ca: "/" )", names, "}"),
       "tls.client_certificates.ca: name, tls.client_certificates.names: too_many"},
  };
  for (const auto& [config, expected] : rows) {
    Problems problems;
    checkListenerTls(parse<v1::ListenerTls>(config), Place(&problems, {}, "tls"));
    EXPECT_EQ(text(problems), expected) << config;
  }
}

TEST(TlsTest, Pools) {
  const std::pair<std::string, std::string> rows[] = {
      {R"(ca: "c" server_name: "a.example.com")", ""},
      {R"(ca: "c" names { ip: "10.0.0.1" } names { ip: "2001:db8::1" } names { email: "a@b" })",
       ""},
      {R"(insecure_skip_verification: true certificate: "c" server_name: "a")", ""},
      {"", "tls.ca: required, tls.server_name: required"},
      {R"(ca: "c")", "tls.server_name: required"},
      {R"(server_name: "a")", "tls.ca: required"},
      {R"(ca: "/" server_name: "*.a" certificate: "/" min_version: 9)",
       "tls.server_name: syntax, tls.ca: name, tls.certificate: name, tls.min_version: enum"},
      {R"(ca: "c" server_name: "a" insecure_skip_verification: true)",
       "tls.insecure_skip_verification: conflict"},
      {R"(ca: "c" names {} names { dns: "*.a" } names { uri: "" } names { uri_prefix: "a b" }
          names { ip: "10.0.0.1:80" } names { dns: "[::1]" })",
       "tls.names[0]: required, tls.names[1].dns: syntax, tls.names[2].uri: required, "
       "tls.names[3].uri_prefix: syntax, tls.names[4].ip: address, tls.names[5].dns: syntax"},
  };
  for (const auto& [config, expected] : rows) {
    Problems problems;
    checkPoolTls(parse<v1::PoolTls>(config), Place(&problems, {}, "tls"));
    EXPECT_EQ(text(problems), expected) << config;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
