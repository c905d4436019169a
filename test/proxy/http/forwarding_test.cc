#include "proxy/http/forwarding.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::http {
namespace {

net::CidrRange range(std::string_view ip, uint8_t length) {
  return {*net::Address::fromIp(ip, 0), length};
}

class ForwardingTest : public testing::Test {
 protected:
  ForwardingTest() {
    spec_.use_remote_address = true;
    head_.scheme = "http";
    head_.authority = "a.test:8080";
  }
  void prepare(std::string_view peer) {
    peer_ = *net::Address::fromIp(peer, 5000);
    info_.downstream_remote = &peer_;
    prepareForwarding(head_, spec_, arena_, info_);
  }
  std::string_view sent(HeaderName name) const { return head_.headers.valueOr(name, "(none)"); }

  ConnectionManagerSpec spec_;
  RequestHead head_;
  base::Arena arena_;
  StreamInfo info_;
  net::Address peer_;
};

TEST(ForwardingTableTest, WalksOverTrustedProxies) {
  struct Case {
    const char* what;
    std::string_view peer;
    std::vector<std::string_view> received;
    std::string_view client;
    std::string_view sent;
  };
  const Case cases[] = {
      {"a stranger is the client", "192.0.2.7", {}, "192.0.2.7", "192.0.2.7"},
      {"what a stranger claims is not believed",
       "192.0.2.7",
       {"1.1.1.1"},
       "192.0.2.7",
       "1.1.1.1, 192.0.2.7"},
      {"a stranger that names our proxy",
       "192.0.2.7",
       {"1.1.1.1, 10.0.0.1"},
       "192.0.2.7",
       "1.1.1.1, 10.0.0.1, 192.0.2.7"},
      {"our proxy tells of the client", "10.0.0.1", {"1.1.1.1"}, "1.1.1.1", "1.1.1.1, 10.0.0.1"},
      {"the client's own claim stands left of it",
       "10.0.0.1",
       {"6.6.6.6, 1.1.1.1"},
       "1.1.1.1",
       "6.6.6.6, 1.1.1.1, 10.0.0.1"},
      {"two proxies",
       "10.0.0.1",
       {"6.6.6.6, 1.1.1.1 , 10.2.3.4"},
       "1.1.1.1",
       "6.6.6.6, 1.1.1.1 , 10.2.3.4, 10.0.0.1"},
      {"two fields are one list",
       "10.0.0.1",
       {"6.6.6.6, 1.1.1.1", "10.2.3.4"},
       "1.1.1.1",
       "6.6.6.6, 1.1.1.1, 10.2.3.4, 10.0.0.1"},
      {"nobody but proxies: the leftmost",
       "10.0.0.1",
       {"10.9.9.9, 10.2.3.4"},
       "10.9.9.9",
       "10.9.9.9, 10.2.3.4, 10.0.0.1"},
      {"a proxy that says nothing", "10.0.0.1", {}, "10.0.0.1", "10.0.0.1"},
      {"no address ends the walk",
       "10.0.0.1",
       {"1.1.1.1, unknown, 10.2.3.4"},
       "10.2.3.4",
       "1.1.1.1, unknown, 10.2.3.4, 10.0.0.1"},
      {"an empty entry ends it too",
       "10.0.0.1",
       {"1.1.1.1, ,10.2.3.4"},
       "10.2.3.4",
       "1.1.1.1, ,10.2.3.4, 10.0.0.1"},
      {"an address with a port", "10.0.0.1", {"1.1.1.1:80"}, "1.1.1.1", "1.1.1.1:80, 10.0.0.1"},
      {"IPv6 with a port",
       "10.0.0.1",
       {"[2001:db9::5]:80"},
       "2001:db9::5",
       "[2001:db9::5]:80, 10.0.0.1"},
      {"a socket's name is no address", "10.0.0.1", {"unix:/x"}, "10.0.0.1", "unix:/x, 10.0.0.1"},
      {"IPv6", "2001:db8::1", {"2001:db9::5"}, "2001:db9::5", "2001:db9::5, 2001:db8::1"},
  };
  for (const Case& c : cases) {
    class Fixture : public ForwardingTest {
      void TestBody() override {}

     public:
      void check(const Case& c) {
        spec_.trusted_proxies = {range("10.0.0.0", 8), range("2001:db8::", 32)};
        for (const std::string_view value : c.received) {
          head_.headers.add("x-forwarded-for", value);
        }
        prepare(c.peer);
        EXPECT_EQ(info_.downstream_ip, c.client) << c.what;
        EXPECT_EQ(sent(HeaderName::XForwardedFor), c.sent) << c.what;
      }
    };
    Fixture().check(c);
  }
}

TEST_F(ForwardingTest, TheSchemeIsBelievedFromTrustedProxiesOnly) {
  spec_.trusted_proxies = {range("10.0.0.0", 8)};
  head_.headers.add("x-forwarded-proto", "https");
  prepare("10.0.0.1");
  EXPECT_EQ(sent(HeaderName::XForwardedProto), "https");
  prepare("192.0.2.7");
  EXPECT_EQ(sent(HeaderName::XForwardedProto), "http");
}

// A backend that takes the other of two would see another scheme than we do.
TEST_F(ForwardingTest, ASchemeThatIsNotClearlyToldIsTheConnections) {
  spec_.trusted_proxies = {range("10.0.0.0", 8)};
  const std::vector<std::vector<std::string_view>> unclear = {
      {"https", "http"}, {"https, http"}, {"https,"}, {",https"}, {"x"}, {""}};
  for (const auto& values : unclear) {
    head_.headers.clear();
    for (const std::string_view value : values) head_.headers.add("x-forwarded-proto", value);
    prepare("10.0.0.1");
    EXPECT_EQ(head_.scheme, "http") << values[0];
    EXPECT_EQ(head_.headers.size(), 2U) << values[0] << ": it, and x-forwarded-for";
    EXPECT_EQ(sent(HeaderName::XForwardedProto), "http") << values[0];
  }
}

TEST_F(ForwardingTest, WhatTrustedHopsAgreeOnIsTheScheme) {
  spec_.trusted_proxies = {range("10.0.0.0", 8)};
  for (const std::vector<std::string_view>& values :
       {std::vector<std::string_view>{"https", "https"}, {"https, https"}, {"wss"}, {"HTTPS"}}) {
    head_.headers.clear();
    for (const std::string_view value : values) head_.headers.add("x-forwarded-proto", value);
    prepare("10.0.0.1");
    EXPECT_EQ(head_.scheme, "https") << values[0];
    EXPECT_EQ(sent(HeaderName::XForwardedProto), values[0]) << "goes on as it came";
  }
}

// It goes to logs, to hash keys and into header fields.
TEST_F(ForwardingTest, AClientThatIsNoAddressIsThePeer) {
  head_.headers.add("x-forwarded-for", "1.1.1.1;role=admin");
  spec_.xff_num_trusted_hops = 1;
  prepare("192.0.2.7");
  EXPECT_EQ(info_.downstream_ip, "192.0.2.7");
  spec_.use_remote_address = false;
  spec_.xff_num_trusted_hops = 0;
  head_.headers.set(HeaderName::XForwardedFor, "1.1.1.1;role=admin");
  prepare("192.0.2.7");
  EXPECT_EQ(info_.downstream_ip, "192.0.2.7");
  head_.headers.set(HeaderName::XForwardedFor, "1.1.1.1");
  prepare("192.0.2.7");
  EXPECT_EQ(info_.downstream_ip, "1.1.1.1");
}

TEST_F(ForwardingTest, EmptyFieldsLeaveNoEmptyEntries) {
  for (const char* const value : {"", "1.1.1.1", "", ""})
    head_.headers.add("x-forwarded-for", value);
  prepare("192.0.2.7");
  EXPECT_EQ(sent(HeaderName::XForwardedFor), "1.1.1.1, 192.0.2.7");
}

// Envoy's: what one proxy tells another one is no client's to say.
TEST_F(ForwardingTest, WhatProxiesTellEachOtherComesFromProxiesOnly) {
  const auto left = [this](std::string_view peer) {
    head_.headers.clear();
    for (const std::string_view name :
         {"X-Envoy-Internal", "x-envoy-retry-on", "X-ENVOY-External-Address",
          "x-envoy-downstream-service-cluster", "x-envoy", "x-other"}) {
      head_.headers.add(name, "true");
    }
    prepare(peer);
    std::string names;
    for (const HeaderField& field : head_.headers) {
      if (field.id == HeaderName::Other) names.append(field.name).append(" ");
    }
    return names;
  };
  constexpr std::string_view kAll =
      "x-envoy-retry-on X-ENVOY-External-Address x-envoy-downstream-service-cluster x-envoy "
      "x-other ";
  constexpr std::string_view kOfTrusted = "X-ENVOY-External-Address x-envoy x-other ";
  EXPECT_EQ(left("192.0.2.7"), "x-envoy x-other ");
  EXPECT_EQ(left("10.0.0.1"), kAll) << "a client that is inside";
  spec_.trusted_proxies = {range("192.0.2.0", 24)};
  EXPECT_EQ(left("198.51.100.7"), "x-envoy x-other ");
  // It passes on what its client says, too.
  EXPECT_EQ(left("192.0.2.7"), kOfTrusted);
  spec_.trusted_proxies = {};
  spec_.xff_num_trusted_hops = 1;
  EXPECT_EQ(left("192.0.2.7"), kOfTrusted);
  spec_.use_remote_address = false;
  EXPECT_EQ(left("192.0.2.7"),
            "X-ENVOY-External-Address x-envoy-downstream-service-cluster x-envoy x-other ");
  EXPECT_EQ(left("10.0.0.1"), kAll);
}

// By Envoy's rule a client is inside if nobody has said X-Forwarded-For, or, without
// use_remote_address, if it is one address that is inside.
TEST_F(ForwardingTest, OrdersOfAClientBehindATrustedProxyDoNotCount) {
  const auto obeyed = [this](std::string_view peer, std::string_view forwarded_for) {
    head_.headers.clear();
    head_.headers.add("X-Forwarded-For", forwarded_for);
    head_.headers.add("x-envoy-upstream-rq-timeout-ms", "1");
    prepare(peer);
    return head_.headers.find("x-envoy-upstream-rq-timeout-ms") != nullptr;
  };
  spec_.xff_num_trusted_hops = 1;
  EXPECT_FALSE(obeyed("10.0.0.1", "203.0.113.9"));
  EXPECT_FALSE(obeyed("10.0.0.1", "10.0.0.9"));
  spec_.xff_num_trusted_hops = 0;
  spec_.trusted_proxies = {range("10.0.0.0", 8)};
  EXPECT_FALSE(obeyed("10.0.0.1", "203.0.113.9"));
  spec_.use_remote_address = false;
  EXPECT_FALSE(obeyed("10.0.0.1", "203.0.113.9"));
  EXPECT_FALSE(obeyed("10.0.0.1", "10.0.0.9, 10.0.0.8"));
  EXPECT_TRUE(obeyed("10.0.0.1", "10.0.0.9"));
}

TEST_F(ForwardingTest, HowLongTheHopBeforeWaitsIsBelievedFromInside) {
  const auto kept = [this](std::string_view peer) {
    head_.headers.clear();
    head_.headers.add("X-Forwarded-For", "203.0.113.9");
    head_.headers.add("x-envoy-expected-rq-timeout-ms", "1");
    prepare(peer);
    return head_.headers.find("x-envoy-expected-rq-timeout-ms") != nullptr;
  };
  EXPECT_TRUE(kept("10.0.0.1"));
  EXPECT_FALSE(kept("192.0.2.7"));
}

// Whatever is appended, and whatever edits do to the field later.
TEST_F(ForwardingTest, NobodyGetsInsideByAForwardedForOfHisOwn) {
  spec_.skip_xff_append = true;
  head_.headers.add("X-Forwarded-For", "10.0.0.1");
  head_.headers.add("x-envoy-max-retries", "9");
  prepare("192.0.2.7");
  EXPECT_EQ(head_.headers.find("x-envoy-max-retries"), nullptr);
  head_.headers.remove(HeaderName::XForwardedFor);
  peer_ = *net::Address::fromIp("10.0.0.9", 1);
  EXPECT_FALSE(isInternal(info_, spec_));
}

TEST_F(ForwardingTest, ForwardedIsLeftAloneUnlessAskedFor) {
  head_.headers.add("Forwarded", "for=1.1.1.1");
  prepare("192.0.2.7");
  EXPECT_EQ(sent(HeaderName::Forwarded), "for=1.1.1.1");
}

TEST_F(ForwardingTest, ForwardedIsAppended) {
  spec_.append_forwarded = true;
  prepare("192.0.2.7");
  EXPECT_EQ(sent(HeaderName::Forwarded), "for=192.0.2.7;proto=http;host=\"a.test:8080\"");
  head_.authority = {};
  prepare("2001:db8::1");
  EXPECT_EQ(sent(HeaderName::Forwarded),
            "for=192.0.2.7;proto=http;host=\"a.test:8080\", for=\"[2001:db8::1]\";proto=http");
}

TEST_F(ForwardingTest, AUnixSocketHasNoAddress) {
  spec_.append_forwarded = true;
  peer_ = *net::Address::fromUnixPath("@x");
  info_.downstream_remote = &peer_;
  prepareForwarding(head_, spec_, arena_, info_);
  EXPECT_EQ(sent(HeaderName::Forwarded).substr(0, 12), "for=unknown;");
  EXPECT_EQ(sent(HeaderName::XForwardedFor), "(none)");
  head_.headers.add("x-forwarded-for", "9.9.9.9");
  prepareForwarding(head_, spec_, arena_, info_);
  EXPECT_EQ(sent(HeaderName::XForwardedFor), "9.9.9.9");
}

TEST_F(ForwardingTest, AQuoteThatIsLeftOpenSwallowsNoElementOfOurs) {
  spec_.append_forwarded = true;
  head_.headers.add("Forwarded", "for=6.6.6.6;x=\"");
  prepare("192.0.2.7");
  EXPECT_EQ(sent(HeaderName::Forwarded), "for=192.0.2.7;proto=http;host=\"a.test:8080\"");
}

// The proxy in front of us that told who the client is (PROXY protocol) is no hop of HTTP.
TEST_F(ForwardingTest, TheOriginalSourceIsTheClient) {
  const net::Address direct = *net::Address::fromIp("10.0.0.1", 6000);
  info_.downstream_direct_remote = &direct;
  spec_.append_forwarded = true;
  spec_.trusted_proxies.push_back(range("10.0.0.0", 8));
  head_.headers.add("X-Forwarded-For", "1.1.1.1");
  prepare("192.0.2.7");
  EXPECT_EQ(info_.downstream_ip, "192.0.2.7");
  EXPECT_EQ(sent(HeaderName::XForwardedFor), "1.1.1.1, 192.0.2.7");
  EXPECT_EQ(sent(HeaderName::Forwarded).substr(0, 14), "for=192.0.2.7;");
}

// Envoy's rule: a single address, and an internal one.
TEST_F(ForwardingTest, InsideAndOutside) {
  struct Case {
    std::string_view forwarded_for;  // as it was received; empty: there was none
    std::string_view peer;
    bool inside;
  };
  const Case cases[] = {
      {"10.1.2.3", "192.0.2.7", true},    {"172.31.0.1", "192.0.2.7", true},
      {"172.32.0.1", "192.0.2.7", false}, {"fd00::1", "192.0.2.7", true},
      {"192.0.2.7", "10.0.0.1", false},   {"10.1.2.3, 10.0.0.1", "10.0.0.1", false},
      {"unknown", "10.0.0.1", false},     {"", "10.0.0.1", true},
      {"", "192.0.2.7", false},           {"127.0.0.1", "127.0.0.1", true},
  };
  const auto inside = [this](std::string_view forwarded_for, std::string_view peer) {
    peer_ = *net::Address::fromIp(peer, 1);
    info_.downstream_remote = &peer_;
    info_.forwarded_for = forwarded_for;
    return isInternal(info_, spec_);
  };
  spec_.use_remote_address = false;
  for (const Case& c : cases) {
    EXPECT_EQ(inside(c.forwarded_for, c.peer), c.inside) << c.forwarded_for << " " << c.peer;
  }
  // The peer is the client, unless it says that it is not.
  spec_.use_remote_address = true;
  EXPECT_TRUE(inside("", "10.0.0.1"));
  EXPECT_FALSE(inside("10.1.2.3", "10.0.0.1"));
  EXPECT_FALSE(inside("10.1.2.3", "192.0.2.7"));
  spec_.internal_ranges.push_back(range("192.0.2.0", 24));
  EXPECT_TRUE(isInternalAddress(*net::Address::fromIp("192.0.2.7", 1), spec_));
  EXPECT_FALSE(isInternalAddress(*net::Address::fromIp("10.0.0.1", 1), spec_));
  const auto unix_socket = net::Address::fromUnixPath("/run/a.sock");
  ASSERT_TRUE(unix_socket.ok());
  EXPECT_FALSE(isInternalAddress(*unix_socket, spec_));
  spec_.unix_sockets_are_internal = true;
  EXPECT_TRUE(isInternalAddress(*unix_socket, spec_));
}

}  // namespace
}  // namespace convoy::http
