#include "proxy/route/matcher.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "proxy/base/strings.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Kind = PathMatch::Kind;
using test::prefixTo;
using test::request;
using test::routeTo;
using test::tableOf;
using test::virtualHost;

std::string match(const RouteTable& table, const http::RequestHead& head) {
  event::Random random(1);
  const CompiledRoute* found = table.match(head, random);
  return found == nullptr ? "-" : found->spec().name;
}

TEST(MatcherTest, FindsHostThenRoute) {
  const auto table = RouteTable::compile(
                         tableOf({virtualHost("api", {"api.example", "*.api.example"},
                                              {prefixTo("v2", "/v2/"), prefixTo("v1", "/")}),
                                  virtualHost("empty", {"empty.example"}, {}),
                                  virtualHost("rest", {"*"}, {routeTo("root", Kind::Exact, "/")})}))
                         .value();
  EXPECT_EQ(match(*table, request("/v2/x", "api.example")), "v2");
  EXPECT_EQ(match(*table, request("/v1/x", "eu.API.example")), "v1");
  EXPECT_EQ(match(*table, request("/", "other.example")), "root");
  EXPECT_EQ(match(*table, request("/x", "other.example")), "-");
  // A host that has no route for it does not fall back to another host.
  EXPECT_EQ(match(*table, request("/", "empty.example")), "-");
  ASSERT_EQ(table->routes().size(), 3u);
  for (uint32_t i = 0; i < 3; ++i) EXPECT_EQ(table->routes()[i]->id(), i);
  EXPECT_EQ(table->spec().name, "table");
}

TEST(MatcherTest, ConditionsDecideAmongTheSamePaths) {
  Route canary = prefixTo("canary", "/");
  HeaderMatch& header = canary.match.headers.emplace_back();
  header.name = "x-canary";
  Route posts = prefixTo("posts", "/");
  HeaderMatch& method = posts.match.headers.emplace_back();
  method.name = ":method";
  method.value = StringMatch{.kind = StringMatch::Kind::Exact, .value = "POST"};
  const auto table =
      RouteTable::compile(
          tableOf({virtualHost("all", {"*"}, {canary, posts, prefixTo("rest", "/")})}))
          .value();
  EXPECT_EQ(match(*table, request("/", "h", {{"X-Canary", "1"}})), "canary");
  http::RequestHead post = request("/");
  post.method = "POST";
  EXPECT_EQ(match(*table, post), "posts");
  EXPECT_EQ(match(*table, request("/")), "rest");
}

struct PortCase {
  const char* authority;
  const char* with_port;  // the route, as the table is by default
  const char* ignored;    // and with ignore_port_in_host
};

TEST(MatcherTest, PortsCountUnlessTheTableIgnoresThem) {
  const auto spec = tableOf({virtualHost("plain", {"a.example"}, {prefixTo("plain", "/")}),
                             virtualHost("port", {"a.example:8080"}, {prefixTo("port", "/")}),
                             virtualHost("suffix", {"*.example"}, {prefixTo("suffix", "/")}),
                             virtualHost("prefix", {"b.*"}, {prefixTo("prefix", "/")}),
                             virtualHost("v6", {"[::1]"}, {prefixTo("v6", "/")}),
                             virtualHost("rest", {"*"}, {prefixTo("rest", "/")})});
  const auto ignoring = std::make_shared<RouteTableSpec>(*spec);
  ignoring->ignore_port_in_host = true;
  const auto table = RouteTable::compile(spec).value();
  const auto without = RouteTable::compile(ignoring).value();
  const PortCase cases[] = {
      {"a.example", "plain", "plain"},
      {"A.Example:8080", "port", "plain"},
      {"a.example:81", "rest", "plain"},
      {"c.example:81", "rest", "suffix"},
      {"b.org:81", "prefix", "prefix"},
      {"b.:81", "prefix", "rest"},  // "*" stands for at least one byte, and the port is none
      {"[::1]", "v6", "v6"},
      {"[::1]:81", "rest", "v6"},
      {"[::2]:81", "rest", "rest"},
      {"a.example:", "rest", "plain"},
      {"", "rest", "rest"},
  };
  for (const PortCase& c : cases) {
    EXPECT_EQ(match(*table, request("/", c.authority)), c.with_port) << c.authority;
    EXPECT_EQ(match(*without, request("/", c.authority)), c.ignored) << c.authority;
  }
}

struct BadCase {
  std::vector<VirtualHost> hosts;
  const char* message;
};

TEST(MatcherTest, SaysWhatIsWrongWhere) {
  Route weights = prefixTo("named", "/");
  std::get<Forward>(weights.action).weighted = {{"a", 0}};
  Route nameless = routeTo("", Kind::Regex, "/(");
  const BadCase cases[] = {
      {{virtualHost("api", {"*"}, {prefixTo("ok", "/"), weights})},
       "virtual host api, route 1 (named): the weights of its clusters add up to 0; give one of "
       "them a weight"},
      {{virtualHost("api", {"*"}, {nameless})}, "virtual host api, route 0: regular expression"},
      {{virtualHost("a", {"x"}, {}), virtualHost("b", {"x"}, {})},
       "virtual host b: domain \"x\" is given twice"},
  };
  for (const BadCase& c : cases) {
    const auto table = RouteTable::compile(tableOf(c.hosts));
    ASSERT_FALSE(table.ok());
    EXPECT_EQ(std::string(table.status().message()).rfind(c.message, 0), 0u) << table.status();
  }
}

// --- the model: every route in order, nothing precomputed ---

bool modelDomainMatches(const std::string& domain, const std::string& host, int tier,
                        size_t* length) {
  const size_t star = domain.find('*');
  *length = domain.size();
  if (domain == "*") return tier == 3;
  if (star == std::string::npos) return tier == 0 && domain == host;
  if (host.size() < domain.size()) return false;
  if (star == 0) return tier == 1 && host.ends_with(domain.substr(1));
  return tier == 2 && host.starts_with(domain.substr(0, star));
}

const VirtualHost* modelHost(const RouteTableSpec& table, std::string_view authority) {
  std::string host;
  for (const char c : authority) host += base::asciiLower(c);
  for (int tier = 0; tier < 4; ++tier) {
    const VirtualHost* best = nullptr;
    size_t best_length = 0;
    for (const VirtualHost& candidate : table.virtual_hosts) {
      for (const std::string& domain : candidate.domains) {
        size_t length = 0;
        if (!modelDomainMatches(domain, host, tier, &length) || length <= best_length) continue;
        best = &candidate;
        best_length = length;
      }
    }
    if (best != nullptr) return best;
  }
  return nullptr;
}

bool modelRouteMatches(const Match& match, const http::RequestHead& head) {
  std::string path(head.target.substr(0, head.target.find_first_of("?#")));
  std::string value = match.path.value;
  if (!match.path.case_sensitive) {
    for (char& c : path) c = base::asciiLower(c);
    for (char& c : value) c = base::asciiLower(c);
  }
  switch (match.path.kind) {
    case Kind::Connect:
      return false;
    case Kind::Exact:
      if (path != value) return false;
      break;
    case Kind::Prefix:
      if (!path.starts_with(value)) return false;
      break;
    case Kind::SegmentPrefix:
      if (path != value && !path.starts_with(value + "/")) return false;
      break;
    case Kind::Regex:  // of the form "/a.*" here
      if (!path.starts_with(value.substr(0, value.size() - 2))) return false;
      break;
  }
  for (const HeaderMatch& header : match.headers) {
    const http::HeaderField* field = head.headers.find(header.name);
    const bool same = field != nullptr && (!header.value || field->value == header.value->value);
    if (header.value.has_value() && field == nullptr) return false;
    if (same == header.invert) return false;
  }
  return true;
}

std::string model(const RouteTableSpec& table, const http::RequestHead& head) {
  const VirtualHost* host = modelHost(table, head.authority);
  if (host == nullptr) return "-";
  for (const Route& route : host->routes) {
    if (modelRouteMatches(route.match, head)) return route.name;
  }
  return "-";
}

// Text over few letters, so that much of it matches.
std::string randomPath(event::Random& random) {
  std::string path = "/";
  for (uint64_t n = random.below(6); n > 0; --n) path += "ab/A"[random.below(4)];
  return path;
}

std::string randomHost(event::Random& random) {
  std::string host;
  for (uint64_t n = 1 + random.below(3); n > 0; --n) {
    host += "abc"[random.below(3)];
    if (n > 1) host += '.';
  }
  return host;
}

Route randomRoute(event::Random& random, std::string name) {
  constexpr Kind kKinds[] = {Kind::Exact, Kind::Prefix, Kind::SegmentPrefix, Kind::Regex};
  const Kind kind = kKinds[random.below(4)];
  Route route = routeTo(std::move(name), kind, randomPath(random));
  if (kind == Kind::Regex) route.match.path.value += ".*";
  route.match.path.case_sensitive = random.below(4) > 0;
  if (random.below(3) == 0) {
    HeaderMatch& header = route.match.headers.emplace_back();
    header.name = "x-v";
    header.invert = random.below(2) == 0;
    if (random.below(2) == 0) {
      header.value =
          StringMatch{.kind = StringMatch::Kind::Exact, .value = std::to_string(random.below(2))};
    }
  }
  return route;
}

std::shared_ptr<RouteTableSpec> randomTable(event::Random& random) {
  std::set<std::string> taken;
  std::vector<VirtualHost> hosts;
  for (uint64_t h = 0; h < 1 + random.below(6); ++h) {
    std::vector<std::string> domains;
    for (uint64_t d = 0; d < 1 + random.below(3); ++d) {
      std::string domain = randomHost(random);
      const uint64_t kind = random.below(5);
      if (kind == 0) domain = "*." + domain;
      if (kind == 1) domain += ".*";
      if (kind == 2) domain = "*";
      if (taken.insert(domain).second) domains.push_back(domain);
    }
    std::vector<Route> routes;
    for (uint64_t r = 0; r < random.below(40); ++r) {
      routes.push_back(randomRoute(random, std::to_string(h) + "/" + std::to_string(r)));
    }
    hosts.push_back(virtualHost(std::to_string(h), std::move(domains), std::move(routes)));
  }
  return tableOf(std::move(hosts));
}

TEST(MatcherTest, AgreesWithANaiveModel) {
  event::Random random(20);
  int matched = 0;
  for (int round = 0; round < 300; ++round) {
    const auto spec = randomTable(random);
    const auto table = RouteTable::compile(spec);
    ASSERT_TRUE(table.ok()) << table.status();
    for (int i = 0; i < 100; ++i) {
      std::string target = randomPath(random);
      if (random.below(4) == 0) target += "?/a";
      const std::string host = randomHost(random);
      const std::string value = std::to_string(random.below(2));
      http::RequestHead head = request(target, host);
      if (random.below(2) == 0) head.headers.add("X-V", value);
      const std::string expected = model(*spec, head);
      ASSERT_EQ(match(**table, head), expected)
          << "round " << round << ": " << host << " " << target;
      if (expected != "-") ++matched;
    }
  }
  EXPECT_GT(matched, 10'000);
}

TEST(MatcherTest, ConnectHasNoPathAndRoutesOfItsOwn) {
  const auto table =
      RouteTable::compile(
          tableOf({virtualHost("all", {"*"},
                               {prefixTo("paths", "/"), routeTo("tunnel", Kind::Connect, "")})}))
          .value();
  http::RequestHead connect = request("b:443", "b:443");
  connect.method = "CONNECT";
  EXPECT_EQ(match(*table, connect), "tunnel");
  EXPECT_EQ(match(*table, request("/x")), "paths");
  EXPECT_EQ(match(*table, request("*")), "-");
  event::Random random(1);
  EXPECT_EQ(table->allowsTunnel(*table->match(connect, random), "CONNECT"), std::nullopt);
}

}  // namespace
}  // namespace convoy::route
