#include "proxy/grpc/client.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/grpc/call.h"
#include "proxy/grpc/channel.h"

namespace convoy::grpc {

namespace {

constexpr event::Duration kLongestKeepalive = std::chrono::hours(2);

}  // namespace

Client::Client(event::Loop& loop, ClientOptions options)
    : loop_(loop),
      options_(std::move(options)),
      addresses_(options_.addresses),
      keepalive_interval_(options_.keepalive_interval) {}

Client::~Client() = default;

std::unique_ptr<Stream> Client::startStream(CallOptions options, StreamHandler& handler) {
  CONVOY_ASSERT(loop_.isOwnThread());
  auto call = std::make_unique<Call>(std::move(options), handler);
  auto stream = std::make_unique<Stream>(*call);
  call->armDeadline(loop_, *this);
  if (current_ != nullptr && current_->state() == Channel::State::Open) {
    current_->start(std::move(call));
    return stream;
  }
  waiting_.push_back(std::move(call));
  if (current_ == nullptr) connect();
  return stream;
}

void Client::connect() {
  if (addresses_.empty()) return;
  attempts_left_ = addresses_.size();
  connectNext();
}

void Client::setAddresses(std::vector<net::Address> addresses) {
  CONVOY_ASSERT(loop_.isOwnThread());
  if (addresses.empty()) return;
  addresses_ = std::move(addresses);
  next_address_ = 0;
  attempts_left_ = std::min(attempts_left_, addresses_.size());
  if (current_ == nullptr && !waiting_.empty()) connect();
}

const net::Address* Client::connectedTo() const {
  if (current_ == nullptr || current_->state() != Channel::State::Open) return nullptr;
  return &current_->address();
}

void Client::connectNext() {
  CONVOY_ASSERT(attempts_left_ > 0);
  --attempts_left_;
  current_ = std::make_unique<Channel>(loop_, *this, addresses_[next_address_]);
}

void Client::onConnected(Channel& channel) {
  CONVOY_ASSERT(&channel == current_.get());
  for (std::unique_ptr<Call>& call : std::exchange(waiting_, {})) channel.start(std::move(call));
}

void Client::onGoingAway(Channel& channel, bool too_many_pings) {
  if (too_many_pings) {
    keepalive_interval_ = std::min(keepalive_interval_ * 2, kLongestKeepalive);
  }
  if (&channel == current_.get()) retireCurrent();
}

void Client::onClosed(Channel& channel, const absl::Status& why) {
  std::unique_ptr<Channel> closed;
  if (&channel == current_.get()) {
    closed = std::move(current_);
    next_address_ = (next_address_ + 1) % addresses_.size();
    if (!waiting_.empty() && attempts_left_ > 0) {
      connectNext();
    } else {
      failWaiting(why);
    }
  } else {
    const auto found = std::find_if(retired_.begin(), retired_.end(),
                                    [&](const auto& retired) { return retired.get() == &channel; });
    CONVOY_ASSERT(found != retired_.end());
    closed = std::move(*found);
    retired_.erase(found);
  }
  closed->failCalls(why);
  loop_.destroyAtEndOfTurn(std::move(closed));
}

void Client::leaveConnection() {
  if (connectedTo() == nullptr) return;
  next_address_ = (next_address_ + 1) % addresses_.size();
  current_->drain();
  retireCurrent();
}

void Client::retireCurrent() {
  retired_.push_back(std::move(current_));
}

void Client::failWaiting(const absl::Status& why) {
  for (const std::unique_ptr<Call>& call : std::exchange(waiting_, {})) {
    call->end(why);
    call->tell();
  }
}

void Client::forget(Call& call) {
  takeOutOfWaiting(call);
}

void Client::expire(Call& call) {
  takeOutOfWaiting(call)->tell();
}

std::unique_ptr<Call> Client::takeOutOfWaiting(Call& call) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const auto& waiting) { return waiting.get() == &call; });
  if (found == waiting_.end()) return nullptr;  // being told right now
  std::unique_ptr<Call> taken = std::move(*found);
  waiting_.erase(found);
  return taken;
}

}  // namespace convoy::grpc
