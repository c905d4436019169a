#include "proxy/upstream/health/http_exchange.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/strings.h"
#include "proxy/upstream/health/tcp_probe.h"

namespace convoy::upstream {

HttpExchange::HttpExchange(ProbeServices& services, const ProbeOwner& owner,
                           const ProbeTarget& target, UpstreamProtocol protocol, Limits limits,
                           std::vector<std::string_view> wanted, Done done)
    : services_(services),
      owner_(owner),
      target_(target),
      protocol_(protocol),
      limits_(limits),
      wanted_(std::move(wanted)),
      done_(std::move(done)) {}

// The codec must not call a receiver that is half gone.
HttpExchange::~HttpExchange() {
  if (sender_ != nullptr) std::exchange(sender_, nullptr)->reset(http::Failure::None);
}

void HttpExchange::start(const CheckRequest& request) {
  CONVOY_ASSERT(request_ == nullptr);
  request_ = &request;
  answer_ = {};
  if (connection_ == nullptr) return connect();
  used_before_ = true;
  send();
}

void HttpExchange::connect() {
  used_before_ = leaving_ = false;
  connection_ = connectForCheck(services_, owner_, target_, *this);
}

void HttpExchange::onConnected() {
  codec_ = services_.io.createCodec(services_.loop, *owner_.cluster, protocol_, services_.h2, *this)
               .codec;
  send();
}

void HttpExchange::send() {
  body_bytes_ = 0;
  answered_ = heard_ = false;
  http::RequestHead head;
  head.method = request_->method;
  head.target = request_->target;
  head.authority = request_->authority;
  head.scheme = owner_.transports == nullptr ? "http" : "https";
  head.protocol =
      protocol_ == UpstreamProtocol::Http2 ? http::Protocol::Http2 : http::Protocol::Http11;
  head.te_trailers = request_->te_trailers;
  for (const auto& [name, value] : request_->headers) head.headers.add(name, value);
  if (!request_->body.empty()) {
    head.body = {http::BodyLength::Kind::Known, request_->body.size()};
  }
  sender_ = &codec_->newStream(*this);
  http::RequestSender& sender = *sender_;
  sender.sendHead(head, /*end_of_stream=*/request_->body.empty());
  if (!request_->body.empty() && sender_ != nullptr) {
    sender.sendBody(request_->body, /*end_of_stream=*/true);
  }
  connection_->scheduleFlush();
}

// --- the answer ---

void HttpExchange::keep(const http::HeaderList& from, std::vector<Header>* to) const {
  for (const std::string_view name : wanted_) {
    const http::HeaderField* const found = from.find(name);
    if (found != nullptr) to->emplace_back(name, found->value);
  }
}

void HttpExchange::onResponseHead(http::ResponseHead& head, bool end_of_stream) {
  answer_.status = head.status;
  keep(head.headers, &answer_.headers);
  if (end_of_stream) endAnswer();
}

void HttpExchange::onResponseBody(std::string_view bytes, bool end_of_stream) {
  if (answered_) return;
  body_bytes_ += bytes.size();
  const size_t room = limits_.kept_body - answer_.body.size();
  answer_.body.append(bytes.substr(0, room));
  if (end_of_stream) return endAnswer();
  if (body_bytes_ <= Limits::kReadBody) return;
  leaving_ = true;
  endAnswer();
}

void HttpExchange::onResponseTrailers(http::HeaderList& trailers) {
  keep(trailers, &answer_.trailers);
  endAnswer();
}

void HttpExchange::endAnswer() {
  answered_ = true;
}

void HttpExchange::onResponseReset(http::Failure) {
  sender_ = nullptr;
  leaving_ = true;
  if (answer_.error.empty()) answer_.error = "the host broke the request off";
  answered_ = true;
}

void HttpExchange::onProtocolError(http::Failure, std::string_view detail) {
  leaving_ = true;
  answer_.error = absl::StrCat("the response is malformed: ", base::toAbsl(detail));
}

// --- the connection ---

void HttpExchange::onRead(std::string_view bytes) {
  if (codec_ == nullptr) return;
  heard_ = true;
  codec_->dispatch(bytes);
  settle();
}

void HttpExchange::onEndOfStream() {
  if (codec_ == nullptr) return;
  leaving_ = true;
  // It may be what ends the body.
  codec_->onEndOfStream();
  if (request_ != nullptr && (!answered_ || !answer_.error.empty())) {
    return onLost("the host closed the connection without a response");
  }
  settle();
}

void HttpExchange::onClosed(net::CloseReason reason) {
  const std::string why = describeLoss(reason, *connection_);
  leaving_ = true;
  if (codec_ != nullptr) codec_->onConnectionLost(http::Failure::UpstreamReset);
  onLost(why);
}

void HttpExchange::onLost(std::string why) {
  const bool again = request_ != nullptr && used_before_ && !heard_;
  drop();
  if (request_ == nullptr) return;
  answer_ = {};
  if (again) return connect();
  answer_.error = std::move(why);
  finish();
}

void HttpExchange::onWriteQueueBelowLow() {
  if (codec_ != nullptr) codec_->onOutputBelowLow();
}

net::ByteQueue& HttpExchange::output() {
  connection_->scheduleFlush();
  return connection_->output();
}

// What the codec's events of this turn have come to.
void HttpExchange::settle() {
  const bool done = request_ != nullptr && (answered_ || !answer_.error.empty());
  const bool idle = request_ == nullptr || done;
  if (codec_->mustClose() || !answer_.error.empty()) leaving_ = true;
  if (idle && (leaving_ || sender_ != nullptr || !owner_.check().reuse_connection)) drop();
  if (done) finish();
}

void HttpExchange::drop() {
  if (connection_ == nullptr) return;
  if (sender_ != nullptr) std::exchange(sender_, nullptr)->reset(http::Failure::None);
  if (codec_ != nullptr) services_.loop.destroyAtEndOfTurn(std::move(codec_));
  dropConnection(services_, std::move(connection_));
}

void HttpExchange::finish() {
  request_ = nullptr;
  done_(std::exchange(answer_, {}));
}

}  // namespace convoy::upstream
