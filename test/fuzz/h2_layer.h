#pragma once

// What both HTTP/2 targets share beside script.h: options, a look at what the codec writes, and the
// connection under it, of whose output a script takes as much as it likes. Streams are destroyed as
// soon as codec.h allows.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_session.h"
#include "test/common/simulated_clock.h"
#include "test/fuzz/script.h"

namespace convoy::fuzz {

// What of the connection's output may lie above its mark: for each byte that was read (answers to
// PING, SETTINGS and requests), and at most one frame of DATA.
inline constexpr size_t kOutputPerByte = 64;
inline constexpr size_t kOutputOnce = size_t{64} * 1024;
// One call of sendBody() at most.
inline constexpr size_t kMaxPiece = 1024;

// Small enough to be reached.
inline http::H2Options h2Options(bool extended_connect) {
  http::H2Options options;
  options.max_concurrent_streams = 4;
  options.stream_window = 256;
  options.connection_window = 65535;
  options.stream_send_buffer = 512;
  options.max_head_bytes = 400;
  options.max_fields = 8;
  options.max_cookie_bytes = 100;
  options.max_trailer_bytes = 80;
  options.max_trailer_fields = 3;
  options.max_informational = 2;
  options.allow_extended_connect = extended_connect;
  options.flood_budget = 100;
  options.flood_refill_per_second = 10;
  return options;
}

// Reads what a codec writes: whole frames; on every stream a head first, and nothing but
// WINDOW_UPDATE and RST_STREAM behind its end, and nothing behind RST_STREAM.
class WireCheck {
 public:
  void read(std::string_view bytes) {
    bytes_.append(bytes);
    if (bytes_.size() < kPreface.size() && kPreface.starts_with(bytes_)) return;
    if (bytes_.starts_with(kPreface)) bytes_.erase(0, kPreface.size());
    size_t at = 0;
    while (bytes_.size() - at >= kFrameHeader) {
      const size_t length = number(at, 3);
      CONVOY_ASSERT(length <= kMaxFrame);
      if (bytes_.size() - at < kFrameHeader + length) break;
      frame(static_cast<uint8_t>(bytes_[at + 3]), static_cast<uint8_t>(bytes_[at + 4]),
            number(at + 5, 4), length);
      at += kFrameHeader + length;
    }
    bytes_.erase(0, at);
  }
  bool wholeFrames() const { return bytes_.empty(); }

 private:
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static constexpr size_t kFrameHeader = 9;
  static constexpr size_t kMaxFrame = 16384;  // nghttp2 writes no larger ones, whatever is allowed

  struct Seen {
    bool head = false;
    bool end = false;
    bool reset = false;
  };

  size_t number(size_t at, size_t count) const {
    size_t value = 0;
    for (size_t i = 0; i < count; ++i) value = value << 8 | static_cast<uint8_t>(bytes_[at + i]);
    return value;
  }

  void frame(uint8_t type, uint8_t flags, size_t id, size_t length) {
    Seen& seen = streams_[id];
    CONVOY_ASSERT(!seen.reset);
    const bool end = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        CONVOY_ASSERT(id != 0 && !seen.end && (seen.head || type == NGHTTP2_HEADERS));
        CONVOY_ASSERT(type == NGHTTP2_HEADERS || length > 0 || end);
        seen.head = true;
        seen.end = end;
        break;
      case NGHTTP2_RST_STREAM:
        CONVOY_ASSERT(id != 0 && length == 4);
        seen.reset = true;
        break;
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PING:
      case NGHTTP2_GOAWAY:
        CONVOY_ASSERT(id == 0);
        break;
      default:
        CONVOY_ASSERT(type == NGHTTP2_WINDOW_UPDATE || type == NGHTTP2_CONTINUATION);
    }
  }

  std::string bytes_;
  std::map<size_t, Seen> streams_;
};

// What one connection holds for its peer.
inline void checkHeld(http::H2Session& session, const http::H2Options& options) {
  size_t withheld = 0;
  session.streams().forEach([&](http::H2Stream& stream) {
    CONVOY_ASSERT(stream.direct.empty());
    CONVOY_ASSERT(stream.pending.size() <= options.stream_send_buffer + kMaxPiece);
    withheld += stream.unconsumed;
  });
  CONVOY_ASSERT(withheld <= options.connection_window);
}

// A codec's Handler: its output and its Streams. The derived class has the codec.
template <typename Handler, typename Stream>
class ScriptedConnection : public Handler {
 public:
  ScriptedConnection(Script& script, const http::H2Options& options)
      : script_(script), options_(options) {
    out_.setWatermarks(
        kOutputHigh,
        {.below_low = [](void* self) { static_cast<ScriptedConnection*>(self)->onBelowLow(); },
         .context = this});
  }

  net::ByteQueue& output() final { return out_; }

 protected:
  ~ScriptedConnection() = default;
  virtual void onBelowLow() = 0;

  void drain(size_t bytes) {
    bytes = std::min(bytes, out_.size());
    wire_.read(out_.toString().substr(0, bytes));
    out_.consume(bytes);
  }
  void allAct() {
    for (size_t i = 0; i < streams_.size(); ++i) streams_[i]->act();
  }
  void oneActs(uint8_t what) {
    if (!streams_.empty()) streams_[what / 16 % streams_.size()]->act();
    drain(out_.size());
  }
  // After each step. caused: by what was read and sent, in bytes.
  void check(http::H2Session& session, size_t caused) {
    std::erase_if(streams_, [](const auto& stream) { return stream->over(); });
    CONVOY_ASSERT(out_.size() <= kOutputHigh + kOutputOnce + caused * kOutputPerByte);
    CONVOY_ASSERT(streams_.size() <= session.streamCount());
    checkHeld(session, options_);
  }
  // The connection is lost: all has ended, and bytes that come late change nothing.
  template <typename Codec>
  void checkEnd(Codec& codec) {
    CONVOY_ASSERT(codec.session().streamCount() == 0);
    for (const auto& stream : streams_) CONVOY_ASSERT(stream->over());
    const size_t written = out_.size();
    codec.dispatch("x");
    CONVOY_ASSERT(out_.size() == written);
  }
  void noteError(http::Failure failure, std::string_view detail) {
    CONVOY_ASSERT(failure != http::Failure::None && !detail.empty() && !error_);
    error_ = true;
  }

  Script& script_;
  const http::H2Options options_;
  test::SimulatedClock clock_;
  http::H2Metrics metrics_;
  net::ByteQueue out_;
  WireCheck wire_;
  std::vector<std::unique_ptr<Stream>> streams_;
  size_t taken_ = 0;
  bool error_ = false;
};

}  // namespace convoy::fuzz
