#include "proxy/admin/admin_connection.h"

#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/strings.h"

namespace convoy::admin {

AdminConnection::AdminConnection(AdminServer& server, int fd, const net::Address& remote,
                                 const net::Address& local)
    : server_(server),
      connection_(net::Connection::adopt(server.loop_, fd, {remote, local}, *this)),
      codec_(*this, limits_),
      deadline_([](void* self) { static_cast<AdminConnection*>(self)->onDeadline(); }, this),
      settle_([](void* self) { static_cast<AdminConnection*>(self)->settle(); }, this) {
  armDeadline();
}

AdminConnection::~AdminConnection() = default;

void AdminConnection::transition(State to) {
  // Reading <-> Due, and from anywhere to Closing.
  CONVOY_ASSERT(state_ != to || to == State::Closing);
  CONVOY_ASSERT(state_ != State::Closing || to == State::Closing);
  state_ = to;
}

// --- time ---

// From one answer to the next: bytes that trickle in do not prolong it.
void AdminConnection::armDeadline() {
  unsent_before_ = connection_->output().size();
  deadline_.arm(server_.loop_.deadlineQueue(AdminServer::kPatience));
}

void AdminConnection::onDeadline() {
  // A large page on a slow line is not stuck.
  if (connection_->output().size() < unsent_before_) return armDeadline();
  transition(State::Closing);
  connection_->close(net::CloseMode::Now);
}

// --- connection ---

void AdminConnection::onRead(std::string_view bytes) {
  const size_t taken = codec_.dispatch(bytes);
  if (taken < bytes.size()) {
    held_.assign(bytes.substr(taken));
    connection_->pauseReading();
  }
  server_.loop_.atEndOfTurn(settle_);
}

// After the codec's frames: the answer that is due, the next pipelined request, or the end.
void AdminConnection::settle() {
  if (state_ == State::Closing) return;
  if (state_ == State::Due) {
    if (!connection_->output().aboveHigh()) answer();
    return;
  }
  if (sender_ != nullptr) return;
  if (codec_.mustClose()) {
    transition(State::Closing);
    return connection_->close(net::CloseMode::Flush);
  }
  if (held_.empty()) return;
  const std::string held = std::exchange(held_, {});
  connection_->resumeReading();
  onRead(held);
}

void AdminConnection::onEndOfStream() {
  codec_.onEndOfStream();
  server_.loop_.atEndOfTurn(settle_);
}

void AdminConnection::onClosed(net::CloseReason) {
  transition(State::Closing);
  deadline_.cancel();
  codec_.onConnectionLost(http::Failure::DownstreamDisconnect);
  unlink();
  --server_.connection_count_;
  server_.loop_.destroyAtEndOfTurn(std::unique_ptr<AdminConnection>(this));
}

net::ByteQueue& AdminConnection::output() {
  connection_->scheduleFlush();
  return connection_->output();
}

// --- request ---

http::RequestReceiver& AdminConnection::newStream(http::ResponseSender& sender) {
  sender_ = &sender;
  body_bytes_ = 0;
  return *this;
}

void AdminConnection::onProtocolError(http::Failure failure, std::string_view detail) {
  if (sender_ == nullptr) {
    method_.clear();
    sender_ = codec_.senderForError();
  }
  if (sender_ == nullptr) return;
  codec_.goAway();
  send({http::info(failure).status, kPlainText, std::string(detail) + "\n"});
}

void AdminConnection::onRequestHead(http::RequestHead& head, bool end_of_stream) {
  method_ = head.method;
  target_ = head.target;
  host_ = head.authority;
  // Several count as one list, which is no origin of ours.
  origin_.reset();
  for (const http::HeaderField& field : head.headers) {
    if (!base::equalsIgnoreCase(field.name, "origin")) continue;
    origin_ = origin_.has_value() ? *origin_ + ", " : std::string();
    *origin_ += field.value;
  }
  if (end_of_stream) transition(State::Due);
}

void AdminConnection::onRequestBody(std::string_view bytes, bool end_of_stream) {
  if (sender_ == nullptr) return;  // answered already
  body_bytes_ += bytes.size();
  if (body_bytes_ > AdminServer::kMaxBody) {
    codec_.goAway();
    return send({413, kPlainText, "the body is too large, and no admin page reads one\n"});
  }
  if (end_of_stream) transition(State::Due);
}

void AdminConnection::onRequestTrailers(http::HeaderList&) {
  if (sender_ != nullptr) transition(State::Due);
}

void AdminConnection::onRequestReset(http::Failure) {
  sender_ = nullptr;
  if (state_ == State::Due) transition(State::Reading);
}

void AdminConnection::onStreamComplete(http::ResponseSender&) {
  sender_ = nullptr;
  server_.loop_.atEndOfTurn(settle_);
}

// --- answer ---

void AdminConnection::answer() {
  transition(State::Reading);
  const std::string_view target = target_;
  const size_t question = target.find('?');
  Request request;
  request.method = method_;
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  request.caller = {.host = host_, .origin = origin_};
  send(server_.answer(request));
}

void AdminConnection::send(const Response& response) {
  http::ResponseHead head;
  head.status = static_cast<uint16_t>(response.status);
  head.headers.add("content-type", response.content_type);
  head.headers.add("cache-control", "no-cache, max-age=0");
  head.headers.add("x-content-type-options", "nosniff");
  if (!response.allow.empty()) head.headers.add("allow", response.allow);
  head.body = {http::BodyLength::Kind::Known, response.body.size()};
  http::ResponseSender& sender = *std::exchange(sender_, nullptr);
  const bool bodiless = response.body.empty() || method_ == "HEAD";
  sender.sendHead(head, bodiless);
  if (!bodiless) sender.sendBody(response.body, true);
  armDeadline();
}

}  // namespace convoy::admin
