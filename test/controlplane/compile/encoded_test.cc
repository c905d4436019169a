#include "controlplane/compile/encoded.h"

#include <gtest/gtest.h>

#include <string>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace convoy::controlplane::compile {
namespace {

using envoy::config::cluster::v3::Cluster;

Cluster cluster(const std::string& name, size_t size = 0) {
  Cluster out;
  out.set_name(name);
  out.set_alt_stat_name(std::string(size, 'x'));
  return out;
}

std::string text(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// Every length of varint that a length may need.
TEST(EncodedTest, IsAFieldOfEitherResponse) {
  for (const size_t size : {0u, 20u, 200u, 20'000u, 3'000'000u}) {
    const Cluster message = cluster("web", size);
    const EncodedPtr encoded = encode(Type::Cluster, "web", message);

    envoy::service::discovery::v3::DeltaDiscoveryResponse delta;
    ASSERT_TRUE(delta.ParseFromString(text(encoded->delta) + text(encoded->delta)));
    ASSERT_EQ(delta.resources_size(), 2);
    EXPECT_EQ(delta.resources(1).name(), "web");
    EXPECT_EQ(delta.resources(1).version(), encoded->version);
    Cluster unpacked;
    ASSERT_TRUE(delta.resources(1).resource().UnpackTo(&unpacked));
    EXPECT_EQ(unpacked.SerializeAsString(), message.SerializeAsString());

    envoy::service::discovery::v3::DiscoveryResponse whole;
    ASSERT_TRUE(whole.ParseFromString(text(encoded->whole_state)));
    ASSERT_EQ(whole.resources_size(), 1);
    ASSERT_TRUE(whole.resources(0).UnpackTo(&unpacked));
    EXPECT_EQ(unpacked.name(), "web");
  }
}

TEST(EncodedTest, TheVersionIsTheContents) {
  EXPECT_EQ(encode(Type::Cluster, "a", cluster("a"))->version,
            encode(Type::Cluster, "a", cluster("a"))->version);
  EXPECT_NE(encode(Type::Cluster, "a", cluster("a"))->version,
            encode(Type::Cluster, "a", cluster("a", 1))->version);
}

TEST(EncodedTest, ElsewhereThereAreNoBytes) {
  const EncodedPtr encoded = encodedElsewhere("web", "v7");
  EXPECT_EQ(encoded->name, "web");
  EXPECT_EQ(encoded->version, "v7");
  EXPECT_EQ(encoded->delta.size(), 0u);
}

}  // namespace
}  // namespace convoy::controlplane::compile
