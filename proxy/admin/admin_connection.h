#pragma once

// One connection of the admin endpoint: codec, the request being read, and its answer. Owned by
// AdminServer's list. Requests are answered one at a time, at the end of the turn, and only while
// the client takes what it was sent: a client that pipelines requests for large pages and reads
// none of them costs the output queue's limit and one page, not one page per request.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/admin/admin_server.h"
#include "proxy/base/intrusive_list.h"
#include "proxy/event/deadlines.h"
#include "proxy/http/h1_server_codec.h"
#include "proxy/net/connection.h"

namespace convoy::admin {

class AdminConnection final : public net::ConnectionHandler,
                              public http::ServerCodecHandler,
                              public http::RequestReceiver,
                              public base::ListHook<> {
 public:
  AdminConnection(AdminServer& server, int fd, const net::Address& remote,
                  const net::Address& local);
  ~AdminConnection();

  void close() { connection_->close(net::CloseMode::Now); }

  void onRead(std::string_view bytes) override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override { server_.loop_.atEndOfTurn(settle_); }

  net::ByteQueue& output() override;
  void pauseReading() override { connection_->pauseReading(); }
  void resumeReading() override { connection_->resumeReading(); }
  http::RequestReceiver& newStream(http::ResponseSender& sender) override;
  void onProtocolError(http::Failure failure, std::string_view detail) override;
  void onStreamComplete(http::ResponseSender& sender) override;

  void onRequestHead(http::RequestHead& head, bool end_of_stream) override;
  void onRequestBody(std::string_view bytes, bool end_of_stream) override;
  void onRequestTrailers(http::HeaderList& trailers) override;
  void onRequestReset(http::Failure failure) override;
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

 private:
  enum class State : uint8_t {
    Reading,  // a request is awaited, or being read
    Due,      // a request is complete, its answer is due
    Closing,  // close() was called
  };

  void transition(State to);
  void armDeadline();
  void onDeadline();
  void answer();
  void send(const Response& response);
  void settle();

  AdminServer& server_;
  std::unique_ptr<net::Connection> connection_;
  http::H1Limits limits_;
  http::H1ServerCodec codec_;
  State state_ = State::Reading;
  http::ResponseSender* sender_ = nullptr;  // null: there is no request, or it was answered
  std::string method_;
  std::string target_;
  std::string host_;
  std::optional<std::string> origin_;
  size_t body_bytes_ = 0;
  std::string held_;          // pipelined bytes; reading is paused while there are any
  size_t unsent_before_ = 0;  // size of the output queue when the deadline was armed
  event::Deadline deadline_;
  event::EndOfTurnTask settle_;
};

}  // namespace convoy::admin
