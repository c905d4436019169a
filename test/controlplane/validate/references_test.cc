#include "controlplane/validate/references.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

model::Model modelOf(const std::string& text) {
  const auto config = parse<v1::Config>(text);
  std::vector<store::Write> writes;
  for (const auto& listener : config.listeners()) writes.push_back(model::writeOf(listener));
  for (const auto& table : config.route_tables()) writes.push_back(model::writeOf(table));
  for (const auto& pool : config.pools()) {
    writes.push_back(model::writeOf(pool));
    for (v1::Backend backend : pool.backends()) {
      backend.set_pool(pool.name());
      writes.push_back(model::writeOf(backend));
    }
  }
  for (const auto& one : config.certificates()) writes.push_back(model::writeOf(one));
  auto model = model::applied(model::Model{}, 1, writes);
  EXPECT_TRUE(model.ok());
  return *model;
}

std::string problemsOf(const std::string& config, const RequestPlaces& places = {}) {
  Problems problems;
  checkReferences(modelOf(config), places, &problems);
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : "\n", problem.field_path(), ": ", problem.rule(), ": ",
                    problem.reason());
  }
  return out;
}

TEST(ReferencesTest, CertificatesAreThereAndOfTheRightKind) {
  constexpr char kCertificates[] = R"(
    certificates { name: "web" private_key: "k" } certificates { name: "ca" } )";
  EXPECT_EQ(problemsOf(absl::StrCat(kCertificates, R"(
    listeners { name: "a" tls { certificates: "web" client_certificates { ca: "ca" } } }
    pools { name: "p" tls { ca: "ca" certificate: "web" } })")),
            "");
  EXPECT_EQ(problemsOf(absl::StrCat(kCertificates, R"(
    listeners { name: "a" tls { certificates: "wen" } } pools { name: "p" tls { ca: "web" } })"),
                       {{{v1::KIND_POOL, "p"}, "pools[0]"}}),
            "listener a: tls.certificates[0]: not_found: there is no certificate \"wen\"; did you "
            "mean \"web\"?\n"
            "pools[0].tls.ca: conflict: certificate \"web\" has a private key: it is one to show; "
            "put the authorities to trust into a certificate without private key");
  EXPECT_EQ(problemsOf(absl::StrCat(kCertificates, R"(
    pools { name: "p" sticky { redis { tls { ca: "cat" } } } })")),
            "pool p: sticky.redis.tls.ca: not_found: there is no certificate \"cat\"; did you mean "
            "\"ca\"?");
}

TEST(ReferencesTest, ARouteHasAHashKeyOnlyIfItsPoolGoesByOne) {
  constexpr char kPools[] = R"(
    pools { name: "m" algorithm: ALGORITHM_MAGLEV } pools { name: "p" } )";
  EXPECT_EQ(problemsOf(absl::StrCat(kPools, R"(
    route_tables { name: "t" routes { pool: "m" hash_key { path: true } } routes { pool: "p" } })")),
            "");
  EXPECT_EQ(
      problemsOf(absl::StrCat(kPools, R"(
    route_tables { name: "t" routes { pool: "p" hash_key { path: true } } })")),
      "route table t: routes[0].hash_key: conflict: pool \"p\" does not go by a key; remove it, "
      "or give the pool the algorithm consistent_hash or maglev");
}

TEST(ReferencesTest, NothingIsWrong) {
  EXPECT_EQ(problemsOf(R"(
    listeners { name: "a" address: "1.1.1.1:1" routes { pool: "p" } routes { direct_response {} } }
    listeners { name: "b" address: "1.1.1.1:2" route_table: "t" }
    route_tables { name: "t" routes { pool: "p" } }
    pools { name: "p" })"),
            "");
}

TEST(ReferencesTest, MissingPoolsAndTables) {
  EXPECT_EQ(
      problemsOf(R"(
    listeners { name: "a" address: "1.1.1.1:1" routes { pool: "pools" } }
    listeners { name: "b" address: "1.1.1.1:2" route_table: "nothing" }
    route_tables { name: "t" routes { pool: "wbe" } }
    pools { name: "web" })",
                 {{{v1::KIND_LISTENER, "a"}, "listeners[7]"}}),
      "route table t: routes[0].pool: not_found: there is no pool \"wbe\"; did you mean \"web\"?\n"
      "listeners[7].routes[0].pool: not_found: there is no pool \"pools\"; add it, or name "
      "another\n"
      "listener b: route_table: not_found: there is no route table \"nothing\"; add it, or name "
      "another");
}

TEST(ReferencesTest, TunnelsDoNotEndAtHttp2) {
  EXPECT_EQ(problemsOf(R"(
    listeners { name: "a" address: "1.1.1.1:1" routes { match { connect: true } pool: "h1" }
                routes { match { connect: true } pool: "h2" } routes { pool: "h2" } }
    pools { name: "h1" } pools { name: "h2" protocol: PROTOCOL_HTTP2 })"),
            "listener a: routes[1].pool: conflict: pool \"h2\" speaks HTTP/2, and the backends of "
            "match.connect get the bytes of the tunnel alone; name a pool without protocol");
}

TEST(ReferencesTest, OneAddressIsOfOneName) {
  EXPECT_EQ(problemsOf(R"(
    pools { name: "a" dns { one_address: true } backends { address: "app.example:80" } }
    pools { name: "b" dns { one_address: true } }
    pools { name: "c" dns { one_address: true } backends { address: "10.0.0.1:80" } }
    pools { name: "d" dns { one_address: true } backends { address: "app.example:80" }
            backends { address: "app.example:81" } })"),
            "pool c: dns.one_address: conflict: with one_address a pool has one backend, which is "
            "the name of a host; remove it, or the other backends\n"
            "pool d: dns.one_address: conflict: with one_address a pool has one backend, which is "
            "the name of a host; remove it, or the other backends");
}

TEST(ReferencesTest, AddressesOfTheSameNodes) {
  struct Case {
    std::string first;
    std::string second;
    bool conflict;
  };
  const Case cases[] = {
      {R"(address: "1.1.1.1:1")", R"(address: "1.1.1.1:1")", true},
      {R"(address: "1.1.1.1:1")", R"(addresses: "1.1.1.1:2" addresses: "1.1.1.1:1")", true},
      {R"(address: "1.1.1.1:1")", R"(address: "1.1.1.1:2")", false},
      {R"(address: "1.1.1.1:0")", R"(address: "1.1.1.1:0")", false},
      {R"(address: "1.1.1.1:1" nodes { labels { key: "a" value: "1" } })",
       R"(address: "1.1.1.1:1" nodes { labels { key: "a" value: "2" } })", false},
      {R"(address: "1.1.1.1:1" nodes { labels { key: "a" value: "1" } })",
       R"(address: "1.1.1.1:1" nodes { labels { key: "b" value: "2" } })", true},
  };
  for (const Case& c : cases) {
    const std::string problems = problemsOf(absl::StrCat(
        "listeners { name: \"a\" ", c.first, " } listeners { name: \"b\" ", c.second, " }"));
    EXPECT_EQ(problems.find("conflict: listener \"a\" has this address") != std::string::npos,
              c.conflict)
        << problems;
  }
}

TEST(ReferencesTest, WhoAsksForATakenAddressIsToBlame) {
  constexpr char kBoth[] = R"(
    listeners { name: "a" address: "1.1.1.1:1" } listeners { name: "b" address: "1.1.1.1:1" } )";
  const std::pair<store::Key, std::string> a = {{v1::KIND_LISTENER, "a"}, "listeners[0]"};
  const std::pair<store::Key, std::string> b = {{v1::KIND_LISTENER, "b"}, "listeners[0]"};
  const std::string has = " has this address on the same nodes";
  EXPECT_EQ(problemsOf(kBoth, {a}).find("listeners[0].address: conflict: listener \"b\"" + has),
            0u);
  EXPECT_EQ(problemsOf(kBoth, {b}).find("listeners[0].address: conflict: listener \"a\"" + has),
            0u);
}

}  // namespace
}  // namespace convoy::controlplane::validate
