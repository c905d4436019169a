#include "proxy/config/route_action.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using std::chrono::milliseconds;

route::Route convert(const std::string& yaml, Lines* errors = nullptr) {
  base::FieldReport report;
  route::Route route;
  setAction(fromYaml<envoy::config::route::v3::Route>(yaml), 16, testContext(), &route, report);
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << yaml;
  }
  return route;
}

TEST(RouteAction, ForwardToACluster) {
  const route::Route route = convert(R"(
route: {cluster: web, prefix_rewrite: /v2, host_rewrite_literal: a.example, timeout: 0s, idle_timeout: 1.5s}
metadata:
  typed_filter_metadata:
    convoy.ext.RoutePolicy: {"@type": type.googleapis.com/convoy.ext.RoutePolicy, first_byte_timeout: 2s}
    other: {"@type": type.googleapis.com/google.protobuf.StringValue, value: x}
)");
  const auto& forward = std::get<route::Forward>(route.action);
  EXPECT_EQ(forward.cluster, "web");
  EXPECT_TRUE(forward.weighted.empty());
  EXPECT_EQ(forward.prefix_rewrite, "/v2");
  EXPECT_EQ(forward.host_rewrite, "a.example");
  EXPECT_EQ(forward.timeout, milliseconds(0));
  EXPECT_EQ(forward.idle_timeout, milliseconds(1500));
  EXPECT_EQ(forward.first_byte_timeout, milliseconds(2000));
}

TEST(RouteAction, UnsetTimesStayUnset) {
  const auto forward = std::get<route::Forward>(convert("route: {cluster: web}").action);
  EXPECT_EQ(forward.timeout, std::nullopt);
  EXPECT_EQ(forward.idle_timeout, std::nullopt);
  EXPECT_EQ(forward.first_byte_timeout, milliseconds(0));
}

TEST(RouteAction, WeightedClusters) {
  const auto forward = std::get<route::Forward>(
      convert("route: {weighted_clusters: {total_weight: 10, clusters: [{name: a, weight: 9}, "
              "{name: b, weight: 1}]}}")
          .action);
  EXPECT_EQ(forward.cluster, "");
  ASSERT_EQ(forward.weighted.size(), 2u);
  EXPECT_EQ(forward.weighted[0].name, "a");
  EXPECT_EQ(forward.weighted[0].weight, 9u);
  EXPECT_EQ(forward.weighted[1].weight, 1u);
}

TEST(RouteAction, SubsetsByMetadataMatch) {
  const auto one = std::get<route::Forward>(
      convert("route: {cluster: web, metadata_match: {filter_metadata: {envoy.lb: {stage: prod, n: "
              "1}, other: {a: [b]}}}}")
          .action);
  EXPECT_EQ(one.subset, base::subsetKeyOf({{"stage", "sprod"}, {"n", "n1"}}));
  EXPECT_TRUE(std::get<route::Forward>(convert("route: {cluster: web}").action).subset.empty());
  // A cluster's own come on top of the route's.
  const auto several = std::get<route::Forward>(
      convert("route: {metadata_match: {filter_metadata: {envoy.lb: {stage: prod, version: 1}}}, "
              "weighted_clusters: {clusters: [{name: a, weight: 9}, {name: b, weight: 1, "
              "metadata_match: {filter_metadata: {envoy.lb: {version: 2}}}}]}}")
          .action);
  ASSERT_EQ(several.weighted.size(), 2u);
  EXPECT_EQ(several.weighted[0].subset, base::subsetKeyOf({{"stage", "sprod"}, {"version", "n1"}}));
  EXPECT_EQ(several.weighted[1].subset, base::subsetKeyOf({{"stage", "sprod"}, {"version", "n2"}}));
  Lines errors;
  convert("route: {cluster: web, metadata_match: {filter_metadata: {envoy.lb: {a: [b]}}}}",
          &errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].find("route.metadata_match"), std::string::npos) << errors[0];
}

TEST(RouteAction, Redirects) {
  const std::pair<std::string, uint16_t> codes[] = {{"", 301},
                                                    {"response_code: FOUND", 302},
                                                    {"response_code: SEE_OTHER", 303},
                                                    {"response_code: TEMPORARY_REDIRECT", 307},
                                                    {"response_code: PERMANENT_REDIRECT", 308}};
  for (const auto& [yaml, status] : codes) {
    const auto redirect = std::get<route::Redirect>(convert("redirect: {" + yaml + "}").action);
    EXPECT_EQ(redirect.status, status) << yaml;
  }
  auto redirect = std::get<route::Redirect>(
      convert("redirect: {https_redirect: true, host_redirect: b.example, port_redirect: 8443, "
              "path_redirect: /new, strip_query: true}")
          .action);
  EXPECT_EQ(redirect.scheme, "https");
  EXPECT_EQ(redirect.host, "b.example");
  EXPECT_EQ(redirect.port, 8443u);
  EXPECT_EQ(redirect.path, "/new");
  EXPECT_TRUE(redirect.strip_query);
  redirect = std::get<route::Redirect>(
      convert("redirect: {scheme_redirect: ftp, prefix_rewrite: /x}").action);
  EXPECT_EQ(redirect.scheme, "ftp");
  EXPECT_EQ(redirect.prefix_rewrite, "/x");
  EXPECT_EQ(redirect.port, std::nullopt);
}

TEST(RouteAction, DirectResponses) {
  const auto response = std::get<route::DirectResponse>(
      convert("direct_response: {status: 418, body: {inline_string: teapot}}").action);
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.body, "teapot");
}

TEST(RouteAction, Errors) {
  const std::string weighted = "route.weighted_clusters.";
  const ErrorCase cases[] = {
      {"route: {weighted_clusters: {clusters: [{weight: 1}, {name: b}]}}",
       {weighted + "clusters[0].name: required: ", weighted + "clusters[1].weight: required: "}},
      {"route: {weighted_clusters: {clusters: [{name: a, weight: 0}]}}",
       {weighted + "clusters: range: 0"}},
      {"route: {weighted_clusters: {clusters: [{name: a, weight: 4294967295}, {name: b, weight: "
       "1}]}}",
       {weighted + "clusters: range: 4294967296"}},
      {"route: {weighted_clusters: {total_weight: 5, clusters: [{name: a, weight: 4}]}}",
       {weighted + "total_weight: range: 5"}},
      {"route: {cluster: a, timeout: -1s}", {"route.timeout: range: -1s"}},
      {"redirect: {port_redirect: 65536}", {"redirect.port_redirect: range: 65536"}},
      {"direct_response: {status: 200, body: {inline_string: seventeen letters}}",
       {"direct_response.body.inline_string: too_large: "}},
      {"{route: {cluster: a}, metadata: {typed_filter_metadata: {convoy.ext.RoutePolicy: "
       "{\"@type\": "
       "type.googleapis.com/google.protobuf.StringValue, value: x}}}}",
       {"metadata.typed_filter_metadata[\"convoy.ext.RoutePolicy\"]: malformed: "
        "type.googleapis.com/google.protobuf.StringValue"}},
      {"{route: {cluster: a}, metadata: {typed_filter_metadata: {convoy.ext.RoutePolicy: "
       "{\"@type\": "
       "type.googleapis.com/convoy.ext.RoutePolicy, first_byte_timeout: -1s}}}}",
       {"metadata.typed_filter_metadata[\"convoy.ext.RoutePolicy\"].first_byte_timeout: range: "
        "-1s"}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors;
    convert(c.yaml, &errors);
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
}

TEST(RouteAction, UpgradesAndConnect) {
  const auto forward = std::get<route::Forward>(convert(R"(
route:
  cluster: web
  upgrade_configs:
  - {upgrade_type: websocket}
  - {upgrade_type: "IRC/6.9", enabled: false}
  - {upgrade_type: connect, enabled: true, connect_config: {}}
metadata:
  typed_filter_metadata:
    convoy.ext.RoutePolicy: {"@type": type.googleapis.com/convoy.ext.RoutePolicy, tunnel_idle_timeout: 60s}
)")
                                                    .action);
  ASSERT_EQ(forward.upgrades.size(), 3u);
  EXPECT_EQ(forward.upgrades[0].protocol, "websocket");
  EXPECT_TRUE(forward.upgrades[0].enabled);
  EXPECT_EQ(forward.upgrades[1].protocol, "IRC/6.9");
  EXPECT_FALSE(forward.upgrades[1].enabled);
  EXPECT_TRUE(forward.terminates_connect);
  EXPECT_EQ(forward.tunnel_idle_timeout, milliseconds(60'000));
}

TEST(RouteAction, RefusesUpgradesThatAreNone) {
  const std::pair<std::string, std::string> cases[] = {
      {"{upgrade_type: 'a, b'}", "route.upgrade_configs[0].upgrade_type: malformed: a, b"},
      {"{upgrade_type: u}, {upgrade_type: U}",
       "route.upgrade_configs[1].upgrade_type: duplicate: U"},
      {"{upgrade_type: websocket, connect_config: {}}",
       "route.upgrade_configs[0].connect_config: conflict: websocket"},
  };
  for (const auto& [configs, expected] : cases) {
    Lines errors;
    convert("route: {cluster: web, upgrade_configs: [" + configs + "]}", &errors);
    EXPECT_EQ(errors, Lines({expected})) << configs;
  }
}

TEST(RouteAction, StreamDurations) {
  const auto unset = std::get<route::Forward>(convert("route: {cluster: web}").action);
  EXPECT_EQ(unset.max_stream_duration, std::nullopt);
  EXPECT_EQ(unset.grpc_timeout_header_max, std::nullopt);
  const auto forward = std::get<route::Forward>(
      convert("route: {cluster: web, max_stream_duration: {max_stream_duration: 0s, "
              "grpc_timeout_header_max: 30s, grpc_timeout_header_offset: 0.25s}}")
          .action);
  EXPECT_EQ(forward.max_stream_duration, milliseconds(0));
  EXPECT_EQ(forward.grpc_timeout_header_max, milliseconds(30'000));
  EXPECT_EQ(forward.grpc_timeout_header_offset, milliseconds(250));
}

}  // namespace
}  // namespace convoy::config
