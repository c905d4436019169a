#pragma once

// The server's side of one HTTP/2 connection (RFC 9113): many requests at a time. Sans-I/O, see
// codec.h. A connection error ends every stream, then the connection; a message that is refused is
// answered where nghttp2 has not reset it already. Unlike an HTTP/1.x codec it is not freed while
// the connection is idle: HPACK's tables, the windows and the budget are the connection's state.
// The handler's output has a high mark: above it and H2Options::max_output nothing more is read.

#include <memory>
#include <string_view>
#include <vector>

#include "proxy/event/clock.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_session.h"

namespace convoy::http {

class H2ServerCodec final : public ServerCodec, private H2SessionHandler {
 public:
  // Handler, clock and metrics outlive the codec.
  H2ServerCodec(ServerCodecHandler& handler, const H2Options& options, const event::Clock& clock,
                H2Metrics& metrics);
  ~H2ServerCodec() override;

  size_t dispatch(std::string_view bytes) override;
  void onEndOfStream() override;
  void onConnectionLost(Failure why) override;
  void goAway() override { session_.startGoAway(); }
  void goAwayNow() override { session_.finishGoAway(); }
  void explainEnd(std::string_view why) override { session_.explainGoAway(why); }
  ResponseSender* senderForError() override { return nullptr; }  // a GOAWAY has said it all
  bool mustClose() const override;
  bool idle() const override { return session_.streamCount() == 0 && !receivingHead(); }
  bool receivingHead() const override {
    return session_.failure() == H2Error::None && (!settled_ || session_.inHeaderBlock());
  }
  bool multiplexed() const override { return true; }
  size_t resetStalledStreams(bool output_moves) override {
    return session_.resetStalledStreams(output_moves);
  }
  void onOutputAboveHigh() override {}
  void onOutputBelowLow() override;
  Protocol protocol() const override { return Protocol::Http2; }

  H2Session& session() { return session_; }

 private:
  class Stream;

  // H2SessionHandler
  net::ByteQueue& sessionOutput() override { return handler_.output(); }
  std::unique_ptr<H2Stream> onStreamOpened(int32_t id) override;
  void onSection(H2Stream& stream, H2Section& section, bool end_of_stream) override;
  void onData(H2Stream& stream, std::string_view bytes, bool end_of_stream) override;
  void onStreamClosed(H2Stream& stream, uint32_t code) override;
  void onPeerGoAway(int32_t) override { peer_went_away_ = true; }
  void onPeerSettings() override { settled_ = true; }
  void onMessageRefused(H2Error error) override;

  void onRequest(Stream& stream, H2Section& section, bool end_of_stream);
  void asUpgrade(Stream& stream);
  void onTrailers(Stream& stream, H2Section& section);
  void endConnection(H2Error error);
  void dropStreams(Failure why);
  template <typename Condition>
  std::vector<Stream*> streamsThat(Condition condition);
  void dropUnsendable();
  void holdBack();

  ServerCodecHandler& handler_;
  const H2Options options_;
  H2Metrics& metrics_;
  RequestHead head_;  // the one that is being handed over
  H2Session session_;
  bool settled_ = false;  // the preface is complete, SETTINGS included
  bool told_error_ = false;
  bool peer_ended_ = false;
  bool peer_went_away_ = false;  // opens no more streams
  bool holding_back_ = false;    // not reading: the peer takes nothing, and goes on asking
};

}  // namespace convoy::http
