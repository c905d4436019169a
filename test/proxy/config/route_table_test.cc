#include "proxy/config/route_table.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::route::v3::RouteConfiguration;

Result<route::RouteTableSpec> make(std::string_view yaml) {
  return makeRouteTable(fromYaml<RouteConfiguration>(yaml), testContext());
}

std::string hostWith(const std::string& fields) {
  return "{name: t, virtual_hosts: [{name: h, domains: ['*'], " + fields + "}]}";
}

std::string routeWith(const std::string& fields) {
  return hostWith("routes: [{" + fields + "}]");
}

TEST(RouteTable, EveryHonouredField) {
  Context context = testContext();
  context.version = "v9";
  const auto result = makeRouteTable(fromYaml<RouteConfiguration>(R"(
name: table
most_specific_header_mutations_wins: true
validate_clusters: false
max_direct_response_body_size_bytes: 5000
response_headers_to_add: [{header: {key: x-table, value: "1"}}]
virtual_hosts:
- name: api
  domains: [API.example, "*.api.example", "api.*"]
  request_headers_to_remove: [x-secret]
  routes:
  - name: first
    match: {prefix: /v1/}
    route: {cluster: v1}
    request_headers_to_add: [{header: {key: x-route, value: first}}]
  - match: {path: /}
    direct_response: {status: 200}
- name: rest
  domains: ["*"]
)"),
                                     context);
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const route::RouteTableSpec& table = *result.spec;
  EXPECT_EQ(table.name, "table");
  EXPECT_EQ(table.version, "v9");
  EXPECT_TRUE(table.most_specific_header_mutations_wins);
  EXPECT_EQ(table.validate_clusters, false);
  EXPECT_EQ(table.edits.response.at(0).name, "x-table");
  ASSERT_EQ(table.virtual_hosts.size(), 2u);
  const route::VirtualHost& api = table.virtual_hosts[0];
  EXPECT_EQ(api.name, "api");
  EXPECT_EQ(api.domains, Lines({"api.example", "*.api.example", "api.*"}));
  EXPECT_EQ(api.edits.request_remove, Lines({"x-secret"}));
  ASSERT_EQ(api.routes.size(), 2u);
  EXPECT_EQ(api.routes[0].name, "first");
  EXPECT_EQ(api.routes[0].match.path.value, "/v1/");
  EXPECT_EQ(std::get<route::Forward>(api.routes[0].action).cluster, "v1");
  EXPECT_EQ(api.routes[0].edits.request.at(0).value, "first");
  EXPECT_EQ(std::get<route::DirectResponse>(api.routes[1].action).status, 200);
  EXPECT_TRUE(table.virtual_hosts[1].routes.empty());
}

TEST(RouteTable, TheBodyLimitIsTheTables) {
  const std::string body(5000, 'x');
  const auto with = [&](const std::string& limit) {
    return make("{name: t, " + limit +
                "virtual_hosts: [{name: h, domains: ['*'], routes: [{match: {prefix: /}, "
                "direct_response: {status: 200, body: {inline_string: " +
                body + "}}}]}]}");
  };
  EXPECT_TRUE(with("max_direct_response_body_size_bytes: 5000, ").ok());
  EXPECT_EQ(brief(with("").errors.errors),
            Lines({"virtual_hosts[0].routes[0].direct_response.body.inline_string: too_large: "}));
}

TEST(RouteTable, OptionalPerRouteConfigurationIsNoted) {
  const auto result = make(routeWith(
      "match: {prefix: /}, route: {cluster: c}, typed_per_filter_config: {cors: {\"@type\": "
      "type.googleapis.com/envoy.config.route.v3.FilterConfig, is_optional: true, config: "
      "{\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy}}}"));
  ASSERT_TRUE(result.ok()) << result.errors.text();
  EXPECT_EQ(brief(result.notes),
            Lines({"virtual_hosts[0].routes[0].typed_per_filter_config[\"cors\"].config"}));
}

TEST(RouteTable, Errors) {
  const std::string filter =
      "typed_per_filter_config: {cors: {\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy}}";
  const std::string unsupported =
      "unsupported_extension: envoy.extensions.filters.http.cors.v3.CorsPolicy";
  const ErrorCase cases[] = {
      {"{virtual_hosts: [{domains: ['*']}]}", {"virtual_hosts[0].name: required: "}},
      {"{virtual_hosts: [{name: h}]}", {"virtual_hosts[0].domains: required: "}},
      {"{virtual_hosts: [{name: h, domains: [a]}, {name: h, domains: [b]}]}",
       {"virtual_hosts[1].name: duplicate: h"}},
      {"{virtual_hosts: [{name: g, domains: [a.b]}, {name: h, domains: [c, A.b]}]}",
       {"virtual_hosts[1].domains[1]: duplicate: A.b"}},
      {"{virtual_hosts: [{name: h, domains: ['a.*.b', '', '*.*']}]}",
       {"virtual_hosts[0].domains[0]: domain: a.*.b",
        "virtual_hosts[0].domains[1]: domain: ", "virtual_hosts[0].domains[2]: domain: *.*"}},
      {routeWith("match: {}, route: {cluster: c}"),
       {"virtual_hosts[0].routes[0].match: required: "}},
      {routeWith("route: {cluster: c}"), {"virtual_hosts[0].routes[0].match: required: "}},
      {routeWith("match: {prefix: /}"), {"virtual_hosts[0].routes[0]: required: "}},
      {routeWith("match: {prefix: /}, route: {}"),
       {"virtual_hosts[0].routes[0].route: required: "}},
      {routeWith("match: {prefix: /}, route: {cluster: ''}"),
       {"virtual_hosts[0].routes[0].route.cluster: required: "}},
      {routeWith("match: {prefix: /}, route: {cluster_header: x}"),
       {"virtual_hosts[0].routes[0].route.cluster_header: unsupported_field: x"}},
      {routeWith(
           "match: {prefix: /}, route: {cluster: c, retry_policy: {retry_priority: {name: p}}}"),
       {"virtual_hosts[0].routes[0].route.retry_policy.retry_priority: unsupported_field: "}},
      {routeWith("match: {prefix: /}, route: {cluster: c, retry_policy: {retry_on: never}}"),
       {"virtual_hosts[0].routes[0].route.retry_policy.retry_on: unsupported_value: never"}},
      {routeWith("match: {prefix: /}, direct_response: {status: 99}"),
       {"virtual_hosts[0].routes[0].direct_response.status: range: 99"}},
      {routeWith("match: {prefix: /}, route: {cluster: c}, " + filter),
       {"virtual_hosts[0].routes[0].typed_per_filter_config[\"cors\"]: " + unsupported}},
      {hostWith(filter), {"virtual_hosts[0].typed_per_filter_config[\"cors\"]: " + unsupported}},
      {"{" + filter + "}", {"typed_per_filter_config[\"cors\"]: " + unsupported}},
      {routeWith(
           "match: {prefix: /}, route: {cluster: c}, typed_per_filter_config: {x: {\"@type\": "
           "type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true, "
           "is_optional: true}}"),
       {"virtual_hosts[0].routes[0].typed_per_filter_config[\"x\"].disabled: unsupported_field: "
        "true"}},
      {routeWith(
           "match: {prefix: /}, route: {cluster: c}, typed_per_filter_config: {x: {\"@type\": "
           "type.googleapis.com/envoy.config.route.v3.FilterConfig}}"),
       {"virtual_hosts[0].routes[0].typed_per_filter_config[\"x\"].config: required: "}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(make(c.yaml).errors.errors), c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
