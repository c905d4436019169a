// TLS of listeners, end to end in one process: from a bootstrap to the bytes that a client gets.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "proxy/admin/stats.h"
#include "proxy/server/server.h"
#include "test/common/proxy_harness.h"
#include "test/common/raw_socket.h"
#include "test/common/test_ca.h"
#include "test/common/tls_bootstrap.h"
#include "test/common/tls_client.h"

namespace convoy::server {
namespace {

using test::certificateFiles;
using test::chain;
using test::cluster;
using test::downstreamTls;
using test::FakeUpstream;
using test::ProxyHarness;
using test::RawSocket;
using test::tlsBootstrap;
using test::TlsClient;

std::string certificates(const std::string& names) {
  return absl::StrCat("tls_certificates: [", names, "]");
}
std::string ecdsa() {
  return certificates(certificateFiles("ecdsa"));
}

// Two chains: anybody's, and that of a.example.org, which demands a client certificate.
std::string openAndGuarded(const std::string& manager = test::managerTo("web")) {
  const std::string trust =
      absl::StrCat(", validation_context: {trusted_ca: {filename: ", test::caPath("ca.pem"), "}}");
  return absl::StrCat(chain(downstreamTls(ecdsa()), "", manager), ", ",
                      chain(downstreamTls(certificates(certificateFiles("other")) + trust,
                                          "require_client_certificate: true"),
                            "server_names: [a.example.org]", manager));
}

std::string statsOf(ProxyHarness& proxy, const std::string& filter) {
  std::string stats;
  proxy.onMain([&](Server& server) { stats = admin::renderStats(server.metrics(), filter); });
  return stats;
}

class TlsListenerTest : public testing::Test {
 protected:
  std::string web() { return cluster("web", upstream_.address()); }
  const std::string made_first_ = test::caPath("ca.pem");  // takes longer than anybody waits
  FakeUpstream upstream_;
};

TEST_F(TlsListenerTest, ServesBothVersionsAndSaysSoUpstream) {
  ProxyHarness proxy(tlsBootstrap(chain(downstreamTls(ecdsa())), web()));
  for (const bool tls12 : {true, false}) {
    TlsClient client(proxy.address(), {.tls12 = tls12});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.version(), tls12 ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(client.peer(), "ecdsa");
    EXPECT_EQ(client.get().body, "ok");
    EXPECT_EQ(client.get().status, 200) << "a second request on the connection";
    EXPECT_NE(upstream_.lastRequest().find("x-forwarded-proto: https\r\n"), std::string::npos)
        << upstream_.lastRequest();
  }
  const std::string stats = statsOf(proxy, "listener");
  EXPECT_NE(stats.find("listener.public.ssl.handshake: 2\n"), std::string::npos) << stats;
  EXPECT_NE(stats.find("listener.public.ssl.versions.TLSv1.3: 1\n"), std::string::npos) << stats;
}

TEST_F(TlsListenerTest, TheSchemeIsThatOfTheConnection) {
  ProxyHarness proxy(tlsBootstrap(chain(downstreamTls(ecdsa())), web()));
  TlsClient client(proxy.address(), {});
  EXPECT_EQ(client.get("http://example.com/").status, 200);
  EXPECT_NE(upstream_.lastRequest().find("x-forwarded-proto: https\r\n"), std::string::npos);
}

TEST_F(TlsListenerTest, TakesKeysInPlace) {
  const auto quoted = [](const std::string& pem) {
    std::string text = "\"";
    for (const char c : pem) c == '\n' ? text += "\\n" : text += c;
    return text + "\"";
  };
  const std::string in_place =
      absl::StrCat("{certificate_chain: {inline_string: ", quoted(test::caFile("ecdsa.pem")),
                   "}, private_key: {inline_string: ", quoted(test::caFile("ecdsa.key")), "}}");
  ProxyHarness proxy(tlsBootstrap(chain(downstreamTls(certificates(in_place))), web()));
  EXPECT_EQ(TlsClient(proxy.address(), {}).get().status, 200);
}

TEST_F(TlsListenerTest, TakesSecretsOfTheBootstrapByName) {
  const std::string common =
      "tls_certificate_sds_secret_configs: [{name: site}], "
      "validation_context_sds_secret_config: {name: clients}";
  const std::string secrets = absl::StrCat(
      "secrets: [{name: site, tls_certificate: ", certificateFiles("ecdsa"),
      "}, {name: clients, validation_context: {trusted_ca: {filename: ", test::caPath("ca.pem"),
      "}}}, {name: tickets, session_ticket_keys: {keys: [{filename: ", test::caPath("ticket1.key"),
      "}]}}]");
  ProxyHarness proxy(
      tlsBootstrap(chain(downstreamTls(common,
                                       "require_client_certificate: true, "
                                       "session_ticket_keys_sds_secret_config: {name: "
                                       "tickets}")),
                   web(), "", secrets));
  EXPECT_EQ(TlsClient(proxy.address(), {}).get().status, 0);
  EXPECT_EQ(TlsClient(proxy.address(), {.certificate = "client"}).get().status, 200);
}

TEST_F(TlsListenerTest, TheServerNameChoosesTheChain) {
  const std::string chains =
      absl::StrCat(chain(downstreamTls(ecdsa()), "server_names: [example.com]"), ", ",
                   chain(downstreamTls(certificates(certificateFiles("wildcard"))),
                         "server_names: ['*.example.org']"),
                   ", ",
                   chain(downstreamTls(certificates(certificateFiles("other"))),
                         "server_names: [a.example.org], transport_protocol: tls"),
                   ", ", chain("", "transport_protocol: raw_buffer"));
  for (const std::string& listener :
       {std::string(), "listener_filters: [" + test::inspector() + "]"}) {
    ProxyHarness proxy(tlsBootstrap(chains, web(), listener));
    const auto peerOf = [&](const std::string& name) {
      TlsClient client(proxy.address(), {.server_name = name});
      return client.get().status == 200 ? client.peer() : "";
    };
    EXPECT_EQ(peerOf("example.com"), "ecdsa");
    EXPECT_EQ(peerOf("EXAMPLE.com"), "ecdsa");
    EXPECT_EQ(peerOf("b.example.org"), "wildcard");
    EXPECT_EQ(peerOf("a.example.org"), "other");
    EXPECT_EQ(peerOf("unknown.test"), "");
    EXPECT_EQ(proxy.get("/").status, 200) << "plain text has a chain of its own";
    const std::string stats = statsOf(proxy, "listener.public");
    EXPECT_NE(stats.find("no_filter_chain_match: 1\n"), std::string::npos) << stats;
    EXPECT_NE(stats.find("tls_inspector.sni_found: 5\n"), std::string::npos) << stats;
    EXPECT_NE(stats.find("tls_inspector.tls_not_found: 1\n"), std::string::npos) << stats;
    EXPECT_NE(stats.find("downstream_pre_cx_active: 0\n"), std::string::npos) << stats;
  }
}

// The client says the server name before the handshake and the host behind it. Who has shown no
// certificate must not get to the hosts of those who have, over the chain of another name.
TEST_F(TlsListenerTest, NobodyGetsRoundAClientCertificateByAnotherServerName) {
  ProxyHarness proxy(tlsBootstrap(openAndGuarded(), web()));
  const auto status = [&](const std::string& name, const std::string& host,
                          const std::string& certificate = "") {
    return TlsClient(proxy.address(),
                     {.server_name = name, .host = host, .certificate = certificate})
        .get()
        .status;
  };
  EXPECT_EQ(status("example.com", "example.com"), 200);
  EXPECT_EQ(status("example.com", "another.test"), 200);
  EXPECT_EQ(status("a.example.org", "a.example.org", "client"), 200);
  EXPECT_EQ(status("a.example.org", "a.example.org"), 0);
  for (const std::string host : {"a.example.org", "A.EXAMPLE.ORG:443", "a.example.org."}) {
    EXPECT_EQ(status("example.com", host), 421) << host;
    EXPECT_EQ(status("", host), 421) << host;
  }
  EXPECT_EQ(proxy.metric("http.public.downstream_rq_failed_misdirected_request"), 6U);
}

// What is routed is the host that configuration makes of what the client says.
TEST_F(TlsListenerTest, NorByAHostThatIsOnlyMadeOfItsRequest) {
  const std::string manager = test::managerTo(
      "web",
      "strip_trailing_host_dot: true, http_protocol_options: {accept_http_10: true, "
      "default_host_for_http_10: a.example.org}");
  ProxyHarness proxy(tlsBootstrap(openAndGuarded(manager), web()));
  const auto status = [&](const std::string& host, const std::string& version) {
    return TlsClient(proxy.address(), {.host = host, .version = version}).get().status;
  };
  EXPECT_EQ(status("", "HTTP/1.0"), 421);
  EXPECT_EQ(status("a.example.org..", "HTTP/1.1"), 421);
  EXPECT_EQ(status("example.com", "HTTP/1.0"), 200);
}

TEST_F(TlsListenerTest, TheApplicationProtocolChoosesTheChain) {
  const std::string chains = absl::StrCat(
      chain(downstreamTls(ecdsa() + ", alpn_protocols: [special]"),
            "application_protocols: [special]"),
      ", ",
      chain(downstreamTls(certificates(certificateFiles("rsa")) + ", alpn_protocols: [http/1.1]")));
  ProxyHarness proxy(tlsBootstrap(chains, web()));
  TlsClient special(proxy.address(), {.alpn = {"special"}});
  EXPECT_EQ(special.peer(), "ecdsa");
  EXPECT_EQ(special.protocol(), "special");
  TlsClient usual(proxy.address(), {.alpn = {"http/1.1"}});
  EXPECT_EQ(usual.peer(), "rsa");
  EXPECT_EQ(usual.protocol(), "http/1.1");
}

TEST_F(TlsListenerTest, AHelloThatDoesNotComeIsNotWaitedFor) {
  ProxyHarness proxy(tlsBootstrap(chain(downstreamTls(ecdsa()), "server_names: [example.com]"),
                                  web(), "listener_filters_timeout: 0.05s"));
  const RawSocket silent = RawSocket::connectedTo(proxy.address());
  EXPECT_EQ(silent.receiveAll(), "");
  const std::string stats = statsOf(proxy, "pre_cx");
  EXPECT_NE(stats.find("downstream_pre_cx_timeout: 1\n"), std::string::npos) << stats;
}

TEST_F(TlsListenerTest, WithoutAHelloTheConnectionMayGoOn) {
  ProxyHarness proxy(tlsBootstrap(
      absl::StrCat(chain(downstreamTls(ecdsa()), "server_names: [example.com]"), ", ", chain("")),
      web(), "listener_filters_timeout: 0.05s, continue_on_listener_filters_timeout: true"));
  const RawSocket slow = RawSocket::connectedTo(proxy.address());
  slow.send("\x16");  // as TLS begins, and no more
  const std::string answer = slow.receiveAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

TEST_F(TlsListenerTest, AHelloWithoutEndIsCutOff) {
  ProxyHarness proxy(
      tlsBootstrap(chain(downstreamTls(ecdsa()), "server_names: [example.com]"), web()));
  const RawSocket endless = RawSocket::connectedTo(proxy.address());
  std::string record("\x16\x03\x01\x40\x00\x01\x00\x60\x00\x03\x03", 11);
  record.resize(5 + 0x4000, 'x');
  endless.send(record + record);
  int error = 0;
  EXPECT_EQ(endless.receiveAll(&error), "");
  const std::string stats = statsOf(proxy, "tls_inspector");
  EXPECT_NE(stats.find("client_hello_invalid: 1\n"), std::string::npos) << stats;
}

TEST_F(TlsListenerTest, AHandshakeHasATimeLimit) {
  const std::string transport = downstreamTls(ecdsa());
  const std::string limited = absl::StrCat("{filters: [", test::managerTo("web"),
                                           "], transport_socket_connect_timeout: 1s, "
                                           "transport_socket: ",
                                           transport, "}");
  ProxyHarness proxy(tlsBootstrap(limited, web()));
  const RawSocket silent = RawSocket::connectedTo(proxy.address());
  EXPECT_EQ(silent.receiveAll(), "");
  const std::string stats = statsOf(proxy, "transport_socket");
  EXPECT_NE(stats.find("downstream_cx_transport_socket_connect_timeout: 1\n"), std::string::npos)
      << stats;
  TlsClient client(proxy.address(), {});
  EXPECT_EQ(client.get().status, 200);
}

TEST_F(TlsListenerTest, ServesEcdsaAndRsaSideBySide) {
  ProxyHarness proxy(tlsBootstrap(chain(downstreamTls(certificates(absl::StrCat(
                                      certificateFiles("rsa"), ", ", certificateFiles("ecdsa"))))),
                                  web()));
  EXPECT_EQ(TlsClient(proxy.address(), {}).peer(), "ecdsa");
  EXPECT_EQ(TlsClient(proxy.address(), {.rsa_only = true}).peer(), "rsa");
}

TEST_F(TlsListenerTest, AsksForClientCertificates) {
  const std::string common = absl::StrCat(
      ecdsa(), ", validation_context: {trusted_ca: {filename: ", test::caPath("ca.pem"),
      "}, match_typed_subject_alt_names: [{san_type: URI, matcher: {prefix: "
      "'spiffe://example.org/'}}]}");
  struct Case {
    bool required;
    std::string certificate;
    int status;
  };
  const Case cases[] = {
      {true, "client", 200}, {true, "", 0},          {true, "untrusted", 0},  {true, "other", 0},
      {false, "", 200},      {false, "client", 200}, {false, "untrusted", 0},
  };
  for (const Case& c : cases) {
    ProxyHarness proxy(tlsBootstrap(
        chain(downstreamTls(common, c.required ? "require_client_certificate: true" : "")), web()));
    TlsClient client(proxy.address(), {.certificate = c.certificate});
    EXPECT_EQ(client.get().status, c.status) << c.required << " " << c.certificate;
    const std::string stats = statsOf(proxy, "ssl.connection_error");
    EXPECT_NE(stats.find(c.status == 0 ? "connection_error: 1\n" : "connection_error: 0\n"),
              std::string::npos)
        << stats;
  }
}

TEST_F(TlsListenerTest, ResumesSessionsOfAnotherProxyWithTheSameKeys) {
  const auto bootstrap = [&](const std::string& key) {
    return tlsBootstrap(
        chain(downstreamTls(ecdsa(), absl::StrCat("session_ticket_keys: {keys: [{filename: ",
                                                  test::caPath(key), "}]}"))),
        web());
  };
  ProxyHarness first(bootstrap("ticket1.key"));
  ProxyHarness same(bootstrap("ticket1.key"));
  ProxyHarness stranger(bootstrap("ticket2.key"));
  for (const bool tls12 : {true, false}) {
    TlsClient client(first.address(), {.tls12 = tls12});
    ASSERT_EQ(client.get().status, 200);
    ASSERT_NE(client.session(), nullptr);
    TlsClient there(same.address(), {.tls12 = tls12, .session = client.session()});
    EXPECT_TRUE(there.resumed()) << tls12;
    EXPECT_EQ(there.get().status, 200);
    TlsClient elsewhere(stranger.address(), {.tls12 = tls12, .session = client.session()});
    EXPECT_FALSE(elsewhere.resumed()) << tls12;
    EXPECT_EQ(elsewhere.get().status, 200);
  }
  const std::string stats = statsOf(same, "session_reused");
  EXPECT_NE(stats.find("listener.public.ssl.session_reused: 2\n"), std::string::npos) << stats;
}

TEST_F(TlsListenerTest, StaplesTheOcspResponse) {
  const std::string stapled =
      absl::StrCat("{certificate_chain: {filename: ", test::caPath("ecdsa.pem"),
                   "}, private_key: {filename: ", test::caPath("ecdsa.key"),
                   "}, ocsp_staple: {filename: ", test::caPath("ecdsa.ocsp"), "}}");
  ProxyHarness proxy(tlsBootstrap(
      chain(downstreamTls(certificates(stapled), "ocsp_staple_policy: MUST_STAPLE")), web()));
  TlsClient client(proxy.address(), {.ask_ocsp = true});
  EXPECT_EQ(client.ocsp(), test::caFile("ecdsa.ocsp"));
}

// What the bootstrap gets wrong is said with the name of what is wrong, before anything is served.
TEST_F(TlsListenerTest, ABadKeyIsRefusedByName) {
  const std::string wrong =
      absl::StrCat("{certificate_chain: {filename: ", test::caPath("ecdsa.pem"),
                   "}, private_key: {filename: ", test::caPath("rsa.key"), "}}");
  const auto errorOf = [&](const std::string& transport, const std::string& resources) {
    return test::startError(tlsBootstrap(chain(transport), web(), "", resources));
  };
  const std::string in_place = errorOf(downstreamTls(certificates(wrong)), "");
  EXPECT_NE(in_place.find("listener public: "), std::string::npos) << in_place;
  EXPECT_NE(in_place.find("tls_certificates[0]"), std::string::npos) << in_place;
  const std::string by_name =
      errorOf(downstreamTls("tls_certificate_sds_secret_configs: [{name: site}]"),
              absl::StrCat("secrets: [{name: site, tls_certificate: ", wrong, "}]"));
  EXPECT_NE(by_name.find("secret site: "), std::string::npos) << by_name;
  const std::string missing =
      errorOf(downstreamTls("tls_certificate_sds_secret_configs: [{name: site}]"), "");
  EXPECT_NE(missing.find("site"), std::string::npos) << missing;
}

}  // namespace
}  // namespace convoy::server
