#include "test/common/in_memory_connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proxy/base/assert.h"

namespace convoy::test {

net::Address InMemoryConnection::address(std::string_view text) {
  absl::StatusOr<net::Address> address = net::Address::parse(text);
  CONVOY_ASSERT(address.ok());
  return *std::move(address);
}

InMemoryConnection::Pair InMemoryConnection::pair(event::Loop& loop, net::ConnectionHandler& first,
                                                  net::ConnectionHandler& second,
                                                  const Options& options) {
  auto forth = std::make_shared<Pipe>();
  auto back = std::make_shared<Pipe>();
  // The connecting side learns its local address only when it asks, as with a socket.
  auto* const a = new InMemoryConnection(loop, first, State::Connecting, options.second,
                                         options.first, options, back, forth);
  auto* const b = new InMemoryConnection(loop, second, State::Open, options.first, options.second,
                                         options, forth, back);
  a->joinTo(*b);
  b->joinTo(*a);
  a->schedulePump();
  return {std::unique_ptr<net::Connection>(a), std::unique_ptr<net::Connection>(b)};
}

std::unique_ptr<net::Connection> InMemoryConnection::refused(event::Loop& loop,
                                                             net::ConnectionHandler& handler,
                                                             int error) {
  const Options options;
  auto* const connection =
      new InMemoryConnection(loop, handler, State::Connecting, options.second, options.first,
                             options, std::make_shared<Pipe>(), std::make_shared<Pipe>());
  connection->connect_error_ = error;
  connection->schedulePump();
  return std::unique_ptr<net::Connection>(connection);
}

InMemoryConnection::InMemoryConnection(event::Loop& loop, net::ConnectionHandler& handler,
                                       State state, const net::Address& remote,
                                       const net::Address& local, const Options& options,
                                       std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
    : Connection(loop, handler, state,
                 {remote, state == State::Connecting ? net::Address() : local}),
      options_(options),
      actual_local_(local),
      in_(std::move(in)),
      out_(std::move(out)),
      anchor_(std::make_shared<Anchor>(Anchor{this})) {}

void InMemoryConnection::operator delete(InMemoryConnection* self, std::destroying_delete_t) {
  self->abandon();
  self->anchor_->connection = nullptr;
  // Frames of this object may be on the stack.
  struct Remains {
    explicit Remains(InMemoryConnection* object) : object(object) {}
    ~Remains() {
      object->~InMemoryConnection();
      ::operator delete(object);
    }
    InMemoryConnection* object;
  };
  self->loop().destroyAtEndOfTurn(std::make_unique<Remains>(self));
}

void InMemoryConnection::joinTo(InMemoryConnection& peer) {
  peer_ = peer.anchor_;
}

void InMemoryConnection::wakePeer() {
  if (peer_ != nullptr && peer_->connection != nullptr) peer_->connection->schedulePump();
}

ssize_t InMemoryConnection::sendSome(const iovec* vectors, int count) {
  if (in_->reset) return -ECONNRESET;
  if (out_->ended) return -EPIPE;
  if (out_->reader_closed) {
    // As with TCP: taken, then answered by a reset.
    in_->reset = true;
    schedulePump();
    size_t taken = 0;
    for (int i = 0; i < count; ++i) taken += vectors[i].iov_len;
    return static_cast<ssize_t>(taken);
  }
  ssize_t sent = 0;
  for (int i = 0; i < count; ++i) {
    const size_t room = options_.pipe_bytes - out_->size();
    const size_t part = std::min(room, vectors[i].iov_len);
    out_->bytes.append(static_cast<const char*>(vectors[i].iov_base), part);
    sent += static_cast<ssize_t>(part);
  }
  if (sent == 0) return -EAGAIN;
  wakePeer();
  return sent;
}

ssize_t InMemoryConnection::receiveSome(char* into, size_t room, bool peek_only) {
  if (in_->size() > 0) {
    const size_t part = std::min({room, in_->size(), options_.max_read_bytes});
    std::memcpy(into, in_->bytes.data() + in_->read, part);
    if (!peek_only) in_->read += part;
    if (in_->read >= in_->bytes.size() / 2) in_->bytes.erase(0, std::exchange(in_->read, 0));
    wakePeer();
    return static_cast<ssize_t>(part);
  }
  if (in_->ended) return 0;
  return in_->reset ? -ECONNRESET : -EAGAIN;
}

void InMemoryConnection::shutdownSending() {
  out_->ended = true;
  wakePeer();
}

void InMemoryConnection::closeSocket(bool reset) {
  in_->reader_closed = true;
  // A kernel resets, too, when bytes were left unread.
  if (reset || in_->size() > 0) {
    out_->reset = true;
  } else {
    out_->ended = true;
  }
  wakePeer();
}

// Readiness is a level, as the kernel's: while something is ready and wanted, turns follow.
void InMemoryConnection::schedulePump() {
  if (pump_posted_) return;
  pump_posted_ = true;
  loop().post([anchor = anchor_] {
    if (anchor->connection != nullptr) anchor->connection->pump();
  });
}

void InMemoryConnection::pump() {
  pump_posted_ = false;
  if (closed()) return;
  if (connecting()) {
    onConnectResult(connect_error_);
    schedulePump();
    return;
  }
  if (in_->reset && in_->size() == 0) {
    onSocketError(0);
    return;
  }
  bool progress = false;
  if (interest().writable && writable()) {
    onWritable();
    progress = true;
  }
  if (!closed() && interest().readable && readable()) {
    onReadable();
    progress = true;
  }
  if (progress && !closed()) schedulePump();
}

}  // namespace convoy::test
