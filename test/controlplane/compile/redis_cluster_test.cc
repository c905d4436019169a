#include "controlplane/compile/redis_cluster.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::cluster::v3::Cluster;

Cluster compiled(const std::string& redis) {
  return compileRedisCluster(
      parse<v1::Pool>(absl::StrCat("name: \"web\" protocol: PROTOCOL_HTTP2 tls { ca: \"web-ca\" } ",
                                   "sticky { source_ip {} redis { ", redis, " } }")));
}

std::string serverOf(const Cluster& cluster) {
  const auto& endpoint = cluster.load_assignment().endpoints(0).lb_endpoints(0).endpoint();
  return absl::StrCat(endpoint.address().socket_address().address(), ":",
                      endpoint.address().socket_address().port_value());
}

TEST(RedisClusterTest, AnAddressIsAClusterOfItsOwn) {
  const Cluster cluster = compiled("address: \"10.0.0.9:6379\"");
  EXPECT_EQ(cluster.name(), "redis/web");
  EXPECT_EQ(cluster.type(), Cluster::STATIC);
  EXPECT_FALSE(cluster.has_eds_cluster_config());
  EXPECT_EQ(cluster.load_assignment().cluster_name(), "redis/web");
  EXPECT_EQ(serverOf(cluster), "10.0.0.9:6379");
  EXPECT_EQ(cluster.connect_timeout().seconds(), 1);
  EXPECT_FALSE(cluster.has_transport_socket()) << "the pool's TLS is for its backends";
  EXPECT_TRUE(cluster.typed_extension_protocol_options().empty());
}

TEST(RedisClusterTest, ANameIsLookedUpByTheNodes) {
  const Cluster cluster = compiled("address: \"redis.example:6379\"");
  EXPECT_EQ(cluster.type(), Cluster::LOGICAL_DNS) << "one of its addresses at a time";
  EXPECT_EQ(serverOf(cluster), "redis.example:6379");
}

TEST(RedisClusterTest, SpeaksTlsOfItsOwn) {
  const Cluster cluster =
      compiled("address: \"10.0.0.9:6379\" tls { ca: \"redis-ca\" server_name: \"redis\" }");
  const std::string text = shortText(cluster.transport_socket());
  EXPECT_NE(text.find("redis-ca"), std::string::npos) << text;
  EXPECT_EQ(text.find("web-ca"), std::string::npos) << text;
}

}  // namespace
}  // namespace convoy::controlplane::compile
