#pragma once

// The HTTP implementation of a filter chain: owns the worker's connection managers of that chain
// and the configuration that their next requests will take. Worker's thread only.

#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/intrusive_list.h"
#include "proxy/filter/registry.h"
#include "proxy/http/connection_manager.h"
#include "proxy/http/h2_metrics.h"
#include "proxy/http/log_format.h"
#include "proxy/http/manager_metrics.h"
#include "proxy/http/spec.h"
#include "proxy/observe/log_writer.h"
#include "proxy/server/chain_handler.h"

namespace convoy::server {

struct PreparedLog {
  std::shared_ptr<const http::LogFormat> format;
  std::shared_ptr<observe::LogFile> file;
};

class PreparedManager final : public PreparedTerminal {
 public:
  std::unique_ptr<ChainHandler> makeHandler(HandlerContext context) const override;

  std::shared_ptr<const http::ConnectionManagerSpec> spec;
  std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> metrics;
  // Of the whole process; null: not read by anybody.
  std::shared_ptr<observe::MetricGroup<http::H2ServerMetrics>> h2_metrics;
  std::vector<PreparedLog> logs;
  std::shared_ptr<RouteTableSlot> routes;
};

class HttpChain final : public ChainHandler, public http::ConnectionOwner {
 public:
  explicit HttpChain(HandlerContext context);
  ~HttpChain() override;

  void accept(int fd, net::ConnectionAddresses addresses) override;
  void adopt(std::unique_ptr<net::Connection> connection, std::string_view first_bytes) override;
  void update(const PreparedChain& chain,
              std::shared_ptr<const net::ListenerSpec> listener) override;
  void drain() override;
  void closeAll() override;
  size_t connections() const override { return count_; }

 private:
  void onConnectionDone(http::ConnectionManager& manager) override;
  http::ConnectionManager& newManager();
  std::shared_ptr<http::ManagerRuntime> makeRuntime(
      const PreparedChain& chain, std::shared_ptr<const net::ListenerSpec> listener);

  const int worker_;
  const filter::Registry& filters_;
  const filter::WorkerServices services_;
  const std::function<void()> on_closed_;
  const std::shared_ptr<http::ManagerSlot> slot_;
  std::shared_ptr<net::TransportFactory> transport_;       // null: plain text
  base::IntrusiveList<http::ConnectionManager> managers_;  // owned
  size_t count_ = 0;
};

}  // namespace convoy::server
