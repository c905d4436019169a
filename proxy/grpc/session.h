#pragma once

// The client's half of an HTTP/2 connection that carries gRPC calls: bytes in, bytes out, over
// nghttp2 (RFC 9113). Sans-I/O: no socket, no clock; Channel gives it both.
// Owner: its Channel. Nothing of it may be destroyed from inside receive() or produce() but the
// streams of its calls.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "proxy/grpc/call.h"
#include "proxy/net/byte_queue.h"

namespace convoy::grpc {

struct SessionOptions {
  std::string authority;
  uint32_t stream_window = 4 * 1024 * 1024;
  uint32_t connection_window = 8 * 1024 * 1024;
};

class Session {
 public:
  // What a GOAWAY of the peer said.
  enum class Leaving : uint8_t {
    No,
    Gracefully,    // calls that it knows go on
    TooManyPings,  // and it complained of our keepalive
  };

  // on_output is called whenever something may have to be sent, also from inside any other method.
  Session(SessionOptions options, std::function<void()> on_output);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start(std::unique_ptr<Call> call);
  // Bytes of the peer. An error is final: send what is left, then close the connection.
  absl::Status receive(std::string_view bytes);
  // Serialises what is to be sent until out holds `limit` bytes, then tells the calls what is due.
  absl::Status produce(net::ByteQueue& out, size_t limit);
  // A PING; any later byte from the peer counts as its answer.
  void ping();
  // The connection is gone: every call ends with this status.
  void fail(const absl::Status& status);

  size_t calls() const { return calls_.size(); }
  Leaving leaving() const { return leaving_; }
  // Neither side wants anything more: the connection can be closed, because of lastError().
  bool finished() const;
  const absl::Status& lastError() const { return last_error_; }

  // What Call asks for.
  void resume(Call& call);
  void cancel(Call& call);

 private:
  struct Callbacks;  // nghttp2's, static

  void submit(std::unique_ptr<Call> call);
  void tellCalls();
  Call* find(int32_t id);
  void onStreamClosed(int32_t id, uint32_t error_code);
  void onGoAway(const nghttp2_goaway& frame);

  const SessionOptions options_;
  const std::function<void()> on_output_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, std::unique_ptr<Call>> calls_;
  std::vector<int32_t> touched_;               // calls that may have something to tell
  std::vector<std::unique_ptr<Call>> closed_;  // streams that are gone, to be told
  Leaving leaving_ = Leaving::No;
  absl::Status last_error_ = absl::UnavailableError("the peer ended the HTTP/2 session");
  std::string explanation_;  // nghttp2's words about the peer's last mistake
};

}  // namespace convoy::grpc
