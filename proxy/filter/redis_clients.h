#pragma once

// The Redis clients of one worker, which its filters share, and their way to the hosts of a
// cluster: discovery, health, TLS and connect time-out are the cluster's. Each connection is to the
// host that the cluster's algorithm picks when it is opened, so the cluster has one host, or hosts
// that show the same data. A connection to a host that is drained or gone, or made by a former
// configuration of the cluster, is left at the next command.
//
// Worker's thread only.

#include <cstddef>
#include <memory>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/redis/client.h"
#include "proxy/redis/metrics.h"
#include "proxy/redis/spec.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::filter {

class RedisClients {
 public:
  // The groups are shared by all workers.
  RedisClients(event::Loop& loop, upstream::WorkerClusters& clusters, size_t worker,
               redis::ClientMetricGroups& metrics);
  ~RedisClients();
  RedisClients(const RedisClients&) = delete;
  RedisClients& operator=(const RedisClients&) = delete;

  // Good until the next call, or the end of this turn. Equal specs share a client; one that nobody
  // has used for long goes when another is made.
  redis::Client& get(const redis::ClientSpec& spec);
  size_t size() const { return entries_.size(); }

 private:
  class ClusterDialer;
  struct Entry {
    std::shared_ptr<redis::ClientMetricGroup> metrics;
    std::unique_ptr<redis::Client> client;
  };

  event::Loop& loop_;
  upstream::WorkerClusters& clusters_;
  const size_t worker_;
  redis::ClientMetricGroups& metrics_;
  std::vector<Entry> entries_;
};

}  // namespace convoy::filter
