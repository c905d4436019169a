#include "proxy/upstream/dns/cares_resolver.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/common/dns_server.h"
#include "test/common/metric_value.h"
#include "test/common/test_loop.h"

namespace convoy::upstream {
namespace {

using Kind = DnsAnswer::Kind;
using Family = net::Address::Family;
using test::DnsReply;

// c-ares on a real loop against a real server.
class CaresResolverTest : public ::testing::Test {
 protected:
  static CaresResolver::Options options() {
    CaresResolver::Options options;
    options.timeout = std::chrono::milliseconds(300);
    options.tries = 2;
    return options;
  }
  void make(const CaresResolver::Options& options) {
    resolver_ = std::make_unique<CaresResolver>(loop_.loop(), registry_, options);
  }
  DnsResolverSpec spec() const {
    return {.servers = {server_.address()}, .use_search_domains = false};
  }
  DnsAnswer resolve(const std::string& host, Family family = Family::Ipv4) {
    return resolve(spec(), host, family);
  }
  DnsAnswer resolve(const DnsResolverSpec& spec, const std::string& host,
                    Family family = Family::Ipv4) {
    if (resolver_ == nullptr) make(options());
    std::optional<DnsAnswer> answer;
    std::unique_ptr<DnsQuery> query;
    bool inside = true;
    query = resolver_->query(spec, host, family, [&](DnsAnswer given) {
      EXPECT_FALSE(inside) << "the answer came from inside query()";
      answer = std::move(given);
      query.reset();
    });
    inside = false;
    EXPECT_TRUE(loop_.runUntil([&] { return answer.has_value(); })) << host;
    return answer.value_or(DnsAnswer{});
  }
  static std::string text(const DnsAnswer& answer) {
    std::string all;
    for (const auto& address : answer.addresses) {
      all += (all.empty() ? "" : " ") + address.text();
    }
    return all;
  }
  int64_t metric(std::string_view name) const {
    return test::metricValue(registry_, "dns.cares", name);
  }

  event::SystemClock clock_;
  test::TestLoop loop_{clock_};
  observe::MetricRegistry registry_;
  test::DnsServer server_;
  std::unique_ptr<CaresResolver> resolver_;
};

TEST_F(CaresResolverTest, AddressesOfBothFamilies) {
  server_.set("app.test", {.v4 = {"10.0.0.2", "10.0.0.1"}, .v6 = {"fd00::1"}, .ttl = 17});
  const DnsAnswer v4 = resolve("app.test");
  EXPECT_EQ(v4.kind, Kind::Addresses);
  EXPECT_EQ(text(v4), "10.0.0.2:0 10.0.0.1:0") << "in the server's order";
  EXPECT_EQ(v4.ttl, std::chrono::seconds(17));
  EXPECT_EQ(text(resolve("app.test", Family::Ipv6)), "[fd00::1]:0");
  EXPECT_EQ(server_.questions("app.test"), 2) << "each family alone";
  EXPECT_EQ(metric("resolve_total"), 2);
  EXPECT_EQ(metric("pending_resolutions"), 0);
}

TEST_F(CaresResolverTest, TheLeastTtlOfTheChainCounts) {
  server_.set("app.test", {.v4 = {"10.0.0.1"}, .ttl = 60, .cname = "real.test", .cname_ttl = 7});
  const DnsAnswer answer = resolve("app.test");
  EXPECT_EQ(text(answer), "10.0.0.1:0");
  EXPECT_EQ(answer.ttl, std::chrono::seconds(7));
  // Its highest bit set: RFC 2181 8.
  server_.set("app.test", {.v4 = {"10.0.0.1"}, .ttl = 0x80000001u});
  EXPECT_EQ(resolve("app.test").ttl, std::chrono::seconds(0));
}

TEST_F(CaresResolverTest, WhatServersSay) {
  server_.set("empty.test", {.v6 = {"fd00::1"}});
  server_.set("servfail.test", {.rcode = 2});
  server_.set("refused.test", {.rcode = 5});
  // c-ares asks others then, and keeps to itself what the last one said.
  constexpr char kEachFails[] = "no DNS server can be reached, or each says SERVFAIL or REFUSED";
  const struct {
    const char* name;
    Kind kind;
    std::string_view reason;
  } cases[] = {{"missing.test", Kind::NotFound, "NXDOMAIN: there is no such name"},
               {"empty.test", Kind::NoData, "the name has no address"},
               {"servfail.test", Kind::Failed, kEachFails},
               {"refused.test", Kind::Failed, kEachFails}};
  for (const auto& row : cases) {
    const DnsAnswer answer = resolve(row.name);
    EXPECT_EQ(answer.kind, row.kind) << row.name;
    EXPECT_EQ(answer.reason, row.reason) << row.name;
    EXPECT_TRUE(answer.addresses.empty()) << row.name;
  }
  EXPECT_EQ(metric("not_found"), 2);
  EXPECT_EQ(metric("get_addr_failure"), 2);
}

TEST_F(CaresResolverTest, WhoSaysNothingIsAskedAgainAndThenGivenUp) {
  server_.set("silent.test", {.silent = true});
  EXPECT_EQ(resolve("silent.test").kind, Kind::Timeout);
  EXPECT_EQ(server_.questions("silent.test"), 2);
  EXPECT_EQ(metric("timeout"), 1);
}

TEST_F(CaresResolverTest, AnotherServerIsAskedInstead) {
  test::DnsServer other;
  other.set("app.test", {.v4 = {"10.0.0.1"}});
  server_.set("app.test", {.silent = true});
  DnsResolverSpec both = spec();
  both.servers.push_back(other.address());
  EXPECT_EQ(text(resolve(both, "app.test")), "10.0.0.1:0");
  server_.set("app.test", {.rcode = 2});
  EXPECT_EQ(text(resolve(both, "app.test")), "10.0.0.1:0");
}

TEST_F(CaresResolverTest, NobodyThere) {
  // A port that is taken, and that nobody listens on.
  const test::RawSocket tcp = test::RawSocket::boundTo(net::Address::parse("127.0.0.1:0").value());
  DnsResolverSpec dead = spec();
  dead.servers = {tcp.localAddress()};
  dead.use_tcp = true;
  EXPECT_EQ(resolve(dead, "app.test").kind, Kind::Failed);
  EXPECT_EQ(metric("get_addr_failure"), 1);
}

TEST_F(CaresResolverTest, TruncatedAnswersComeByTcp) {
  DnsReply many{.truncated = true};
  for (int i = 1; i <= 200; ++i) many.v4.push_back("10.0.1." + std::to_string(i));
  server_.set("many.test", many);
  const DnsAnswer answer = resolve("many.test");
  EXPECT_EQ(answer.addresses.size(), 200u);
  EXPECT_EQ(server_.overTcp(), 1);
}

TEST_F(CaresResolverTest, TcpAlone) {
  server_.set("app.test", {.v4 = {"10.0.0.1"}});
  DnsResolverSpec tcp = spec();
  tcp.use_tcp = true;
  EXPECT_EQ(text(resolve(tcp, "app.test")), "10.0.0.1:0");
  EXPECT_EQ(server_.overTcp(), 1);
}

TEST_F(CaresResolverTest, LiesAndGarbageAreNotTaken) {
  server_.set("id.test", {.v4 = {"10.6.6.6"}, .other_id = true});
  server_.set("question.test", {.v4 = {"10.6.6.6"}, .other_question = true});
  for (const char* name : {"id.test", "question.test"}) {
    const DnsAnswer answer = resolve(name);
    EXPECT_EQ(answer.kind, Kind::Timeout) << name;
    EXPECT_EQ(text(answer), "") << name;
  }
  // A compressed name that points to itself; an answer that is not there.
  for (const std::string& garbage : {std::string("\xc0\x0c\x00\x01\x00\x01", 6),
                                     std::string("\xff\xff"), std::string(400, 'a')}) {
    server_.set("garbage.test", {.v4 = {"10.6.6.6"}, .garbage = garbage});
    const DnsAnswer answer = resolve("garbage.test");
    EXPECT_NE(answer.kind, Kind::Addresses);
    EXPECT_EQ(text(answer), "");
  }
}

// Nor a hosts file, which has none of the names below it.
TEST_F(CaresResolverTest, LocalhostNeedsNoDns) {
  for (const char* name :
       {"localhost", "LocalHost", "localhost.", "app.localhost", "a.b.LOCALHOST."}) {
    server_.set(name, {.v4 = {"10.6.6.6"}, .v6 = {"fd00::66"}});
    EXPECT_EQ(text(resolve(name)), "127.0.0.1:0") << name;
    EXPECT_EQ(text(resolve(name, Family::Ipv6)), "[::1]:0") << name;
    EXPECT_EQ(server_.questions(name), 0) << name;
  }
  for (const char* name : {"notlocalhost", "localhost.test", "host"}) {
    server_.set(name, {.v4 = {"10.0.0.1"}});
    EXPECT_EQ(text(resolve(name)), "10.0.0.1:0") << name;
    EXPECT_EQ(server_.questions(name), 1) << name;
  }
}

TEST_F(CaresResolverTest, ResolvConfIsReadForEachQuery) {
  const std::string path = ::testing::TempDir() + "/resolv.conf";
  const auto write = [&path](const std::string& content) { std::ofstream(path) << content; };
  CaresResolver::Options with = options();
  with.resolv_conf = path;
  make(with);
  server_.set("app.test", {.v4 = {"10.0.0.1"}});
  write("");
  // Nobody is named there, so these are asked; as a fallback likewise.
  DnsResolverSpec fallback = spec();
  fallback.servers_are_fallback = true;
  EXPECT_EQ(text(resolve(fallback, "app.test")), "10.0.0.1:0");
  write("nameserver 127.0.0.2\noptions timeout:1\n");
  EXPECT_NE(resolve(fallback, "app.test").kind, Kind::Addresses) << "that one is asked";
  EXPECT_EQ(server_.questions("app.test"), 1);
  // Search domains are of the file, too.
  write("search test\n");
  DnsResolverSpec searching = spec();
  searching.use_search_domains = true;
  EXPECT_EQ(text(resolve(searching, "app")), "10.0.0.1:0");
  EXPECT_EQ(resolve("app").kind, Kind::NotFound);
  EXPECT_EQ(resolve(searching, "app.").kind, Kind::NotFound);
  std::remove(path.c_str());
}

TEST_F(CaresResolverTest, TooManyWaitInLine) {
  CaresResolver::Options few = options();
  few.most = 2;
  make(few);
  std::vector<std::unique_ptr<DnsQuery>> queries;
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "app" + std::to_string(i) + ".test";
    server_.set(name, {.v4 = {"10.0.0.1"}});
    queries.push_back(resolver_->query(spec(), name, Family::Ipv4, [&](DnsAnswer answer) {
      EXPECT_EQ(answer.kind, Kind::Addresses);
      ++answers;
    }));
  }
  EXPECT_EQ(metric("pending_resolutions"), 10);
  EXPECT_EQ(metric("queued"), 8);
  // One under way and one in line are not wanted any more.
  queries[0].reset();
  queries[5].reset();
  EXPECT_TRUE(loop_.runUntil([&] { return answers == 8; }));
  EXPECT_EQ(metric("pending_resolutions"), 0);
  EXPECT_EQ(server_.questions("app5.test"), 0);
}

TEST_F(CaresResolverTest, AQueryEndsInTime) {
  CaresResolver::Options hasty = options();
  hasty.timeout = std::chrono::seconds(600);
  hasty.longest = std::chrono::milliseconds(50);
  make(hasty);
  server_.set("silent.test", {.silent = true});
  EXPECT_EQ(resolve("silent.test").kind, Kind::Timeout);
}

TEST_F(CaresResolverTest, AManyTimesCancelledQueryLeavesNothing) {
  make(options());
  server_.set("silent.test", {.silent = true});
  for (int i = 0; i < 100; ++i) {
    auto query = resolver_->query(spec(), "silent.test", i % 2 == 0 ? Family::Ipv4 : Family::Ipv6,
                                  [](DnsAnswer) { FAIL(); });
    if (i % 3 == 0) loop_.runReady();
  }
  EXPECT_EQ(metric("pending_resolutions"), 0);
}

}  // namespace
}  // namespace convoy::upstream
