#include "proxy/grpc/call.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "proxy/base/assert.h"
#include "proxy/grpc/client.h"
#include "proxy/grpc/session.h"
#include "proxy/grpc/status.h"

namespace convoy::grpc {

Call::Call(CallOptions options, StreamHandler& handler)
    : options_(std::move(options)), handler_(&handler), parser_(options_.max_message_bytes) {
  outgoing_.setWatermarks(
      options_.send_high_watermark,
      {.below_low = [](void* self) { static_cast<Call*>(self)->writable_due_ = true; },
       .context = this});
}

Call::~Call() {
  if (stream_ != nullptr) stream_->call_ = nullptr;
}

void Call::transition(State to) {
  CONVOY_ASSERT(to > state_);
  state_ = to;
}

void Call::send(std::string_view message) {
  if (state_ == State::Ended) return;
  CONVOY_ASSERT(!finished_);
  char prefix[kFramePrefixBytes];
  writeFramePrefix(static_cast<uint32_t>(message.size()), prefix);
  outgoing_.append({prefix, sizeof(prefix)});
  outgoing_.append(message);
  if (session_ != nullptr) session_->resume(*this);
}

void Call::finish() {
  if (state_ == State::Ended) return;
  finished_ = true;
  if (state_ == State::Open) transition(State::HalfClosed);
  if (session_ != nullptr) session_->resume(*this);
}

void Call::abandon() {
  stream_ = nullptr;
  deadline_.reset();
  end(absl::CancelledError("cancelled by the caller"));
  if (session_ != nullptr) {
    session_->cancel(*this);
  } else if (client_ != nullptr) {
    client_->forget(*this);  // destroys this
  }
}

size_t Call::take(char* out, size_t room, bool* end) {
  size_t length = 0;
  while (length < room && !outgoing_.empty()) {
    const std::string_view front = outgoing_.front();
    const size_t taken = std::min(front.size(), room - length);
    std::memcpy(out + length, front.data(), taken);
    outgoing_.consume(taken);
    length += taken;
  }
  end_sent_ = *end = outgoing_.empty() && finished_;
  return length;
}

void Call::startOn(Session& session, int32_t id) {
  session_ = &session;
  id_ = id;
  transition(State::Open);
  if (finished_) transition(State::HalfClosed);
}

void Call::onHeader(std::string_view name, std::string_view value) {
  if (name == ":status") {
    http_status_ = 0;
    std::from_chars(value.data(), value.data() + value.size(), http_status_);
  } else if (name == "content-type") {
    content_is_grpc_ = value.starts_with("application/grpc");
  } else if (name == "grpc-status") {
    peer_code_ = parseCode(value);
  } else if (name == "grpc-message") {
    peer_message_ = percentDecode(value);
  }
}

void Call::onHeadersEnd() {
  if (http_status_ >= 100 && http_status_ < 200) return;
  if (peer_code_.has_value()) return;  // the end follows
  if (http_status_ != 200) {
    failLocally(peerStatus());
  } else if (!content_is_grpc_) {
    failLocally(
        absl::UnknownError("the peer answered 200 without a content-type of application/grpc: "
                           "this is no gRPC server"));
  }
}

void Call::onData(std::string_view bytes) {
  while (stream_ != nullptr && state_ != State::Ended) {
    switch (parser_.parse(bytes)) {
      case FrameParser::Result::NeedMore:
        return;
      case FrameParser::Result::Error:
        failLocally(parser_.error());
        return;
      case FrameParser::Result::Message:
        handler_->onMessage(parser_.message());
        break;
    }
  }
}

void Call::onEndOfStream() {
  end(peerStatus());
  if (!end_sent_) session_->cancel(*this);
}

void Call::onReset(uint32_t http2_error) {
  if (peer_code_.has_value()) {
    end(peerStatus());
  } else if (http2_error != NGHTTP2_NO_ERROR) {
    end(absl::Status(codeFromHttp2Error(http2_error),
                     absl::StrCat("the stream was reset: ", nghttp2_http2_strerror(http2_error))));
  } else {
    end(peerStatus());
  }
}

absl::Status Call::peerStatus() const {
  if (!peer_code_.has_value()) {
    if (http_status_ == 200) {
      return absl::UnknownError("the peer ended the stream without a grpc-status");
    }
    return absl::Status(
        codeFromHttpStatus(http_status_),
        absl::StrCat("the peer answered with HTTP status ", http_status_, " and no grpc-status"));
  }
  if (*peer_code_ == absl::StatusCode::kOk) {
    if (parser_.insideMessage()) {
      return absl::InternalError("the peer ended the stream inside a message");
    }
    return absl::OkStatus();
  }
  return absl::Status(*peer_code_, peer_message_);
}

void Call::end(absl::Status status) {
  if (state_ == State::Ended) return;
  transition(State::Ended);
  status_ = std::move(status);
  outgoing_.clear();
  writable_due_ = false;
}

void Call::failLocally(absl::Status status) {
  end(std::move(status));
  if (session_ != nullptr) session_->cancel(*this);
}

void Call::tell() {
  if (stream_ == nullptr) return;
  if (state_ == State::Ended) {
    deadline_.reset();
    std::exchange(stream_, nullptr)->call_ = nullptr;
    handler_->onStatus(status_);
  } else if (std::exchange(writable_due_, false)) {
    handler_->onWritable();
  }
}

void Call::armDeadline(event::Loop& loop, Client& client) {
  client_ = &client;
  if (options_.timeout == event::Duration::zero()) return;
  deadline_ = std::make_unique<event::Timer>(loop, [this] { onDeadline(); });
  deadline_->armAfter(options_.timeout);
}

void Call::onDeadline() {
  failLocally(absl::DeadlineExceededError(
      absl::StrCat(state_ == State::Waiting ? "no connection" : "no answer", " within ",
                   absl::ToInt64Milliseconds(absl::FromChrono(options_.timeout)), " ms")));
  if (session_ == nullptr) client_->expire(*this);  // destroys this
}

}  // namespace convoy::grpc
