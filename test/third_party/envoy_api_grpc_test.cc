// The stubs of Envoy's discovery service are there for programs with gRPC++.

#include <gtest/gtest.h>

#include <string>

#include "envoy/service/discovery/v3/ads.grpc.pb.h"
#include "envoy/service/status/v3/csds.grpc.pb.h"

namespace convoy::test {
namespace {

TEST(EnvoyApiGrpc, ServicesHaveTheirWireNames) {
  using envoy::service::discovery::v3::AggregatedDiscoveryService;
  EXPECT_EQ(std::string(AggregatedDiscoveryService::service_full_name()),
            "envoy.service.discovery.v3.AggregatedDiscoveryService");
  EXPECT_EQ(
      std::string(envoy::service::status::v3::ClientStatusDiscoveryService::service_full_name()),
      "envoy.service.status.v3.ClientStatusDiscoveryService");
}

}  // namespace
}  // namespace convoy::test
