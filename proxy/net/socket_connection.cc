#include "proxy/net/socket_connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace convoy::net {

namespace {

ssize_t resultOrError(ssize_t result) {
  return result < 0 ? -errno : result;
}

// send() and recv() of libc are points at which a thread can be cancelled: in a process with
// threads that is 45 instructions a call, and nobody cancels ours. Under the thread sanitizer they
// are what tells it that one side's send comes before the other side's receive.
ssize_t sendBytes(int fd, const void* bytes, size_t size) {
#ifdef CONVOY_TSAN
  return ::send(fd, bytes, size, MSG_NOSIGNAL);
#else
  return ::syscall(SYS_sendto, fd, bytes, size, MSG_NOSIGNAL, nullptr, 0);
#endif
}

ssize_t receiveBytes(int fd, void* into, size_t room, int flags) {
#ifdef CONVOY_TSAN
  return ::recv(fd, into, room, flags);
#else
  return ::syscall(SYS_recvfrom, fd, into, room, flags, nullptr, nullptr);
#endif
}

int pendingError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

}  // namespace

std::unique_ptr<Connection> Connection::adopt(event::Loop& loop, int fd,
                                              ConnectionAddresses addresses,
                                              ConnectionHandler& handler) {
  auto* const connection = new SocketConnection(loop, handler, State::Open, std::move(addresses));
  connection->watch(fd, CloseReason::RemoteReset);
  return std::unique_ptr<Connection>(connection);
}

std::unique_ptr<Connection> Connection::connect(event::Loop& loop, const Address& to,
                                                const Address* bind_to,
                                                ConnectionHandler& handler) {
  auto* const connection = new SocketConnection(loop, handler, State::Connecting, {to, Address()});
  connection->open(bind_to);
  return std::unique_ptr<Connection>(connection);
}

void Connection::setTcpKeepalive(const TcpKeepalive& keepalive) {
  const int fd = tcpDescriptor();
  if (fd < 0) return;
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  const auto set = [fd](int option, std::optional<uint16_t> value) {
    if (!value.has_value()) return;
    const int number = *value;
    ::setsockopt(fd, IPPROTO_TCP, option, &number, sizeof(number));
  };
  set(TCP_KEEPCNT, keepalive.probes);
  set(TCP_KEEPIDLE, keepalive.idle_seconds);
  set(TCP_KEEPINTVL, keepalive.interval_seconds);
}

SocketConnection::SocketConnection(event::Loop& loop, ConnectionHandler& handler, State state,
                                   ConnectionAddresses addresses)
    : Connection(loop, handler, state, std::move(addresses)) {}

bool SocketConnection::watch(int fd, CloseReason on_failure) {
  const int error = uv_poll_init(loop().uv(), &poll_, fd);  // makes it non-blocking, too
  if (error != 0) {
    ::close(fd);
    fail(on_failure, -error);
    return false;
  }
  fd_ = fd;
  handle_ = Handle::Open;
  poll_.data = this;
  updateInterest();
  return true;
}

void SocketConnection::open(const Address* bind_to) {
  sockaddr_storage address;
  const socklen_t length = remoteAddress().toSockaddr(&address);
  const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    fail(CloseReason::ConnectFailed, errno);
    return;
  }
  const int on = 1;
  if (remoteAddress().isIp()) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int result = 0;
  if (bind_to != nullptr) {
    // The port is chosen at connect(), when only the four-tuple needs to be free.
    if (bind_to->isIp()) ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    sockaddr_storage source;
    const socklen_t source_length = bind_to->toSockaddr(&source);
    result = ::bind(fd, reinterpret_cast<const sockaddr*>(&source), source_length);
  }
  if (result == 0) result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), length);
  // Connected at once (unix sockets): the poll reports it as writable, outside of this call.
  if (result != 0 && errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    fail(CloseReason::ConnectFailed, error);
    return;
  }
  watch(fd, CloseReason::ConnectFailed);
}

void SocketConnection::operator delete(SocketConnection* self, std::destroying_delete_t) {
  self->abandon();
  self->deleted_ = true;
  if (self->handle_ != Handle::None) return;  // the close callback comes back here
  self->~SocketConnection();
  ::operator delete(self);
}

ssize_t SocketConnection::sendSome(const iovec* vectors, int count) {
  ssize_t sent = 0;
  do {
    if (count == 1) {
      sent = sendBytes(fd_, vectors[0].iov_base, vectors[0].iov_len);
    } else {
      msghdr message{};
      message.msg_iov = const_cast<iovec*>(vectors);
      message.msg_iovlen = static_cast<size_t>(count);
      sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
  } while (sent < 0 && errno == EINTR);
  return resultOrError(sent);
}

ssize_t SocketConnection::receiveSome(char* into, size_t room, bool peek_only) {
  ssize_t received = 0;
  do {
    received = receiveBytes(fd_, into, room, peek_only ? MSG_PEEK : 0);
  } while (received < 0 && errno == EINTR);
  return resultOrError(received);
}

void SocketConnection::updateInterest() {
  if (handle_ != Handle::Open) return;
  const Interest wanted = interest();
  int events = (wanted.readable ? UV_READABLE : 0) | (wanted.writable ? UV_WRITABLE : 0);
  // Nothing to do but to learn of a reset, which every registration is told of.
  if (events == 0) events = UV_PRIORITIZED;
  setEvents(events);
}

// Two system calls per change, so the callers change it rarely.
void SocketConnection::setEvents(int events) {
  if (events == events_) return;
  events_ = static_cast<uint8_t>(events);
  if (events == 0) {
    uv_poll_stop(&poll_);
    return;
  }
  uv_poll_start(&poll_, events, [](uv_poll_t* handle, int status, int ready) {
    static_cast<SocketConnection*>(handle->data)->onPoll(status, ready);
  });
}

void SocketConnection::onPoll(int status, int events) {
  event::Loop::TurnScope turn(loop());
  if (status != 0) {
    events_ = 0;  // libuv has stopped watching
    if (connecting()) {
      onConnectResult(pendingError(fd_));
    } else {
      onSocketError(0);
      // Still here: paused with bytes to read. Watching would tell of the same error for ever.
      if (!closed()) setEvents(0);
    }
    return;
  }
  if ((events & (UV_READABLE | UV_WRITABLE)) == 0) {
    // Hung up, or urgent data that nobody wants, while reading is paused: either would be reported
    // again and again. Whatever it is, it will be found when reading resumes.
    setEvents(0);
    return;
  }
  if ((events & UV_WRITABLE) != 0) {
    if (connecting()) {
      onConnectResult(pendingError(fd_));
    } else {
      onWritable();
    }
  }
  if ((events & UV_READABLE) != 0 && !closed()) onReadable();
}

void SocketConnection::shutdownSending() {
  ::shutdown(fd_, SHUT_WR);
}

void SocketConnection::closeSocket(bool reset) {
  if (handle_ != Handle::Open) return;
  if (reset) {
    const linger off{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
  }
  handle_ = Handle::Closing;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* const self = static_cast<SocketConnection*>(handle->data);
    self->handle_ = Handle::None;
    if (self->deleted_) delete self;
  });
  // uv_close took it off the poll set, so the descriptor can go, and with it the port.
  ::close(fd_);
  fd_ = -1;
}

Address SocketConnection::queryLocalAddress() const {
  sockaddr_storage address;
  socklen_t length = sizeof(address);
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return Address();
  return Address::fromSockaddr(reinterpret_cast<const sockaddr*>(&address), length);
}

uint32_t SocketConnection::unacknowledgedInSocket() const {
  int bytes = 0;
  return fd_ >= 0 && ::ioctl(fd_, SIOCOUTQ, &bytes) == 0 ? static_cast<uint32_t>(bytes) : 0;
}

}  // namespace convoy::net
