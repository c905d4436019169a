#include "test/common/raw_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <random>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::test {

namespace {

void boundWaiting(int fd) {
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

}  // namespace

RawSocket& RawSocket::operator=(RawSocket&& other) noexcept {
  close();
  fd_ = other.release();
  return *this;
}

RawSocket RawSocket::listening(int backlog) {
  return listeningOn(*net::Address::fromIp("127.0.0.1", 0), backlog);
}

RawSocket RawSocket::listeningOn(const net::Address& address, int backlog) {
  RawSocket socket = boundTo(address);
  CONVOY_ASSERT(::listen(socket.fd(), backlog) == 0);
  return socket;
}

RawSocket RawSocket::boundTo(const net::Address& address) {
  sockaddr_storage storage;
  const socklen_t length = address.toSockaddr(&storage);
  RawSocket socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  boundWaiting(socket.fd());
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  CONVOY_ASSERT(::bind(socket.fd(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  return socket;
}

RawSocket RawSocket::connectedTo(const net::Address& address) {
  sockaddr_storage storage;
  const socklen_t length = address.toSockaddr(&storage);
  RawSocket socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  boundWaiting(socket.fd());
  CONVOY_ASSERT(::connect(socket.fd(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  return socket;
}

int RawSocket::release() {
  return std::exchange(fd_, -1);
}

void RawSocket::close() {
  if (fd_ >= 0) ::close(release());
}

RawSocket RawSocket::accept() const {
  RawSocket accepted(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  CONVOY_ASSERT(accepted.fd() >= 0);
  boundWaiting(accepted.fd());
  return accepted;
}

net::Address RawSocket::localAddress() const {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  CONVOY_ASSERT(::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return net::Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
}

net::Address RawSocket::remoteAddress() const {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  CONVOY_ASSERT(::getpeername(fd_, reinterpret_cast<sockaddr*>(&storage), &length) == 0);
  return net::Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
}

void RawSocket::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    CONVOY_ASSERT(sent > 0);
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string RawSocket::receive(int* error) const {
  std::string bytes(64 * 1024, '\0');
  const ssize_t received = ::recv(fd_, bytes.data(), bytes.size(), 0);
  if (error != nullptr) *error = received < 0 ? errno : 0;
  bytes.resize(received < 0 ? 0 : static_cast<size_t>(received));
  return bytes;
}

std::string RawSocket::receiveAll(int* error) const {
  std::string all;
  while (true) {
    const std::string part = receive(error);
    if (part.empty()) return all;
    all += part;
  }
}

void RawSocket::shutdownSending() const {
  ::shutdown(fd_, SHUT_WR);
}

void RawSocket::reset() {
  const linger off{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
  close();
}

int passDescriptors(const std::vector<int>& fds, const std::string& names) {
  constexpr int kOutOfTheWay = 500;
  const int first = ::fcntl(fds[0], F_DUPFD, kOutOfTheWay);
  for (size_t i = 1; i < fds.size(); ++i) ::dup2(fds[i], first + static_cast<int>(i));
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
  ::setenv("LISTEN_FDNAMES", names.c_str(), 1);
  return first;
}

net::Address uniqueUnixAddress() {
  // In sandboxes processes have the same few numbers, but these names in common.
  static const std::string process = std::to_string(std::random_device()());
  static std::atomic<int> next{0};
  return *net::Address::fromUnixPath("@convoy-test-" + process + "-" + std::to_string(next++));
}

}  // namespace convoy::test
