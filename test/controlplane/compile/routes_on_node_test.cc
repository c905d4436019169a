// Compiled routes on the data plane's own matcher, against the plain meaning of convoy.v1: the
// first route that matches a request serves it.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "api/convoy/v1/route.pb.h"
#include "controlplane/compile/routes.h"
#include "proxy/base/timer_origins.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"
#include "proxy/event/random.h"
#include "proxy/http/message.h"
#include "proxy/route/matcher.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

constexpr char kTable[] = R"(
  routes { name: "exact" match { hosts: "a.example.com" path_prefix: "/x" } pool: "p" }
  routes { name: "any" match { path_prefix: "/any" } pool: "p" }
  routes { name: "wild" match { hosts: "*.example.com" hosts: "Other.com" } pool: "p" }
  routes { name: "deep" match { hosts: "*.deep.example.com" } pool: "p" }
  routes { name: "late" match { hosts: "a.example.com" } pool: "p" }
  routes { name: "v6" match { hosts: "[::1]" } pool: "p" }
  routes { name: "put" match { methods: "PUT" methods: "POST" path: "/only" } pool: "p" }
  routes { name: "last" match { path_prefix: "/z" } pool: "p" })";

struct Asked {
  std::string method;
  std::string authority;
  std::string path;
};

bool hostMatches(const std::string& pattern, std::string authority) {
  if (const size_t colon = authority.rfind(':');
      colon != std::string::npos && authority.find(']', colon) == std::string::npos) {
    authority.resize(colon);
  }
  const std::string host = absl::AsciiStrToLower(authority);
  const std::string lower = absl::AsciiStrToLower(pattern);
  if (!absl::StartsWith(lower, "*.")) return host == lower;
  return host.size() > lower.size() - 1 && absl::EndsWith(host, lower.substr(1));
}

// The first route whose conditions all hold.
std::string expected(const v1::RouteTable& table, const Asked& asked) {
  for (const v1::Route& route : table.routes()) {
    const v1::RouteMatch& match = route.match();
    bool host = match.hosts().empty();
    for (const std::string& pattern : match.hosts()) host |= hostMatches(pattern, asked.authority);
    bool method = match.methods().empty();
    for (const std::string& name : match.methods()) method |= name == asked.method;
    const bool path = match.has_path() ? asked.path == match.path()
                                       : absl::StartsWith(asked.path, match.path_prefix());
    if (host && method && path) return route.name();
  }
  return "none";
}

TEST(RoutesOnNodeTest, TheFirstRouteThatMatchesServes) {
  const auto table = parse<v1::RouteTable>(kTable);
  config::Context context;
  context.registry = &config::builtins();
  const auto made = config::makeRouteTable(compileRoutes("t", table.routes()), context);
  ASSERT_TRUE(made.ok()) << made.errors.text();
  const auto matcher = route::RouteTable::compile(made.spec);
  ASSERT_TRUE(matcher.ok()) << matcher.status();
  event::Random random(1);
  for (const char* authority : {"a.example.com", "A.Example.com:8080", "b.example.com",
                                "x.deep.example.com:1", "example.com", "other.com:80", "other.com",
                                "[::1]:8080", "[::1]", "nobody.org:443", "10.0.0.1", ""}) {
    for (const char* path : {"/", "/x", "/xy", "/any", "/anything", "/only", "/zz"}) {
      for (const char* method : {"GET", "PUT", "POST"}) {
        const Asked asked{method, authority, path};
        http::RequestHead head;
        head.method = asked.method;
        head.authority = asked.authority;
        head.target = asked.path;
        const route::CompiledRoute* found = (*matcher)->match(head, random);
        EXPECT_EQ(found == nullptr ? "none" : found->spec().name, expected(table, asked))
            << method << " " << authority << path;
      }
    }
  }
}

// In the words of whoever wrote it; what nobody wrote is a default, though it is written out.
TEST(RoutesOnNodeTest, ATimeThatRunsOutIsNamedByItsFieldInConvoyV1) {
  const auto table = parse<v1::RouteTable>(R"(
      routes { match { path: "/a" } pool: "web" }
      routes { pool: "web" timeout { seconds: 5 } retries { per_try_timeout { seconds: 1 } } })");
  config::Context context;
  context.registry = &config::builtins();
  base::Arena arena;
  for (const auto& [name, owner] :
       {std::pair{"t", "route_table/t"}, std::pair{"listener/l", "listener/l"}}) {
    const auto made = config::makeRouteTable(compileRoutes(name, table.routes()), context);
    ASSERT_TRUE(made.ok()) << made.errors.text();
    const auto& forward =
        std::get<route::Forward>(made.spec->virtual_hosts.at(0).routes.at(1).action);
    const std::string route = std::string(owner) + ":routes[1].";
    EXPECT_EQ(forward.origins.text(base::Timer::Response, arena), route + "timeout");
    EXPECT_EQ(forward.origins.text(base::Timer::RouteIdle, arena), "default");
    EXPECT_EQ(forward.retries->origins.text(base::Timer::PerTry, arena),
              route + "retries.per_try_timeout");
  }
}

}  // namespace
}  // namespace convoy::controlplane::compile
