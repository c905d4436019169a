#pragma once

// Listening sockets: opened, or adopted from whoever started the process, on main, which owns them.
// TCP: one socket per worker (SO_REUSEPORT, unless there is one only), so the kernel spreads
// connections and no worker sees another's. They are kept for the address's whole life, since
// closing one resets the connections that wait in its queue; listeners are swapped behind them.
// Unix: all workers share one socket. An Acceptor on a worker's loop takes the connections.
//
// Errors name the address, the reason and the way out: "cannot listen on 0.0.0.0:80: permission
// denied; ...".

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/net/address.h"

namespace convoy::net {

// The file of a unix socket that we bound: removed again when the last of its sockets is closed,
// unless somebody else has put another in its place.
class UnixSocketFile {
 public:
  // REQUIRES: bound just now.
  explicit UnixSocketFile(std::string path);
  ~UnixSocketFile();
  UnixSocketFile(const UnixSocketFile&) = delete;
  UnixSocketFile& operator=(const UnixSocketFile&) = delete;

 private:
  const std::string path_;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
};

// Owns one descriptor.
class ListenSocket {
 public:
  ListenSocket(int fd, Address address) : fd_(fd), address_(std::move(address)) {}
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;
  ~ListenSocket() { close(); }

  int fd() const { return fd_; }
  // As bound: the port is never 0.
  const Address& address() const { return address_; }
  void setAddress(Address bound) { address_ = std::move(bound); }
  void setFile(std::shared_ptr<const UnixSocketFile> file) { file_ = std::move(file); }
  // Nobody else has this queue of connections: a TCP socket that this process opened.
  void setSole() { sole_ = true; }
  // Whether it accepts connections on several local addresses, so that each must be asked for its.
  bool wildcard() const { return address_.isWildcard(); }
  // For the same queue of connections, on another loop.
  absl::StatusOr<ListenSocket> duplicate() const;
  // Before the socket is closed, which resets whoever is just connecting: the kernel drops new
  // handshakes (clients try them again, and find a successor or nobody), finishes those that have
  // begun, and queues them. Only of sockets that are ours alone, and since Linux 6.15 only with
  // CAP_NET_ADMIN. False: all is as before.
  bool dropNewHandshakes() const;

 private:
  void close();

  int fd_;  // -1: moved from
  Address address_;
  std::shared_ptr<const UnixSocketFile> file_;  // null: no file, or not ours
  bool sole_ = false;
};

// What an address has: per worker at least one socket. A worker has several when more were adopted
// than there are workers: none may be left without somebody who accepts.
using WorkerSockets = std::vector<std::vector<ListenSocket>>;

struct ListenOptions {
  int backlog = 4096;
  bool ipv4_compat = false;                // an IPv6 wildcard takes IPv4 connections, too
  std::optional<uint32_t> unix_mode = {};  // permission bits of a unix socket's path
};

// Sockets that the process was started with, by systemd's protocol: LISTEN_PID names this process,
// LISTEN_FDS counts descriptors from 3 on, LISTEN_FDNAMES names them. Matched by their address.
class AdoptedSockets {
 public:
  static constexpr int kFirstDescriptor = 3;

  AdoptedSockets() = default;
  // Reads the variables and removes them, so that children do not see them. None: nothing adopted.
  static absl::StatusOr<AdoptedSockets> fromEnvironment(int first_descriptor = kFirstDescriptor);

  // All that listen on this address, in their order; they are the caller's then.
  std::vector<ListenSocket> take(const Address& address);
  // What nobody took yet, as text for a warning: "web (0.0.0.0:80)".
  std::vector<std::string> unclaimed() const;

 private:
  struct Named {
    std::string name;
    ListenSocket socket;
  };
  std::vector<Named> sockets_;
};

// Opens the sockets of one address, or takes them from the adopted ones. A unix path left by a
// process that died is replaced; one that somebody answers on is not. For port 0 all workers get
// the same free port.
absl::StatusOr<WorkerSockets> openListenSockets(const Address& address, size_t workers,
                                                const ListenOptions& options,
                                                AdoptedSockets& adopted);

}  // namespace convoy::net
