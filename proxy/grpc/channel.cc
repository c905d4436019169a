#include "proxy/grpc/channel.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/strings.h"
#include "proxy/grpc/client.h"
#include "proxy/grpc/status.h"

namespace convoy::grpc {

using base::toAbsl;

namespace {

// Bytes that wait in the socket's queue before the session keeps the rest to itself.
constexpr size_t kWriteLimit = 1024 * 1024;

constexpr std::string_view kAlpnH2 = "h2";

std::string_view describe(net::CloseReason reason) {
  switch (reason) {
    case net::CloseReason::LocalClose:
      return "the connection was closed";
    case net::CloseReason::RemoteReset:
      return "the peer reset the connection";
    case net::CloseReason::ConnectFailed:
      return "the connection was refused or the address cannot be reached";
    case net::CloseReason::ConnectTimeout:
      return "the connection was not made in time";
    case net::CloseReason::TransportError:
      return "the transport failed";
  }
  return "the connection ended";
}

}  // namespace

Channel::Channel(event::Loop& loop, Client& client, const net::Address& to)
    : loop_(loop),
      client_(client),
      address_(to),
      session_({.authority = client.options().authority,
                .stream_window = client.options().stream_window,
                .connection_window = client.options().connection_window},
               [this] {
                 if (state_ == State::Open) loop_.atEndOfTurn(flush_task_);
               }),
      flush_task_([](void* self) { static_cast<Channel*>(self)->flush(); }, this),
      connect_timer_(loop, [this] { onConnectTimeout(); }),
      keepalive_timer_(loop, [this] { onKeepalive(); }) {
  connection_ = net::Connection::connect(loop, to, nullptr, *this);
  connection_->setWriteLimit(kWriteLimit);
  if (client.options().transport != nullptr) wrap();
  connect_timer_.armAfter(client.options().connect_timeout);
}

// Without certificates, which have not come yet, it ends like a connect that is refused.
void Channel::wrap() {
  auto transport = client_.options().transport->create(client_.options().transport_slot);
  if (transport != nullptr) return connection_->setTransport(std::move(transport));
  connection_->closeWith(net::CloseReason::TransportError);
}

void Channel::transition(State to) {
  CONVOY_ASSERT(to > state_);
  state_ = to;
}

void Channel::start(std::unique_ptr<Call> call) {
  CONVOY_ASSERT(state_ == State::Open);
  session_.start(std::move(call));
  if (!keepalive_timer_.armed()) armKeepalive(client_.keepaliveInterval());
}

void Channel::drain() {
  draining_ = true;
  loop_.atEndOfTurn(flush_task_);
}

void Channel::onConnected() {
  // RFC 9113 3.2: over TLS, HTTP/2 is agreed on.
  const net::Transport* const transport = connection_->transport();
  if (transport != nullptr && transport->protocol() != kAlpnH2) {
    return close(absl::UnavailableError("the peer does not agree to HTTP/2 (ALPN h2)"));
  }
  // The timer runs on until the peer's first bytes, its SETTINGS: a kernel that accepts for a
  // process that hangs is no connection.
  transition(State::Open);
  last_received_ = loop_.now();
  client_.onConnected(*this);
  loop_.atEndOfTurn(flush_task_);
}

void Channel::onConnectTimeout() {
  close(state_ == State::Open
            ? absl::UnavailableError("the connection was made, but the peer said nothing in time: "
                                     "no HTTP/2 SETTINGS came")
            : absl::UnavailableError(toAbsl(describe(net::CloseReason::ConnectTimeout))));
}

void Channel::onRead(std::string_view bytes) {
  connect_timer_.cancel();
  last_received_ = loop_.now();
  ping_pending_ = false;
  const absl::Status status = session_.receive(bytes);
  if (!status.ok()) {
    flush();
    close(status);
    return;
  }
  checkSession();
}

void Channel::onEndOfStream() {
  close(absl::UnavailableError("the peer closed the connection"));
}

void Channel::onClosed(net::CloseReason reason) {
  if (reason == net::CloseReason::TransportError) {
    const net::Transport* const transport = connection_->transport();
    return close(absl::UnavailableError(absl::StrCat(
        "the TLS handshake failed: ",
        transport != nullptr ? toAbsl(transport->info().failure) : "certificates_missing")));
  }
  close(absl::UnavailableError(toAbsl(describe(reason))));
}

void Channel::onWriteQueueBelowLow() {
  loop_.atEndOfTurn(flush_task_);
}

void Channel::flush() {
  if (state_ != State::Open) return;
  const absl::Status status = session_.produce(connection_->output(), kWriteLimit);
  if (state_ != State::Open) return;
  connection_->scheduleFlush();
  if (!status.ok()) {
    close(status);
    return;
  }
  checkSession();
}

void Channel::checkSession() {
  if (state_ != State::Open) return;
  if (session_.leaving() != Session::Leaving::No && !std::exchange(draining_, true)) {
    client_.onGoingAway(*this, session_.leaving() == Session::Leaving::TooManyPings);
  }
  if (state_ != State::Open) return;
  if (session_.finished()) {
    close(session_.lastError());
  } else if (draining_ && session_.calls() == 0) {
    close(absl::UnavailableError("the connection was drained"));
  }
}

void Channel::close(const absl::Status& why) {
  if (state_ == State::Closed) return;
  transition(State::Closed);
  connect_timer_.cancel();
  keepalive_timer_.cancel();
  connection_->close(net::CloseMode::Flush);
  const absl::Status named(why.code(), absl::StrCat(address_.text(), ": ", why.message()));
  client_.onClosed(*this, isFoundInBytes(why) ? foundInBytes(named) : named);
}

void Channel::armKeepalive(event::Duration delay) {
  if (client_.keepaliveInterval() > event::Duration::zero()) keepalive_timer_.armAfter(delay);
}

void Channel::onKeepalive() {
  if (ping_pending_) {
    close(absl::UnavailableError("the peer did not answer a keepalive PING in time"));
    return;
  }
  if (session_.calls() == 0) return;  // the next call arms it again
  const event::MonotonicTime due = last_received_ + client_.keepaliveInterval();
  if (loop_.now() < due) {
    armKeepalive(due - loop_.now());
    return;
  }
  ping_pending_ = true;
  session_.ping();
  armKeepalive(client_.options().keepalive_timeout);
}

}  // namespace convoy::grpc
