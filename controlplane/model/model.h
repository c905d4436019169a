#pragma once

// The whole configuration at one revision, in memory: a value whose copies share their contents.
// The store's bytes become messages here and nowhere else.
//
// Keys are the store's: kind (a v1::Kind) and name. A backend's name is "POOL/ADDRESS".

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "api/convoy/v1/config.pb.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::model {

// A pool and its backends by address. `pool` has no backends in it.
struct PoolState {
  std::shared_ptr<const v1::Pool> pool;
  std::map<std::string, std::shared_ptr<const v1::Backend>> backends;
};

struct Model {
  store::RevisionNumber revision = 0;
  std::map<std::string, std::shared_ptr<const v1::Listener>> listeners;
  std::map<std::string, std::shared_ptr<const v1::RouteTable>> route_tables;
  std::map<std::string, std::shared_ptr<const PoolState>> pools;
  std::map<std::string, std::shared_ptr<const v1::Certificate>> certificates;
};

store::Key keyOf(const v1::Listener& listener);
store::Key keyOf(const v1::RouteTable& table);
store::Key keyOf(const v1::Pool& pool);
store::Key keyOf(const v1::Backend& backend);
store::Key keyOf(const v1::Certificate& certificate);

// Whose values are secrets: sealed in the store, and only shown() ever leaves the control plane.
inline constexpr int kSecretKinds[] = {v1::KIND_CERTIFICATE};

// As people say it: "pool", "route-table".
absl::string_view kindText(int kind);

std::string backendName(absl::string_view pool, absl::string_view address);
// The pool part of a backend's name: what stands before the first slash.
absl::string_view poolOfBackend(absl::string_view name);

// The write that stores a resource.
template <typename Resource>
store::Write writeOf(const Resource& resource);

// A stored value as a message. Error: DataLoss, naming the key, if the bytes are no such message.
absl::StatusOr<v1::Resource> decode(const store::Key& key, const std::string& value);
// The same without what is write-only: for every answer to people and programs.
absl::StatusOr<v1::Resource> shown(const store::Key& key, const std::string& value);

// The stored form of a resource of the model; none if it is not there.
std::optional<std::string> bytesOf(const Model& model, const store::Key& key);
// Every key of the model, in order.
std::vector<store::Key> keysOf(const Model& model);

// The model after some writes. Writes are in key order, or at least a pool's before its backends';
// deleting a pool does not delete its backends, they need writes of their own. Error: DataLoss.
absl::StatusOr<Model> applied(const Model& base, store::RevisionNumber revision,
                              absl::Span<const store::Write> writes);

// Reads the head of a store.
absl::StatusOr<Model> load(store::Store& store);

}  // namespace convoy::controlplane::model
