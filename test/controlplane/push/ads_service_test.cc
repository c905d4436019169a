#include "controlplane/push/ads_service.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane::push {
namespace {

namespace discovery_v3 = envoy::service::discovery::v3;

using AdsServiceTest = ControlPlaneTest;

// Delta is what every other test speaks.
TEST_F(AdsServiceTest, SpeaksStateOfTheWorld) {
  ASSERT_TRUE(apply(kTenLines).ok());
  const auto stub = discovery_v3::AggregatedDiscoveryService::NewStub(
      grpc::CreateChannel(server_->xds().text(), grpc::InsecureChannelCredentials()));
  const auto waiting = context();
  auto stream = stub->StreamAggregatedResources(waiting.get());
  discovery_v3::DiscoveryRequest request;
  request.mutable_node()->set_id("old-school");
  request.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  ASSERT_TRUE(stream->Write(request));
  discovery_v3::DiscoveryResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.version_info(), "1");
  EXPECT_EQ(response.type_url(), request.type_url());
  EXPECT_EQ(response.control_plane().identifier().substr(0, 15), "convoy-control/");
  ASSERT_EQ(response.resources_size(), 1);
  request.set_response_nonce(response.nonce());
  request.set_version_info(response.version_info());
  ASSERT_TRUE(stream->Write(request));
  ASSERT_TRUE(apply(R"(pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN })").ok());
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.version_info(), "2");
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace convoy::controlplane::push
