#include "proxy/net/acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::net {

Acceptor::Acceptor(event::Loop& loop, const ListenSocket& socket, AcceptMetrics& metrics,
                   OnAccept on_accept)
    : loop_(loop),
      listen_fd_(socket.fd()),
      ask_local_(socket.wildcard()),
      local_(socket.address()),
      metrics_(metrics),
      on_accept_(std::move(on_accept)),
      handle_(new Handle{{}, this}),
      exhausted_timer_(loop, [this] { lookForRoom(); }) {
  CONVOY_ASSERT(loop.isOwnThread());
  // Fails only for a descriptor that is none, or that this loop watches already.
  CONVOY_ASSERT(uv_poll_init(loop.uv(), &handle_->poll, listen_fd_) == 0);
  handle_->poll.data = handle_;
  watch();
}

Acceptor::~Acceptor() {
  CONVOY_ASSERT(loop_.isOwnThread());
  handle_->owner = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
}

void Acceptor::watch() {
  uv_poll_start(&handle_->poll, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    Acceptor& acceptor = *static_cast<Handle*>(poll->data)->owner;
    event::Loop::TurnScope turn(acceptor.loop_);
    // libuv stops watching on an error, which a listening socket has when a handshake broke:
    // accept() reports it.
    if (status != 0 && acceptor.accepting()) acceptor.watch();
    acceptor.acceptSome();
  });
}

void Acceptor::pause() {
  CONVOY_ASSERT(loop_.isOwnThread());
  if (pauses_++ == 0) uv_poll_stop(&handle_->poll);
}

void Acceptor::resume() {
  CONVOY_ASSERT(loop_.isOwnThread() && pauses_ > 0);
  if (--pauses_ == 0) watch();
}

void Acceptor::takeQueued() {
  CONVOY_ASSERT(loop_.isOwnThread());
  // These are the last: what is kept for other things may go to them.
  has_room_ = nullptr;
  Handle* const handle = handle_;
  for (int i = 0; i < kMostQueued && handle->owner != nullptr; ++i) {
    if (!acceptOne()) return;
  }
}

void Acceptor::acceptSome() {
  // on_accept may destroy us.
  Handle* const handle = handle_;
  for (int i = 0; i < kPerTurn && handle->owner != nullptr && accepting(); ++i) {
    if (!acceptOne()) return;
  }
}

// False: none is left, or accepting failed.
bool Acceptor::acceptOne() {
  if (!hasRoom()) {
    waitForRoom(EMFILE);
    return false;
  }
  sockaddr_storage storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof(storage);
  const int fd = ::accept4(listen_fd_, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EINTR || errno == ECONNABORTED) return true;  // gone before it was taken
    if (errno != EAGAIN) onError(errno);
    return false;
  }
  metrics_.accepted.add();
  if (admit_ && !admit_()) {
    metrics_.refused.add();
    ::close(fd);
    return true;
  }
  const Address remote = Address::fromSockaddr(address, length);
  if (!ask_local_) {
    on_accept_(fd, remote, local_);
    return true;
  }
  length = sizeof(storage);
  ::getsockname(fd, address, &length);
  on_accept_(fd, remote, Address::fromSockaddr(address, length));
  return true;
}

void Acceptor::onError(int error) {
  metrics_.errors.add();
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      // The connection stays queued and would be reported again at once.
      waitForRoom(error);
      break;
    default:
      break;  // an error of that connection's network, or reported again
  }
}

void Acceptor::waitForRoom(int error) {
  metrics_.exhausted.add();
  pause();
  exhausted_timer_.armAfter(kExhaustedPause);
  if (on_exhausted_) on_exhausted_(error);
}

void Acceptor::lookForRoom() {
  if (hasRoom()) return resume();
  exhausted_timer_.armAfter(kExhaustedPause);
}

}  // namespace convoy::net
