#include "controlplane/validate/resources.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"
#include "test/controlplane/validate/problem_text.h"

namespace convoy::controlplane::validate {
namespace {

struct Case {
  std::string resource;
  std::string problems;
};

TEST(ResourcesTest, Listeners) {
  const Case cases[] = {
      {R"(name: "l" address: "0.0.0.0:80")", ""},
      {R"(name: "l" addresses: "0.0.0.0:0" addresses: "0.0.0.0:0" route_table: "t"
          access_log { path: "/var/log/a" format: JSON } idle_timeout { seconds: 1 }
          request_headers_timeout { seconds: 1 } max_request_headers_kib: 8192
          max_request_headers_count: 10000)",
       ""},
      {R"(address: "0.0.0.0:80")", "x.name: required"},
      {R"(name: "l")", "x.address: required"},
      {R"(name: "l" address: "[::]:80" addresses: "[0::0]:80" addresses: "z")",
       "x.addresses[0]: duplicate, x.addresses[1]: address"},
      {R"(name: "l" address: "0.0.0.0:80" route_table: "t" routes { pool: "p" })",
       "x.route_table: conflict"},
      {R"(name: "l" address: "0.0.0.0:80" route_table: "/" routes {})",
       "x.routes[0]: required, x.route_table: name, x.route_table: conflict"},
      {R"(name: "l" address: "0.0.0.0:80" access_log { path: "a" } nodes { labels { key: "" value: "" } })",
       "x.nodes.labels: range, x.access_log.path: syntax"},
      {R"(name: "l" address: "0.0.0.0:80" idle_timeout {} request_headers_timeout { seconds: 3601 }
          max_request_headers_kib: 8193 max_request_headers_count: 10001)",
       "x.idle_timeout: range, x.request_headers_timeout: range, x.max_request_headers_kib: range, "
       "x.max_request_headers_count: range"},
      {R"(name: "l" address: "0.0.0.0:80" tls {})", "x.tls.certificates: required"},
  };
  for (const Case& c : cases) {
    auto listener = parse<v1::Listener>(c.resource);
    Problems problems;
    checkListener(&listener, Place(&problems, {v1::KIND_LISTENER, "l"}, "x"));
    EXPECT_EQ(text(problems), c.problems) << c.resource;
  }
}

TEST(ResourcesTest, ListenersHaveCanonicalAddresses) {
  auto listener = parse<v1::Listener>(R"(name: "l" address: "[0:0::1]:80" addresses: "[::A]:1")");
  Problems problems;
  checkListener(&listener, Place(&problems, {v1::KIND_LISTENER, "l"}, "x"));
  EXPECT_EQ(text(problems), "");
  EXPECT_EQ(listener.address(), "[::1]:80");
  EXPECT_EQ(listener.addresses(0), "[::a]:1");
}

TEST(ResourcesTest, ListenersHaveALimitOfAddressesAndKnownLogFormats) {
  v1::Listener listener;
  listener.set_name("l");
  for (int i = 1; i <= 65; ++i) listener.add_addresses(absl::StrCat("10.0.0.1:", i));
  listener.mutable_access_log()->set_format(static_cast<v1::AccessLog::Format>(9));
  Problems problems;
  checkListener(&listener, Place(&problems, {v1::KIND_LISTENER, "l"}, "x"));
  EXPECT_EQ(text(problems), "x.addresses: too_many, x.access_log.format: enum");
}

TEST(ResourcesTest, RouteTables) {
  Problems problems;
  checkRouteTable(parse<v1::RouteTable>(R"(routes {})"),
                  Place(&problems, {v1::KIND_ROUTE_TABLE, ""}, "x"));
  EXPECT_EQ(text(problems), "x.name: required, x.routes[0]: required");
}

TEST(ResourcesTest, Pools) {
  const Case cases[] = {
      {R"(name: "p")", ""},
      {R"(name: "p" algorithm: ALGORITHM_ROUND_ROBIN connect_timeout { nanos: 1000000 })", ""},
      {R"(name: "p" algorithm: ALGORITHM_WEIGHTED_LEAST_CONNECTIONS)", ""},
      {R"(name: "p" algorithm: ALGORITHM_MAGLEV)", ""},
      {R"(name: "p" algorithm: 99)", "x.algorithm: enum"},
      {R"(name: "p" protocol: PROTOCOL_HTTP1)", ""},
      {R"(name: "p" protocol: PROTOCOL_HTTP2)", ""},
      {R"(name: "p" protocol: 99)", "x.protocol: enum"},
      {R"(name: "p" connect_timeout {} health_check { timeout {} } tls {})",
       "x.connect_timeout: range, x.health_check.timeout: range, x.tls.ca: required, "
       "x.tls.server_name: required"},
      {R"(name: "a b")", "x.name: name"},
      {R"(name: "control_plane")", "x.name: reserved"},
      {R"(name: "control-plane")", ""},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkPool(parse<v1::Pool>(c.resource), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(text(problems), c.problems) << c.resource;
  }
}

TEST(ResourcesTest, Backends) {
  const Case cases[] = {
      {R"(address: "10.0.0.1:80")", ""},
      {R"(address: "10.0.0.1:80" weight: 128)", ""},
      {R"(address: "10.0.0.1:80" weight: 129)", "x.weight: range"},
      {R"(address: "10.0.0.1:80" weight: 0)", "x.weight: range"},
      {R"(address: "10.0.0.1:0")", "x.address: address"},
      {R"(nodes { labels { key: "a" } })", "x.address: required, x.nodes.labels: range"},
  };
  for (const Case& c : cases) {
    auto backend = parse<v1::Backend>(c.resource);
    Problems problems;
    checkBackend(&backend, Place(&problems, {v1::KIND_BACKEND, "p/b"}, "x"));
    EXPECT_EQ(text(problems), c.problems) << c.resource;
    EXPECT_TRUE(backend.has_weight());
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
