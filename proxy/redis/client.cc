#include "proxy/redis/client.h"

#include <string>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/log.h"

namespace convoy::redis {

namespace {

std::string_view describe(net::CloseReason reason) {
  switch (reason) {
    case net::CloseReason::LocalClose:
      break;
    case net::CloseReason::RemoteReset:
      return "it reset the connection";
    case net::CloseReason::ConnectFailed:
      return "the connection was refused or the address cannot be reached";
    case net::CloseReason::ConnectTimeout:
      return "the connection was not made in time";
    case net::CloseReason::TransportError:
      return "the TLS handshake failed";
  }
  return "the connection ended";
}

}  // namespace

// --- who waits ---

void Call::giveUp() {
  if (outstanding_ == nullptr) return;
  outstanding_->call = nullptr;
  outstanding_ = nullptr;
}

Outstanding::Outstanding(Client& of, Call* who)
    : client(of),
      call(who),
      deadline(
          [](void* self) {
            auto& late = *static_cast<Outstanding*>(self);
            late.client.onTooLate(late);
          },
          this) {}

Outstanding::~Outstanding() {
  CONVOY_ASSERT(call == nullptr);
}

void Client::tell(Outstanding& outstanding, const Reply& reply) {
  Call* const call = std::exchange(outstanding.call, nullptr);
  if (call == nullptr) return;
  call->outstanding_ = nullptr;
  call->onReply(reply);
}

// --- commands ---

Client::Client(event::Loop& loop, ClientSpec spec, std::unique_ptr<Dialer> dialer,
               ClientMetrics& metrics)
    : loop_(loop),
      spec_(std::move(spec)),
      dialer_(std::move(dialer)),
      metrics_(metrics),
      timeouts_(loop.deadlineQueue(spec_.timeout)),
      timer_(loop, [this] { onTimer(); }) {}

Client::~Client() {
  disconnect();
  std::deque<Outstanding> lost;
  lost.swap(outstanding_);
  state_ = State::Down;
  for (Outstanding& command : lost) tell(command, {.kind = Reply::Kind::Lost});
}

bool Client::send(Words words, Call* call) {
  CONVOY_ASSERT(loop_.isOwnThread());
  if (call != nullptr) call->giveUp();
  last_used_ = loop_.now();
  if (state_ == State::Ready && !dialer_->current()) leave();
  if (state_ == State::Idle) connect();
  const bool takes = state_ == State::Ready || (state_ == State::Connecting && !failing_);
  if (!takes || outstanding_.size() >= kMostOutstanding) {
    metrics_.skipped.add();
    return false;
  }
  if (state_ == State::Ready) {
    appendCommand(words, connection_->output());
    connection_->scheduleFlush();
  } else {
    appendCommand(words, waiting_);
  }
  Outstanding& command = outstanding_.emplace_back(*this, call);
  if (call != nullptr) call->outstanding_ = &command;
  command.deadline.arm(timeouts_);
  return true;
}

void Client::onTooLate(Outstanding& outstanding) {
  metrics_.timeouts.add();
  if (state_ == State::Ready) {
    transition(State::Stalled);
    timer_.armAfter(kStallLimit);
  } else if (state_ == State::Connecting) {
    noteFailure("it does not answer in time");
  }
  // Stays in its place: its answer may still come.
  tell(outstanding, {.kind = Reply::Kind::TimedOut});
}

// --- the connection ---

void Client::transition(State to) {
  const State from = std::exchange(state_, to);
  // Stalled -> Ready; anything with a connection -> Idle or Down; those two -> Connecting.
  CONVOY_ASSERT((to == State::Connecting && (from == State::Idle || from == State::Down)) ||
                (to == State::Ready && (from == State::Connecting || from == State::Stalled)) ||
                (to == State::Stalled && from == State::Ready) ||
                (to == State::Idle && from != State::Idle) ||
                (to == State::Down && from != State::Down));
}

void Client::connect() {
  if (std::exchange(dialed_, true)) metrics_.reconnects.add();
  transition(State::Connecting);
  ++connections_;
  connection_ = dialer_->connect(*this);
  if (connection_ == nullptr) return lose("its cluster has no host for it");
  reader_.emplace();
  timer_.armAfter(dialer_->connectTimeout());
}

// The commands come first in line that others wait behind, and nobody waits for.
void Client::introduce(Words words) {
  appendCommand(words, connection_->output());
  ++introductions_;
}

void Client::onConnected() {
  connected_ = true;
  introductions_ = 0;
  if (!spec_.password.empty()) {
    if (spec_.username.empty()) {
      introduce({"AUTH", spec_.password});
    } else {
      introduce({"AUTH", spec_.username, spec_.password});
    }
  }
  if (spec_.database != 0) introduce({"SELECT", std::to_string(spec_.database)});
  introduce({"PING"});
  connection_->scheduleFlush();
}

void Client::onIntroduced() {
  transition(State::Ready);
  timer_.armAfter(kIdleTime);
  backoff_.reset();
  if (std::exchange(failing_, false)) {
    base::logInfo("redis cluster=" + spec_.cluster + " is there again");
  }
  connection_->output().moveFrom(waiting_);
  connection_->scheduleFlush();
}

void Client::onRead(std::string_view bytes) {
  const uint64_t connection = connections_;
  reader_->feed(bytes);
  Reply reply;
  // Who is told may send commands, which may end this very connection.
  while (connection == connections_ && connection_ != nullptr) {
    const ReplyReader::Result result = reader_->next(&reply);
    if (result == ReplyReader::Result::More) break;
    if (result == ReplyReader::Result::Malformed || !onAnswer(reply)) {
      metrics_.errors.add();
      return lose("what it says is not Redis's protocol, or not an answer");
    }
  }
  if (state_ == State::Stalled && outstanding_.empty()) {
    transition(State::Ready);
    timer_.armAfter(kIdleTime);
  }
}

// False: it answers nothing that was asked.
bool Client::onAnswer(const Reply& reply) {
  if (reply.kind == Reply::Kind::Error) metrics_.errors.add();
  if (introductions_ > 0) {
    // Its words may repeat ours, so they stay here.
    if (reply.kind == Reply::Kind::Error) {
      lose("it refused AUTH, SELECT or PING: see password, username and database");
    } else if (--introductions_ == 0) {
      onIntroduced();
    }
    return true;
  }
  if (outstanding_.empty() || state_ == State::Connecting) return false;
  Call* const call = std::exchange(outstanding_.front().call, nullptr);
  outstanding_.pop_front();
  if (call == nullptr) return true;
  call->outstanding_ = nullptr;
  call->onReply(reply);
  return true;
}

void Client::onServerClosed(std::string_view why) {
  const bool quiet = state_ == State::Ready && outstanding_.empty();
  if (quiet) return leave();
  lose(why);
}

void Client::onClosed(net::CloseReason reason) {
  onServerClosed(describe(reason));
}

void Client::onTimer() {
  const bool unused = loop_.now() - last_used_ >= kIdleTime;
  switch (state_) {
    case State::Idle:
      return;
    case State::Connecting:
      return lose(describe(net::CloseReason::ConnectTimeout));
    case State::Stalled:
      return lose("it does not answer");
    case State::Ready:
      if (unused && outstanding_.empty()) return leave();
      return timer_.armAfter(kIdleTime);
    case State::Down:
      if (!unused) return connect();
      failing_ = false;
      return transition(State::Idle);
  }
}

void Client::disconnect() {
  timer_.cancel();
  ++connections_;
  introductions_ = 0;
  if (connection_ != nullptr) dialer_->onEnded(!std::exchange(connected_, false));
  connection_.reset();
  waiting_.clear();
}

// In peace: the next command opens another connection.
void Client::leave() {
  disconnect();
  transition(State::Idle);
  std::deque<Outstanding> lost;
  lost.swap(outstanding_);
  for (Outstanding& command : lost) tell(command, {.kind = Reply::Kind::Lost});
}

void Client::lose(std::string_view why) {
  disconnect();
  transition(State::Down);
  noteFailure(why);
  timer_.armAfter(backoff_.next(loop_.random()));
  std::deque<Outstanding> lost;
  lost.swap(outstanding_);
  for (Outstanding& command : lost) {
    metrics_.errors.add();
    tell(command, {.kind = Reply::Kind::Lost});
  }
}

void Client::noteFailure(std::string_view why) {
  if (std::exchange(failing_, true)) return;
  base::logWarning("redis cluster=" + spec_.cluster + " is away: " + std::string(why));
}

}  // namespace convoy::redis
