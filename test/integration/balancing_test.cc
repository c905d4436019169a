// Which upstream serves a request, by its hash key, through the whole proxy and with Envoy's
// resources.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

constexpr int kUsers = 16;

std::string route(const std::string& path, const std::string& hash_policy,
                  const std::string& more = "") {
  return absl::StrCat("{match: {prefix: /", path, "}, route: {cluster: web, hash_policy: [",
                      hash_policy, "]", more, "}}");
}

// A request that has the user where the route looks for it.
std::string askAs(const std::string& path, int user) {
  return absl::StrCat("GET /", path, "?a=b&user=", user, " HTTP/1.1\r\nHost: a\r\nX-User: ", user,
                      "\r\nCookie: a=b; id=", user, "\r\nX-Forwarded-For: 192.0.2.", user,
                      "\r\nConnection: close\r\n\r\n");
}

class Balancing : public testing::Test {
 protected:
  static std::string answer(char name) {
    return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", std::string(1, name));
  }
  std::vector<net::Address> addresses() const {
    return {hosts_[0].address(), hosts_[1].address(), hosts_[2].address()};
  }

  const FakeUpstream hosts_[3] = {FakeUpstream(answer('A')), FakeUpstream(answer('B')),
                                  FakeUpstream(answer('C'))};
};

// Every kind of key with every policy that hashes. A policy chooses alike in both of its forms.
TEST_F(Balancing, RequestsOfOneKeyReachOneHost) {
  const std::string paths[] = {"header", "cookie", "query", "path", "source"};
  const std::string routes =
      absl::StrCat(route(paths[0], "{header: {header_name: x-user}}"), ", ",
                   route(paths[1], "{cookie: {name: id}}"), ", ",
                   route(paths[2], "{query_parameter: {name: user}}"), ", ",
                   route(paths[3], "{header: {header_name: ':path'}}"), ", ",
                   route(paths[4], "{connection_properties: {source_ip: true}}"));
  const auto typed = [](const std::string& type, const std::string& fields = "") {
    return absl::StrCat(
        "    load_balancing_policy: {policies: [{typed_extension_config: {name: it, typed_config: "
        "{'@type': type.googleapis.com/",
        type, fields, "}}}]}\n");
  };
  struct {
    const char* name;
    std::string cluster;
  } const policies[] = {
      {"ring", "    lb_policy: RING_HASH\n    ring_hash_lb_config: {minimum_ring_size: 4096}\n"},
      {"ring", typed("envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
                     ", minimum_ring_size: 4096")},
      {"maglev", "    lb_policy: MAGLEV\n    maglev_lb_config: {table_size: 251}\n"},
      {"maglev",
       typed("envoy.extensions.load_balancing_policies.maglev.v3.Maglev", ", table_size: 251")},
      {"remainder", typed("convoy.ext.IpHash")},
      {"ring by weight", typed("convoy.ext.ConsistentHash", ", points_per_weight: 200")},
  };
  std::map<std::string, std::string> hosts_of;
  for (const auto& policy : policies) {
    const ProxyHarness proxy(staticBootstrap(addresses(), routes, {"xff_num_trusted_hops: 1"}) +
                             policy.cluster);
    for (const std::string& path : paths) {
      std::string hosts;
      for (int user = 0; user < kUsers; ++user) {
        const std::string host = proxy.send(askAs(path, user)).body;
        ASSERT_EQ(host.size(), 1u);
        EXPECT_EQ(proxy.send(askAs(path, user)).body, host) << path << user;
        hosts += host;
      }
      EXPECT_GE(std::set<char>(hosts.begin(), hosts.end()).size(), 2u) << policy.name << path;
      const auto [known, is_new] = hosts_of.emplace(policy.name + path, hosts);
      EXPECT_EQ(known->second, hosts) << policy.name << path;
    }
  }
}

// A host that cannot be reached: its keys go to the others, each always to the same one.
TEST_F(Balancing, TheKeysOfAHostThatIsDownHaveAnother) {
  const net::Address closed = RawSocket::listening().localAddress();
  const std::string by_user = route("", "{header: {header_name: x-user}}",
                                    ", retry_policy: {retry_on: connect-failure, retry_back_off: "
                                    "{base_interval: 0.001s, max_interval: 0.001s}}");
  const ProxyHarness proxy(
      staticBootstrap({hosts_[0].address(), closed, hosts_[2].address()}, by_user) +
      "    lb_policy: MAGLEV\n");
  for (int user = 0; user < kUsers; ++user) {
    const HttpReply first = proxy.send(askAs("", user));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(proxy.send(askAs("", user)).body, first.body);
  }
}

// One key that everybody wants. A host may have ceil(125 % of 40 / 4) of 40 requests under way: its
// own host has as many, and what is beyond is served by the others.
TEST(BoundedHash, AHotKeySpillsOverToOtherHosts) {
  constexpr size_t kHosts = 4;
  constexpr size_t kClients = 40;
  constexpr size_t kMost = 13;
  for (const char* const policy : {"RING_HASH", "MAGLEV"}) {
    for (const size_t workers : {1, 4}) {
      Servers servers(kHosts);
      const ProxyHarness proxy(
          staticBootstrap(servers.addresses(), route("", "{header: {header_name: ':path'}}")) +
              absl::StrCat("    lb_policy: ", policy,
                           "\n    common_lb_config: {consistent_hashing_lb_config: "
                           "{hash_balance_factor: 125}}\n"),
          workers);
      servers.comeUp();
      // By host.
      const auto spread = [&](size_t count) {
        Clients clients(proxy, count);
        EXPECT_TRUE(servers.comeTo(count));
        std::vector<size_t> under_way;
        for (size_t i = 0; i < kHosts; ++i) under_way.push_back(servers.underWay(i));
        servers.answerAll();
        EXPECT_TRUE(clients.areServed(count));
        return under_way;
      };
      const std::vector<size_t> one = spread(1);
      const auto own = std::find(one.begin(), one.end(), 1) - one.begin();
      const std::vector<size_t> all = spread(kClients);
      EXPECT_LE(*std::max_element(all.begin(), all.end()), kMost) << policy;
      // Which of several workers chose first, nobody can tell.
      if (workers > 1) continue;
      EXPECT_EQ(all[own], kMost) << policy;
    }
  }
}

}  // namespace
}  // namespace convoy::test
