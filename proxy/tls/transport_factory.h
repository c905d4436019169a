#pragma once

// Gives each new connection of a filter chain or cluster a TlsTransport on the context that is in
// force. Made and updated by main (SecretManager), asked by workers.

#include <memory>
#include <utility>

#include "proxy/net/transport.h"
#include "proxy/observe/metrics.h"
#include "proxy/tls/context.h"
#include "proxy/tls/metrics.h"
#include "proxy/tls/tls_transport.h"

namespace convoy::tls {

using TlsMetricGroup = observe::MetricGroup<TlsMetrics>;

class TlsTransportFactory final : public net::TransportFactory {
 public:
  explicit TlsTransportFactory(std::shared_ptr<TlsMetricGroup> metrics)
      : metrics_(std::move(metrics)) {}

  // Main.
  void setContext(std::shared_ptr<const Context> context) { context_.set(std::move(context)); }
  bool ready() const { return context_.get() != nullptr; }

  std::unique_ptr<net::Transport> create(size_t worker) override {
    TlsMetrics& metrics = metrics_->slot(static_cast<int>(worker));
    std::shared_ptr<const Context> context = context_.get();
    if (context == nullptr) {
      metrics.secrets_not_ready.add();
      return nullptr;
    }
    return std::make_unique<TlsTransport>(std::move(context), metrics);
  }

 private:
  const std::shared_ptr<TlsMetricGroup> metrics_;
  ContextSlot<Context> context_;
};

}  // namespace convoy::tls
