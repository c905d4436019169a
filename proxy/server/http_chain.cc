#include "proxy/server/http_chain.h"

#include <unistd.h>

#include <utility>

namespace convoy::server {

std::unique_ptr<ChainHandler> PreparedManager::makeHandler(HandlerContext context) const {
  return std::make_unique<HttpChain>(std::move(context));
}

HttpChain::HttpChain(HandlerContext context)
    : worker_(context.worker),
      filters_(context.filters),
      services_(context.services),
      on_closed_(std::move(context.on_closed)),
      slot_(std::make_shared<http::ManagerSlot>()) {}

HttpChain::~HttpChain() {
  CONVOY_ASSERT(managers_.empty());
}

http::ConnectionManager& HttpChain::newManager() {
  auto manager = std::make_unique<http::ConnectionManager>(slot_, *this);
  http::ConnectionManager& started = *manager.release();
  managers_.pushBack(started);
  ++count_;
  return started;
}

void HttpChain::accept(int fd, net::ConnectionAddresses addresses) {
  std::unique_ptr<net::Transport> transport;
  if (transport_ != nullptr) {
    transport = transport_->create(static_cast<size_t>(worker_));
    if (transport == nullptr) {
      ::close(fd);
      return on_closed_();
    }
  }
  http::ConnectionManager& manager = newManager();
  auto connection = net::Connection::adopt(services_.loop, fd, std::move(addresses), manager);
  if (transport != nullptr) connection->setTransport(std::move(transport));
  manager.start(std::move(connection));
}

void HttpChain::adopt(std::unique_ptr<net::Connection> connection, std::string_view first_bytes) {
  std::unique_ptr<net::Transport> transport;
  if (transport_ != nullptr) {
    transport = transport_->create(static_cast<size_t>(worker_));
    if (transport == nullptr) return on_closed_();
  }
  http::ConnectionManager& manager = newManager();
  net::Connection& started = *connection;
  started.setHandler(manager);
  if (transport != nullptr) started.setTransport(std::move(transport));
  manager.start(std::move(connection));
  if (!first_bytes.empty()) started.deliverAgain(first_bytes);
}

void HttpChain::update(const PreparedChain& chain,
                       std::shared_ptr<const net::ListenerSpec> listener) {
  transport_ = chain.transport;
  slot_->current = makeRuntime(chain, std::move(listener));
}

std::shared_ptr<http::ManagerRuntime> HttpChain::makeRuntime(
    const PreparedChain& chain, std::shared_ptr<const net::ListenerSpec> listener) {
  const auto* const prepared = dynamic_cast<const PreparedManager*>(chain.terminal.get());
  CONVOY_ASSERT(prepared != nullptr);
  const PreparedManager& from = *prepared;
  auto runtime = std::make_shared<http::ManagerRuntime>(
      services_.loop, from.spec, from.metrics->slot(worker_),
      [routes = from.routes, worker = worker_] { return routes->get(worker); });
  runtime->keep_alive = from.metrics;
  if (from.h2_metrics != nullptr) runtime->h2_metrics = &from.h2_metrics->slot(worker_);
  runtime->handshake_queue = runtime->queueFor(chain.spec->transport_timeout);
  runtime->buffer_limit = listener->per_connection_buffer_limit_bytes;
  runtime->send_queue = listener->send_queue_bytes;
  runtime->guarded_names = http::GuardedNames::seenFrom(std::move(listener), *chain.spec);
  for (const auto& filter : from.spec->filters) {
    if (!filter->disabled) runtime->filters.push_back(filters_.make(filter, services_));
  }
  for (const PreparedLog& log : from.logs) {
    runtime->access_logs.push_back(std::make_unique<http::AccessLogger>(
        log.format, std::make_unique<observe::LogSink>(log.file, services_.loop),
        services_.loop.clock()));
    runtime->log_needs_response_head |= log.format->usesResponseHeaders();
  }
  return runtime;
}

void HttpChain::drain() {
  slot_->draining = true;
  managers_.forEach([](http::ConnectionManager& manager) { manager.drain(); });
}

void HttpChain::closeAll() {
  managers_.forEach([](http::ConnectionManager& manager) { manager.closeNow(); });
}

void HttpChain::onConnectionDone(http::ConnectionManager& manager) {
  manager.unlink();
  --count_;
  services_.loop.destroyAtEndOfTurn(std::unique_ptr<http::ConnectionManager>(&manager));
  on_closed_();
}

}  // namespace convoy::server
