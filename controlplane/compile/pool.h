#pragma once

// Pool -> envoy.config.cluster.v3.Cluster and envoy.config.endpoint.v3.ClusterLoadAssignment, the
// latter by EDS over ADS, so that a changed backend touches nothing else. A pool with names of
// hosts has its backends in the cluster (dns.h).

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "api/convoy/v1/pool.pb.h"
#include "controlplane/base/mutex.h"
#include "controlplane/compile/encoded.h"
#include "controlplane/model/model.h"
#include "controlplane/model/selector.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"

namespace convoy::controlplane::compile {

using BackendPtr = std::shared_ptr<const v1::Backend>;

envoy::config::cluster::v3::Cluster compileCluster(const v1::Pool& pool);

// The backends in the order given.
envoy::config::endpoint::v3::ClusterLoadAssignment compileAssignment(
    const std::string& pool, const std::vector<BackendPtr>& backends);

// A pool's assignment as each node sees it: backends may select nodes. Thread-safe.
class Assignment {
 public:
  Assignment(std::shared_ptr<const v1::Pool> pool, std::vector<BackendPtr> backends);

  // True: there is no assignment; what forNode() returns is the cluster, with the backends in it.
  bool isInCluster() const { return in_cluster_; }
  // All backends, whatever nodes they select.
  void observe(const std::function<void(const google::protobuf::Message&)>& observer) const;
  // Nodes that the same backends choose share one encoding.
  EncodedPtr forNode(const model::Labels& labels) const;

  // The backends that select nodes.
  const std::vector<BackendPtr>& selective() const { return selective_; }

 private:
  EncodedPtr encodeFor(const std::vector<BackendPtr>& backends) const;

  const std::shared_ptr<const v1::Pool> pool_;
  const std::vector<BackendPtr> backends_;
  const bool in_cluster_;
  std::vector<BackendPtr> selective_;

  mutable Mutex mutex_;
  // By which backends are chosen: a byte '0' or '1' for each selective one.
  mutable std::map<std::string, EncodedPtr> encoded_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace convoy::controlplane::compile
