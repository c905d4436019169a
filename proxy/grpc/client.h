#pragma once

// A gRPC client on a loop: our own thin one over nghttp2, since gRPC++ (OpenSSL) and BoringSSL
// never meet in one process. One HTTP/2 connection carries all calls to one service that lives at
// any of several addresses.
//
// It connects when the first call needs it, trying each address once, from the one after the last
// that failed; if none answers, the waiting calls end with UNAVAILABLE. It never retries a call:
// that is the caller's. After a GOAWAY, calls that run go on and new ones get a new connection. An
// idle connection stays open. Without an address, calls wait until setAddresses() brings one, or
// until their own deadline.
//
// Keepalive: while calls run, a connection on which nothing was received for `keepalive_interval`
// is sent a PING, and closed if nothing comes within `keepalive_timeout`. A server that calls this
// too often ("too_many_pings", gRPC's GOAWAY) doubles the interval from then on.
//
// Owner and thread: the loop's. Destroying it ends all calls without telling them; not from inside
// a StreamHandler.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/stream.h"
#include "proxy/net/address.h"
#include "proxy/net/transport.h"

namespace convoy::grpc {

class Call;
class Channel;

struct ClientOptions {
  std::vector<net::Address> addresses;  // none: they come by setAddresses()
  std::string authority;                // :authority; Envoy sends the cluster's name
  event::Duration connect_timeout = std::chrono::seconds(5);      // until the peer's SETTINGS
  event::Duration keepalive_interval = std::chrono::seconds(60);  // zero: none
  event::Duration keepalive_timeout = std::chrono::seconds(20);
  // Bytes that a server may send before we have handled them, for each call and in all.
  uint32_t stream_window = 4 * 1024 * 1024;
  uint32_t connection_window = 8 * 1024 * 1024;
  // Wraps the connections, which are then of HTTP/2 by ALPN; null: plain text.
  std::shared_ptr<net::TransportFactory> transport = {};
  size_t transport_slot = 0;  // the loop's index, as the factory knows it
};

class Client {
 public:
  Client(event::Loop& loop, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Messages may be sent at once; they wait for the connection.
  std::unique_ptr<Stream> startStream(CallOptions options, StreamHandler& handler);

  // Where the service lives from now on. The present connection stays. Without addresses the former
  // ones are kept: a service that nobody can find any more may still be where it was.
  void setAddresses(std::vector<net::Address> addresses);

  // Later calls get a new connection, at the next address: for a caller who cannot make sense of
  // what this one says.
  void leaveConnection();

  // The present connection's peer, for people; null when there is none.
  const net::Address* connectedTo() const;
  event::Duration keepaliveInterval() const { return keepalive_interval_; }

 private:
  friend class Call;
  friend class Channel;

  // Channel's events.
  void onConnected(Channel& channel);
  void onGoingAway(Channel& channel, bool too_many_pings);
  void onClosed(Channel& channel, const absl::Status& why);
  // Call's, while it waits: both destroy it.
  void forget(Call& call);
  void expire(Call& call);

  const ClientOptions& options() const { return options_; }
  void connect();
  void connectNext();
  void retireCurrent();
  void failWaiting(const absl::Status& why);
  std::unique_ptr<Call> takeOutOfWaiting(Call& call);

  event::Loop& loop_;
  const ClientOptions options_;
  std::vector<net::Address> addresses_;
  event::Duration keepalive_interval_;
  size_t next_address_ = 0;
  size_t attempts_left_ = 0;                       // of this round of addresses
  std::unique_ptr<Channel> current_;               // connecting or open
  std::vector<std::unique_ptr<Channel>> retired_;  // finishing their calls
  std::vector<std::unique_ptr<Call>> waiting_;     // for a connection
};

}  // namespace convoy::grpc
