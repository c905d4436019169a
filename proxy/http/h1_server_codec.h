#pragma once

// The server's side of one HTTP/1.0 or 1.1 connection (RFC 9112): reads requests, one at a time,
// and writes their responses. Pipelined requests wait in the caller's hands until the response
// before them is complete. Sans-I/O, see codec.h; about 200 bytes, nothing else while no head or
// trailer section is cut in two by a read.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/recycled.h"
#include "proxy/http/codec.h"
#include "proxy/http/h1_body.h"
#include "proxy/http/h1_head.h"
#include "proxy/http/h1_limits.h"
#include "proxy/http/h1_read_pause.h"
#include "proxy/http/h1_section.h"
#include "proxy/http/h1_writer.h"

namespace convoy::http {

class H1ServerCodec final : public ServerCodec,
                            private ResponseSender,
                            public base::Recycled<H1ServerCodec> {
 public:
  // All arguments outlive the codec. `scheme` is that of requests whose target names none.
  H1ServerCodec(ServerCodecHandler& handler, const H1Limits& limits,
                std::string_view scheme = "http");

  size_t dispatch(std::string_view bytes) override;
  net::SpliceResult spliceBody(net::Connection& from) override;
  void onEndOfStream() override;
  void onConnectionLost(Failure why) override;
  void goAway() override { go_away_ = true; }
  ResponseSender* senderForError() override;
  bool mustClose() const override { return must_close_; }
  bool idle() const override;
  bool receivingHead() const override { return head_reader_.partial(); }
  void onOutputAboveHigh() override;
  void onOutputBelowLow() override;
  Protocol protocol() const override { return Protocol::Http11; }

  // Response fields that were left out because they held line breaks, since the beginning.
  size_t fieldsLeftOut() const { return fields_left_out_; }

 private:
  enum class Receiving : uint8_t {
    Head,      // between requests, or inside a head
    Body,      // inside the running request's body
    Complete,  // the running request is complete and waits for its response
    Dead,      // broken, reset or ended: further bytes are dropped
  };
  enum class Sending : uint8_t {
    None,      // there is no stream
    Head,      // a response head may be sent
    Body,      // a response body may be sent
    Complete,  // the response is complete; the request is not
  };

  // ResponseSender
  void sendInformational(const ResponseHead& head) override;
  void sendHead(const ResponseHead& head, bool end_of_stream) override;
  void leaveRequestUnread() override { go_away_ = true; }
  void sendBody(std::string_view bytes, bool end_of_stream) override;
  void sendTrailers(const HeaderList& trailers) override;
  net::SpliceResult sendBodyOf(net::Connection& from, uint64_t most) override;
  uint64_t taken() override { return handler_.acknowledged(); }
  void reset(Failure failure) override;
  void pauseReceiving() override;
  void resumeReceiving() override { pause_.resume(); }

  void transition(Receiving to);
  void transition(Sending to);
  bool betweenRequests() const {
    return receiving_ == Receiving::Head && sending_ == Sending::None && !head_reader_.partial();
  }
  void readHead(std::string_view& bytes);
  void startStream(RequestHead& head);
  void readBody(std::string_view& bytes);
  void fail(H1Error error);
  void abandonStream();
  void completeReceiving();
  void completeSending();
  void completeStreamIfBothEnded();
  H1Framing startResponse(const ResponseHead& head, bool end_of_stream);
  H1Connection decideConnection(const ResponseHead& head);

  ServerCodecHandler& handler_;
  const H1Limits& limits_;
  const std::string_view scheme_;
  RequestReceiver* receiver_ = nullptr;  // null without a stream, and for senderForError()
  H1SectionReader<H1RequestParser> head_reader_;
  H1BodyReader body_reader_;
  H1BodyWriter body_writer_;
  H1ReadPause pause_;
  size_t fields_left_out_ = 0;
  Receiving receiving_ = Receiving::Head;
  Sending sending_ = Sending::None;
  bool dispatching_ = false;
  bool after_empty_line_ = false;
  bool must_close_ = false;
  bool go_away_ = false;
  bool told_above_high_ = false;
  // Of the running request.
  bool is_head_ = false;
  bool is_connect_ = false;
  bool is_http10_ = false;
  bool wants_tunnel_ = false;  // what follows the head is a tunnel's, if the response opens one
  bool is_tunnel_ = false;     // and it has
  bool keep_alive_ = true;
  bool awaits_continue_ = false;  // "Expect: 100-continue", neither answered nor body begun
};

}  // namespace convoy::http
