#include "proxy/config/assignment.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::endpoint::v3::ClusterLoadAssignment;

Result<upstream::AssignmentSpec> make(std::string_view yaml) {
  return makeAssignment(fromYaml<ClusterLoadAssignment>(yaml), testContext());
}

TEST(Assignment, EveryHonouredField) {
  Context context = testContext();
  context.version = "v7";
  const auto result = makeAssignment(fromYaml<ClusterLoadAssignment>(R"(
cluster_name: web
endpoints:
- locality: {region: eu, zone: eu-1, sub_zone: rack-2}
  load_balancing_weight: 5
  lb_endpoints:
  - endpoint:
      address: {socket_address: {address: 10.0.0.1, port_value: 80}}
      hostname: a.example
    load_balancing_weight: 7
    health_status: DRAINING
    metadata:
      filter_metadata:
        convoy.labels: {version: "2", count: 3}
        other: {x: y}
  - endpoint: {address: {pipe: {path: /run/app.sock}}}
- priority: 1
  lb_endpoints:
  - endpoint: {address: {socket_address: {address: "2001:db8::1", port_value: 81}}}
    health_status: DEGRADED
)"),
                                     context);
  ASSERT_TRUE(result.ok()) << result.errors.text();
  const upstream::AssignmentSpec& spec = *result.spec;
  EXPECT_EQ(spec.cluster, "web");
  EXPECT_EQ(spec.version, "v7");
  ASSERT_EQ(spec.localities.size(), 2u);
  const upstream::LocalitySpec& first = spec.localities[0];
  EXPECT_EQ(first.region + "/" + first.zone + "/" + first.sub_zone, "eu/eu-1/rack-2");
  EXPECT_EQ(first.weight, 5u);
  EXPECT_EQ(first.priority, 0u);
  ASSERT_EQ(first.endpoints.size(), 2u);
  EXPECT_EQ(first.endpoints[0].address.text(), "10.0.0.1:80");
  EXPECT_EQ(first.endpoints[0].hostname, "a.example");
  EXPECT_EQ(first.endpoints[0].weight, 7u);
  EXPECT_EQ(first.endpoints[0].health, upstream::HealthStatus::Draining);
  EXPECT_EQ(first.endpoints[0].labels, (std::map<std::string, std::string>{{"version", "2"}}));
  EXPECT_EQ(first.endpoints[1].address.text(), "unix:/run/app.sock");
  EXPECT_EQ(first.endpoints[1].weight, 1u);
  EXPECT_EQ(first.endpoints[1].health, upstream::HealthStatus::Unknown);
  EXPECT_EQ(spec.localities[1].priority, 1u);
  EXPECT_EQ(spec.localities[1].endpoints[0].address.text(), "[2001:db8::1]:81");
  EXPECT_EQ(brief(result.notes), Lines());
}

TEST(Assignment, EmptyIsFine) {
  const auto result = make("cluster_name: web");
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result.spec->localities.empty());
}

TEST(Assignment, HealthStatuses) {
  const std::pair<const char*, upstream::HealthStatus> cases[] = {
      {"UNKNOWN", upstream::HealthStatus::Unknown},
      {"HEALTHY", upstream::HealthStatus::Healthy},
      {"UNHEALTHY", upstream::HealthStatus::Unhealthy},
      {"DRAINING", upstream::HealthStatus::Draining},
      {"TIMEOUT", upstream::HealthStatus::Timeout},
      {"DEGRADED", upstream::HealthStatus::Degraded},
  };
  for (const auto& [name, status] : cases) {
    const auto result = make(
        "{cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {pipe: {path: /a}}}, "
        "health_status: " +
        std::string(name) + "}]}]}");
    ASSERT_TRUE(result.ok()) << result.errors.text();
    EXPECT_EQ(result.spec->localities[0].endpoints[0].health, status) << name;
  }
}

TEST(Assignment, Errors) {
  const auto endpoint = [](const std::string& text) {
    return "{cluster_name: c, endpoints: [{lb_endpoints: [" + text + "]}]}";
  };
  const std::string at = "endpoints[0].lb_endpoints[0].";
  const ErrorCase cases[] = {
      {"{}", {"cluster_name: required: "}},
      {endpoint("{}"), {at + "endpoint.address: required: "}},
      {endpoint("{endpoint_name: x}"), {at + "endpoint_name: unsupported_field: x"}},
      {endpoint("{endpoint: {address: {}}}"), {at + "endpoint.address: required: "}},
      {endpoint("{endpoint: {address: {socket_address: {address: db.internal, port_value: 1}}}}"),
       {at + "endpoint.address.socket_address.address: address: db.internal"}},
      {endpoint("{endpoint: {address: {socket_address: {address: 1.2.3.4, port_value: 70000}}}}"),
       {at + "endpoint.address.socket_address.port_value: range: 70000"}},
      {endpoint("{endpoint: {address: {socket_address: {address: 1.2.3.4, port_value: 0}}}}"),
       {at + "endpoint.address.socket_address.port_value: range: 0"}},
      {endpoint("{endpoint: {address: {socket_address: {address: 1.2.3.4}}}}"),
       {at + "endpoint.address.socket_address: required: ",
        at + "endpoint.address.socket_address.port_value: range: 0"}},
      {endpoint("{endpoint: {address: {socket_address: {protocol: UDP, address: 1.2.3.4, "
                "port_value: 1}}}}"),
       {at + "endpoint.address.socket_address.protocol: unsupported_value: UDP"}},
      {endpoint("{endpoint: {address: {pipe: {path: /a}}}, load_balancing_weight: 0}"),
       {at + "load_balancing_weight: range: 0"}},
      {endpoint("{endpoint: {address: {pipe: {path: /a}}}, load_balancing_weight: 4294967295}, "
                "{endpoint: {address: {pipe: {path: /b}}}, load_balancing_weight: 1}"),
       {"endpoints[0].lb_endpoints: range: 4294967296"}},
      {"{cluster_name: c, endpoints: [{priority: 129}]}",
       {"endpoints[0].priority: range: 129", "endpoints: range: 129"}},
      {"{cluster_name: c, endpoints: [{priority: 0}, {priority: 2}]}", {"endpoints: range: 2"}},
      {"{cluster_name: c, policy: {drop_overloads: [{category: x}]}}",
       {"policy.drop_overloads: unsupported_field: "}},
      {"{cluster_name: c, named_endpoints: {x: {}}}", {"named_endpoints: unsupported_field: "}},
  };
  for (const ErrorCase& c : cases) {
    EXPECT_EQ(brief(make(c.yaml).errors.errors), c.errors) << c.yaml;
  }
}

TEST(Assignment, WhereAndHowAnEndpointIsChecked) {
  const auto checked = [](const std::string& config) {
    const auto result = make(
        "{cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: "
        "{address: 10.0.0.1, port_value: 80}}, health_check_config: {" +
        config + "}}}]}]}");
    EXPECT_TRUE(result.ok()) << result.errors.text();
    const upstream::EndpointSpec& spec = result.spec->localities[0].endpoints[0];
    return std::string(spec.health_check ? "" : "not ") +
           (spec.health_address.has_value() ? spec.health_address->text() : "itself") + " " +
           spec.health_hostname;
  };
  EXPECT_EQ(checked(""), "itself ");
  EXPECT_EQ(checked("port_value: 9000, hostname: a"), "10.0.0.1:9000 a");
  EXPECT_EQ(checked("address: {socket_address: {address: 10.0.0.2, port_value: 0}}"),
            "10.0.0.2:80 ");
  EXPECT_EQ(checked("address: {socket_address: {address: 10.0.0.2, port_value: 1}}, port_value: 9"),
            "10.0.0.2:9 ");
  EXPECT_EQ(checked("disable_active_health_check: true"), "not itself ");
}

}  // namespace
}  // namespace convoy::config
