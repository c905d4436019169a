#pragma once

// convoy.v1.FleetService on gRPC.

#include <functional>

#include "api/convoy/v1/fleet_service.grpc.pb.h"
#include "controlplane/base/stop_signal.h"
#include "controlplane/fleet/registry.h"

namespace convoy::controlplane::fleet {

class FleetService final
    : public v1::FleetService::WithCallbackMethod_WatchNodes<v1::FleetService::Service> {
 public:
  // The head's revision.
  using Head = std::function<store::RevisionNumber()>;

  FleetService(Registry* registry, Head head, StopSignal* stop)
      : registry_(registry), head_(std::move(head)), stop_(stop) {}

  grpc::Status ListNodes(grpc::ServerContext* context, const v1::ListNodesRequest* request,
                         v1::ListNodesResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchNodesResponse>* WatchNodes(
      grpc::CallbackServerContext* context, const v1::WatchNodesRequest* request) override;

 private:
  Registry* const registry_;
  const Head head_;
  StopSignal* const stop_;
};

}  // namespace convoy::controlplane::fleet
