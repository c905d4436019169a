#pragma once

// A gRPC call with one message each way. Owner: the caller; destroying it cancels. Thread: the
// client's loop.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proxy/grpc/client.h"
#include "proxy/grpc/stream.h"

namespace convoy::grpc {

class UnaryCall final : private StreamHandler {
 public:
  // Called once, never from inside the constructor; may destroy the UnaryCall.
  using Callback = std::function<void(absl::StatusOr<std::string> response)>;

  UnaryCall(Client& client, CallOptions options, std::string_view request, Callback callback);

 private:
  void onMessage(std::string_view message) override;
  void onStatus(const absl::Status& status) override;

  Callback callback_;
  std::optional<std::string> response_;
  bool too_many_ = false;
  std::unique_ptr<Stream> stream_;
};

}  // namespace convoy::grpc
