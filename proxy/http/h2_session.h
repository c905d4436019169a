#pragma once

// What both roles of an HTTP/2 connection (RFC 9113) share: nghttp2's session for framing, HPACK
// and the windows, and around it streams, back-pressure, the flood budget and the connection's end.
// Sans-I/O: bytes in by receive(), bytes out into the owner's ByteQueue, as soon as they are known,
// but never from inside a callback of nghttp2: what is sent there leaves when it has returned.
//
// Windows: bytes count as consumed when the layer above took them and its stream is not paused.
// Those of a paused stream are withheld from the stream's window, and beyond
// H2Options::paused_bytes of all streams from the connection's, until it resumes, behind the body's
// end too, or is over. Sending: a stream serialises what both windows allow, straight from the
// caller's bytes; the rest waits in the stream's queue, whose watermarks pause the far side. While
// the connection's output is above its mark, DATA waits too.
//
// Owner: its codec. Thread: the connection's.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/clock.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_error.h"
#include "proxy/http/h2_flood.h"
#include "proxy/http/h2_frame_scanner.h"
#include "proxy/http/h2_metrics.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_section.h"
#include "proxy/http/h2_stream.h"

namespace convoy::http {

// The role above a session. Called from inside receive() and from whatever sends; may call the
// session's functions from inside.
class H2SessionHandler {
 public:
  virtual net::ByteQueue& sessionOutput() = 0;
  // Server: the peer opens a stream. Owned by the session from here on.
  virtual std::unique_ptr<H2Stream> onStreamOpened(int32_t id) = 0;
  // A header block is complete.
  virtual void onSection(H2Stream& stream, H2Section& section, bool end_of_stream) = 0;
  virtual void onData(H2Stream& stream, std::string_view bytes, bool end_of_stream) = 0;
  // It is closed and forgotten: `code` is NO_ERROR if both sides ended it.
  virtual void onStreamClosed(H2Stream& stream, uint32_t code) = 0;
  // The peer's GOAWAY, or SETTINGS.
  virtual void onPeerGoAway(int32_t last_stream) = 0;
  virtual void onPeerSettings() = 0;
  // A message was refused that the layer above has not seen, by a reset.
  virtual void onMessageRefused(H2Error error) = 0;

 protected:
  ~H2SessionHandler() = default;
};

class H2Session {
 public:
  enum class Role : uint8_t { Server, Client };
  using Streams = base::IntrusiveList<H2Stream>;

  // While one is alive, no stream is destroyed: frames of its sender may be on the stack.
  class Scope {
   public:
    explicit Scope(H2Session& session) : session_(session) { ++session_.depth_; }
    ~Scope() {
      if (--session_.depth_ == 0 && !session_.in_nghttp2_) session_.purge();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    H2Session& session_;
  };

  // All arguments outlive the session. SETTINGS are written at the first receive() or flush().
  H2Session(Role role, H2SessionHandler& handler, const H2Options& options,
            const event::Clock& clock, H2Metrics& metrics);
  ~H2Session();
  H2Session(const H2Session&) = delete;
  H2Session& operator=(const H2Session&) = delete;

  // Takes all bytes. Afterwards failure() may be set: then streams are still there, to be
  // abandoned.
  void receive(std::string_view bytes);
  void flush();
  H2Error failure() const { return failure_; }

  Streams& streams() { return streams_; }
  size_t streamCount() const { return stream_count_; }
  // Server: a header block is half here.
  bool inHeaderBlock() const { return scanner_.inHeaderBlock() && failure_ == H2Error::None; }
  H2Stream& add(std::unique_ptr<H2Stream> stream);

  // Header fields to be sent next: begin with pseudo-fields.
  void addField(std::string_view name, std::string_view value);
  void addFields(const HeaderList& headers);
  void submitInformational(H2Stream& stream);
  void submitResponse(H2Stream& stream, bool end_of_stream);
  // False if the connection can take no more streams.
  bool submitRequest(H2Stream& stream, bool end_of_stream);
  void sendBody(H2Stream& stream, std::string_view bytes, bool end_of_stream);
  void sendTrailers(H2Stream& stream, const HeaderList& trailers);

  void pause(H2Stream& stream);
  void resume(H2Stream& stream);
  // Both directions have ended for the layer above, though not on the wire: it will not resume.
  void endPauses(H2Stream& stream);
  // Gives the stream up: nobody above hears of it any more. NO_ERROR: what was sent still arrives.
  void reset(H2Stream& stream, uint32_t code);
  // Forgets a stream without a word to the peer. REQUIRES: die() was called.
  void abandon(H2Stream& stream);

  // A PING, not from inside a callback of the handler.
  void ping();
  // The connection's output has room again.
  void onOutputBelowLow();
  // First step of a graceful end: no new streams soon. The second comes with the answer to a PING,
  // when the peer must have seen the first.
  void startGoAway();
  // The second step at once.
  void finishGoAway();
  // The second step was taken: no stream is opened from here on.
  bool goAwaySent() const { return go_away_ == GoAway::Final; }
  // Debug data of the second one (RFC 9113 6.8).
  void explainGoAway(std::string_view why) { why_ = std::make_unique<std::string>(why); }
  void fail(H2Error error);
  // There are bytes to be sent, and no window for them.
  bool windowIsShut(const H2Stream& stream) const;
  // Resets streams that have nothing more to say and stood still since the last call.
  size_t resetStalledStreams(bool output_moves);
  // The connection is gone: nothing is read or written any more. Streams are to be abandoned.
  void die() { dead_ = true; }

  // A message that the codec refuses.
  void countRefusal(H2Error error);

  uint32_t peerMaxConcurrentStreams() const;
  // RFC 8441 3.
  bool peerTakesExtendedConnect() const;
  // Response or request fields that were left out because they held line breaks.
  size_t fieldsLeftOut() const { return fields_left_out_; }
  int64_t floodBudgetLeft() const { return flood_.left(); }

 private:
  struct Callbacks;  // nghttp2's, static
  enum class GoAway : uint8_t {
    None,       // serving
    Announced,  // GOAWAY with the highest number, and a PING, are on their way
    Final,      // GOAWAY with the last stream that will be served
  };

  void feed(std::string_view bytes);
  H2Stream* find(int32_t id) const;
  int beginFrame(const nghttp2_frame_hd& frame);
  int beginHeaders(const nghttp2_frame& frame);
  int onFrame(const nghttp2_frame& frame);
  void onHeadersFrame(const nghttp2_frame& frame);
  int onDataChunk(uint8_t flags, int32_t id, std::string_view bytes);
  void onEndOfStream(H2Stream& stream);
  void appendFrame(std::string_view frame);
  void onFrameSent(const nghttp2_frame& frame);
  void onGoAwaySent(uint32_t code);
  void onInvalidFrame(const nghttp2_frame& frame, int error);
  void onClose(int32_t id, uint32_t code);
  static ssize_t onRead(nghttp2_session*, int32_t, uint8_t*, size_t room, uint32_t* flags,
                        nghttp2_data_source* source, void* user_data);
  ssize_t provide(H2Stream& stream, size_t room, uint32_t* flags);
  void write(H2Stream& stream, const uint8_t* frame_header, size_t length);
  int pay(H2Error kind, int64_t price);
  void charge(H2Error kind, int64_t price);
  void judgeForgotten(const H2FrameScanner::Found& data);
  bool endsRapidly(const H2Stream& stream) const;
  void payForReset(const H2Stream& stream);
  void countFlood(H2Error kind);
  int stop(H2Error error);
  bool isOver(int32_t id) const;
  bool wasSkipped(int32_t id) const;
  void noteNewId(int32_t id);
  bool wasClosedByPeer(int32_t id) const;
  void noteClosedByPeer(int32_t id);
  void noteGivenUp(int32_t id);
  void submitHeaders(H2Stream& stream, uint8_t flags);
  void submitTrailers(H2Stream& stream, const HeaderList& trailers);
  void offerData(H2Stream& stream);
  void withhold(H2Stream& stream, size_t bytes);
  void giveBack(H2Stream& stream);
  void giveBackToConnection(H2Stream& stream);
  void forget(H2Stream& stream);
  void purge();

  H2SessionHandler& handler_;
  const H2Options& options_;
  const event::Clock& clock_;
  H2Metrics& metrics_;
  const Role role_;
  nghttp2_session* session_ = nullptr;
  H2FrameScanner scanner_;  // server
  H2Section section_;
  H2Flood flood_;
  Streams streams_;  // owned
  Streams closed_;   // owned; destroyed when no frame of theirs is on the stack
  std::vector<nghttp2_nv> fields_;
  size_t stream_count_ = 0;
  size_t fields_left_out_ = 0;
  size_t frame_left_ = 0;  // of the DATA frame that is arriving
  int depth_ = 0;
  bool in_nghttp2_ = false;
  size_t paused_bytes_ = 0;  // H2Stream::unconsumed_here, of all streams
  bool dead_ = false;
  GoAway go_away_ = GoAway::None;
  int32_t last_served_ = 0;           // once it is Final
  std::unique_ptr<std::string> why_;  // the peer is told to go away; rarely there
  H2Error failure_ = H2Error::None;
  int32_t highest_id_ = 0;  // server: of the client's streams
  struct Range {            // of numbers, both inclusive; 0: of none
    int32_t first = 0;
    int32_t last = 0;
  };
  // Server: from the first to the last of the client's streams that we ended before the client did,
  // or did not take: frames of theirs may be on their way. Most connections have none.
  Range given_up_;
  // Numbers below highest_id_ that were never used: the latest.
  static constexpr size_t kGaps = 4;
  Range gaps_[kGaps];
  size_t next_gap_ = 0;
  // Server: the latest streams that the client has ended or reset.
  static constexpr size_t kClosed = 8;
  int32_t closed_by_peer_[kClosed] = {};
  size_t next_closed_ = 0;
};

}  // namespace convoy::http
