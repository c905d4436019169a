#pragma once

// What both HTTP/2 targets share beside script.h: options, a look at what the codec writes, and the
// connection under it, of whose output a script takes as much as it likes. Streams are destroyed as
// soon as codec.h allows.

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_error.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/h2_session.h"
#include "test/common/simulated_clock.h"
#include "test/fuzz/h2_wire.h"
#include "test/fuzz/script.h"

namespace convoy::fuzz {

// What of the connection's output may lie above its mark: for each byte that was read (answers to
// PING, SETTINGS and requests), and at most one frame of DATA.
inline constexpr size_t kOutputPerByte = 64;
inline constexpr size_t kOutputOnce = size_t{64} * 1024;
// One call of sendBody() at most.
inline constexpr size_t kMaxPiece = 1024;
// How many steps a connection waits for something that does not come.
inline constexpr size_t kMaxWaits = 64;

// Small enough to be reached. The bits of `choice` make some of them different.
inline http::H2Options h2Options(uint8_t choice, bool extended_connect) {
  http::H2Options options;
  options.max_concurrent_streams = 4;
  options.stream_window = 256;
  options.connection_window = 65535;
  options.paused_bytes = 400;
  options.stream_send_buffer = 512;
  options.max_output = 4096;
  options.max_head_bytes = 400;
  options.max_fields = 8;
  options.max_cookie_bytes = 100;
  options.max_trailer_bytes = 80;
  options.max_trailer_fields = 3;
  options.max_informational = 2;
  options.allow_extended_connect = extended_connect;
  options.flood_budget = 100;
  options.flood_refill_per_second = 10;
  if ((choice & 1) != 0) options.header_table = 64;
  if ((choice & 2) != 0) options.flood_budget = 4000;
  return options;
}

// Fields that HTTP/2 does not have, that it has in another form only, one that must not become two,
// and one that is too long for HPACK's table.
inline http::HeaderList awkwardFields() {
  http::HeaderList fields;
  fields.add("Mixed-Case", "b");
  fields.add("c", "v\r\ninjected: 1");
  fields.add("Connection", "close");
  fields.add("Transfer-Encoding", "chunked");
  fields.add("TE", "trailers");
  fields.add("TE", "gzip");
  static const std::string long_value(5000, 'x');
  fields.add("long", long_value);
  return fields;
}

// The row that says so.
inline const http::H2ErrorInfo& errorOf(std::string_view detail) {
  const http::H2Error error = http::h2ErrorOf(detail);
  CONVOY_ASSERT(error != http::H2Error::None);
  return http::info(error);
}

// A codec's Handler: its output and its Streams. The derived class has the codec.
template <typename Handler, typename Stream>
class ScriptedConnection : public Handler {
 public:
  ScriptedConnection(Script& script, http::H2Session::Role role, const http::H2Options& options)
      : script_(script), options_(options), wire_(role) {
    out_.setWatermarks(
        kOutputHigh,
        {.above_high = [](void* self) { static_cast<ScriptedConnection*>(self)->onLevel(true); },
         .below_low = [](void* self) { static_cast<ScriptedConnection*>(self)->onLevel(false); },
         .context = this});
  }

  net::ByteQueue& output() final { return out_; }

 protected:
  ~ScriptedConnection() = default;
  virtual void onLevel(bool above) = 0;

  void drain(size_t bytes) {
    look();
    bytes = std::min(bytes, out_.size());
    looked_at_ -= bytes;
    out_.consume(bytes);
  }
  void allAct() {
    for (size_t i = 0; i < streams_.size(); ++i) streams_[i]->act();
  }
  void oneActs(uint8_t what) {
    if (!streams_.empty()) streams_[what / 16 % streams_.size()]->act();
    drain(out_.size());
  }
  // After each step. most: how much output may lie above its mark.
  void check(http::H2Session& session, size_t most) {
    std::erase_if(streams_, [](const auto& stream) { return stream->over(); });
    CONVOY_ASSERT(out_.size() <= kOutputHigh + kOutputOnce + most);
    CONVOY_ASSERT(streams_.size() <= session.streamCount());
    CONVOY_ASSERT(metrics_.streams_active.value() == static_cast<int64_t>(session.streamCount()));
    CONVOY_ASSERT(session.floodBudgetLeft() <= int64_t{options_.flood_budget});
    look();
    checkHeld(session);
  }
  // The connection is lost: all has ended, and bytes that come late change nothing.
  template <typename Codec>
  void checkEnd(Codec& codec) {
    CONVOY_ASSERT(codec.session().streamCount() == 0);
    for (const auto& stream : streams_) CONVOY_ASSERT(stream->over());
    const size_t written = out_.size();
    codec.dispatch("x");
    CONVOY_ASSERT(out_.size() == written);
    CONVOY_ASSERT(codec.protocol() == http::Protocol::Http2);
  }
  void noteError(http::Failure failure, std::string_view detail) {
    CONVOY_ASSERT(failure != http::Failure::None && !error_);
    errorOf(detail);
    error_ = true;
  }

  Script& script_;
  const http::H2Options options_;
  test::SimulatedClock clock_;
  http::H2Metrics metrics_;
  net::ByteQueue out_;
  WireCheck wire_;
  size_t looked_at_ = 0;  // of out_
  std::vector<std::unique_ptr<Stream>> streams_;
  bool error_ = false;

 private:
  // In place: a copy of all that waits, after each byte of the input, is most of what a run does.
  void look() {
    std::array<iovec, 1024> parts;
    const int count = out_.peek(parts.data(), static_cast<int>(parts.size()));
    size_t begin = 0;
    for (const iovec& part : std::span(parts).first(static_cast<size_t>(count))) {
      const std::string_view bytes(static_cast<const char*>(part.iov_base), part.iov_len);
      const size_t end = begin + bytes.size();
      if (looked_at_ < end) {
        wire_.read(bytes.substr(looked_at_ - begin));
        looked_at_ = end;
      }
      begin = end;
    }
    CONVOY_ASSERT(looked_at_ == out_.size());
  }
  // What one connection holds for its peer; and what a stream was given is on its way or held.
  void checkHeld(http::H2Session& session) {
    size_t withheld = 0;
    size_t withheld_here = 0;
    session.streams().forEach([&](http::H2Stream& stream) {
      CONVOY_ASSERT(stream.direct.empty() && stream.direct_trailers == nullptr);
      CONVOY_ASSERT(stream.pending.size() <= options_.stream_send_buffer + kMaxPiece);
      withheld += stream.unconsumed;
      withheld_here += stream.unconsumed_here;
      // Nobody above would resume a stream that has ended both ways for it.
      CONVOY_ASSERT(stream.pauses == 0 || !stream.receive_ended || !stream.send_ended);
      CONVOY_ASSERT(stream.unconsumed + stream.unconsumed_here == 0 || stream.pauses > 0);
      if (stream.listener == nullptr) return;
      const uint64_t sent = static_cast<Stream&>(*stream.listener).sentBytes();
      CONVOY_ASSERT(wire_.bodyBytesOf(stream.id) + stream.pending.size() == sent);
    });
    CONVOY_ASSERT(withheld <= options_.connection_window);
    CONVOY_ASSERT(withheld_here <= options_.paused_bytes);
  }
};

}  // namespace convoy::fuzz
