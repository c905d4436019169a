#pragma once

// The client's side of one HTTP/2 connection (RFC 9113): many requests at a time. Sans-I/O, see
// codec.h. A connection error or its loss ends every stream; a malformed response ends its own. A
// stream that the server has not looked at (REFUSED_STREAM, or above the last one of its GOAWAY)
// ends with UpstreamRefusedStream: it may be sent again elsewhere. What was handed over of a
// request and has not left when its response is complete is not sent any more; a tunnel's bytes
// are.

#include <memory>
#include <string_view>

#include "proxy/event/clock.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_session.h"

namespace convoy::http {

class H2ClientCodec final : public ClientCodec, private H2SessionHandler {
 public:
  // A connection has numbers for so many streams.
  static constexpr uint64_t kMostStreams = 1'000'000'000;

  // Handler, clock and metrics outlive the codec.
  H2ClientCodec(ClientCodecHandler& handler, const H2Options& options, const event::Clock& clock,
                H2Metrics& metrics);
  ~H2ClientCodec() override;

  // More streams than the server allows wait inside until it allows more.
  void start() override { session_.flush(); }
  RequestSender& newStream(ResponseReceiver& receiver) override;
  void dispatch(std::string_view bytes) override;
  void onEndOfStream() override { onConnectionLost(Failure::UpstreamReset); }
  void onConnectionLost(Failure why) override;
  bool mustClose() const override { return must_close_; }
  bool endIsAnnounced() const override { return end_is_announced_; }
  bool idle() const override { return session_.streamCount() == 0; }
  bool takesUpgrades() const override { return session_.peerTakesExtendedConnect(); }
  void ping() override { session_.ping(); }
  void onOutputAboveHigh() override {}
  void onOutputBelowLow() override { session_.onOutputBelowLow(); }
  Protocol protocol() const override { return Protocol::Http2; }

  H2Session& session() { return session_; }

 private:
  class Stream;

  // H2SessionHandler
  net::ByteQueue& sessionOutput() override { return handler_.output(); }
  std::unique_ptr<H2Stream> onStreamOpened(int32_t) override { return nullptr; }
  void onSection(H2Stream& stream, H2Section& section, bool end_of_stream) override;
  void onData(H2Stream& stream, std::string_view bytes, bool end_of_stream) override;
  void onStreamClosed(H2Stream& stream, uint32_t code) override;
  void onPeerGoAway(int32_t last_stream) override;
  void onPeerSettings() override;
  void onMessageRefused(H2Error) override {}

  void onHead(Stream& stream, H2Section& section, bool end_of_stream);
  void onTunnel(Stream& stream, bool end_of_stream);
  void onTrailers(Stream& stream, H2Section& section);
  void refuse(Stream& stream, H2Error error);
  void endIfAnswered(Stream& stream);
  void dropStreams(Failure why);

  ClientCodecHandler& handler_;
  const H2Options options_;
  ResponseHead head_;  // the one that is being handed over
  H2Session session_;
  bool must_close_ = false;  // takes no more streams
  bool end_is_announced_ = false;
  bool told_error_ = false;
};

}  // namespace convoy::http
