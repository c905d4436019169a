// Certificates through the whole control plane: what comes out where, and what does not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "test/controlplane/common/certificate_text.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane {
namespace {

namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;

constexpr char kHttps[] = R"(
  listeners { name: "public" address: "0.0.0.0:8443" tls { certificates: "web" }
              routes { pool: "web" } }
  pools { name: "web" tls { server_name: "example.com" ca: "ca" }
          backends { address: "10.0.0.1:80" } } )";

class SecretsTest : public ControlPlaneTest {
 protected:
  // Applies, waits for every node, and says whether all have it.
  void applyEverywhere(const std::string& config) {
    v1::ApplyRequest request;
    *request.mutable_config() = parse<v1::Config>(config);
    request.mutable_wait()->set_seconds(15);
    v1::ApplyResponse response;
    const grpc::Status status = apply(request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    for (const v1::Node& node : response.nodes()) EXPECT_EQ(node.state(), v1::Node::SYNCED);
  }

  // Nothing of a PEM file's body, nor of the same bytes in another form of PEM, is in a text.
  static void expectNoSecret(const std::string& text) {
    EXPECT_EQ(text.find("PRIVATE KEY"), std::string::npos);
    EXPECT_EQ(text.find("BEGIN"), std::string::npos);
    // The public key is at the end of an EC key's encoding: its last whole line in SEC 1 form.
    for (const char* file : {"ecdsa.key", "renewed.key"}) {
      const std::string pem = test::caFile(file);
      const size_t first = pem.find('\n') + 1;
      EXPECT_EQ(text.find(pem.substr(first, 40)), std::string::npos);
    }
  }
};

TEST_F(SecretsTest, AWaitingApplyIsThereWhenTheNodesHaveTheirSecrets) {
  auto proxy = node("n1");
  applyEverywhere(certificateText("web", "ecdsa") + authorityText("ca") + kHttps);
  const auto held = proxy->held();
  EXPECT_EQ(held.count("Secret/web"), 1u);
  EXPECT_EQ(held.count("Secret/ca"), 1u);
  EXPECT_EQ(held.count("Listener/public"), 1u);
  tls_v3::Secret web;
  ASSERT_TRUE(web.ParseFromString(proxy->content("Secret/web")));
  EXPECT_EQ(web.tls_certificate().certificate_chain().inline_string(), test::caFile("ecdsa.pem"));
  EXPECT_NE(web.tls_certificate().private_key().inline_string().find("PRIVATE KEY"),
            std::string::npos);
  tls_v3::Secret ca;
  ASSERT_TRUE(ca.ParseFromString(proxy->content("Secret/ca")));
  EXPECT_EQ(ca.validation_context().trusted_ca().inline_string(), test::caFile("ca.pem"));
}

TEST_F(SecretsTest, ARenewedCertificateIsSentAloneToThoseWhoUseIt) {
  auto edge = node("edge", {{"role", "edge"}});
  auto core = node("core");
  std::string config = certificateText("web", "ecdsa");
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&config, "pools { name: \"p", i, "\" backends { address: \"10.0.0.1:80\" } } ",
                    "listeners { name: \"l", i, "\" address: \"0.0.0.0:", 1000 + i,
                    "\" routes { pool: \"p", i, "\" } ",
                    i % 2 == 0 ? "tls { certificates: \"web\" } "
                                 "nodes { labels { key: \"role\" value: \"edge\" } } }"
                               : "}");
  }
  applyEverywhere(config);
  const size_t before = edge->log().size();
  const size_t bytes_before = edge->received();
  const size_t core_before = core->received();
  applyEverywhere(certificateText("web", "renewed"));
  const std::vector<std::string> log = edge->log();
  ASSERT_EQ(log.size(), before + 1);
  EXPECT_EQ(log.back(), "Secret/web");
  EXPECT_EQ(core->received(), core_before);
  std::printf("200 listeners, 100 of them with the certificate: all of it %zu bytes, renewed %zu\n",
              bytes_before, edge->received() - bytes_before);
  EXPECT_LT(edge->received() - bytes_before, 4096u);
}

constexpr char kTickets[] = "Secret/convoy/session_tickets";

TEST_F(SecretsTest, TheClockRotatesTicketKeysAndNothingElse) {
  auto edge = node("edge");
  applyEverywhere(certificateText("web", "ecdsa") + authorityText("ca") + kHttps);
  ASSERT_TRUE(edge->waitFor(kTickets));
  tls_v3::Secret before, after;
  ASSERT_TRUE(before.ParseFromString(edge->content(kTickets)));
  ASSERT_EQ(before.session_ticket_keys().keys_size(), 4);
  const std::vector<std::string> log = edge->log();
  clock_.shift = std::chrono::hours(12);
  ASSERT_TRUE(edge->waitForLog(kTickets, 2));
  EXPECT_EQ(edge->log().size(), log.size() + 1);
  ASSERT_TRUE(after.ParseFromString(edge->content(kTickets)));
  const auto key = [](const tls_v3::Secret& secret, int i) {
    return secret.session_ticket_keys().keys(i).inline_bytes();
  };
  EXPECT_EQ(key(after, 0), key(before, 1)) << "the next one comes into use";
  EXPECT_EQ(key(after, 2), key(before, 0)) << "and the old one is still known";
  // The next change of the configuration takes nothing back.
  applyEverywhere(R"(pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN })");
  EXPECT_EQ(edge->content(kTickets), after.SerializeAsString());
}

TEST_F(SecretsTest, ARestartKeepsTheTicketKeys) {
  ASSERT_TRUE(apply(certificateText("web", "ecdsa") + authorityText("ca") + kHttps).ok());
  const auto keysOf = [this](const std::string& id) {
    auto proxy = node(id);
    EXPECT_TRUE(proxy->waitFor(kTickets));
    tls_v3::Secret secret;
    EXPECT_TRUE(secret.ParseFromString(proxy->content(kTickets)));
    std::vector<std::string> keys;
    for (const auto& key : secret.session_ticket_keys().keys()) keys.push_back(key.inline_bytes());
    return keys;
  };
  const std::vector<std::string> before = keysOf("first");
  ASSERT_EQ(before.size(), 4u);
  start();
  // Whatever the time, what the first node encrypts is decrypted by the second.
  EXPECT_THAT(keysOf("second"), testing::Contains(before.front()));
}

TEST_F(SecretsTest, WithoutTlsThereAreNoTicketKeys) {
  ASSERT_TRUE(apply(kTenLines).ok());
  auto plain = node("plain");
  ASSERT_TRUE(plain->waitFor("Listener/public"));
  plain->ask("Secret", {"convoy/session_tickets"});
  EXPECT_TRUE(plain->waitForLog("-Secret/convoy/session_tickets"));
}

TEST_F(SecretsTest, ANodeReadsNoSecretsOfOthers) {
  applyEverywhere(certificateText("web", "ecdsa") + certificateText("edge", "rsa") + R"(
    listeners { name: "all" address: "0.0.0.0:1" tls { certificates: "web" } }
    listeners { name: "edge" address: "0.0.0.0:2" nodes { labels { key: "role" value: "edge" } }
                tls { certificates: "edge" } })");
  auto core = node("core");
  ASSERT_TRUE(core->waitFor("Secret/web"));
  core->ask("Secret", {"edge"});
  EXPECT_TRUE(core->waitForLog("-Secret/edge"));
  core->ask("Secret", {"*"});
  auto edge = node("n", {{"role", "edge"}});
  EXPECT_TRUE(edge->waitFor("Secret/edge"));
  // A change that everybody gets comes after all answers to what was asked before.
  applyEverywhere(R"(pools { name: "p" } listeners { name: "all" address: "0.0.0.0:1"
                     tls { certificates: "web" } routes { pool: "p" } })");
  ASSERT_TRUE(core->waitFor("Cluster/p"));
  EXPECT_EQ(core->content("Secret/edge"), "");
}

TEST_F(SecretsTest, NoAnswerHoldsASecret) {
  const std::string first = certificateText("web", "ecdsa") + authorityText("ca") + kHttps;
  v1::WatchRequest watch_request;
  watch_request.set_after_revision(0);
  const auto watching = context();
  auto watch = config_->Watch(watching.get(), watch_request);
  v1::ValidateRequest validate;
  v1::ValidateResponse preview;
  *validate.mutable_config() = parse<v1::Config>(first);
  ASSERT_TRUE(config_->Validate(context().get(), validate, &preview).ok());
  EXPECT_EQ(preview.change_count(), 5);
  expectNoSecret(preview.DebugString());
  v1::ApplyResponse applied;
  ASSERT_TRUE(apply(first, &applied).ok());
  expectNoSecret(applied.DebugString());
  *validate.mutable_config() = parse<v1::Config>(certificateText("web", "renewed"));
  ASSERT_TRUE(config_->Validate(context().get(), validate, &preview).ok());
  EXPECT_EQ(preview.changes(0).after().certificate().info().subject(), "CN=renewed");
  expectNoSecret(preview.DebugString());
  ASSERT_TRUE(apply(certificateText("web", "renewed")).ok());

  v1::GetRequest get;
  get.mutable_id()->set_kind(v1::KIND_CERTIFICATE);
  get.mutable_id()->set_name("web");
  v1::GetResponse got;
  ASSERT_TRUE(config_->Get(context().get(), get, &got).ok());
  EXPECT_EQ(got.resource().certificate().info().sha256().size(), 64u);
  EXPECT_EQ(got.resource().revision(), 2);
  expectNoSecret(got.DebugString());
  v1::ListResponse list;
  ASSERT_TRUE(config_->List(context().get(), {}, &list).ok());
  EXPECT_EQ(list.resources_size(), 4);
  expectNoSecret(list.DebugString());
  v1::HistoryRequest history_request;
  history_request.set_contents(true);
  v1::HistoryResponse history;
  ASSERT_TRUE(config_->History(context().get(), history_request, &history).ok());
  EXPECT_EQ(history.revisions(0).changes(0).before().certificate().info().subject(), "CN=ecdsa");
  expectNoSecret(history.DebugString());
  v1::WatchResponse watched;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(watch->Read(&watched));
    expectNoSecret(watched.DebugString());
  }
  EXPECT_EQ(watched.revision().number(), 2);
  watching->TryCancel();
}

TEST_F(SecretsTest, NoRefusalHoldsASecret) {
  const grpc::Status status =
      apply(absl::StrCat("certificates { name: \"web\" certificate: \"",
                         absl::CEscape(test::caFile("ecdsa.pem") + test::caFile("ecdsa.key")),
                         "\" private_key: \"", absl::CEscape(test::caFile("renewed.key")), "\" }"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  expectNoSecret(status.error_message());
  expectNoSecret(status.error_details());
}

TEST_F(SecretsTest, TheStoreKeepsThemSealedAndGivesThemBack) {
  ASSERT_TRUE(apply(certificateText("web", "ecdsa") + authorityText("ca") + kHttps).ok());
  const auto expectSealed = [this] {
    for (const char* const end : {"", "-wal"}) {
      std::ifstream file(folder_.file("convoy.db") + end, std::ios::binary);
      expectNoSecret({std::istreambuf_iterator<char>(file), {}});
    }
  };
  expectSealed();
  start();
  expectSealed();
  auto proxy = node("n1");
  EXPECT_TRUE(proxy->waitFor("Secret/web"));
}

TEST_F(SecretsTest, AnotherKeyIsRefusedAtTheStart) {
  ASSERT_TRUE(apply(certificateText("web", "ecdsa")).ok());
  server_.reset();
  ServerOptions other = options();
  other.secrets_key = folder_.file("other.key");
  auto server = Server::start(other, &clock_, validate::acceptAll());
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find(folder_.file("other.key")), absl::string_view::npos);
  EXPECT_NE(server.status().message().find(folder_.file("convoy.db")), absl::string_view::npos);
}

}  // namespace
}  // namespace convoy::controlplane
