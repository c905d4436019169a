#include "proxy/net/filter_chain_match.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace convoy::net {
namespace {

using Protocols = std::vector<std::string_view>;

CidrRange range(std::string_view ip, uint8_t prefix_length) {
  return {.address = *Address::fromIp(ip, 0), .prefix_length = prefix_length};
}

struct Connection {
  std::string_view destination = "10.0.0.1:443";
  std::string_view source = "198.51.100.7:5555";
  std::string_view server_name = {};
  std::string_view transport_protocol = "raw_buffer";
  Protocols application_protocols = {};
  std::string_view original_source = {};  // empty: the same
  std::string_view original_destination = {};
};

class FilterChainMatchTest : public testing::Test {
 protected:
  FilterChainMatch& chain(std::string name) {
    auto spec = std::make_shared<FilterChainSpec>();
    spec->name = std::move(name);
    FilterChainMatch& match = spec->match;
    listener_.filter_chains.push_back(std::move(spec));
    return match;
  }
  std::string chosen(const Connection& connection) const {
    ConnectionAddresses addresses(*Address::parse(connection.source),
                                  *Address::parse(connection.destination));
    if (!connection.original_source.empty()) {
      addresses.setOriginal(*Address::parse(connection.original_source),
                            *Address::parse(connection.original_destination));
    }
    const FilterChainSpec* const spec =
        matchFilterChain(listener_, {.addresses = addresses,
                                     .server_name = connection.server_name,
                                     .transport_protocol = connection.transport_protocol,
                                     .application_protocols = connection.application_protocols});
    return spec == nullptr ? "none" : spec->name;
  }

  ListenerSpec listener_;
};

TEST_F(FilterChainMatchTest, ChainWithoutCriteriaTakesEverything) {
  chain("all");
  EXPECT_EQ(chosen({}), "all");
  EXPECT_EQ(chosen({.destination = "unix:/x", .source = "unix:@y"}), "all");
}

TEST_F(FilterChainMatchTest, DefaultChainTakesWhatNoneMatches) {
  EXPECT_EQ(chosen({}), "none");
  chain("80").destination_port = 80;
  EXPECT_EQ(chosen({}), "none");
  auto fallback = std::make_shared<FilterChainSpec>();
  fallback->name = "default";
  listener_.default_filter_chain = fallback;
  EXPECT_EQ(chosen({}), "default");
  EXPECT_EQ(chosen({.destination = "10.0.0.1:80"}), "80");
}

TEST_F(FilterChainMatchTest, MostSpecificServerNameWins) {
  chain("any");
  chain("com").server_names = {"*.com"};
  chain("example").server_names = {"*.example.com", "*.example.org"};
  chain("www").server_names = {"www.example.com"};
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"www.example.com", "www"},
      {"a.example.com", "example"},
      {"a.b.example.com", "example"},
      {"x.example.org", "example"},
      {"example.com", "com"},
      {"other.com", "com"},
      {"com", "any"},
      {"", "any"},
      {"example.net", "any"},
      {"badexample.com", "com"},
  };
  for (const auto& [name, expected] : cases) {
    EXPECT_EQ(chosen({.server_name = name}), expected) << name;
  }
}

TEST_F(FilterChainMatchTest, LongestPrefixWins) {
  chain("any").source_ranges = {range("0.0.0.0", 0)};
  chain("8").source_ranges = {range("10.0.0.0", 8), range("192.168.0.0", 16)};
  chain("24").source_ranges = {range("10.1.2.0", 24)};
  EXPECT_EQ(chosen({.source = "10.1.2.3:1"}), "24");
  EXPECT_EQ(chosen({.source = "10.1.3.3:1"}), "8");
  EXPECT_EQ(chosen({.source = "192.168.9.9:1"}), "8");
  EXPECT_EQ(chosen({.source = "203.0.113.1:1"}), "any");
  EXPECT_EQ(chosen({.source = "[::1]:1"}), "none");
}

TEST_F(FilterChainMatchTest, TransportAndApplicationProtocols) {
  chain("plain").transport_protocol = "raw_buffer";
  chain("tls").transport_protocol = "tls";
  FilterChainMatch& h2 = chain("h2");
  h2.transport_protocol = "tls";
  h2.application_protocols = {"h2"};
  FilterChainMatch& h1 = chain("h1");
  h1.transport_protocol = "tls";
  h1.application_protocols = {"http/1.1", "http/1.0"};
  EXPECT_EQ(chosen({}), "plain");
  EXPECT_EQ(chosen({.transport_protocol = "tls"}), "tls");
  const std::pair<Protocols, std::string_view> cases[] = {
      {{"h2", "http/1.1"}, "h2"},
      {{"http/1.1", "h2"}, "h1"},
      {{"spdy", "http/1.0"}, "h1"},
      {{"spdy"}, "tls"},
  };
  for (const auto& [protocols, expected] : cases) {
    EXPECT_EQ(chosen({.transport_protocol = "tls", .application_protocols = protocols}), expected);
  }
}

TEST_F(FilterChainMatchTest, SourcePortIsTheLastCriterion) {
  chain("any");
  chain("ports").source_ports = {5555, 7777};
  EXPECT_EQ(chosen({}), "ports");
  EXPECT_EQ(chosen({.source = "198.51.100.7:7777"}), "ports");
  EXPECT_EQ(chosen({.source = "198.51.100.7:1"}), "any");
}

// The proxy in front is not whom a chain is for.
TEST_F(FilterChainMatchTest, OriginalAddressesDecide) {
  chain("port").destination_port = 8443;
  FilterChainMatch& original = chain("original");
  original.destination_ranges = {range("203.0.113.0", 24)};
  original.source_ranges = {range("192.0.2.0", 24)};
  original.source_ports = {7777};
  chain("real").destination_ranges = {range("10.0.0.1", 32)};
  EXPECT_EQ(chosen({}), "real");
  const auto through_a_proxy = [this](std::string_view source, std::string_view destination) {
    return chosen({.original_source = source, .original_destination = destination});
  };
  EXPECT_EQ(through_a_proxy("192.0.2.7:7777", "203.0.113.1:443"), "original");
  EXPECT_EQ(through_a_proxy("192.0.2.7:5555", "203.0.113.1:443"), "none");
  EXPECT_EQ(through_a_proxy("198.51.100.7:7777", "203.0.113.1:443"), "none");
  EXPECT_EQ(through_a_proxy("192.0.2.7:7777", "203.0.113.1:8443"), "port");
}

// Earlier criteria prune for good: what lost by the port is not tried again for the address.
TEST_F(FilterChainMatchTest, EarlierCriteriaDecide) {
  FilterChainMatch& port = chain("port");
  port.destination_port = 443;
  port.destination_ranges = {range("192.0.2.0", 24)};
  FilterChainMatch& address = chain("address");
  address.destination_ranges = {range("10.0.0.1", 32)};
  address.server_names = {"a.example"};
  chain("name").server_names = {"b.example"};
  EXPECT_EQ(chosen({.destination = "192.0.2.9:443"}), "port");
  EXPECT_EQ(chosen({.destination = "10.0.0.1:443", .server_name = "a.example"}), "none");
  EXPECT_EQ(chosen({.destination = "10.0.0.1:80", .server_name = "a.example"}), "address");
  EXPECT_EQ(chosen({.destination = "10.0.0.1:80", .server_name = "b.example"}), "none");
  EXPECT_EQ(chosen({.destination = "10.0.0.2:80", .server_name = "b.example"}), "name");
}

TEST_F(FilterChainMatchTest, ManyChains) {
  for (int i = 0; i < 100; ++i) {
    chain(std::to_string(i)).server_names = {"host" + std::to_string(i) + ".example"};
  }
  EXPECT_EQ(chosen({.server_name = "host77.example"}), "77");
  EXPECT_EQ(chosen({.server_name = "host100.example"}), "none");
}

}  // namespace
}  // namespace convoy::net
