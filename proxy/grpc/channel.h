#pragma once

// One connection of a Client: socket, HTTP/2 session and keepalive together. Everything that is
// received is read at once; what is to be sent leaves at the turn's end. Owner: the Client, which
// it tells of every change and which destroys it at the end of a turn.

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/session.h"
#include "proxy/net/address.h"
#include "proxy/net/connection.h"

namespace convoy::grpc {

class Client;

class Channel final : private net::ConnectionHandler {
 public:
  enum class State : uint8_t {
    Connecting,  // the TCP connect is under way
    Open,        // calls run
    Closed,      // the Client was told
  };

  // Starts connecting; the result is Client::onConnected() or onClosed(), never from inside this.
  Channel(event::Loop& loop, Client& client, const net::Address& to);
  State state() const { return state_; }
  const net::Address& address() const { return address_; }
  void start(std::unique_ptr<Call> call);  // REQUIRES: Open
  size_t calls() const { return session_.calls(); }
  void failCalls(const absl::Status& status) { session_.fail(status); }
  // Closes as soon as the last call has ended.
  void drain();

 private:
  void onConnected() override;
  void onRead(std::string_view bytes) override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override;

  void wrap();
  void transition(State to);
  void flush();
  void checkSession();
  void close(const absl::Status& why);
  void onConnectTimeout();
  void armKeepalive(event::Duration delay);
  void onKeepalive();

  event::Loop& loop_;
  Client& client_;
  const net::Address address_;
  State state_ = State::Connecting;
  Session session_;
  std::unique_ptr<net::Connection> connection_;
  event::EndOfTurnTask flush_task_;
  event::Timer connect_timer_;
  event::Timer keepalive_timer_;
  event::MonotonicTime last_received_{};
  bool ping_pending_ = false;
  bool draining_ = false;
};

}  // namespace convoy::grpc
