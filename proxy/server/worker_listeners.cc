#include "proxy/server/worker_listeners.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "proxy/net/filter_chain_match.h"
#include "proxy/server/http_chain.h"

namespace convoy::server {

WorkerListeners::WorkerListeners(int worker, event::Loop& loop, const filter::Registry& filters,
                                 const filter::WorkerServices& services, event::Duration drain_time)
    : worker_(worker),
      loop_(loop),
      filters_(filters),
      services_(services),
      drain_time_(drain_time),
      forget_drained_([](void* self) { static_cast<WorkerListeners*>(self)->forgetDrained(); },
                      this) {}

WorkerListeners::~WorkerListeners() = default;

// --- configuration ---

void WorkerListeners::addSocket(const std::string& name, const net::ListenSocket& socket) {
  Listener& listener = *listeners_.at(name);
  listener.acceptors[socket.fd()] = std::make_unique<net::Acceptor>(
      loop_, socket, metrics(listener).accept,
      [this, l = &listener](int fd, const net::Address& remote, const net::Address& local) {
        accept(*l, fd, remote, local);
      });
  listener.acceptors[socket.fd()]->setOnExhausted(
      [this, log = listener.config->exhaustion, address = socket.address()](int error) {
        log->report(address, error, loop_.now());
      });
}

void WorkerListeners::removeSocket(const std::string& name, int fd) {
  const auto found = listeners_.find(name);
  if (found != listeners_.end()) found->second->acceptors.erase(fd);
}

void WorkerListeners::update(std::shared_ptr<const PreparedListener> config) {
  std::unique_ptr<Listener>& listener = listeners_[config->spec->name];
  if (listener == nullptr) listener = std::make_unique<Listener>();
  std::vector<Chain> before = std::exchange(listener->chains, {});
  // A connection gives its places back where it took them.
  const bool same_limits =
      before.empty() || listener->config->process_limit == config->process_limit;
  for (const PreparedChain& chain : config->chains) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const Chain& old) {
      return same_limits && old.handler != nullptr &&
             old.spec->content_hash == chain.spec->content_hash;
    });
    std::unique_ptr<ChainHandler> handler =
        same != before.end() ? std::move(same->handler) : makeHandler(*config);
    handler->update(chain, *config->spec);
    if (draining_all_) handler->drain();
    listener->chains.push_back({chain.spec, std::move(handler)});
  }
  listener->config = std::move(config);
  for (Chain& old : before) {
    if (old.handler != nullptr) retire(std::move(old.handler));
  }
}

std::unique_ptr<ChainHandler> WorkerListeners::makeHandler(const PreparedListener& config) {
  return std::make_unique<HttpChain>(
      worker_, filters_, services_,
      [this, metrics = config.metrics, limit = config.limit, process = config.process_limit] {
        metrics->slot(worker_).downstream_cx_active.sub();
        metrics->slot(worker_).downstream_cx_destroy.add();
        limit->giveBack();
        if (process != nullptr) process->giveBack();
        loop_.atEndOfTurn(forget_drained_);
      });
}

void WorkerListeners::remove(const std::string& name) {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  for (Chain& chain : found->second->chains) retire(std::move(chain.handler));
  listeners_.erase(found);
}

void WorkerListeners::retire(std::unique_ptr<ChainHandler> handler) {
  handler->drain();
  ChainHandler* const draining = handler.get();
  auto deadline = std::make_unique<event::Timer>(loop_, [draining] { draining->closeAll(); });
  deadline->armAfter(drain_time_);
  draining_.push_back({std::move(handler), std::move(deadline)});
  loop_.atEndOfTurn(forget_drained_);
}

void WorkerListeners::forgetDrained() {
  std::erase_if(draining_, [](const Draining& d) { return d.handler->connections() == 0; });
}

// --- connections ---

// Envoy's order: first the process's limit, then the listener's.
bool WorkerListeners::letIn(const Listener& listener) const {
  const PreparedListener& config = *listener.config;
  if (config.process_limit != nullptr && !config.process_limit->tryTake()) {
    metrics(listener).downstream_global_cx_overflow.add();
    return false;
  }
  if (config.limit->tryTake()) return true;
  if (config.process_limit != nullptr) config.process_limit->giveBack();
  metrics(listener).accept.refused.add();
  return false;
}

void WorkerListeners::accept(Listener& listener, int fd, const net::Address& remote,
                             const net::Address& local) {
  ListenerMetrics& m = metrics(listener);
  const net::FilterChainSpec* match =
      net::matchFilterChain(*listener.config->spec, {.destination = local, .source = remote});
  const auto chain = std::find_if(listener.chains.begin(), listener.chains.end(),
                                  [match](const Chain& c) { return c.spec.get() == match; });
  if (chain == listener.chains.end()) {
    m.no_filter_chain_match.add();
    ::close(fd);
    return;
  }
  if (!letIn(listener)) {
    ::close(fd);
    return;
  }
  m.downstream_cx_total.add();
  m.downstream_cx_active.add();
  chain->handler->accept(fd, remote, local);
}

void WorkerListeners::drainAll() {
  draining_all_ = true;
  for (auto& [name, listener] : listeners_) {
    for (Chain& chain : listener->chains) chain.handler->drain();
  }
}

void WorkerListeners::stopAccepting() {
  for (auto& [name, listener] : listeners_) {
    for (auto& [fd, acceptor] : listener->acceptors) acceptor->takeQueued();
    listener->acceptors.clear();
  }
}

void WorkerListeners::closeAll() {
  for (auto& [name, listener] : listeners_) {
    for (Chain& chain : listener->chains) chain.handler->closeAll();
  }
  for (Draining& draining : draining_) draining.handler->closeAll();
}

size_t WorkerListeners::connections() const {
  size_t count = 0;
  for (const auto& [name, listener] : listeners_) {
    for (const Chain& chain : listener->chains) count += chain.handler->connections();
  }
  for (const Draining& draining : draining_) count += draining.handler->connections();
  return count;
}

}  // namespace convoy::server
