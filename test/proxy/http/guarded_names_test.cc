#include "proxy/http/guarded_names.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/common/fake_transport.h"

namespace convoy::http {
namespace {

struct Tls final : net::TransportSpec {
  explicit Tls(bool demands) : demands(demands) {}
  bool requiresPeerCertificate() const override { return demands; }
  const bool demands;
};

std::shared_ptr<net::FilterChainSpec> chain(std::vector<std::string> names, bool demands) {
  auto spec = std::make_shared<net::FilterChainSpec>();
  spec->match.server_names = std::move(names);
  spec->transport = std::make_shared<Tls>(demands);
  return spec;
}

class GuardedNamesTest : public testing::Test {
 protected:
  GuardedNamesTest() {
    listener_->inspect_tls = true;
    listener_->filter_chains = {open_, internal_};
    transport_.server_name = "www.example.com";
  }
  bool refuses(std::string_view authority, std::string_view method = "GET",
               std::string_view upgrade = {}) const {
    RequestHead head;
    head.method = method;
    head.authority = authority;
    head.upgrade = upgrade;
    const auto names = GuardedNames::seenFrom(listener_, *open_);
    return names != nullptr && names->refuses(head, addresses_, transport_);
  }

  const std::shared_ptr<net::FilterChainSpec> open_ =
      chain({"example.com", "*.example.com"}, false);
  const std::shared_ptr<net::FilterChainSpec> internal_ = chain({"internal.example.com"}, true);
  const std::shared_ptr<net::ListenerSpec> listener_ = std::make_shared<net::ListenerSpec>();
  const net::ConnectionAddresses addresses_{*net::Address::parse("198.51.100.7:5555"),
                                            *net::Address::parse("10.0.0.1:443")};
  test::FakeTransport transport_;
};

TEST_F(GuardedNamesTest, TheAuthorityIsComparedAsAServerNameWouldBe) {
  for (const std::string_view ours : {"www.example.com", "WWW.example.com:443", "example.com",
                                      "api.example.com", "other.test", "[::1]:443", ""}) {
    EXPECT_FALSE(refuses(ours)) << ours;
  }
  for (const std::string_view theirs :
       {"internal.example.com", "Internal.Example.COM", "internal.example.com:8443",
        "internal.example.com.", "internal.example.com.."}) {
    EXPECT_TRUE(refuses(theirs)) << theirs;
  }
}

TEST_F(GuardedNamesTest, TheRestMayBeGuardedToo) {
  listener_->default_filter_chain = chain({}, true);
  EXPECT_TRUE(refuses("other.test"));
  EXPECT_FALSE(refuses("api.example.com"));
  listener_->filter_chains = {open_};
  EXPECT_TRUE(refuses("other.test"));
}

// The client picks them as it picks the name.
TEST_F(GuardedNamesTest, NeitherProtocolNorSourceIsAWayAroundTheGuardedChain) {
  internal_->match.application_protocols = {"h2"};
  for (const auto& rest : {std::shared_ptr<net::FilterChainSpec>(), chain({}, false)}) {
    listener_->default_filter_chain = rest;
    for (const std::string protocol : {"", "http/1.1", "h2"}) {
      transport_.application_protocol = protocol;
      EXPECT_TRUE(refuses("internal.example.com")) << protocol;
      EXPECT_FALSE(refuses("api.example.com")) << protocol;
      EXPECT_FALSE(refuses("other.test")) << protocol;
    }
  }
  internal_->match.application_protocols = {};
  internal_->match.source_ports = {80};
  EXPECT_TRUE(refuses("internal.example.com"));
}

TEST_F(GuardedNamesTest, AGuardedRestTakesTheNamesOfChainsForOtherSources) {
  const auto inside = chain({"inside.test"}, false);
  inside->match.source_ports = {80};
  listener_->filter_chains.push_back(inside);
  EXPECT_FALSE(refuses("inside.test"));
  listener_->default_filter_chain = chain({}, true);
  EXPECT_TRUE(refuses("inside.test"));
}

TEST_F(GuardedNamesTest, ANameThatItsOwnChainTakesTooIsNotGuarded) {
  internal_->match.server_names.push_back("*.example.com");
  internal_->match.application_protocols = {"h2"};
  transport_.application_protocol = "h2";
  EXPECT_FALSE(refuses("api.example.com"));
  EXPECT_TRUE(refuses("internal.example.com"));
}

TEST_F(GuardedNamesTest, AServerNameThatCameTooLateHasChosenNoChain) {
  transport_.server_name = "internal.example.com";
  EXPECT_FALSE(refuses("internal.example.com"));
  listener_->continue_after_inspect_timeout = true;
  EXPECT_TRUE(refuses("internal.example.com"));
}

TEST_F(GuardedNamesTest, AForwardProxysConnectNamesNoneOfOurHosts) {
  EXPECT_FALSE(refuses("internal.example.com", "CONNECT"));
  EXPECT_TRUE(refuses("internal.example.com", "CONNECT", "websocket"));
}

TEST_F(GuardedNamesTest, ThereIsNothingToGuardWhereNobodyElseDemandsACertificate) {
  EXPECT_NE(GuardedNames::seenFrom(listener_, *open_), nullptr);
  EXPECT_EQ(GuardedNames::seenFrom(listener_, *internal_), nullptr) << "only its own";
  listener_->default_filter_chain = chain({}, false);
  EXPECT_EQ(GuardedNames::seenFrom(listener_, *internal_), nullptr);
  listener_->inspect_tls = false;
  EXPECT_EQ(GuardedNames::seenFrom(listener_, *open_), nullptr) << "names choose no chain";
}

}  // namespace
}  // namespace convoy::http
