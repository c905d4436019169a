#include "controlplane/validate/routes.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/convoy/v1/config.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

// "path: rule" of every problem.
std::string problemsOf(const std::string& table) {
  const auto parsed = parse<v1::RouteTable>(table);
  Problems problems;
  checkRoutes(parsed.routes(), Place(&problems, {v1::KIND_ROUTE_TABLE, "t"}, "t"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(RoutesTest, Rules) {
  struct Case {
    std::string table;
    std::string problems;
  };
  const Case cases[] = {
      {R"(routes { pool: "web" })", ""},
      {R"(routes { name: "a" match { hosts: "a.b" path: "/x" methods: "GET"
          headers { name: "h" exact: "v" } headers { name: "h" prefix: "v" }
          headers { name: "h" present: false } } pool: "w" timeout { seconds: 5 } })",
       ""},
      {R"(routes { direct_response { status: 204 } })", ""},
      {R"(routes {})", "t.routes[0]: required"},
      {R"(routes { pool: "" })", "t.routes[0].pool: required"},
      {R"(routes { direct_response { status: 199 } })",
       "t.routes[0].direct_response.status: range"},
      {R"(routes { direct_response {} })", "t.routes[0].direct_response.status: range"},
      {R"(routes { direct_response { status: 200 } timeout { seconds: 1 } idle_timeout {} })",
       "t.routes[0].timeout: conflict, t.routes[0].idle_timeout: conflict"},
      {R"(routes { pool: "w" timeout { seconds: 86401 } first_byte_timeout { seconds: -1 } })",
       "t.routes[0].timeout: range, t.routes[0].first_byte_timeout: range"},
      {R"(routes { pool: "w" match { path_prefix: "x" } } routes { pool: "w" match { path: "" } })",
       "t.routes[0].match.path_prefix: syntax, t.routes[1].match.path: syntax"},
      {R"(routes { pool: "w" match { hosts: "a" hosts: "a:1" methods: "get" } })",
       "t.routes[0].match.hosts[1]: syntax, t.routes[0].match.methods[0]: syntax"},
      {R"(routes { pool: "w" match { headers { exact: "v" } headers { name: "h" prefix: "" }
          headers { name: "h" exact: "\n" } } })",
       "t.routes[0].match.headers[0].name: required, t.routes[0].match.headers[1].prefix: "
       "required, "
       "t.routes[0].match.headers[2].exact: syntax"},
      {R"(routes { match { connect: true } pool: "w" upgrades: "chat" tunnel_idle_timeout {}
          max_stream_duration { seconds: 1 } max_grpc_timeout {} })",
       ""},
      {R"(routes { match { connect: false } pool: "w" upgrades: "none"
          tunnel_idle_timeout { seconds: 86401 } })",
       "t.routes[0].match.connect: value, t.routes[0].tunnel_idle_timeout: range, "
       "t.routes[0].upgrades[0]: conflict"},
      {R"(routes { direct_response { status: 204 } upgrades: "chat" max_grpc_timeout {} })",
       "t.routes[0].max_grpc_timeout: conflict, t.routes[0].upgrades: conflict"},
      {R"(routes { name: "a" pool: "w" } routes { name: "a" pool: "w" } routes { name: "/" pool: "w" })",
       "t.routes[1].name: duplicate, t.routes[2].name: name"},
  };
  for (const Case& c : cases) EXPECT_EQ(problemsOf(c.table), c.problems) << c.table;
}

// 998 hosts, the wildcard and "any other" have each of the routes that are for all of them.
TEST(RoutesTest, HostsTimesRoutesIsBounded) {
  std::string table = "routes { pool: \"w\" match {";
  for (int i = 0; i < 998; ++i) absl::StrAppend(&table, " hosts: \"h", i, ".test\"");
  table += " } }";
  for (int i = 0; i < 98; ++i) table += R"(routes { pool: "w" })";
  table += R"(routes { pool: "w" match { hosts: "*.test" } })";
  EXPECT_EQ(problemsOf(table), "") << "(998 + 1 + 1) * 99 + 998";
  EXPECT_EQ(problemsOf(table + R"(routes { pool: "w" })"), "t.routes: too_many");
}

TEST(RoutesTest, ABodyHasALimit) {
  const auto table = [](size_t size) {
    return absl::StrCat("routes { direct_response { status: 200 body: \"", std::string(size, 'x'),
                        "\" } }");
  };
  EXPECT_EQ(problemsOf(table(4096)), "");
  EXPECT_EQ(problemsOf(table(4097)), "t.routes[0].direct_response.body: range");
}

}  // namespace
}  // namespace convoy::controlplane::validate
