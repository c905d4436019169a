#include "proxy/server/listener_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/server/http_terminal.h"

namespace convoy::server {

namespace {

// As Envoy names a listener in its metrics: 127.0.0.1_8080, [__1]_8080, a socket's path.
std::string labelOf(const net::ListenerSpec& spec) {
  const net::Address& first = spec.addresses.front();
  std::string label = !spec.stat_prefix.empty()                      ? spec.stat_prefix
                      : first.family() == net::Address::Family::Unix ? std::string(first.unixPath())
                                                                     : first.text();
  std::replace(label.begin(), label.end(), ':', '_');
  return label;
}

}  // namespace

ListenerManager::ListenerManager(event::Loop& main, std::vector<Worker*> workers,
                                 RouteTables& routes, observe::LogWriter& logs,
                                 observe::MetricRegistry& registry, tls::SecretManager& secrets,
                                 net::AdoptedSockets& adopted, ConnectionLimits limits)
    : workers_(std::move(workers)),
      registry_(registry),
      secrets_(secrets),
      limits_(std::move(limits)),
      process_limit_(std::make_shared<ConnectionLimit>(limits_.process)),
      descriptors_(std::make_shared<ConnectionLimit>(limits_.descriptors)),
      sockets_(main, workers_, adopted, descriptors_) {
  addTerminal(http::ConnectionManagerSpec::kName,
              std::make_unique<HttpTerminal>(routes, logs, registry,
                                             static_cast<int>(workers_.size() + 1)));
}

ListenerManager::~ListenerManager() = default;

void ListenerManager::addTerminal(std::string name, std::unique_ptr<TerminalFilter> filter) {
  terminals_.emplace(std::move(name), std::move(filter));
}

// --- admission ---

absl::Status ListenerManager::admit(const std::shared_ptr<const net::ListenerSpec>& spec,
                                    const std::set<std::string>& leaving) {
  if (absl::Status chains = checkChains(*spec); !chains.ok()) return chains;
  if (absl::Status claimed = sockets_.claim(*spec, leaving); !claimed.ok()) return claimed;
  listeners_.try_emplace(spec->name);
  return absl::OkStatus();
}

absl::Status ListenerManager::checkChains(const net::ListenerSpec& spec) {
  for (size_t i = 0; i < spec.filter_chains.size(); ++i) {
    absl::Status status =
        checkChain(*spec.filter_chains[i], absl::StrCat("filter_chains[", i, "]"));
    if (!status.ok()) return status;
  }
  return spec.default_filter_chain == nullptr
             ? absl::OkStatus()
             : checkChain(*spec.default_filter_chain, "default_filter_chain");
}

absl::Status ListenerManager::checkChain(const net::FilterChainSpec& chain,
                                         const std::string& field) {
  if (chain.transport != nullptr) {
    absl::Status secrets = secrets_.admit(*chain.transport);
    if (!secrets.ok()) {
      secrets.SetPayload(kFieldPath, absl::Cord(absl::StrCat(field, ".transport_socket")));
      secrets.SetPayload(kRule, absl::Cord("secret"));
      return secrets;
    }
  }
  absl::Status terminal = terminalOf(chain).admit(*chain.filters.back());
  if (const auto below = terminal.GetPayload(kFieldPath); below.has_value()) {
    terminal.SetPayload(kFieldPath,
                        absl::Cord(absl::StrCat(field, ".filters[", chain.filters.size() - 1, "].",
                                                std::string(*below))));
  }
  return terminal;
}

// The terminal filter is the only one that config/ admits so far, and of known kinds only.
TerminalFilter& ListenerManager::terminalOf(const net::FilterChainSpec& chain) const {
  CONVOY_ASSERT(!chain.filters.empty());
  const auto found = terminals_.find(chain.filters.back()->name);
  CONVOY_ASSERT(found != terminals_.end());
  return *found->second;
}

// --- preparation ---

// A chain whose connections stay keeps its certificates and the keys of its tickets, too.
std::shared_ptr<net::TransportFactory> ListenerManager::transportOf(
    const Listener& listener, const net::FilterChainSpec& chain) {
  if (chain.transport == nullptr) return nullptr;
  if (listener.prepared != nullptr) {
    for (const PreparedChain& before : listener.prepared->chains) {
      if (before.transport != nullptr && before.spec->content_hash == chain.content_hash) {
        return before.transport;
      }
    }
  }
  return secrets_.makeFactory(chain.transport, absl::StrCat("listener ", listener.spec->name),
                              "listener", {{"envoy_listener_address", listener.label}});
}

std::shared_ptr<const PreparedListener> ListenerManager::prepare(
    Listener& listener, const std::shared_ptr<const net::ListenerSpec>& spec) {
  auto prepared = std::make_shared<PreparedListener>();
  if (listener.metrics == nullptr) {
    listener.label = labelOf(*spec);
    listener.metrics = std::make_shared<observe::MetricGroup<ListenerMetrics>>(
        registry_, "listener", observe::Labels{{"envoy_listener_address", listener.label}},
        static_cast<int>(workers_.size() + 1));
  }
  prepared->spec = spec;
  prepared->metrics = listener.metrics;
  if (listener.limit == nullptr) listener.limit = makeLimit(spec->name);
  prepared->limit = listener.limit;
  if (!spec->ignore_global_limit) prepared->process_limit = process_limit_;
  prepared->descriptors = descriptors_;
  prepared->exhaustion = exhaustion_;
  const auto add = [&](const std::shared_ptr<const net::FilterChainSpec>& chain) {
    prepared->chains.push_back(
        {chain, transportOf(listener, *chain), terminalOf(*chain).prepare(chain->filters.back())});
  };
  for (const auto& chain : spec->filter_chains) add(chain);
  if (spec->default_filter_chain != nullptr) add(spec->default_filter_chain);
  return prepared;
}

std::shared_ptr<ConnectionLimit> ListenerManager::makeLimit(const std::string& listener) const {
  const auto found = limits_.listeners.find(listener);
  return std::make_shared<ConnectionLimit>(
      found == limits_.listeners.end() ? std::nullopt : std::optional(found->second));
}

// --- putting in force ---

void ListenerManager::apply(const std::shared_ptr<const net::ListenerSpec>& spec) {
  const auto found = listeners_.find(spec->name);
  CONVOY_ASSERT(found != listeners_.end());
  Listener& listener = found->second;
  const bool is_new = listener.spec == nullptr;
  listener.spec = spec;
  const auto prepared = prepare(listener, spec);
  listener.prepared = prepared;
  for (Worker* worker : workers_) {
    worker->loop().post([worker, prepared] { worker->listeners().update(prepared); });
  }
  sockets_.serve(*spec);
  std::string line = absl::StrCat("listener ", spec->name, is_new ? " added:" : " changed:");
  for (const ListenSockets::Bound& bound : sockets_.boundBy(spec->name)) {
    absl::StrAppend(&line, " ", bound.real.text());
  }
  base::logInfo(line);
}

void ListenerManager::remove(const std::string& name) {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  if (found->second.spec != nullptr) base::logInfo(absl::StrCat("listener ", name, " removed"));
  sockets_.release(name);
  for (Worker* worker : workers_) {
    worker->loop().post([worker, name] { worker->listeners().remove(name); });
  }
  listeners_.erase(found);
}

void ListenerManager::drainAll() {
  for (Worker* worker : workers_) {
    worker->loop().post([worker] { worker->listeners().drainAll(); });
  }
}

void ListenerManager::stopAccepting() {
  for (Worker* worker : workers_) {
    worker->loop().post([worker] { worker->listeners().stopAccepting(); });
  }
  sockets_.releaseAll();
}

void ListenerManager::stopListening() {
  for (const auto& [name, listener] : listeners_) sockets_.release(name);
}

std::map<std::string, ListenerManager::Active> ListenerManager::active() const {
  std::map<std::string, Active> result;
  for (const auto& [name, listener] : listeners_) {
    Active& entry = result[name];
    entry.spec = listener.spec;
    for (const ListenSockets::Bound& bound : sockets_.boundBy(name)) {
      entry.configured.push_back(bound.configured);
      entry.addresses.push_back(bound.real);
    }
  }
  return result;
}

}  // namespace convoy::server
