#include "proxy/admin/admin_connection.h"

#include <utility>

namespace convoy::admin {

AdminConnection::AdminConnection(AdminServer& server, int fd, const net::Address& remote,
                                 const net::Address& local)
    : server_(server),
      connection_(net::Connection::adopt(server.loop_, fd, remote, local, *this)),
      codec_(*this, limits_),
      idle_deadline_(
          [](void* self) {
            static_cast<AdminConnection*>(self)->connection_->close(net::CloseMode::Now);
          },
          this),
      settle_([](void* self) { static_cast<AdminConnection*>(self)->settle(); }, this) {
  idle_deadline_.arm(server_.loop_.deadlineQueue(AdminServer::kIdleTimeout));
}

AdminConnection::~AdminConnection() = default;

void AdminConnection::onRead(std::string_view bytes) {
  idle_deadline_.arm(server_.loop_.deadlineQueue(AdminServer::kIdleTimeout));
  const size_t taken = codec_.dispatch(bytes);
  if (taken < bytes.size()) {
    held_.assign(bytes.substr(taken));
    connection_->pauseReading();
  }
  server_.loop_.atEndOfTurn(settle_);
}

// After the codec's frames: the next pipelined request, or the end.
void AdminConnection::settle() {
  if (closing_) return;
  if (codec_.mustClose() && sender_ == nullptr) {
    closing_ = true;
    return connection_->close(net::CloseMode::Flush);
  }
  if (held_.empty() || sender_ != nullptr) return;
  const std::string held = std::exchange(held_, {});
  connection_->resumeReading();
  onRead(held);
}

void AdminConnection::onEndOfStream() {
  codec_.onEndOfStream();
  closing_ = true;
  connection_->close(net::CloseMode::Flush);
}

void AdminConnection::onClosed(net::CloseReason) {
  closing_ = true;
  idle_deadline_.cancel();
  codec_.onConnectionLost(http::Failure::DownstreamDisconnect);
  unlink();
  --server_.connection_count_;
  server_.loop_.destroyAtEndOfTurn(std::unique_ptr<AdminConnection>(this));
}

net::ByteQueue& AdminConnection::output() {
  connection_->scheduleFlush();
  return connection_->output();
}

http::RequestReceiver& AdminConnection::newStream(http::ResponseSender& sender) {
  sender_ = &sender;
  body_bytes_ = 0;
  return *this;
}

void AdminConnection::onProtocolError(http::Failure failure, std::string_view detail) {
  if (sender_ == nullptr) sender_ = codec_.senderForError();
  if (sender_ == nullptr) return;
  codec_.goAway();
  send({http::info(failure).status, "text/plain; charset=UTF-8", std::string(detail) + "\n"});
}

void AdminConnection::onStreamComplete(http::ResponseSender&) {
  sender_ = nullptr;
  server_.loop_.atEndOfTurn(settle_);
}

void AdminConnection::onRequestHead(http::RequestHead& head, bool end_of_stream) {
  method_ = head.method;
  target_ = head.target;
  if (end_of_stream) answer();
}

void AdminConnection::onRequestBody(std::string_view bytes, bool end_of_stream) {
  body_bytes_ += bytes.size();
  if (body_bytes_ > AdminServer::kMaxBody && sender_ != nullptr) {
    return std::exchange(sender_, nullptr)->reset(http::Failure::PayloadTooLarge);
  }
  if (end_of_stream) answer();
}

void AdminConnection::onRequestTrailers(http::HeaderList&) {
  answer();
}

void AdminConnection::onRequestReset(http::Failure) {
  sender_ = nullptr;
}

void AdminConnection::answer() {
  const std::string_view target = target_;
  const size_t question = target.find('?');
  Request request;
  request.method = method_;
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  send(server_.answer(request));
}

void AdminConnection::send(const Response& response) {
  http::ResponseHead head;
  head.status = static_cast<uint16_t>(response.status);
  head.headers.add("content-type", response.content_type);
  head.headers.add("cache-control", "no-cache, max-age=0");
  head.headers.add("x-content-type-options", "nosniff");
  head.body = {http::BodyLength::Kind::Known, response.body.size()};
  http::ResponseSender& sender = *std::exchange(sender_, nullptr);
  const bool bodiless = response.body.empty() || method_ == "HEAD";
  sender.sendHead(head, bodiless);
  if (!bodiless) sender.sendBody(response.body, true);
}

}  // namespace convoy::admin
