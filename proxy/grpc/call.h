#pragma once

// The protocol state of one call, between its Stream (the caller's hold) and its Session (the
// connection's nghttp2 session): bytes that wait to be sent, the parser of what comes, and the
// final status. Sans-I/O. Owner: the Client while it waits for a connection, then the Session.
//
// How a call ends, in the order of precedence: our own verdict (cancelled, deadline, a message too
// large, not gRPC); the peer's grpc-status; an HTTP error status; a reset stream; an end without a
// status.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/frame_parser.h"
#include "proxy/grpc/stream.h"
#include "proxy/net/byte_queue.h"

namespace convoy::grpc {

class Client;
class Session;

class Call {
 public:
  enum class State : uint8_t {
    Waiting,     // for a connection
    Open,        // both sides may send
    HalfClosed,  // the caller has finished: only the peer may still send
    Ended,       // the status is known; it may still have to be told
  };

  Call(CallOptions options, StreamHandler& handler);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call();

  State state() const { return state_; }
  const CallOptions& options() const { return options_; }
  bool hasStream() const { return stream_ != nullptr; }

  // What Stream asks for.
  void attach(Stream& stream) { stream_ = &stream; }
  void send(std::string_view message);
  void finish();
  bool aboveHigh() const { return outgoing_.aboveHigh(); }
  // The stream is going away: nobody is to be told anything.
  void abandon();

  // What Session asks for.
  void startOn(Session& session, int32_t id);
  int32_t id() const { return id_; }
  // Moves at most `room` bytes of what waits to be sent; *end is set with the last ones.
  size_t take(char* out, size_t room, bool* end);
  void onHeader(std::string_view name, std::string_view value);
  void onHeadersEnd();
  // Shows each whole message to the handler.
  void onData(std::string_view bytes);
  // The peer has ended its side.
  void onEndOfStream();
  // Both sides have ended, or one of them reset the stream.
  void onReset(uint32_t http2_error);
  // Tells the handler what is due: room to write, or the end. Afterwards the call may be ended and
  // without a stream, and nothing else is ever told.
  void tell();

  // The client's: expiry makes the status DeadlineExceeded.
  void armDeadline(event::Loop& loop, Client& client);

  // Sets the status, unless it is known already.
  void end(absl::Status status);

 private:
  void transition(State to);
  absl::Status peerStatus() const;
  void onDeadline();
  void failLocally(absl::Status status);

  const CallOptions options_;
  StreamHandler* handler_;
  Stream* stream_ = nullptr;
  Client* client_ = nullptr;
  Session* session_ = nullptr;
  int32_t id_ = 0;
  State state_ = State::Waiting;
  bool finished_ = false;  // finish() was called
  bool end_sent_ = false;
  bool writable_due_ = false;
  net::ByteQueue outgoing_;
  FrameParser parser_;
  int http_status_ = 0;
  bool content_is_grpc_ = false;
  std::optional<absl::StatusCode> peer_code_;
  std::string peer_message_;
  absl::Status status_;
  std::unique_ptr<event::Timer> deadline_;
};

}  // namespace convoy::grpc
