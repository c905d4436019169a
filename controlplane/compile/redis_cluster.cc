#include "controlplane/compile/redis_cluster.h"

#include <memory>
#include <utility>
#include <vector>

#include "controlplane/compile/dns.h"
#include "controlplane/compile/pool.h"
#include "controlplane/compile/sticky.h"

namespace convoy::controlplane::compile {

namespace {

// Nobody waits for it: until there is a connection, requests go on without.
constexpr int64_t kConnectSeconds = 1;

}  // namespace

envoy::config::cluster::v3::Cluster compileRedisCluster(const v1::Pool& pool) {
  using envoy::config::cluster::v3::Cluster;
  const v1::Sticky::Redis& redis = pool.sticky().redis();
  v1::Pool server;
  server.set_name(redisClusterOf(pool.name()));
  server.mutable_connect_timeout()->set_seconds(kConnectSeconds);
  if (redis.has_tls()) *server.mutable_tls() = redis.tls();
  // All nodes are to ask the same one.
  server.mutable_dns()->set_one_address(true);
  auto backend = std::make_shared<v1::Backend>();
  backend->set_address(redis.address());
  backend->set_weight(1);
  const std::vector<BackendPtr> backends = {std::move(backend)};

  Cluster cluster = compileCluster(server);
  if (hasNames(backends)) {
    resolveByDns(server, backends, &cluster);
  } else {
    cluster.clear_eds_cluster_config();
    cluster.set_type(Cluster::STATIC);
    *cluster.mutable_load_assignment() = compileAssignment(server.name(), backends);
  }
  return cluster;
}

}  // namespace convoy::controlplane::compile
