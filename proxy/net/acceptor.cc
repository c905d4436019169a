#include "proxy/net/acceptor.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::net {

namespace {

bool isExhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

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
    acceptor.acceptUpTo(kPerTurn, /*in_pauses=*/false);
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
  acceptUpTo(kMostQueued, /*in_pauses=*/true);
}

void Acceptor::acceptUpTo(int most, bool in_pauses) {
  // on_accept may destroy us.
  Handle* const handle = handle_;
  for (int i = 0; i < most && handle->owner != nullptr && (in_pauses || accepting()); ++i) {
    // The first is there, the socket being readable. Whether another waits behind it nobody knows,
    // and the kernel looks for a descriptor first: if one does, the next turn is told.
    const bool somebody_waits = i == 0;
    if (!hasRoom()) {
      if (somebody_waits) waitForRoom(EMFILE);
      return;
    }
    const int error = acceptOne();
    if (error == 0) continue;
    if (somebody_waits || !isExhaustion(error)) onError(error);
    return;
  }
}

// Returns 0 or errno.
int Acceptor::acceptOne() {
  sockaddr_storage storage;
  auto* const address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof(storage);
  const int fd = ::accept4(listen_fd_, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // Gone before it was taken: no error.
  if (fd < 0) return errno == EINTR || errno == ECONNABORTED ? 0 : errno;
  metrics_.accepted.add();
  if (admit_ && !admit_()) {
    metrics_.refused.add();
    ::close(fd);
    return 0;
  }
  const Address remote = Address::fromSockaddr(address, length);
  if (!ask_local_) {
    on_accept_(fd, remote, local_);
    return 0;
  }
  length = sizeof(storage);
  ::getsockname(fd, address, &length);
  on_accept_(fd, remote, Address::fromSockaddr(address, length));
  return 0;
}

void Acceptor::onError(int error) {
  if (error == EAGAIN) return;
  metrics_.errors.add();
  // The connection stays queued and would be reported again at once. Other errors are of that
  // connection's network, or reported again.
  if (isExhaustion(error)) waitForRoom(error);
}

void Acceptor::waitForRoom(int error) {
  metrics_.exhausted.add();
  if (!exhausted_timer_.armed()) pause();
  exhausted_timer_.armAfter(kExhaustedPause);
  if (on_exhausted_) on_exhausted_(error);
}

void Acceptor::lookForRoom() {
  if (hasRoom()) return resume();
  exhausted_timer_.armAfter(kExhaustedPause);
}

}  // namespace convoy::net
