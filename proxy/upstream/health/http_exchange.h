#pragma once

// One HTTP request at a time on a connection of its own, for checks: connects when there is none,
// keeps it for the next request if that is wanted and the peer lets it. A kept connection that
// turns out to be dead before a byte of the response came is replaced once, since its end and the
// request may have met. Everything that the peer sends is bounded: heads by the codec, the body by
// the caller. Owner: the probe; thread: its loop's. It is destroyed outside of its callbacks.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/codec.h"
#include "proxy/net/connection.h"
#include "proxy/upstream/health/probe.h"

namespace convoy::upstream {

struct CheckRequest {
  std::string method;
  std::string target;
  std::string authority;
  std::vector<Header> headers;
  std::string body;
  bool te_trailers = false;
};

struct CheckAnswer {
  std::string error = {};  // not empty: there was no answer
  uint16_t status = 0;
  std::vector<Header> headers = {};  // those that the caller named
  std::string body = {};             // at most the caller's limit
  std::vector<Header> trailers = {};
};

class HttpExchange final : private net::ConnectionHandler,
                           private http::ClientCodecHandler,
                           private http::ResponseReceiver {
 public:
  struct Limits {
    size_t kept_body = 0;  // bytes that are of interest
    // A longer body is not read to its end: the connection is given up.
    static constexpr size_t kReadBody = 1024 * 1024;
  };
  using Done = std::function<void(CheckAnswer)>;

  // wanted: names of headers and trailers to be kept, lower case.
  HttpExchange(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
               UpstreamProtocol protocol, Limits limits, std::vector<std::string_view> wanted,
               Done done);
  ~HttpExchange();

  // `request` lives until done.
  void start(const CheckRequest& request);
  std::string_view missing() const { return codec_ == nullptr ? "no connection" : "no response"; }

 private:
  // net::ConnectionHandler
  void onConnected() override;
  void onRead(std::string_view bytes) override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override;
  // http::ClientCodecHandler
  net::ByteQueue& output() override;
  void pauseReading() override { connection_->pauseReading(); }
  void resumeReading() override { connection_->resumeReading(); }
  void onStreamComplete(http::RequestSender&) override { sender_ = nullptr; }
  void onProtocolError(http::Failure failure, std::string_view detail) override;
  void onGoAway() override { leaving_ = true; }
  void onStreamReset(http::RequestSender&) override { sender_ = nullptr; }
  // http::ResponseReceiver
  void onInformational(http::ResponseHead&) override {}
  void onResponseHead(http::ResponseHead& head, bool end_of_stream) override;
  void onResponseBody(std::string_view bytes, bool end_of_stream) override;
  void onResponseTrailers(http::HeaderList& trailers) override;
  void onResponseReset(http::Failure failure) override;
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

  void connect();
  void send();
  void keep(const http::HeaderList& from, std::vector<Header>* to) const;
  void endAnswer();
  void settle();
  void onLost(std::string why);
  void drop();
  void finish();

  ProbeServices& services_;
  const ProbeOwner owner_;
  const ProbeTarget target_;
  const UpstreamProtocol protocol_;
  const Limits limits_;
  const std::vector<std::string_view> wanted_;
  const Done done_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<http::ClientCodec> codec_;  // null: no connection yet
  http::RequestSender* sender_ = nullptr;     // of a stream that has not ended
  const CheckRequest* request_ = nullptr;     // null: nothing is under way
  CheckAnswer answer_;
  size_t body_bytes_ = 0;
  bool answered_ = false;     // the answer is complete, or nobody wants the rest
  bool used_before_ = false;  // the connection has carried a request
  bool heard_ = false;        // bytes came since the request was sent
  bool leaving_ = false;      // the connection takes no further request
};

}  // namespace convoy::upstream
