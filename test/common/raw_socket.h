#pragma once

// Blocking sockets for the far side of a test, with every receive bounded in time, so that a broken
// test fails instead of hanging.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/address.h"

namespace convoy::test {

// A file descriptor that is closed in the end.
class RawSocket {
 public:
  RawSocket() = default;
  explicit RawSocket(int fd) : fd_(fd) {}
  RawSocket(RawSocket&& other) noexcept : fd_(other.release()) {}
  RawSocket& operator=(RawSocket&& other) noexcept;
  ~RawSocket() { close(); }

  // A listening socket on a free port of 127.0.0.1, or on the given address.
  static RawSocket listening(int backlog = 16);
  static RawSocket listeningOn(const net::Address& address, int backlog = 16);
  // Bound and not listening: connects are refused, and nobody else gets the port. One that listens
  // may be bound to the same port at the same time.
  static RawSocket boundTo(const net::Address& address);
  static RawSocket connectedTo(const net::Address& address);

  int fd() const { return fd_; }
  int release();
  void close();

  RawSocket accept() const;
  net::Address localAddress() const;
  net::Address remoteAddress() const;

  void send(std::string_view bytes) const;
  // At most one read: what arrived; empty at the end of the stream. errno is in *error (0 if none).
  std::string receive(int* error = nullptr) const;
  // Until the peer's end or an error.
  std::string receiveAll(int* error = nullptr) const;
  void shutdownSending() const;
  void reset();  // RST

 private:
  int fd_ = -1;
};

// Passes copies of these descriptors to this very process as systemd would, but for the place: by
// the variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and from the returned descriptor on.
// Whoever adopts them owns them.
int passDescriptors(const std::vector<int>& fds, const std::string& names);

// A unix-socket name that no other test uses; abstract, so nothing stays behind.
net::Address uniqueUnixAddress();

}  // namespace convoy::test
