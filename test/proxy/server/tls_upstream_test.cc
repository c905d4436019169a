// TLS of clusters, end to end in one process: one proxy speaks TLS to another, which speaks plain
// text to the upstream.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "proxy/admin/stats.h"
#include "proxy/server/server.h"
#include "test/common/proxy_harness.h"
#include "test/common/test_ca.h"
#include "test/common/tls_bootstrap.h"

namespace convoy::server {
namespace {

using test::caPath;
using test::certificateFiles;
using test::chain;
using test::cluster;
using test::FakeUpstream;
using test::ProxyHarness;
using test::tlsBootstrap;

std::string trusting(const std::string& ca, const std::string& name = "example.com") {
  return absl::StrCat("validation_context: {trusted_ca: {filename: ", caPath(ca),
                      "}, match_typed_subject_alt_names: [{san_type: DNS, matcher: {exact: ", name,
                      "}}]}");
}

std::string statsOf(ProxyHarness& proxy, const std::string& filter) {
  std::string stats;
  proxy.onMain([&](Server& server) { stats = admin::renderStats(server.metrics(), filter); });
  return stats;
}

class TlsUpstreamTest : public testing::Test {
 protected:
  // The far proxy: TLS with this certificate.
  std::string far(const std::string& certificate, const std::string& common = "",
                  const std::string& more = "") {
    return tlsBootstrap(
        chain(test::downstreamTls(absl::StrCat("tls_certificates: [", certificateFiles(certificate),
                                               "]", common.empty() ? "" : ", ", common),
                                  more)),
        cluster("web", upstream_.address()));
  }
  // The near one: plain text, and TLS to the far one.
  static std::string near(const ProxyHarness& far, const std::string& common,
                          const std::string& more = "sni: example.com",
                          const std::string& manager = "") {
    return tlsBootstrap(chain("", "", test::managerTo("web", manager)),
                        cluster("web", far.address(), test::upstreamTls(common, more)));
  }
  const std::string made_first_ = test::caPath("ca.pem");  // takes longer than anybody waits
  FakeUpstream upstream_;
};

TEST_F(TlsUpstreamTest, VerifiesWhoAnswers) {
  ProxyHarness far_proxy(far("ecdsa"));
  struct Case {
    std::string what;
    std::string common;
    int status;
    std::string counter;
  };
  const Case cases[] = {
      {"whoever answers is believed", "", 200, "ssl.handshake: 1"},
      {"the right one", trusting("ca.pem"), 200, "ssl.handshake: 1"},
      {"signed by a stranger", trusting("other_ca.pem"), 503, "ssl.fail_verify_error: 1"},
      {"another name", trusting("ca.pem", "other.test"), 503, "ssl.fail_verify_san: 1"},
      {"a pinned key",
       absl::StrCat("validation_context: {verify_certificate_spki: ['",
                    test::caFile("ecdsa.pin").substr(0, 44), "']}"),
       200, "ssl.handshake: 1"},
      {"a protocol that is not chosen", "alpn_protocols: [other]", 200, "ssl.handshake: 1"},
      {"the newest version", "tls_params: {tls_minimum_protocol_version: TLSv1_3}", 200,
       "ssl.versions.TLSv1.3: 1"},
  };
  for (const Case& c : cases) {
    ProxyHarness proxy(near(far_proxy, c.common));
    EXPECT_EQ(proxy.get("/").status, c.status) << c.what;
    const std::string stats = statsOf(proxy, "cluster.web.ssl");
    EXPECT_NE(stats.find(absl::StrCat("cluster.web.", c.counter, "\n")), std::string::npos)
        << c.what << "\n"
        << stats;
  }
}

TEST_F(TlsUpstreamTest, ShowsItsCertificate) {
  ProxyHarness far_proxy(far(
      "ecdsa", absl::StrCat("validation_context: {trusted_ca: {filename: ", caPath("ca.pem"), "}}"),
      "require_client_certificate: true"));
  const std::string with = absl::StrCat("tls_certificates: [", certificateFiles("client"), "]");
  ProxyHarness known(near(far_proxy, with));
  EXPECT_EQ(known.get("/").status, 200);
  ProxyHarness unknown(near(far_proxy, ""));
  EXPECT_EQ(unknown.get("/").status, 503);
}

TEST_F(TlsUpstreamTest, SendsTheServerName) {
  ProxyHarness far_proxy(tlsBootstrap(
      chain(
          test::downstreamTls(absl::StrCat("tls_certificates: [", certificateFiles("ecdsa"), "]")),
          "server_names: [example.com]"),
      cluster("web", upstream_.address())));
  ProxyHarness named(near(far_proxy, ""));
  EXPECT_EQ(named.get("/").status, 200);
  ProxyHarness unnamed(near(far_proxy, "", ""));
  EXPECT_EQ(unnamed.get("/").status, 503);
}

TEST_F(TlsUpstreamTest, OffersTheProtocolOfItsHttp) {
  ProxyHarness http1(far("ecdsa", "alpn_protocols: [http/1.1]"));
  EXPECT_EQ(ProxyHarness(near(http1, "")).get("/").status, 200);
  ProxyHarness special(far("ecdsa", "alpn_protocols: [special]"));
  EXPECT_EQ(ProxyHarness(near(special, "")).get("/").status, 503);
  EXPECT_EQ(ProxyHarness(near(special, "alpn_protocols: [special]")).get("/").status, 200);
}

TEST_F(TlsUpstreamTest, ResumesItsSessions) {
  ProxyHarness far_proxy(far("ecdsa"));
  const std::string once = absl::StrCat(
      "{name: web, type: STATIC, typed_extension_protocol_options: {envoy.extensions."
      "upstreams.http.v3.HttpProtocolOptions: {\"@type\": type.googleapis.com/envoy."
      "extensions.upstreams.http.v3.HttpProtocolOptions, explicit_http_config: "
      "{http_protocol_options: {}}, common_http_protocol_options: "
      "{max_requests_per_connection: 1}}}, load_assignment: {cluster_name: web, "
      "endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: "
      "127.0.0.1, port_value: ",
      far_proxy.address().port(),
      "}}}}]}]}, transport_socket: ", test::upstreamTls(trusting("ca.pem"), "sni: example.com"),
      "}");
  ProxyHarness proxy(tlsBootstrap(chain(""), once));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(proxy.get("/").status, 200);
  const std::string stats = statsOf(proxy, "cluster.web.ssl");
  EXPECT_NE(stats.find("cluster.web.ssl.handshake: 3\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("cluster.web.ssl.session_reused: 2\n"), std::string::npos) << stats;
}

TEST_F(TlsUpstreamTest, SaysInTheLogWhyTheHandshakeFailed) {
  ProxyHarness far_proxy(far("ecdsa"));
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/", ::getpid(), ".log");
  {
    ProxyHarness proxy(
        near(far_proxy, trusting("other_ca.pem"), "sni: example.com",
             absl::StrCat("access_log: [{name: file, typed_config: {\"@type\": type.googleapis.com/"
                          "envoy.extensions.access_loggers.file.v3.FileAccessLog, path: ",
                          path,
                          ", log_format: {text_format_source: {inline_string: \"%RESPONSE_CODE% "
                          "%RESPONSE_FLAGS% %UPSTREAM_TRANSPORT_FAILURE_REASON%\\n\"}}}}]")));
    EXPECT_EQ(proxy.get("/").status, 503);
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "503 UF peer_certificate_untrusted\n");
}

TEST_F(TlsUpstreamTest, PlainTextIsNoAnswer) {
  FakeUpstream plain;
  ProxyHarness proxy(
      tlsBootstrap(chain(""), cluster("web", plain.address(), test::upstreamTls(""))));
  EXPECT_EQ(proxy.get("/").status, 503);
  EXPECT_EQ(plain.requests(), 0);
}

}  // namespace
}  // namespace convoy::server
