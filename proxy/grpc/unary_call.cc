#include "proxy/grpc/unary_call.h"

#include <utility>

namespace convoy::grpc {

UnaryCall::UnaryCall(Client& client, CallOptions options, std::string_view request,
                     Callback callback)
    : callback_(std::move(callback)), stream_(client.startStream(std::move(options), *this)) {
  stream_->send(request);
  stream_->finish();
}

void UnaryCall::onMessage(std::string_view message) {
  too_many_ = response_.has_value();
  response_ = std::string(message);
}

void UnaryCall::onStatus(const absl::Status& status) {
  absl::StatusOr<std::string> result = status.ok() ? absl::UnknownError("") : status;
  if (status.ok()) {
    if (!response_.has_value()) {
      result = absl::InternalError("the peer ended a unary call without a message");
    } else if (too_many_) {
      result = absl::InternalError("the peer sent several messages in a unary call");
    } else {
      result = std::move(*response_);
    }
  }
  // Last, and from a copy: it may destroy this.
  const Callback callback = std::move(callback_);
  callback(std::move(result));
}

}  // namespace convoy::grpc
