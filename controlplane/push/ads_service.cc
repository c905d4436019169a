#include "controlplane/push/ads_service.h"

#include "controlplane/push/stream.h"

namespace convoy::controlplane::push {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AdsService::StreamAggregatedResources(
    grpc::CallbackServerContext* context) {
  return Stream::start(Protocol::WholeState, publisher_, registry_, context->peer(), server_);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* AdsService::DeltaAggregatedResources(
    grpc::CallbackServerContext* context) {
  return Stream::start(Protocol::Delta, publisher_, registry_, context->peer(), server_);
}

}  // namespace convoy::controlplane::push
