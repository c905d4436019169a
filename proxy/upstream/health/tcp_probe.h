#pragma once

// Checks that a TCP (or TLS) connection can be made, and, if asked, that it says what is expected
// after what is sent. See probe.h.

#include <memory>
#include <string>
#include <string_view>

#include "proxy/net/connection.h"
#include "proxy/upstream/health/probe.h"

namespace convoy::upstream {

// A connection for a check, with its transport.
std::unique_ptr<net::Connection> connectForCheck(const ProbeServices& services,
                                                 const ProbeOwner& owner, const ProbeTarget& target,
                                                 net::ConnectionHandler& handler);
std::string describeLoss(net::CloseReason reason, net::Connection& connection);
// Closes and destroys it at the end of the turn, and nobody hears of that.
void dropConnection(const ProbeServices& services, std::unique_ptr<net::Connection> connection);

class TcpProbe final : public Probe, private net::ConnectionHandler {
 public:
  // What is kept of an answer that does not have what is expected.
  static constexpr size_t kMostBytes = 64 * 1024;

  TcpProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
           const TcpCheckSpec& spec, Done done);

  void start() override;
  std::string_view missing() const override;

 private:
  void onConnected() override;
  void onRead(std::string_view bytes) override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override {}

  void send();
  bool startedAgain();
  void finish(ProbeResult result, bool keep);
  void fail(ProbeResult::Kind kind, std::string reason) {
    finish({kind, std::move(reason)}, /*keep=*/false);
  }

  ProbeServices& services_;
  const ProbeOwner owner_;
  const ProbeTarget target_;
  const TcpCheckSpec& spec_;  // of owner_
  const Done done_;
  std::unique_ptr<net::Connection> connection_;
  bool running_ = false;
  bool connected_ = false;
  bool kept_ = false;  // the connection has served a check before
  std::string received_;
};

}  // namespace convoy::upstream
