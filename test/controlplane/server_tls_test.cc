// The control plane's own TLS, over its real sockets: who gets in, and what refuses to start.

#include "controlplane/server_tls.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "test/common/test_ca.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane {
namespace {

class ServerTlsTest : public ControlPlaneTest {
 protected:
  TlsFiles files() const {
    return {.certificate = test::caPath("ecdsa.pem"),
            .key = test::caPath("ecdsa.key"),
            .client_ca = test::caPath("ca.pem"),
            .xds_client_ca = {}};
  }
  ServerOptions tlsOptions(const TlsFiles& tls) const {
    ServerOptions options = {.store = folder_.file("tls.db"),
                             .management = "127.0.0.1:0",
                             .xds = "127.0.0.1:0",
                             .tls = tls};
    return options;
  }
  void startTls(const TlsFiles& tls) {
    server_.reset();
    auto server = Server::start(tlsOptions(tls), &clock_, validate::acceptAll());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
  }

  // `certificate`: the client's, without ending; empty: none.
  static std::shared_ptr<grpc::Channel> channel(const net::Address& to, const std::string& ca,
                                                const std::string& certificate) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = test::caFile(ca);
    if (!certificate.empty()) {
      options.pem_cert_chain = test::caFile(certificate + ".pem");
      options.pem_private_key = test::caFile(certificate + ".key");
    }
    return grpc::CreateChannel(to.text(), grpc::SslCredentials(options));
  }
  static grpc::StatusCode listBy(const std::shared_ptr<grpc::Channel>& channel) {
    v1::ListResponse list;
    return v1::ConfigService::NewStub(channel)->List(context().get(), {}, &list).error_code();
  }
  grpc::StatusCode list(const std::string& certificate, const std::string& ca = "ca.pem") {
    return listBy(channel(server_->management(), ca, certificate));
  }
  // Whether a node with this certificate gets through the handshake.
  bool nodeGetsIn(const std::string& certificate) {
    const auto to = channel(server_->xds(), "ca.pem", certificate);
    // The xDS server has no such service: who is told so is in.
    return listBy(to) == grpc::StatusCode::UNIMPLEMENTED;
  }
};

TEST_F(ServerTlsTest, ClientsShowACertificateOfTheRightAuthority) {
  startTls(files());
  EXPECT_EQ(list("client"), grpc::StatusCode::OK);
  EXPECT_EQ(list(""), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(list("untrusted"), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(nodeGetsIn("client"));
  EXPECT_FALSE(nodeGetsIn("untrusted"));
  EXPECT_EQ(list("client", "other_ca.pem"), grpc::StatusCode::UNAVAILABLE)
      << "the client does not trust us";
  EXPECT_EQ(
      listBy(grpc::CreateChannel(server_->management().text(), grpc::InsecureChannelCredentials())),
      grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTlsTest, NodesMayHaveAnotherAuthorityAndThenDoNotManage) {
  TlsFiles tls = files();
  tls.xds_client_ca = test::caPath("other_ca.pem");
  startTls(tls);
  EXPECT_TRUE(nodeGetsIn("untrusted"));
  EXPECT_EQ(list("untrusted"), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(list("client"), grpc::StatusCode::OK);
  EXPECT_FALSE(nodeGetsIn("client"));
}

TEST_F(ServerTlsTest, ARenewedCertificateIsShown) {
  TlsFiles tls = files();
  tls.certificate = folder_.file("server.pem");
  tls.key = folder_.file("server.key");
  const auto use = [this](const std::string& name) {
    for (const char* end : {".key", ".pem"}) {
      const std::string fresh = folder_.file("fresh");
      std::ofstream(fresh) << test::caFile(name + end);
      std::filesystem::rename(fresh, folder_.file(std::string("server") + end));
    }
  };
  use("untrusted");
  startTls(tls);
  EXPECT_EQ(list("client"), grpc::StatusCode::UNAVAILABLE);
  use("ecdsa");
  // The files are looked at every second; each try is a new connection.
  grpc::StatusCode code = grpc::StatusCode::UNAVAILABLE;
  const event::MonotonicTime end = clock_.monotonicNow() + std::chrono::seconds(60);
  while (code != grpc::StatusCode::OK && clock_.monotonicNow() < end) code = list("client");
  EXPECT_EQ(code, grpc::StatusCode::OK);
}

TEST_F(ServerTlsTest, WithClientsCertificatesOtherMachinesMayReachIt) {
  ServerOptions options = tlsOptions(files());
  options.xds = "0.0.0.0:0";
  EXPECT_TRUE(Server::start(options, &clock_, validate::acceptAll()).ok());
  options.tls.client_ca.clear();
  const auto open = Server::start(options, &clock_, validate::acceptAll());
  ASSERT_FALSE(open.ok());
  EXPECT_NE(open.status().message().find("--tls-client-ca"), absl::string_view::npos)
      << open.status();
}

TEST_F(ServerTlsTest, FilesThatCannotServeAreNamedAtTheStart) {
  const auto with = [this](auto change) {
    TlsFiles tls = files();
    change(tls);
    return tls;
  };
  const std::pair<TlsFiles, std::string> rows[] = {
      {with([](TlsFiles& t) { t.key.clear(); }), "--tls-key is needed"},
      {with([](TlsFiles& t) { t.certificate.clear(); }), "--tls-cert is needed"},
      {with([](TlsFiles& t) { t.certificate = "/none"; }),
       "--tls-cert /none: cannot be read: No such file"},
      {with([](TlsFiles& t) { t.certificate = test::caPath("ecdsa.key"); }), "--tls-cert "},
      {with([](TlsFiles& t) { t.key = test::caPath("ecdsa.pem"); }), "--tls-key "},
      {with([](TlsFiles& t) { t.key = test::caPath("renewed.key"); }),
       "is not the key of CN=ecdsa"},
      {with([](TlsFiles& t) { t.client_ca = test::caPath("ecdsa.key"); }), "--tls-client-ca "},
      {with([](TlsFiles& t) { t.xds_client_ca = "/none"; }), "--xds-tls-client-ca /none"},
  };
  for (const auto& [tls, words] : rows) {
    const auto server = Server::start(tlsOptions(tls), &clock_, validate::acceptAll());
    ASSERT_FALSE(server.ok()) << words;
    EXPECT_NE(server.status().message().find(words), absl::string_view::npos) << server.status();
    const std::string key = test::caFile("ecdsa.key");
    const std::string body = key.substr(key.find('\n') + 1, 40);
    EXPECT_EQ(server.status().message().find(body), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace convoy::controlplane
