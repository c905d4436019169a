#include "controlplane/push/wire.h"

#include <gtest/gtest.h>

#include <string>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace convoy::controlplane::push {
namespace {

Response response(Protocol protocol) {
  Response out;
  out.protocol = protocol;
  out.type = compile::Type::Cluster;
  out.nonce = "7";
  out.revision = 42;
  for (const char* name : {"a", "b"}) {
    envoy::config::cluster::v3::Cluster cluster;
    cluster.set_name(name);
    out.update.resources.push_back(compile::encode(out.type, name, cluster));
  }
  out.update.removed = {"old", "older"};
  return out;
}

TEST(WireTest, DeltaResponses) {
  grpc::ByteBuffer bytes = encodeResponse(response(Protocol::Delta), "me");
  envoy::service::discovery::v3::DeltaDiscoveryResponse decoded;
  ASSERT_TRUE(decodeRequest(&bytes, &decoded).ok());
  EXPECT_EQ(decoded.system_version_info(), "42");
  EXPECT_EQ(decoded.nonce(), "7");
  EXPECT_EQ(decoded.type_url(), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_EQ(decoded.control_plane().identifier(), "me");
  ASSERT_EQ(decoded.resources_size(), 2);
  EXPECT_EQ(decoded.resources(1).name(), "b");
  ASSERT_EQ(decoded.removed_resources_size(), 2);
  EXPECT_EQ(decoded.removed_resources(0), "old");
}

TEST(WireTest, WholeStateResponses) {
  grpc::ByteBuffer bytes = encodeResponse(response(Protocol::WholeState), "me");
  envoy::service::discovery::v3::DiscoveryResponse decoded;
  ASSERT_TRUE(decodeRequest(&bytes, &decoded).ok());
  EXPECT_EQ(decoded.version_info(), "42");
  EXPECT_EQ(decoded.nonce(), "7");
  ASSERT_EQ(decoded.resources_size(), 2);
  envoy::config::cluster::v3::Cluster cluster;
  ASSERT_TRUE(decoded.resources(0).UnpackTo(&cluster));
  EXPECT_EQ(cluster.name(), "a");
}

TEST(WireTest, ResourcesAreNotCopied) {
  const Response sent = response(Protocol::Delta);
  const grpc::ByteBuffer bytes = encodeResponse(sent, "me");
  std::vector<grpc::Slice> slices;
  ASSERT_TRUE(bytes.Dump(&slices).ok());
  ASSERT_EQ(slices.size(), 4u);
  EXPECT_EQ(slices[1].begin(), sent.update.resources[0]->delta.begin());
  EXPECT_EQ(slices[2].begin(), sent.update.resources[1]->delta.begin());
}

TEST(WireTest, GarbageIsNoRequest) {
  grpc::Slice garbage("\xff\xff\xff");
  grpc::ByteBuffer bytes(&garbage, 1);
  envoy::service::discovery::v3::DeltaDiscoveryRequest request;
  EXPECT_TRUE(absl::IsInvalidArgument(decodeRequest(&bytes, &request)));
}

}  // namespace
}  // namespace convoy::controlplane::push
