#include "proxy/upstream/health/tcp_probe.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/upstream/health/matching.h"

namespace convoy::upstream {

namespace {

// Has no state, so that one does for all threads.
class Silence final : public net::ConnectionHandler {
 public:
  void onRead(std::string_view) override {}
  void onEndOfStream() override {}
  void onClosed(net::CloseReason) override {}
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override {}
};
Silence silence;

}  // namespace

std::unique_ptr<net::Connection> connectForCheck(const ProbeServices& services,
                                                 const ProbeOwner& owner, const ProbeTarget& target,
                                                 net::ConnectionHandler& handler) {
  const auto& bind_to = owner.cluster->bind_to;
  auto connection = services.io.connect(services.loop, target.address,
                                        bind_to.has_value() ? &*bind_to : nullptr, handler);
  if (owner.transports == nullptr) return connection;
  auto transport = owner.transports->create(services.transport_slot);
  if (transport != nullptr) {
    connection->setTransport(std::move(transport));
  } else {
    connection->closeWith(net::CloseReason::TransportError);
  }
  return connection;
}

std::string describeLoss(net::CloseReason reason, net::Connection& connection) {
  const int error = connection.systemError();
  if (error != 0) {
    char text[128];
    return absl::StrCat("connection failed: ", ::strerror_r(error, text, sizeof(text)));
  }
  if (reason == net::CloseReason::TransportError) {
    const net::Transport* const transport = connection.transport();
    return absl::StrCat(
        "TLS failed: ",
        base::toAbsl(transport == nullptr ? "certificates_missing" : transport->info().failure));
  }
  return "the connection was lost";
}

void dropConnection(const ProbeServices& services, std::unique_ptr<net::Connection> connection) {
  connection->setHandler(silence);
  services.loop.destroyAtEndOfTurn(std::move(connection));
}

TcpProbe::TcpProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
                   const TcpCheckSpec& spec, Done done)
    : services_(services), owner_(owner), target_(target), spec_(spec), done_(std::move(done)) {}

std::string_view TcpProbe::missing() const {
  return connected_ ? "no answer" : "no connection";
}

void TcpProbe::start() {
  running_ = true;
  received_.clear();
  kept_ = connection_ != nullptr;
  if (kept_) return send();
  connected_ = false;
  connection_ = connectForCheck(services_, owner_, target_, *this);
}

void TcpProbe::onConnected() {
  connected_ = true;
  if (spec_.receive.empty()) return finish({ProbeResult::Kind::Pass}, /*keep=*/false);
  send();
}

void TcpProbe::send() {
  if (!spec_.send.empty()) connection_->write(spec_.send);
}

void TcpProbe::onRead(std::string_view bytes) {
  if (!running_) return;
  received_.append(bytes);
  if (containsInOrder(received_, spec_.receive)) return finish({ProbeResult::Kind::Pass}, true);
  if (received_.size() > kMostBytes) {
    fail(ProbeResult::Kind::Fail, "the answer is long and does not have what is expected");
  }
}

// The host may have closed a kept connection in the moment of the check.
bool TcpProbe::startedAgain() {
  if (!running_ || !kept_ || !received_.empty()) return false;
  dropConnection(services_, std::move(connection_));
  start();
  return true;
}

void TcpProbe::onEndOfStream() {
  if (startedAgain()) return;
  fail(ProbeResult::Kind::Network, "the host closed the connection without the expected answer");
}

void TcpProbe::onClosed(net::CloseReason reason) {
  if (startedAgain()) return;
  fail(ProbeResult::Kind::Network, describeLoss(reason, *connection_));
}

void TcpProbe::finish(ProbeResult result, bool keep) {
  if (!keep || !owner_.check().reuse_connection) {
    dropConnection(services_, std::move(connection_));
  }
  if (std::exchange(running_, false)) done_(std::move(result));
}

}  // namespace convoy::upstream
