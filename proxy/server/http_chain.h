#pragma once

// The HTTP implementation of a filter chain: owns the worker's connection managers of that chain
// and the configuration that their next requests will take. Worker's thread only.

#include <functional>
#include <memory>

#include "proxy/base/intrusive_list.h"
#include "proxy/filter/registry.h"
#include "proxy/http/connection_manager.h"
#include "proxy/server/chain_handler.h"

namespace convoy::server {

class HttpChain final : public ChainHandler, public http::ConnectionOwner {
 public:
  // `on_closed` is called after each connection's end, with it destroyed or about to be.
  HttpChain(int worker, const filter::Registry& filters, const filter::WorkerServices& services,
            std::function<void()> on_closed);
  ~HttpChain() override;

  void accept(int fd, net::ConnectionAddresses addresses) override;
  void adopt(std::unique_ptr<net::Connection> connection, std::string_view first_bytes) override;
  void update(const PreparedChain& chain, const net::ListenerSpec& listener) override;
  void drain() override;
  void closeAll() override;
  size_t connections() const override { return count_; }

 private:
  void onConnectionDone(http::ConnectionManager& manager) override;
  http::ConnectionManager& newManager();
  std::shared_ptr<http::ManagerRuntime> makeRuntime(const PreparedChain& chain,
                                                    const net::ListenerSpec& listener);

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
