#include "proxy/server/worker_listeners.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "proxy/net/filter_chain_match.h"

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

WorkerListeners::~WorkerListeners() {
  for (auto& [name, listener] : listeners_) dropWaiting(*listener);
}

// --- configuration ---

void WorkerListeners::addSocket(const std::string& name, const net::ListenSocket& socket) {
  Listener& listener = *listeners_.at(name);
  auto acceptor = std::make_unique<net::Acceptor>(
      loop_, socket, metrics(listener).accept,
      [this, l = &listener](int fd, const net::Address& remote, const net::Address& local) {
        accept(*l, fd, {remote, local});
      });
  acceptor->setHasRoom([descriptors = listener.config->descriptors] {
    return descriptors == nullptr || !descriptors->full();
  });
  acceptor->setOnExhausted([this, log = listener.config->exhaustion, address = socket.address()](
                               int error) { log->report(address, error, loop_.now()); });
  listener.acceptors[socket.fd()] = std::move(acceptor);
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
        same != before.end() ? std::move(same->handler) : makeHandler(chain, *config);
    handler->update(chain, config->spec);
    if (draining_all_) handler->drain();
    listener->chains.push_back({chain.spec, std::move(handler)});
  }
  listener->config = std::move(config);
  for (Chain& old : before) {
    if (old.handler != nullptr) retire(std::move(old.handler));
  }
}

std::unique_ptr<ChainHandler> WorkerListeners::makeHandler(const PreparedChain& chain,
                                                           const PreparedListener& config) {
  return chain.terminal->makeHandler(
      {worker_, filters_, services_,
       [this, metrics = config.metrics, limit = config.limit, process = config.process_limit,
        descriptors = config.descriptors] {
         metrics->slot(worker_).downstream_cx_active.sub();
         metrics->slot(worker_).downstream_cx_destroy.add();
         limit->giveBack();
         if (process != nullptr) process->giveBack();
         if (descriptors != nullptr) descriptors->giveBack();
         loop_.atEndOfTurn(forget_drained_);
       }});
}

void WorkerListeners::remove(const std::string& name) {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  dropWaiting(*found->second);
  found->second->acceptors.clear();
  for (Chain& chain : found->second->chains) retire(std::move(chain.handler));
  // What waited refers to it to the end of the turn.
  loop_.destroyAtEndOfTurn(std::move(found->second));
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
  if (config.limit->tryTake()) {
    if (config.descriptors != nullptr) config.descriptors->take();
    return true;
  }
  if (config.process_limit != nullptr) config.process_limit->giveBack();
  metrics(listener).accept.refused.add();
  return false;
}

void WorkerListeners::giveBack(const PreparedListener& config) {
  config.limit->giveBack();
  if (config.process_limit != nullptr) config.process_limit->giveBack();
  if (config.descriptors != nullptr) config.descriptors->giveBack();
}

ChainHandler* WorkerListeners::chainFor(Listener& listener, const net::FilterChainQuery& query) {
  const net::FilterChainSpec* match = net::matchFilterChain(*listener.config->spec, query);
  const auto chain = std::find_if(listener.chains.begin(), listener.chains.end(),
                                  [match](const Chain& c) { return c.spec.get() == match; });
  if (chain != listener.chains.end()) return chain->handler.get();
  metrics(listener).no_filter_chain_match.add();
  return nullptr;
}

void WorkerListeners::accept(Listener& listener, int fd, net::ConnectionAddresses addresses) {
  if (listener.config->spec->inspect_tls) return startReading(listener, fd, std::move(addresses));
  ListenerMetrics& m = metrics(listener);
  ChainHandler* const chain = chainFor(listener, {.addresses = addresses});
  if (chain == nullptr || !letIn(listener)) {
    ::close(fd);
    return;
  }
  m.downstream_cx_total.add();
  m.downstream_cx_active.add();
  chain->accept(fd, std::move(addresses));
}

// --- chains that the ClientHello decides ---

WorkerListeners::Waiting::Waiting(WorkerListeners& owner, Listener& its_listener)
    : HelloReader(owner), listener(its_listener), config(its_listener.config) {}

// Its places are taken now: who says nothing counts as well.
void WorkerListeners::startReading(Listener& listener, int fd, net::ConnectionAddresses addresses) {
  if (!letIn(listener)) {
    ::close(fd);
    return;
  }
  metrics(listener).downstream_pre_cx_active.add();
  auto waiting = std::make_unique<Waiting>(*this, listener);
  Waiting& started = *waiting.release();
  listener.waiting.pushBack(started);
  const std::chrono::milliseconds limit = listener.config->spec->inspect_timeout;
  started.start(net::Connection::adopt(loop_, fd, std::move(addresses), started),
                limit.count() > 0 ? &loop_.deadlineQueue(limit) : nullptr);
}

void WorkerListeners::onHello(HelloReader& reader, HelloReader::End end) {
  auto& waiting = static_cast<Waiting&>(reader);
  waiting.unlink();
  loop_.destroyAtEndOfTurn(std::unique_ptr<Waiting>(&waiting));
  ListenerMetrics& m = waiting.config->metrics->slot(worker_);
  m.downstream_pre_cx_active.sub();
  if (end == HelloReader::End::Invalid) m.hello_invalid.add();
  if (end == HelloReader::End::TimedOut) m.downstream_pre_cx_timeout.add();
  const bool late = end == HelloReader::End::TimedOut;
  const bool goes_on = end == HelloReader::End::Read ||
                       (late && waiting.listener.config->spec->continue_after_inspect_timeout);
  if (goes_on) return handOver(waiting, end);
  giveBack(*waiting.config);
  waiting.connection().close(net::CloseMode::Now);
}

// To the chain of the configuration that is in force now.
void WorkerListeners::handOver(Waiting& waiting, HelloReader::End end) {
  Listener& listener = waiting.listener;
  ListenerMetrics& m = metrics(listener);
  const tls::ClientHello& hello = waiting.hello();
  const bool found =
      end == HelloReader::End::Read && hello.verdict == tls::ClientHello::Verdict::Complete;
  (found ? m.tls_found : m.tls_not_found).add();
  if (found) {
    (hello.server_name.empty() ? m.sni_not_found : m.sni_found).add();
    (hello.application_protocols.empty() ? m.alpn_not_found : m.alpn_found).add();
  }
  const std::vector<std::string_view> protocols(hello.application_protocols.begin(),
                                                hello.application_protocols.end());
  net::Connection& connection = waiting.connection();
  ChainHandler* const chain =
      chainFor(listener, {.addresses = connection.addresses(),
                          .server_name = found ? std::string_view(hello.server_name) : "",
                          .transport_protocol = found ? "tls" : "raw_buffer",
                          .application_protocols = protocols});
  bool in = chain != nullptr;
  // A connection gives its places back where its chain takes them from.
  if (!in || waiting.config->process_limit != listener.config->process_limit) {
    giveBack(*waiting.config);
    in = in && letIn(listener);
  }
  if (!in) return connection.close(net::CloseMode::Now);
  m.downstream_cx_total.add();
  m.downstream_cx_active.add();
  chain->adopt(waiting.takeConnection(), waiting.bytes());
}

void WorkerListeners::dropWaiting(Listener& listener) {
  if (listener.waiting.empty()) return;
  const event::Loop::TurnScope turn(loop_);
  while (!listener.waiting.empty()) {
    listener.waiting.front().cancel();
  }
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
    dropWaiting(*listener);
    for (Chain& chain : listener->chains) chain.handler->closeAll();
  }
  for (Draining& draining : draining_) draining.handler->closeAll();
}

size_t WorkerListeners::connections() const {
  size_t count = 0;
  for (const auto& [name, listener] : listeners_) {
    listener->waiting.forEach([&count](const Waiting&) { ++count; });
    for (const Chain& chain : listener->chains) count += chain.handler->connections();
  }
  for (const Draining& draining : draining_) count += draining.handler->connections();
  return count;
}

}  // namespace convoy::server
