#include "controlplane/compile/routes.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/convoy/ext/route_policy.pb.h"
#include "api/convoy/v1/config.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

envoy::config::route::v3::RouteConfiguration compiled(const std::string& table) {
  return compileRoutes("r", parse<v1::RouteTable>(table).routes());
}

// The only route of a table.
std::string route(const std::string& table) {
  const auto config = compiled(table);
  EXPECT_EQ(config.virtual_hosts_size(), 1);
  return shortText(config.virtual_hosts(0).routes(0));
}

// "domain: names of its routes" of every virtual host.
std::string hosts(const std::string& table) {
  std::string out;
  const auto config = compiled(table);
  for (const auto& host : config.virtual_hosts()) {
    std::vector<std::string> names;
    for (const auto& route : host.routes()) names.push_back(route.name());
    absl::StrAppend(&out, host.domains(0), ": ", absl::StrJoin(names, " "), "; ");
  }
  return out;
}

// times: those that are set, as text.
std::string policy(const std::string& times = "") {
  return "metadata { typed_filter_metadata { key: \"convoy.ext.RoutePolicy\" value { "
         "[type.googleapis.com/convoy.ext.RoutePolicy] { tunnel_idle_timeout { seconds: 3600 } "
         "retries { unseen_is_free: true idempotent_resets: true lost_with_host_is_free: true "
         "too_long_is_final: true } "
         "origin { path: \"route_table/r:routes[0]\" " +
         times + "} } } } }";
}

TEST(RoutesTest, DefaultsAreWrittenOut) {
  EXPECT_EQ(route(R"(routes { pool: "web" })"),
            R"(match { prefix: "/" } )"
            R"(route { cluster: "web" timeout { } idle_timeout { seconds: 60 } } )" +
                policy());
}

TEST(RoutesTest, EveryField) {
  EXPECT_EQ(
      route(R"(routes {
        name: "n" pool: "web" timeout { seconds: 1 } idle_timeout { seconds: 2 }
        match { path: "/x" methods: "GET"
          headers { name: "X-A" exact: "v" } headers { name: "b" prefix: "v" invert: true }
          headers { name: "c" present: false } headers { name: "d" } } })"),
      R"(match { path: "/x" headers { name: ":method" string_match { exact: "GET" } } )"
      R"(headers { name: "x-a" string_match { exact: "v" } } )"
      R"(headers { name: "b" invert_match: true string_match { prefix: "v" } } )"
      R"(headers { name: "c" present_match: false } headers { name: "d" present_match: true } } )"
      R"(route { cluster: "web" timeout { seconds: 1 } idle_timeout { seconds: 2 } } )" +
          policy(R"(times: "timeout" times: "idle_timeout" )") + R"( name: "n")");
}

TEST(RoutesTest, SeveralMethodsAreOneExpression) {
  EXPECT_EQ(
      route(R"(routes { pool: "w" match { path_prefix: "/a" methods: "GET" methods: "M-X" } })"),
      R"(match { prefix: "/a" headers { name: ":method" string_match { safe_regex )"
      R"({ regex: "GET|M-X" } } } } route { cluster: "w" timeout { } idle_timeout { seconds: 60 } } )" +
          policy());
}

TEST(RoutesTest, DirectResponses) {
  EXPECT_EQ(route(R"(routes { direct_response { status: 404 } })"),
            R"(match { prefix: "/" } direct_response { status: 404 })");
  EXPECT_EQ(
      route(R"(routes { direct_response { status: 200 body: "hi" } })"),
      R"(match { prefix: "/" } direct_response { status: 200 body { inline_string: "hi" } })");
}

TEST(RoutesTest, FirstByteTimeoutTravelsInTheMetadata) {
  const auto config = compiled(R"(routes { pool: "w" first_byte_timeout { seconds: 3 } })");
  const auto& metadata = config.virtual_hosts(0).routes(0).metadata().typed_filter_metadata().at(
      "convoy.ext.RoutePolicy");
  ext::RoutePolicy policy;
  ASSERT_TRUE(metadata.UnpackTo(&policy));
  EXPECT_EQ(policy.first_byte_timeout().seconds(), 3);
}

// The first route that matches wins, whatever the hosts of the others.
TEST(RoutesTest, HostsKeepTheOrderOfTheRoutes) {
  EXPECT_EQ(hosts(R"(
      routes { name: "1" match { hosts: "b.a.com" path_prefix: "/x" } pool: "p" }
      routes { name: "2" match { path_prefix: "/any" } pool: "p" }
      routes { name: "3" match { hosts: "*.a.com" hosts: "C.com" } pool: "p" }
      routes { name: "4" match { hosts: "*.b.a.com" } pool: "p" }
      routes { name: "5" match { hosts: "b.a.com" hosts: "b.a.com" } pool: "p" }
      routes { name: "6" pool: "p" })"),
            "*: 2 6; *.a.com: 2 3 6; *.b.a.com: 2 3 4 6; b.a.com: 1 2 3 5 6; c.com: 2 3 6; ");
  EXPECT_EQ(hosts(R"(routes { name: "1" match { hosts: "a" } pool: "p" })"), "a: 1; ");
  EXPECT_EQ(hosts(""), "");
}

TEST(RoutesTest, HostsMatchOnEveryPort) {
  EXPECT_TRUE(
      compiled(R"(routes { match { hosts: "a" } pool: "p" })").ignore_port_in_host_matching());
  EXPECT_FALSE(compiled(R"(routes { pool: "p" })").ignore_port_in_host_matching());
  EXPECT_FALSE(compiled("").ignore_port_in_host_matching());
}

TEST(RoutesTest, PoolsAreListedOnce) {
  const auto table = parse<v1::RouteTable>(R"(
      routes { pool: "b" } routes { pool: "a" } routes { pool: "b" } routes { direct_response {} })");
  EXPECT_EQ(absl::StrJoin(poolsOf(table.routes()), " "), "a b");
}

TEST(RoutesTest, TunnelsAndStreamLimits) {
  const auto config = compiled(R"(
      routes { match { connect: true } pool: "tcp" tunnel_idle_timeout { seconds: 5 } }
      routes { pool: "w" upgrades: "chat" max_stream_duration { seconds: 9 }
               max_grpc_timeout { seconds: 3 } })");
  const auto& tunnel = config.virtual_hosts(0).routes(0);
  EXPECT_EQ(shortText(tunnel.match()), "connect_matcher { }");
  EXPECT_EQ(shortText(tunnel.route().upgrade_configs(0)),
            R"(upgrade_type: "CONNECT" connect_config { })");
  ext::RoutePolicy policy;
  ASSERT_TRUE(
      tunnel.metadata().typed_filter_metadata().at("convoy.ext.RoutePolicy").UnpackTo(&policy));
  EXPECT_EQ(policy.tunnel_idle_timeout().seconds(), 5);
  const auto& chat = config.virtual_hosts(0).routes(1).route();
  ASSERT_EQ(chat.upgrade_configs_size(), 1);
  EXPECT_EQ(shortText(chat.upgrade_configs(0)), R"(upgrade_type: "chat")");
  EXPECT_EQ(shortText(chat.max_stream_duration()),
            "max_stream_duration { seconds: 9 } grpc_timeout_header_max { seconds: 3 }");
}

}  // namespace
}  // namespace convoy::controlplane::compile
