#pragma once

// Envoy's AggregatedDiscoveryService with raw bytes, so that encoded resources are not encoded
// again for every node.

#include <string>

#include "controlplane/fleet/registry.h"
#include "controlplane/push/publisher.h"
#include "envoy/service/discovery/v3/ads.grpc.pb.h"

namespace convoy::controlplane::push {

using RawAdsService = envoy::service::discovery::v3::AggregatedDiscoveryService::
    WithRawCallbackMethod_StreamAggregatedResources<
        envoy::service::discovery::v3::AggregatedDiscoveryService::
            WithRawCallbackMethod_DeltaAggregatedResources<
                envoy::service::discovery::v3::AggregatedDiscoveryService::Service>>;

class AdsService final : public RawAdsService {
 public:
  AdsService(Publisher* publisher, fleet::Registry* registry, std::string server)
      : publisher_(publisher), registry_(registry), server_(std::move(server)) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamAggregatedResources(
      grpc::CallbackServerContext* context) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* DeltaAggregatedResources(
      grpc::CallbackServerContext* context) override;

 private:
  Publisher* const publisher_;
  fleet::Registry* const registry_;
  const std::string server_;
};

}  // namespace convoy::controlplane::push
