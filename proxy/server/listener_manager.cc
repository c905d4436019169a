#include "proxy/server/listener_manager.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"

namespace convoy::server {

ListenerManager::ListenerManager(std::vector<Worker*> workers, RouteTables& routes,
                                 observe::LogWriter& logs, observe::MetricRegistry& registry,
                                 net::AdoptedSockets& adopted)
    : workers_(std::move(workers)),
      routes_(routes),
      logs_(logs),
      registry_(registry),
      adopted_(adopted) {}

ListenerManager::~ListenerManager() = default;

// --- admission ---

absl::Status ListenerManager::admit(const std::shared_ptr<const net::ListenerSpec>& spec) {
  if (absl::Status logs = checkLogs(*spec); !logs.ok()) return logs;
  const bool is_new = !listeners_.contains(spec->name);
  const absl::Status opened = openSockets(listeners_[spec->name], *spec);
  if (!opened.ok() && is_new) listeners_.erase(spec->name);
  return opened;
}

absl::Status ListenerManager::openSockets(Listener& listener, const net::ListenerSpec& spec) {
  for (const net::Address& address : spec.addresses) {
    const auto open = std::find_if(listener.sockets.begin(), listener.sockets.end(),
                                   [&](const Socket& s) { return s.configured == address; });
    if (open != listener.sockets.end()) continue;
    auto sockets = net::openListenSockets(address, workers_.size(),
                                          {.backlog = static_cast<int>(spec.tcp_backlog),
                                           .ipv4_compat = spec.ipv4_compat,
                                           .unix_mode = spec.unix_mode},
                                          adopted_);
    if (!sockets.ok()) return sockets.status();
    listener.sockets.push_back({address, *std::move(sockets)});
  }
  return absl::OkStatus();
}

absl::Status ListenerManager::checkLogs(const net::ListenerSpec& spec) {
  const auto check = [this](const net::FilterChainSpec& chain) -> absl::Status {
    for (const auto& filter : chain.filters) {
      const auto* manager = dynamic_cast<const http::ConnectionManagerSpec*>(filter.get());
      if (manager == nullptr) continue;
      for (const http::AccessLogSpec& log : manager->access_logs) {
        if (auto file = logs_.open(log.path); !file.ok()) return file.status();
      }
    }
    return absl::OkStatus();
  };
  for (const auto& chain : spec.filter_chains) {
    if (absl::Status status = check(*chain); !status.ok()) return status;
  }
  return spec.default_filter_chain == nullptr ? absl::OkStatus()
                                              : check(*spec.default_filter_chain);
}

// --- preparation ---

std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> ListenerManager::managerMetrics(
    const std::string& prefix) {
  auto& known = manager_metrics_[prefix];
  auto group = known.lock();
  if (group == nullptr) {
    group = std::make_shared<observe::MetricGroup<http::ManagerMetrics>>(
        registry_, "http", observe::Labels{{"envoy_http_conn_manager_prefix", prefix}},
        static_cast<int>(workers_.size() + 1));
    known = group;
  }
  return group;
}

PreparedManager ListenerManager::prepareManager(
    Listener& listener, const std::string& table_name,
    std::shared_ptr<const http::ConnectionManagerSpec> spec) {
  PreparedManager prepared;
  prepared.metrics = managerMetrics(spec->stat_prefix);
  for (const http::AccessLogSpec& log : spec->access_logs) {
    auto format = http::LogFormat::compile(log);
    auto file = logs_.open(log.path);
    // Both were checked when the listener was admitted; a path may have gone since.
    if (!format.ok() || !file.ok()) {
      base::logError(absl::StrCat("access log ", log.path, " is left out: ",
                                  (format.ok() ? file.status() : format.status()).ToString()));
      continue;
    }
    prepared.logs.push_back(
        {std::make_shared<const http::LogFormat>(*std::move(format)), *std::move(file)});
  }
  if (spec->routes == nullptr) {
    prepared.routes = routes_.slot(spec->rds_name);
  } else {
    auto table = std::make_shared<route::RouteTableSpec>(*spec->routes);
    table->name = table_name;
    if (absl::Status put = routes_.put(std::move(table)); !put.ok()) {
      base::logError(absl::StrCat("inline routes of ", table_name, ": ", put.ToString()));
    }
    prepared.routes = routes_.slot(table_name);
    listener.inline_tables.push_back(table_name);
  }
  prepared.spec = std::move(spec);
  return prepared;
}

std::shared_ptr<const PreparedListener> ListenerManager::prepare(
    Listener& listener, const std::shared_ptr<const net::ListenerSpec>& spec) {
  auto prepared = std::make_shared<PreparedListener>();
  if (listener.metrics == nullptr) {
    const std::string label =
        spec->stat_prefix.empty() ? spec->addresses.front().text() : spec->stat_prefix;
    listener.metrics = std::make_shared<observe::MetricGroup<ListenerMetrics>>(
        registry_, "listener", observe::Labels{{"envoy_listener_address", label}},
        static_cast<int>(workers_.size() + 1));
  }
  prepared->spec = spec;
  prepared->metrics = listener.metrics;
  prepared->connections = listener.connections;
  listener.inline_tables.clear();
  size_t index = 0;
  const auto add = [&](const std::shared_ptr<const net::FilterChainSpec>& chain) {
    // The terminal filter is the only one that config/ admits so far.
    auto manager =
        std::dynamic_pointer_cast<const http::ConnectionManagerSpec>(chain->filters.back());
    CONVOY_ASSERT(manager != nullptr);
    const std::string table = absl::StrCat("inline:", spec->name, "/", index++);
    prepared->chains.push_back({chain, prepareManager(listener, table, std::move(manager))});
  };
  for (const auto& chain : spec->filter_chains) add(chain);
  if (spec->default_filter_chain != nullptr) add(spec->default_filter_chain);
  return prepared;
}

// --- putting in force ---

void ListenerManager::apply(const std::shared_ptr<const net::ListenerSpec>& spec) {
  const auto found = listeners_.find(spec->name);
  CONVOY_ASSERT(found != listeners_.end());
  Listener& listener = found->second;
  const std::vector<std::string> tables_before = listener.inline_tables;
  listener.spec = spec;
  const auto prepared = prepare(listener, spec);
  for (Worker* worker : workers_) {
    worker->loop().post([worker, prepared] { worker->listeners().update(prepared); });
  }
  for (Socket& socket : listener.sockets) startAccepting(spec->name, socket);
  closeUnused(listener);
  for (const std::string& table : tables_before) {
    const auto& now = listener.inline_tables;
    if (std::find(now.begin(), now.end(), table) == now.end()) routes_.remove(table);
  }
}

void ListenerManager::startAccepting(const std::string& listener, Socket& socket) {
  if (std::exchange(socket.accepting, true)) return;
  for (Worker* worker : workers_) {
    for (const net::ListenSocket& own : socket.per_worker[worker->index()]) {
      worker->loop().post(
          [worker, listener, &own] { worker->listeners().addSocket(listener, own); });
    }
  }
}

// Addresses that the listener left: workers stop first, then the sockets close, in their last post.
void ListenerManager::closeUnused(Listener& listener) {
  const auto& wanted = listener.spec->addresses;
  std::erase_if(listener.sockets, [&](Socket& socket) {
    if (std::find(wanted.begin(), wanted.end(), socket.configured) != wanted.end()) return false;
    closeSocket(listener.spec->name, socket);
    return true;
  });
}

void ListenerManager::closeSocket(const std::string& listener, Socket& socket) {
  for (Worker* worker : workers_) {
    auto own = std::make_shared<std::vector<net::ListenSocket>>(
        std::move(socket.per_worker[worker->index()]));
    worker->loop().post([worker, listener, own] {
      for (const net::ListenSocket& one : *own)
        worker->listeners().removeSocket(listener, one.fd());
    });
  }
}

void ListenerManager::remove(const std::string& name) {
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  for (Socket& socket : found->second.sockets) closeSocket(name, socket);
  for (Worker* worker : workers_) {
    worker->loop().post([worker, name] { worker->listeners().remove(name); });
  }
  for (const std::string& table : found->second.inline_tables) routes_.remove(table);
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
}

std::map<std::string, ListenerManager::Active> ListenerManager::active() const {
  std::map<std::string, Active> result;
  for (const auto& [name, listener] : listeners_) {
    Active& entry = result[name];
    entry.spec = listener.spec;
    for (const Socket& socket : listener.sockets) {
      entry.configured.push_back(socket.configured);
      entry.addresses.push_back(socket.per_worker.front().front().address());
    }
  }
  return result;
}

}  // namespace convoy::server
