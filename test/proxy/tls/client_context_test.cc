#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/tls/context.h"
#include "test/proxy/tls/tls_pair.h"

namespace convoy::tls {
namespace {

using ::testing::HasSubstr;
using Type = SanMatch::Type;
using Kind = SanMatch::Kind;

TEST(ClientContext, VerifiesTheServer) {
  const struct {
    const char* certificate;
    const char* ca;  // null: nothing is verified
    std::vector<SanMatch> names;
    int days_later;
    const char* failure;  // null: accepted
  } cases[] = {
      {"ecdsa", "ca.pem", {}, 0, nullptr},
      {"ecdsa", "ca.pem", {{Type::Dns, Kind::Exact, "www.example.com", false}}, 0, nullptr},
      {"ecdsa", "ca.pem", {{Type::Ip, Kind::Exact, "127.0.0.1", false}}, 0, nullptr},
      {"ecdsa", "ca.pem", {{Type::Dns, Kind::Exact, "a.test", false}}, 0, "peer_name_mismatch"},
      {"wildcard", "ca.pem", {{Type::Dns, Kind::Exact, "a.example.org", false}}, 0, nullptr},
      {"wildcard",
       "ca.pem",
       {{Type::Dns, Kind::Exact, "a.b.example.org", false}},
       0,
       "peer_name_mismatch"},
      {"ecdsa", "other_ca.pem", {}, 0, "peer_certificate_untrusted"},
      {"untrusted", "ca.pem", {}, 0, "peer_certificate_untrusted"},
      {"untrusted", nullptr, {}, 0, nullptr},
      {"ecdsa", "ca.pem", {}, 91, "peer_certificate_expired"},
      {"ecdsa", "ca.pem", {}, -2, "peer_certificate_expired"},
      {"chained", "ca.pem", {}, 0, "peer_certificate_untrusted"},  // without its signer
      {"chained", "intermediate.pem", {}, 0, nullptr},             // an anchor that is no root
  };
  for (const auto& c : cases) {
    for (const Version version : {Version::Tls12, Version::Tls13}) {
      Sides setup;
      setup.client.common.max_version = version;
      setup.server_material.certificates = {certificateOf(c.certificate)};
      setup.client_material.validation = c.ca == nullptr ? nullptr : validationOf(c.ca, c.names);
      TlsPair pair;
      pair.clock.shift = std::chrono::hours(24 * c.days_later);
      ASSERT_EQ(pair.joinAndHandshake(setup), c.failure == nullptr)
          << c.certificate << " " << pair.clientInfo().failure;
      if (c.failure == nullptr) continue;
      EXPECT_EQ(pair.clientInfo().failure, c.failure);
      EXPECT_EQ(pair.serverInfo().failure, "peer_alert");
      EXPECT_EQ(pair.client.closed, net::CloseReason::TransportError);
    }
  }
}

TEST(ClientContext, ResumesAsOftenAsItHasSessions) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    for (const uint32_t sessions : {0u, 1u}) {
      Sides setup;
      setup.client.common.max_version = version;
      setup.client.max_sessions = sessions;
      TlsPair pair;
      const auto client = setup.clientContext(pair.clock);
      const auto server = setup.serverContext(pair.clock);
      for (int round = 0; round < 3; ++round) {
        pair.join(client, server);
        ASSERT_TRUE(pair.handshake());
        EXPECT_EQ(pair.clientInfo().resumed, sessions > 0 && round > 0);
        pair.exchange();
      }
      EXPECT_EQ(pair.client_metrics.session_reused.value(), sessions * 2);
    }
  }
}

TEST(ClientContext, NoSessionOutlivesTheServersCertificate) {
  for (const Version version : {Version::Tls12, Version::Tls13}) {
    Sides setup;
    setup.server.session_timeout = std::chrono::hours(24);
    setup.client.common.max_version = version;
    TlsPair pair;
    pair.goToTheLastHourOf("ecdsa.pem");
    const auto client = setup.clientContext(pair.clock);
    const auto server = setup.serverContext(pair.clock);
    useClockInLibrary(pair.clock, *client);
    for (const int minutes : {0, 55}) {
      pair.pass(std::chrono::minutes(minutes));
      pair.join(client, server);
      ASSERT_TRUE(pair.handshake());
      EXPECT_EQ(pair.clientInfo().resumed, minutes > 0);
      pair.exchange();
    }
    pair.pass(std::chrono::minutes(10));
    pair.join(client, server);
    EXPECT_FALSE(pair.handshake());
    EXPECT_EQ(pair.clientInfo().failure, "peer_certificate_expired");
  }
}

TEST(ClientContext, RefusesWhatCannotBeShown) {
  const test::ShiftedClock clock;
  Sides setup;
  setup.client_material.certificates = {certificateOf("client"), certificateOf("ecdsa")};
  const auto made =
      ClientContext::make(std::make_shared<ClientSpec>(setup.client), setup.client_material, clock);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(std::string(made.status().message()), HasSubstr("one certificate at most"));
}

}  // namespace
}  // namespace convoy::tls
