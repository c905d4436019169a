#include "controlplane/compile/snapshot.h"

#include <algorithm>
#include <set>
#include <utility>

#include "controlplane/base/proto_bytes.h"
#include "controlplane/compile/listener.h"
#include "controlplane/compile/redis_cluster.h"
#include "controlplane/compile/routes.h"
#include "controlplane/compile/tls.h"

namespace convoy::controlplane::compile {

// Brings the copy of a snapshot up to a model, key by key.
class Snapshot::Builder {
 public:
  Builder(Snapshot* snapshot, const model::Model& model, const Observer& observer)
      : snapshot_(snapshot), model_(model), observer_(observer) {}

  void update(const store::Key& key) {
    switch (key.kind) {
      case v1::KIND_LISTENER:
        updateListener(key);
        break;
      case v1::KIND_ROUTE_TABLE:
        updateRouteTable(key);
        break;
      case v1::KIND_POOL:
        updatePool(key);
        break;
      case v1::KIND_CERTIFICATE:
        updateCertificate(key);
        break;
      default:
        stale_assignments_.insert(std::string(model::poolOfBackend(key.name)));
    }
  }

  void finish() {
    for (const std::string& pool : stale_assignments_) updateAssignment(pool);
    updateRoutesTo(edited_pools_);
    updateSessionFilters();
    collectSelectors();
  }

 private:
  const v1::Pool& poolOf(const std::string& name) const {
    const auto found = model_.pools.find(name);
    return found == model_.pools.end() ? v1::Pool::default_instance() : *found->second->pool;
  }

  // Whether requests of a listener may have sessions: a filter finds them.
  bool hasSessions(const v1::Listener& listener) const {
    const RouteList* routes = &listener.routes();
    if (!listener.route_table().empty()) {
      const auto table = model_.route_tables.find(listener.route_table());
      if (table == model_.route_tables.end()) return false;
      routes = &table->second->routes();
    }
    const std::vector<std::string> pools = poolsOf(*routes);
    return std::any_of(pools.begin(), pools.end(),
                       [this](const std::string& pool) { return poolOf(pool).has_sticky(); });
  }

  // Compiles again the listeners that got or lost sessions by a change elsewhere.
  void updateSessionFilters() {
    for (const auto& [name, listener] : model_.listeners) {
      if (hasSessions(*listener) != snapshot_->listeners_.at(name)->sessions) {
        putListener({v1::KIND_LISTENER, name}, *listener);
      }
    }
  }

  void updateListener(const store::Key& key) {
    const auto found = model_.listeners.find(key.name);
    const auto before = snapshot_->listeners_.find(key.name);
    // Its own routes go with it; a table's stay.
    if (before != snapshot_->listeners_.end()) {
      const std::string& routes = before->second->routes;
      if (model_.route_tables.count(routes) == 0) snapshot_->routes_.erase(routes);
    }
    if (found == model_.listeners.end()) {
      snapshot_->listeners_.erase(key.name);
      return;
    }
    const v1::Listener& listener = *found->second;
    putListener(key, listener);
    if (listener.route_table().empty()) {
      putRoutes(key, routeConfigName(listener), listener.routes());
    }
  }

  void putListener(const store::Key& key, const v1::Listener& listener) {
    auto compiled = std::make_shared<Listener>();
    compiled->sessions = hasSessions(listener);
    const auto message = compileListener(listener, compiled->sessions);
    observer_(key, message);
    compiled->encoded = encode(Type::Listener, key.name, message, secretsOf(listener.tls()));
    compiled->nodes = listener.nodes();
    compiled->routes = routeConfigName(listener);
    snapshot_->listeners_[key.name] = std::move(compiled);
  }

  void updateRouteTable(const store::Key& key) {
    const auto found = model_.route_tables.find(key.name);
    if (found == model_.route_tables.end()) {
      snapshot_->routes_.erase(key.name);
    } else {
      putRoutes(key, key.name, found->second->routes());
    }
  }

  void putRoutes(const store::Key& source, const std::string& name, const RouteList& routes) {
    const auto message = compileRoutes(
        name, routes, [this](const std::string& pool) -> const v1::Pool& { return poolOf(pool); },
        snapshot_->derive_);
    observer_(source, message);
    auto compiled = std::make_shared<Routes>();
    compiled->encoded = encode(Type::RouteConfiguration, name, message);
    compiled->pools = poolsOf(routes);
    compiled->source = source;
    fresh_routes_.insert(name);
    snapshot_->routes_[name] = std::move(compiled);
  }

  void updatePool(const store::Key& key) {
    const auto found = model_.pools.find(key.name);
    if (found == model_.pools.end()) {
      snapshot_->pools_.erase(key.name);
      return;
    }
    const v1::Pool& source = *found->second->pool;
    const auto message = compileCluster(source);
    observer_(key, message);
    Pool& pool = snapshot_->pools_[key.name];
    pool.cluster = encode(Type::Cluster, key.name, message, secretsOf(source.tls()));
    std::string of_routes = partOfRoutes(source);
    if (of_routes != pool.of_routes) edited_pools_.insert(key.name);
    pool.of_routes = std::move(of_routes);
    updateRedis(key, source, &pool);
    // One that is part of the cluster is compiled with it.
    if (pool.assignment == nullptr || pool.assignment->isInCluster()) {
      stale_assignments_.insert(key.name);
    }
  }

  void updateRedis(const store::Key& key, const v1::Pool& source, Pool* pool) {
    pool->redis = nullptr;
    if (!source.sticky().has_redis()) return;
    const auto message = compileRedisCluster(source);
    observer_(key, message);
    pool->redis =
        encode(Type::Cluster, message.name(), message, secretsOf(source.sticky().redis().tls()));
  }

  void updateCertificate(const store::Key& key) {
    const auto found = model_.certificates.find(key.name);
    if (found == model_.certificates.end()) {
      snapshot_->secrets_.erase(key.name);
      return;
    }
    const auto message = compileSecret(*found->second);
    observer_(key, message);
    snapshot_->secrets_[key.name] = encode(Type::Secret, key.name, message);
  }

  // Compiles again the routes to pools whose part in them has changed.
  void updateRoutesTo(const std::set<std::string>& pools) {
    if (pools.empty()) return;
    std::vector<store::Key> stale;
    for (const auto& [name, routes] : snapshot_->routes_) {
      if (fresh_routes_.count(name) != 0) continue;
      const bool reaches =
          std::any_of(routes->pools.begin(), routes->pools.end(),
                      [&pools](const std::string& pool) { return pools.count(pool) != 0; });
      if (reaches) stale.push_back(routes->source);
    }
    for (const store::Key& key : stale) {
      if (key.kind == v1::KIND_ROUTE_TABLE) {
        updateRouteTable(key);
      } else {
        const v1::Listener& listener = *model_.listeners.at(key.name);
        putRoutes(key, routeConfigName(listener), listener.routes());
      }
    }
  }

  void updateAssignment(const std::string& name) {
    const auto found = model_.pools.find(name);
    if (found == model_.pools.end()) return;
    std::vector<BackendPtr> backends;
    for (const auto& [address, backend] : found->second->backends) backends.push_back(backend);
    auto assignment = std::make_shared<Assignment>(found->second->pool, std::move(backends));
    assignment->observe([&](const google::protobuf::Message& message) {
      observer_({v1::KIND_POOL, name}, message);
    });
    snapshot_->pools_[name].assignment = std::move(assignment);
  }

  void collectSelectors() {
    std::map<std::string, const v1::NodeSelector*> distinct;
    const auto collect = [&distinct](const v1::NodeSelector& selector) {
      if (!selector.labels().empty()) distinct.emplace(deterministicBytes(selector), &selector);
    };
    for (const auto& [name, listener] : snapshot_->listeners_) collect(listener->nodes);
    for (const auto& [name, pool] : snapshot_->pools_) {
      for (const BackendPtr& backend : pool.assignment->selective()) collect(backend->nodes());
    }
    snapshot_->selectors_.clear();
    for (const auto& [bytes, selector] : distinct) snapshot_->selectors_.push_back(*selector);
  }

  Snapshot* snapshot_;
  const model::Model& model_;
  const Observer& observer_;
  std::set<std::string> stale_assignments_;
  std::set<std::string> edited_pools_;
  std::set<std::string> fresh_routes_;  // compiled already
};

// A copy that may be changed. Views are its own.
std::shared_ptr<Snapshot> Snapshot::after(const Snapshot& previous) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->revision_ = previous.revision_;
  snapshot->sequence_ = previous.sequence_ + 1;
  snapshot->listeners_ = previous.listeners_;
  snapshot->routes_ = previous.routes_;
  snapshot->pools_ = previous.pools_;
  snapshot->secrets_ = previous.secrets_;
  snapshot->selectors_ = previous.selectors_;
  snapshot->derive_ = previous.derive_;
  return snapshot;
}

std::shared_ptr<const Snapshot> Snapshot::withSecret(const Snapshot& previous, EncodedPtr secret) {
  std::shared_ptr<Snapshot> snapshot = after(previous);
  snapshot->secrets_[secret->name] = std::move(secret);
  return snapshot;
}

std::shared_ptr<const Snapshot> Snapshot::next(const Snapshot& previous, const model::Model& model,
                                               absl::Span<const store::Key> changed,
                                               const Observer& observer) {
  std::shared_ptr<Snapshot> snapshot = after(previous);
  snapshot->revision_ = model.revision;
  Builder builder(snapshot.get(), model, observer);
  for (const store::Key& key : changed) builder.update(key);
  builder.finish();
  return snapshot;
}

std::shared_ptr<const Snapshot> Snapshot::compile(const model::Model& model,
                                                  const Observer& observer, DeriveKey derive) {
  std::vector<store::Key> keys;
  for (const auto& [name, listener] : model.listeners) keys.push_back(model::keyOf(*listener));
  for (const auto& [name, table] : model.route_tables) keys.push_back(model::keyOf(*table));
  for (const auto& [name, pool] : model.pools) keys.push_back({v1::KIND_POOL, name});
  for (const auto& [name, certificate] : model.certificates) {
    keys.push_back(model::keyOf(*certificate));
  }
  Snapshot empty;
  empty.derive_ = std::move(derive);
  return next(empty, model, keys, observer);
}

ViewPtr Snapshot::viewFor(const model::Labels& labels) const {
  std::string opinions;
  for (const v1::NodeSelector& selector : selectors_) {
    opinions.push_back(model::selects(selector, labels) ? '1' : '0');
  }
  MutexLock lock(&mutex_);
  ViewPtr& view = views_[opinions];
  if (view == nullptr) view = makeView(labels);
  return view;
}

ViewPtr Snapshot::makeView(const model::Labels& labels) const {
  auto view = std::make_shared<View>();
  view->revision = revision_;
  view->sequence = sequence_;
  for (const auto& [name, listener] : listeners_) {
    if (!model::selects(listener->nodes, labels)) continue;
    view->resources[indexOf(Type::Listener)].emplace(listener->encoded->name, listener->encoded);
    reachSecrets(*listener->encoded, view.get());
    reach(listener->routes, labels, view.get());
  }
  return view;
}

// A node can read no other secrets than those of its view.
void Snapshot::reachSecrets(const Encoded& user, View* view) const {
  for (const std::string& name : user.secrets) {
    const auto found = secrets_.find(name);
    if (found == secrets_.end()) continue;
    view->resources[indexOf(Type::Secret)].emplace(found->second->name, found->second);
  }
}

void Snapshot::reach(const std::string& routes, const model::Labels& labels, View* view) const {
  const auto found = routes_.find(routes);
  if (found == routes_.end()) return;
  const EncodedPtr& encoded = found->second->encoded;
  if (!view->resources[indexOf(Type::RouteConfiguration)].emplace(encoded->name, encoded).second) {
    return;  // another listener of this node uses the table too
  }
  for (const std::string& name : found->second->pools) {
    const auto pool = pools_.find(name);
    if (pool == pools_.end()) continue;
    const EncodedPtr backends = pool->second.assignment->forNode(labels);
    const bool in_cluster = pool->second.assignment->isInCluster();
    const EncodedPtr& cluster = in_cluster ? backends : pool->second.cluster;
    if (!view->resources[indexOf(Type::Cluster)].emplace(cluster->name, cluster).second) continue;
    reachSecrets(*cluster, view);
    if (const EncodedPtr& redis = pool->second.redis; redis != nullptr) {
      view->resources[indexOf(Type::Cluster)].emplace(redis->name, redis);
      reachSecrets(*redis, view);
    }
    if (in_cluster) continue;
    view->resources[indexOf(Type::Assignment)].emplace(backends->name, backends);
  }
}

}  // namespace convoy::controlplane::compile
