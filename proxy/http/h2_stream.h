#pragma once

// What a stream of either role is to the session: how far each direction has come, and the bytes
// that wait for the peer's window. Belongs to its codec, which makes a sender of it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/clock.h"
#include "proxy/http/codec.h"
#include "proxy/net/byte_queue.h"

namespace convoy::http {

class H2Stream : public base::ListHook<> {
 public:
  // Trailers that could not leave at once.
  struct Trailers {
    std::string text;
    HeaderList list;
  };

  explicit H2Stream(size_t send_buffer) {
    pending.setWatermarks(
        send_buffer,
        {.above_high = [](void* self) { static_cast<H2Stream*>(self)->tellFlow(true); },
         .below_low = [](void* self) { static_cast<H2Stream*>(self)->tellFlow(false); },
         .context = this});
  }
  virtual ~H2Stream() = default;

  int32_t id = -1;  // of a client's stream: -1 until its head is sent

  // Who hears of room to send; null once nobody listens any more.
  FlowListener* listener = nullptr;

  // Sending.
  bool head_sent = false;       // the final head was submitted
  bool send_ended = false;      // the layer above has sent its last
  bool head_on_wire = false;    // a request's head was serialised: DATA may follow
  bool end_on_wire = false;     // END_STREAM was serialised
  bool has_provider = false;    // nghttp2 asks this stream for DATA
  bool waits_for_room = false;  // the connection's output is full
  bool reset_when_sent = false;
  bool stalled = false;  // nothing left since the last look (H2Session::resetStalledStreams)
  uint64_t sent = 0;     // DATA that has left the stream
  net::ByteQueue pending;
  std::string_view direct;                      // before pending; only during a call of sendBody()
  const HeaderList* direct_trailers = nullptr;  // only during a call of sendTrailers()
  std::unique_ptr<Trailers> trailers;           // go out when pending is empty

  // Receiving.
  bool head_received = false;  // the final head
  bool receive_ended = false;  // the layer above has heard the end
  bool reset_by_peer = false;  // which was paid for
  bool closed = false;         // reset, or ended both ways; waits to be destroyed
  uint32_t pauses = 0;
  // Bytes received while paused, withheld from both windows, or from the stream's alone.
  size_t unconsumed = 0;
  size_t unconsumed_here = 0;
  uint64_t received = 0;           // of the body
  uint64_t declared = UINT64_MAX;  // Content-Length, or none
  event::MonotonicTime opened_at{};

  size_t sendable() const { return direct.size() + pending.size(); }
  bool hasTrailers() const { return direct_trailers != nullptr || trailers != nullptr; }

 private:
  void tellFlow(bool above) {
    if (listener == nullptr) return;
    above ? listener->onSendQueueAboveHigh() : listener->onSendQueueBelowLow();
  }
};

}  // namespace convoy::http
