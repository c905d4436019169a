#pragma once

// The whole configuration of one revision, compiled: immutable, and made from the one before by
// compiling only what changed. Thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/types/span.h"
#include "controlplane/base/mutex.h"
#include "controlplane/compile/encoded.h"
#include "controlplane/compile/pool.h"
#include "controlplane/compile/sticky.h"
#include "controlplane/compile/view.h"
#include "controlplane/model/model.h"
#include "controlplane/model/selector.h"

namespace convoy::controlplane::compile {

// Sees every xDS resource that was compiled, and the resource of convoy.v1 that it was made from.
using Observer =
    std::function<void(const store::Key& source, const google::protobuf::Message& compiled)>;

class Snapshot {
 public:
  // The empty configuration.
  Snapshot() = default;
  Snapshot(const Snapshot&) = delete;

  // `changed`: the keys in which `model` differs from what `previous` was made of.
  static std::shared_ptr<const Snapshot> next(const Snapshot& previous, const model::Model& model,
                                              absl::Span<const store::Key> changed,
                                              const Observer& observer);
  // The same configuration with one secret that is new or has changed and that no resource of
  // convoy.v1 stands for.
  static std::shared_ptr<const Snapshot> withSecret(const Snapshot& previous, EncodedPtr secret);
  // Compiles everything. `derive`: for this snapshot and those that follow it.
  static std::shared_ptr<const Snapshot> compile(const model::Model& model,
                                                 const Observer& observer, DeriveKey derive = {});

  store::RevisionNumber revision() const { return revision_; }
  // Grows from snapshot to snapshot, whether the revision does or not.
  uint64_t sequence() const { return sequence_; }

  // What a node with these labels gets.
  ViewPtr viewFor(const model::Labels& labels) const;

 private:
  struct Listener {
    EncodedPtr encoded;
    v1::NodeSelector nodes;
    std::string routes;     // name of its RouteConfiguration
    bool sessions = false;  // a pool that it reaches has
  };
  struct Routes {
    EncodedPtr encoded;
    std::vector<std::string> pools;
    store::Key source;  // listener or route table
  };
  struct Pool {
    EncodedPtr cluster;  // unless the assignment is in it
    std::shared_ptr<const Assignment> assignment;
    std::string of_routes;  // partOfRoutes()
    EncodedPtr redis;       // the cluster of its sticky.redis, if it has one
  };
  class Builder;

  ViewPtr makeView(const model::Labels& labels) const;
  void reach(const std::string& routes, const model::Labels& labels, View* view) const;
  void reachSecrets(const Encoded& user, View* view) const;

  static std::shared_ptr<Snapshot> after(const Snapshot& previous);

  store::RevisionNumber revision_ = 0;
  uint64_t sequence_ = 0;
  std::map<std::string, std::shared_ptr<const Listener>> listeners_;
  std::map<std::string, std::shared_ptr<const Routes>> routes_;  // by RouteConfiguration
  std::map<std::string, Pool> pools_;
  std::map<std::string, EncodedPtr> secrets_;
  std::vector<v1::NodeSelector> selectors_;  // every selector there is, each once
  DeriveKey derive_;

  mutable Mutex mutex_;
  // By what each of selectors_ says of the labels: a byte '0' or '1'.
  mutable std::map<std::string, ViewPtr> views_ ABSL_GUARDED_BY(mutex_);
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace convoy::controlplane::compile
