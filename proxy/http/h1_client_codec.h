#pragma once

// The client's side of one HTTP/1.1 connection (RFC 9112): writes requests, one at a time, never
// pipelined, and reads their responses. A response that could be read in two ways kills the
// connection: the next request must never get another's bytes. Sans-I/O, see codec.h.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/codec.h"
#include "proxy/http/h1_body.h"
#include "proxy/http/h1_head.h"
#include "proxy/http/h1_limits.h"
#include "proxy/http/h1_read_pause.h"
#include "proxy/http/h1_section.h"
#include "proxy/http/h1_writer.h"

namespace convoy::http {

class H1ClientCodec final : public ClientCodec, private RequestSender {
 public:
  // Both outlive the codec.
  H1ClientCodec(ClientCodecHandler& handler, const H1Limits& limits);

  // REQUIRES: idle() and not mustClose().
  RequestSender& newStream(ResponseReceiver& receiver) override;
  void dispatch(std::string_view bytes) override;
  net::SpliceResult spliceBody(net::Connection& from) override;
  void onEndOfStream() override;
  void onConnectionLost(Failure why) override;
  bool mustClose() const override { return must_close_; }
  bool idle() const override { return receiver_ == nullptr; }
  void onOutputAboveHigh() override;
  void onOutputBelowLow() override;
  Protocol protocol() const override { return Protocol::Http11; }

  // Request fields that were left out because they held line breaks, since the beginning.
  size_t fieldsLeftOut() const { return fields_left_out_; }

 private:
  enum class Receiving : uint8_t {
    Idle,      // no request is waiting for a response
    Head,      // a response head, final or not, is to come
    Body,      // inside the response's body
    Complete,  // the response is complete; the request may not be
    Dead,      // broken, reset or ended: further bytes are dropped
  };
  enum class Sending : uint8_t {
    None,      // there is no stream
    Head,      // the request head may be sent
    Body,      // the request's body may be sent
    Complete,  // the request is complete
  };

  // RequestSender
  void sendHead(const RequestHead& head, bool end_of_stream) override;
  void sendBody(std::string_view bytes, bool end_of_stream) override;
  void sendTrailers(const HeaderList& trailers) override;
  net::SpliceResult sendBodyOf(net::Connection& from, uint64_t most) override;
  uint64_t taken() override { return handler_.acknowledged(); }
  void reset(Failure failure) override;
  void pauseReceiving() override;
  void resumeReceiving() override { pause_.resume(); }

  void transition(Receiving to);
  void transition(Sending to);
  void readHead(std::string_view& bytes);
  void onInformational(ResponseHead& head);
  void onFinalHead(H1ResponseParser& parsed, bool more_bytes);
  bool startBody(const H1ResponseParser& parsed);
  void readBody(std::string_view& bytes);
  void completeReceiving(bool more_bytes);
  void completeSending();
  void completeStreamIfBothEnded();
  void openTunnel();
  H1Framing startRequest(const RequestHead& head, bool end_of_stream);
  void fail(H1Error error);
  ResponseReceiver* abandonStream();
  Failure lossAsSeen(Failure why) const;

  ClientCodecHandler& handler_;
  const H1Limits& limits_;
  ResponseReceiver* receiver_ = nullptr;
  H1SectionReader<H1ResponseParser> head_reader_;
  H1BodyReader body_reader_;
  H1BodyWriter body_writer_;
  H1ReadPause pause_;
  size_t fields_left_out_ = 0;
  int informational_ = 0;  // 1xx responses to the running request
  Receiving receiving_ = Receiving::Idle;
  Sending sending_ = Sending::None;
  bool dispatching_ = false;
  bool must_close_ = false;
  bool told_above_high_ = false;
  // Of the running request.
  bool is_head_ = false;
  bool is_connect_ = false;
  bool wants_upgrade_ = false;
  bool is_tunnel_ = false;  // it is open
};

}  // namespace convoy::http
