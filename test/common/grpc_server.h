#pragma once

// A gRPC server on loopback for tests: a GrpcPeer for each connection, on the loop that it is
// given. It answers only what it is told to. All on the loop's thread; what a peer was told to say
// leaves at the end of the turn (or, called from outside of a turn, soon).

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/net/address.h"
#include "test/common/grpc_peer.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

class GrpcServer {
 public:
  class Connection;

  explicit GrpcServer(event::Loop& loop);
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // Stays the same when the server stops and listens again.
  const net::Address& address() const { return address_; }
  void stopListening();  // connects are refused from here on; connections stay
  void listenAgain();

  // Connections so far; those that ended keep their index.
  size_t accepted() const { return connections_.size(); }
  bool alive(size_t index) const;
  size_t aliveCount() const;
  // REQUIRES: accepted. What an ended connection heard can still be looked at.
  GrpcPeer& peer(size_t index);
  GrpcPeer& lastPeer() { return peer(accepted() - 1); }
  // Bytes as they are, instead of HTTP/2.
  void writeRaw(size_t index, std::string_view bytes);
  void closeConnection(size_t index, bool reset = false);
  void closeAll();
  // Sends what the peers were told to say; needed only outside of callbacks.
  void flush();

  // Called for each new connection, before its first byte.
  std::function<void(size_t index, GrpcPeer& peer)> on_connection;
  GrpcPeer::Settings settings;

 private:
  void onAcceptable();

  event::Loop& loop_;
  RawSocket port_;  // keeps it ours while nobody listens
  RawSocket listener_;
  net::Address address_;
  uv_poll_t* poll_ = nullptr;
  std::vector<std::unique_ptr<Connection>> connections_;
};

}  // namespace convoy::test
