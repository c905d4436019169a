#include "controlplane/model/model.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controlplane/base/proto_bytes.h"

namespace convoy::controlplane::model {

namespace {

constexpr size_t kPageSize = 1000;

absl::Status undecodable(const store::Key& key) {
  return absl::DataLossError(absl::StrCat("the stored ", kindText(key.kind), " ", key.name,
                                          " cannot be read; restore a backup of the store"));
}

// A pool on its way to its new state: pools that writes touch are copied once.
class Editor {
 public:
  explicit Editor(Model* model) : model_(model) {}

  PoolState& pool(const std::string& name) {
    std::shared_ptr<PoolState>& edited = edited_[name];
    if (edited == nullptr) {
      const auto found = model_->pools.find(name);
      edited = found == model_->pools.end() ? std::make_shared<PoolState>()
                                            : std::make_shared<PoolState>(*found->second);
    }
    return *edited;
  }

  void put(const store::Key& key, v1::Resource resource) {
    switch (key.kind) {
      case v1::KIND_LISTENER:
        model_->listeners[key.name] =
            std::make_shared<v1::Listener>(std::move(*resource.mutable_listener()));
        break;
      case v1::KIND_ROUTE_TABLE:
        model_->route_tables[key.name] =
            std::make_shared<v1::RouteTable>(std::move(*resource.mutable_route_table()));
        break;
      case v1::KIND_POOL:
        pool(key.name).pool = std::make_shared<v1::Pool>(std::move(*resource.mutable_pool()));
        break;
      case v1::KIND_CERTIFICATE:
        model_->certificates[key.name] =
            std::make_shared<v1::Certificate>(std::move(*resource.mutable_certificate()));
        break;
      default:
        auto backend = std::make_shared<v1::Backend>(std::move(*resource.mutable_backend()));
        PoolState& owner = pool(backend->pool());
        owner.backends.insert_or_assign(backend->address(), backend);
    }
  }

  void erase(const store::Key& key) {
    if (key.kind == v1::KIND_LISTENER) {
      model_->listeners.erase(key.name);
    } else if (key.kind == v1::KIND_ROUTE_TABLE) {
      model_->route_tables.erase(key.name);
    } else if (key.kind == v1::KIND_POOL) {
      pool(key.name).pool = nullptr;
    } else if (key.kind == v1::KIND_CERTIFICATE) {
      model_->certificates.erase(key.name);
    } else {
      const absl::string_view owner = poolOfBackend(key.name);
      pool(std::string(owner)).backends.erase(key.name.substr(owner.size() + 1));
    }
  }

  // Puts the edited pools into the model. Error: backends without their pool.
  absl::Status finish() {
    for (auto& [name, state] : edited_) {
      if (state->pool != nullptr) {
        model_->pools[name] = std::move(state);
      } else if (state->backends.empty()) {
        model_->pools.erase(name);
      } else {
        return absl::DataLossError(absl::StrCat("the store has backends of the pool ", name,
                                                " but not the pool; restore a backup"));
      }
    }
    return absl::OkStatus();
  }

 private:
  Model* model_;
  std::map<std::string, std::shared_ptr<PoolState>> edited_;
};

}  // namespace

store::Key keyOf(const v1::Listener& listener) {
  return {v1::KIND_LISTENER, listener.name()};
}
store::Key keyOf(const v1::RouteTable& table) {
  return {v1::KIND_ROUTE_TABLE, table.name()};
}
store::Key keyOf(const v1::Pool& pool) {
  return {v1::KIND_POOL, pool.name()};
}
store::Key keyOf(const v1::Backend& backend) {
  return {v1::KIND_BACKEND, backendName(backend.pool(), backend.address())};
}
store::Key keyOf(const v1::Certificate& certificate) {
  return {v1::KIND_CERTIFICATE, certificate.name()};
}

absl::string_view kindText(int kind) {
  switch (kind) {
    case v1::KIND_LISTENER:
      return "listener";
    case v1::KIND_ROUTE_TABLE:
      return "route-table";
    case v1::KIND_POOL:
      return "pool";
    case v1::KIND_BACKEND:
      return "backend";
    case v1::KIND_CERTIFICATE:
      return "certificate";
    default:
      return "resource";
  }
}

std::string backendName(absl::string_view pool, absl::string_view address) {
  return absl::StrCat(pool, "/", address);
}

absl::string_view poolOfBackend(absl::string_view name) {
  return name.substr(0, name.find('/'));
}

template <typename Resource>
store::Write writeOf(const Resource& resource) {
  return {keyOf(resource), deterministicBytes(resource)};
}
template store::Write writeOf(const v1::Listener&);
template store::Write writeOf(const v1::RouteTable&);
template store::Write writeOf(const v1::Pool&);
template store::Write writeOf(const v1::Backend&);
template store::Write writeOf(const v1::Certificate&);

absl::StatusOr<v1::Resource> decode(const store::Key& key, const std::string& value) {
  v1::Resource resource;
  bool good = false;
  switch (key.kind) {
    case v1::KIND_LISTENER:
      good =
          resource.mutable_listener()->ParseFromString(value) && keyOf(resource.listener()) == key;
      break;
    case v1::KIND_ROUTE_TABLE:
      good = resource.mutable_route_table()->ParseFromString(value) &&
             keyOf(resource.route_table()) == key;
      break;
    case v1::KIND_POOL:
      good = resource.mutable_pool()->ParseFromString(value) && keyOf(resource.pool()) == key;
      break;
    case v1::KIND_BACKEND:
      good = resource.mutable_backend()->ParseFromString(value) && keyOf(resource.backend()) == key;
      break;
    case v1::KIND_CERTIFICATE:
      good = resource.mutable_certificate()->ParseFromString(value) &&
             keyOf(resource.certificate()) == key;
      break;
  }
  if (!good) return undecodable(key);
  return resource;
}

absl::StatusOr<v1::Resource> shown(const store::Key& key, const std::string& value) {
  absl::StatusOr<v1::Resource> resource = decode(key, value);
  if (!resource.ok() || !resource->has_certificate()) return resource;
  // What may be shown is named, so that a new field is not.
  v1::Certificate visible;
  visible.set_name(resource->certificate().name());
  *visible.mutable_info() = resource->certificate().info();
  *resource->mutable_certificate() = std::move(visible);
  return resource;
}

std::optional<std::string> bytesOf(const Model& model, const store::Key& key) {
  const auto bytes = [&key](const auto& map) -> std::optional<std::string> {
    const auto found = map.find(key.name);
    if (found == map.end()) return std::nullopt;
    return deterministicBytes(*found->second);
  };
  if (key.kind == v1::KIND_LISTENER) return bytes(model.listeners);
  if (key.kind == v1::KIND_ROUTE_TABLE) return bytes(model.route_tables);
  if (key.kind == v1::KIND_CERTIFICATE) return bytes(model.certificates);
  const absl::string_view pool_name = poolOfBackend(key.name);
  const auto pool = model.pools.find(std::string(pool_name));
  if (pool == model.pools.end()) return std::nullopt;
  if (key.kind == v1::KIND_POOL) return deterministicBytes(*pool->second->pool);
  if (key.kind != v1::KIND_BACKEND || pool_name.size() == key.name.size()) return std::nullopt;
  const auto backend = pool->second->backends.find(key.name.substr(pool_name.size() + 1));
  if (backend == pool->second->backends.end()) return std::nullopt;
  return deterministicBytes(*backend->second);
}

std::vector<store::Key> keysOf(const Model& model) {
  std::vector<store::Key> keys;
  for (const auto& [name, listener] : model.listeners) keys.push_back({v1::KIND_LISTENER, name});
  for (const auto& [name, table] : model.route_tables) keys.push_back({v1::KIND_ROUTE_TABLE, name});
  for (const auto& [name, pool] : model.pools) keys.push_back({v1::KIND_POOL, name});
  for (const auto& [name, pool] : model.pools) {
    for (const auto& [address, backend] : pool->backends) keys.push_back(keyOf(*backend));
  }
  for (const auto& [name, certificate] : model.certificates) keys.push_back(keyOf(*certificate));
  std::sort(keys.begin(), keys.end());
  return keys;
}

absl::StatusOr<Model> applied(const Model& base, store::RevisionNumber revision,
                              absl::Span<const store::Write> writes) {
  Model model = base;
  model.revision = revision;
  Editor editor(&model);
  for (const store::Write& write : writes) {
    if (!write.value.has_value()) {
      editor.erase(write.key);
      continue;
    }
    absl::StatusOr<v1::Resource> resource = decode(write.key, *write.value);
    if (!resource.ok()) return resource.status();
    editor.put(write.key, std::move(*resource));
  }
  absl::Status status = editor.finish();
  if (!status.ok()) return status;
  return model;
}

absl::StatusOr<Model> load(store::Store& store) {
  absl::StatusOr<store::RevisionNumber> head = store.head();
  if (!head.ok()) return head.status();
  std::vector<store::Write> writes;
  store::KeyRange range;
  while (true) {
    absl::StatusOr<std::vector<store::Entry>> page = store.read(*head, range, kPageSize);
    if (!page.ok()) return page.status();
    for (store::Entry& entry : *page) {
      writes.push_back({std::move(entry.key), std::move(entry.value)});
    }
    if (page->size() < kPageSize) break;
    range.after = writes.back().key;
  }
  return applied(Model{}, *head, writes);
}

}  // namespace convoy::controlplane::model
