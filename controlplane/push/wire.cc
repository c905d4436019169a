#include "controlplane/push/wire.h"

#include <utility>
#include <vector>

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>
#include "absl/strings/str_cat.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "google/protobuf/message.h"

namespace convoy::controlplane::push {

namespace {

namespace discovery_v3 = envoy::service::discovery::v3;

// What comes before the resources and what comes after them. Fields may come in any order, so each
// half is a message of its own.
std::pair<std::string, std::string> envelope(const Response& response, const std::string& server) {
  const absl::string_view url = compile::typeUrl(response.type);
  if (response.protocol == Protocol::WholeState) {
    discovery_v3::DiscoveryResponse head;
    head.set_version_info(absl::StrCat(response.revision));
    head.set_type_url(std::string(url));
    head.set_nonce(response.nonce);
    head.mutable_control_plane()->set_identifier(server);
    return {head.SerializeAsString(), ""};
  }
  discovery_v3::DeltaDiscoveryResponse head;
  head.set_system_version_info(absl::StrCat(response.revision));
  head.set_type_url(std::string(url));
  head.set_nonce(response.nonce);
  head.mutable_control_plane()->set_identifier(server);
  discovery_v3::DeltaDiscoveryResponse tail;
  for (const std::string& name : response.update.removed) tail.add_removed_resources(name);
  return {head.SerializeAsString(), tail.SerializeAsString()};
}

}  // namespace

grpc::ByteBuffer encodeResponse(const Response& response, const std::string& server) {
  const auto [head, tail] = envelope(response, server);
  std::vector<grpc::Slice> slices;
  slices.reserve(response.update.resources.size() + 2);
  slices.emplace_back(head);
  for (const compile::EncodedPtr& resource : response.update.resources) {
    slices.push_back(response.protocol == Protocol::Delta ? resource->delta
                                                          : resource->whole_state);
  }
  if (!tail.empty()) slices.emplace_back(tail);
  return grpc::ByteBuffer(slices.data(), slices.size());
}

absl::Status decodeRequest(grpc::ByteBuffer* bytes, google::protobuf::Message* request) {
  const grpc::Status status =
      grpc::GenericDeserialize<grpc::ProtoBufferReader, google::protobuf::Message>(bytes, request);
  if (status.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("this is no ", request->GetDescriptor()->full_name()));
}

}  // namespace convoy::controlplane::push
