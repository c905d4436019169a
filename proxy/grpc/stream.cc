#include "proxy/grpc/stream.h"

#include "proxy/grpc/call.h"

namespace convoy::grpc {

Stream::Stream(Call& call) : call_(&call) {
  call.attach(*this);
}

Stream::~Stream() {
  if (call_ != nullptr) call_->abandon();
}

void Stream::send(std::string_view message) {
  if (call_ != nullptr) call_->send(message);
}

void Stream::finish() {
  if (call_ != nullptr) call_->finish();
}

bool Stream::aboveHigh() const {
  return call_ != nullptr && call_->aboveHigh();
}

}  // namespace convoy::grpc
