#include "controlplane/compile/pool.h"

#include <gtest/gtest.h>

#include <string>

#include "envoy/extensions/upstreams/http/v3/http_protocol_options.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "test/controlplane/common/config_text.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::controlplane::compile {
namespace {

std::shared_ptr<const v1::Pool> poolNamed(const std::string& name) {
  auto pool = std::make_shared<v1::Pool>();
  pool->set_name(name);
  return pool;
}

BackendPtr backend(const std::string& text) {
  return std::make_shared<v1::Backend>(parse<v1::Backend>(text));
}

// Addresses of the endpoints of an encoded assignment.
std::string endpoints(const EncodedPtr& encoded) {
  const std::string bytes(reinterpret_cast<const char*>(encoded->delta.begin()),
                          encoded->delta.size());
  envoy::service::discovery::v3::DeltaDiscoveryResponse response;
  EXPECT_TRUE(response.ParseFromString(bytes));
  envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
  EXPECT_TRUE(response.resources(0).resource().UnpackTo(&assignment));
  std::string out;
  for (const auto& locality : assignment.endpoints()) {
    for (const auto& endpoint : locality.lb_endpoints()) {
      out += endpoint.endpoint().address().socket_address().address() + " ";
    }
  }
  return out;
}

// The options of HTTP/2 that such a pool becomes.
std::string http2Options(const std::string& pool) {
  const auto cluster = compileCluster(parse<v1::Pool>("protocol: PROTOCOL_HTTP2 " + pool));
  envoy::extensions::upstreams::http::v3::HttpProtocolOptions options;
  EXPECT_TRUE(cluster.typed_extension_protocol_options()
                  .at("envoy.extensions.upstreams.http.v3.HttpProtocolOptions")
                  .UnpackTo(&options));
  EXPECT_TRUE(options.explicit_http_config().has_http2_protocol_options());
  return shortText(options.explicit_http_config().http2_protocol_options());
}

TEST(PoolTest, ClusterDefaultsAreWrittenOut) {
  auto cluster = compileCluster(parse<v1::Pool>(R"(name: "web")"));
  cluster.clear_load_balancing_policy();
  EXPECT_EQ(
      shortText(cluster),
      R"(name: "web" type: EDS eds_cluster_config { eds_config { ads { } resource_api_version: V3 } } )"
      R"(connect_timeout { seconds: 5 } lb_policy: LEAST_REQUEST circuit_breakers { thresholds {)"
      R"( max_connections { value: 4294967295 } max_pending_requests { value: 4294967295 })"
      R"( max_requests { value: 4294967295 } retry_budget { budget_percent { value: 20 })"
      R"( min_retry_concurrency { value: 3 } } } thresholds { priority: HIGH)"
      R"( max_connections { value: 4294967295 } max_pending_requests { value: 4294967295 })"
      R"( max_requests { value: 4294967295 } retry_budget { budget_percent { value: 20 })"
      R"( min_retry_concurrency { value: 3 } } } })"
      R"( metadata { typed_filter_metadata { key: "convoy.ext.HostPolicy" value {)"
      R"( [type.googleapis.com/convoy.ext.HostPolicy] { drain_timeout { seconds: 30 } } } } })"
      R"( common_lb_config { healthy_panic_threshold { } zone_aware_lb_config {)"
      R"( routing_enabled { } } })");
}

TEST(PoolTest, Protocols) {
  for (const char* http1 : {"", "protocol: PROTOCOL_HTTP1"}) {
    EXPECT_TRUE(compileCluster(parse<v1::Pool>(http1)).typed_extension_protocol_options().empty());
  }
  EXPECT_EQ(http2Options("keepalive { interval {} }"), "");
}

TEST(PoolTest, AConnectionOfHttp2IsAskedWhetherItIsAliveUnlessThePoolSaysNo) {
  EXPECT_EQ(http2Options(""),
            "connection_keepalive { interval { seconds: 30 } timeout { seconds: 10 } "
            "connection_idle_interval { seconds: 30 } }");
  EXPECT_EQ(http2Options("keepalive { interval { seconds: 5 } timeout { seconds: 2 } }"),
            "connection_keepalive { interval { seconds: 5 } timeout { seconds: 2 } "
            "connection_idle_interval { seconds: 5 } }");
  EXPECT_EQ(http2Options("keepalive { interval {} timeout { seconds: 2 } }"), "");
}

TEST(PoolTest, EachClientFindsAnAlgorithmThatItHas) {
  for (const char* algorithm : {"", "algorithm: ALGORITHM_WEIGHTED_LEAST_CONNECTIONS"}) {
    const auto cluster = compileCluster(parse<v1::Pool>(algorithm));
    xds::type::v3::TypedStruct exact;
    ASSERT_TRUE(cluster.load_balancing_policy()
                    .policies(0)
                    .typed_extension_config()
                    .typed_config()
                    .UnpackTo(&exact));
    EXPECT_EQ(exact.type_url(), "type.googleapis.com/convoy.ext.WeightedLeastConnections");
    std::string types;
    for (const auto& policy : cluster.load_balancing_policy().policies()) {
      types += policy.typed_extension_config().typed_config().type_url() + " ";
    }
    EXPECT_EQ(types,
              "type.googleapis.com/xds.type.v3.TypedStruct "
              "type.googleapis.com/"
              "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest "
              "type.googleapis.com/"
              "envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin ");
  }
  const auto turns = compileCluster(parse<v1::Pool>("algorithm: ALGORITHM_ROUND_ROBIN"));
  EXPECT_FALSE(turns.has_load_balancing_policy());
}

TEST(PoolTest, ClusterFields) {
  const auto cluster = compileCluster(parse<v1::Pool>(
      R"(name: "web" algorithm: ALGORITHM_ROUND_ROBIN connect_timeout { nanos: 5000000 })"));
  EXPECT_EQ(cluster.lb_policy(), envoy::config::cluster::v3::Cluster::ROUND_ROBIN);
  EXPECT_EQ(cluster.connect_timeout().nanos(), 5'000'000);
}

TEST(PoolTest, AssignmentHasWeights) {
  EXPECT_EQ(shortText(compileAssignment("web", {backend(R"(address: "10.0.0.1:80" weight: 3)")})),
            R"(cluster_name: "web" endpoints { lb_endpoints { endpoint { address { socket_address )"
            R"({ address: "10.0.0.1" port_value: 80 } } } load_balancing_weight { value: 3 } } })");
  EXPECT_EQ(shortText(compileAssignment("web", {})), R"(cluster_name: "web")");
}

TEST(PoolTest, NodesShareAnAssignmentUnlessBackendsSelectThem) {
  const Assignment all(poolNamed("web"), {backend(R"(address: "10.0.0.1:80" weight: 1)")});
  EXPECT_TRUE(all.selective().empty());
  EXPECT_EQ(all.forNode({}), all.forNode({{"zone", "a"}}));

  const Assignment zoned(
      poolNamed("web"),
      {backend(R"(address: "10.0.0.1:80" nodes { labels { key: "zone" value: "a" } })"),
       backend(R"(address: "10.0.0.2:80")"),
       backend(R"(address: "10.0.0.3:80" nodes { labels { key: "zone" value: "b" } })")});
  EXPECT_EQ(zoned.selective().size(), 2u);
  EXPECT_EQ(endpoints(zoned.forNode({{"zone", "a"}})), "10.0.0.1 10.0.0.2 ");
  EXPECT_EQ(endpoints(zoned.forNode({{"zone", "b"}})), "10.0.0.2 10.0.0.3 ");
  EXPECT_EQ(endpoints(zoned.forNode({})), "10.0.0.2 ");
  EXPECT_EQ(zoned.forNode({{"zone", "c"}}), zoned.forNode({}));
}

}  // namespace
}  // namespace convoy::controlplane::compile
