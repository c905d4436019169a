#pragma once

// convoy.v1.ConfigService on gRPC: checks what belongs to the call, and hands the rest on. Unary
// calls run on a thread each, since they write to disk and may wait; Watch does not.

#include "api/convoy/v1/config_service.grpc.pb.h"
#include "controlplane/base/stop_signal.h"
#include "controlplane/fleet/registry.h"
#include "controlplane/manage/config_manager.h"

namespace convoy::controlplane::manage {

class ConfigService final
    : public v1::ConfigService::WithCallbackMethod_Watch<v1::ConfigService::Service> {
 public:
  ConfigService(ConfigManager* manager, store::Store* store, fleet::Registry* registry,
                StopSignal* stop)
      : manager_(manager), store_(store), registry_(registry), stop_(stop) {}

  grpc::Status Apply(grpc::ServerContext* context, const v1::ApplyRequest* request,
                     v1::ApplyResponse* response) override;
  grpc::Status Validate(grpc::ServerContext* context, const v1::ValidateRequest* request,
                        v1::ValidateResponse* response) override;
  grpc::Status Get(grpc::ServerContext* context, const v1::GetRequest* request,
                   v1::GetResponse* response) override;
  grpc::Status List(grpc::ServerContext* context, const v1::ListRequest* request,
                    v1::ListResponse* response) override;
  grpc::Status Delete(grpc::ServerContext* context, const v1::DeleteRequest* request,
                      v1::DeleteResponse* response) override;
  grpc::Status History(grpc::ServerContext* context, const v1::HistoryRequest* request,
                       v1::HistoryResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;

 private:
  // Waits, if the request asks for it, until the nodes have answered; appends them to `nodes`.
  void awaitNodes(const google::protobuf::Duration& wait, store::RevisionNumber revision,
                  grpc::ServerContext* context,
                  google::protobuf::RepeatedPtrField<v1::Node>* nodes);

  ConfigManager* const manager_;
  store::Store* const store_;
  fleet::Registry* const registry_;
  StopSignal* const stop_;
};

}  // namespace convoy::controlplane::manage
