#pragma once

// Responses as bytes. Resources are shared slices: only nonce, type, revision and removed names are
// written per node.

#include <string>

#include <grpcpp/support/byte_buffer.h>
#include "absl/status/status.h"
#include "controlplane/push/session.h"
#include "google/protobuf/message.h"

namespace convoy::controlplane::push {

// `server`: control_plane.identifier.
grpc::ByteBuffer encodeResponse(const Response& response, const std::string& server);

// Error: InvalidArgument.
absl::Status decodeRequest(grpc::ByteBuffer* bytes, google::protobuf::Message* request);

}  // namespace convoy::controlplane::push
