#pragma once

// The caller's hold on one gRPC call: messages out, messages in, one final status. A unary call is
// a stream with one message each way (unary_call.h). Destroying the Stream cancels the call
// (RST_STREAM with CANCEL if it is still open), and nothing is called afterwards.
//
// Owner: the caller, who gets it from Client::startStream(); it may outlive the Client, and is
// silent then. Thread: the client's loop.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proxy/event/clock.h"

namespace convoy::grpc {

class Call;

// The far side's words. The handler may destroy the stream, and start others, in any of them; not
// the Client.
class StreamHandler {
 public:
  // A whole message; the bytes are valid during the call only. The flow-control window opens again
  // when this returns, so a slow handler slows the sender, and at most one message is held.
  virtual void onMessage(std::string_view message) = 0;
  // The end, exactly once and last; never from inside startStream(), send() or finish(). OK only if
  // the peer said `grpc-status: 0`. Every other text says what happened and who said so.
  virtual void onStatus(const absl::Status& status) = 0;
  // The bytes waiting to be sent fell below the low watermark after aboveHigh() was true.
  virtual void onWritable() {}

 protected:
  ~StreamHandler() = default;
};

struct CallOptions {
  std::string path;  // "/package.Service/Method"
  // From startStream() to onStatus(); zero: none. Told to the peer as grpc-timeout.
  event::Duration timeout{0};
  size_t max_message_bytes = 4 * 1024 * 1024;
  // aboveHigh() is true from this many bytes on, until half of it.
  size_t send_high_watermark = 1024 * 1024;
  std::vector<std::pair<std::string, std::string>> metadata = {};  // lower-case names
};

class Stream {
 public:
  explicit Stream(Call& call);  // Client's
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Queues one message; it leaves at the turn's end, as far as the peer's window allows. Nothing
  // happens on a stream that has ended: onStatus() says why.
  void send(std::string_view message);
  // No further message will be sent.
  void finish();

  bool ended() const { return call_ == nullptr; }
  // Back-pressure: too much waits to be sent; wait for onWritable().
  bool aboveHigh() const;

 private:
  friend class Call;
  Call* call_;  // null once the call has ended
};

}  // namespace convoy::grpc
