#pragma once

// One worker: a thread, its loop, its view of the clusters and its listeners. Built and started by
// main; everything inside is touched by posted calls only.

#include <memory>
#include <optional>
#include <thread>

#include "proxy/event/loop.h"
#include "proxy/filter/redis_clients.h"
#include "proxy/filter/registry.h"
#include "proxy/redis/metrics.h"
#include "proxy/server/worker_listeners.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::server {

class Worker {
 public:
  Worker(size_t index, const event::Clock& clock, event::Random random);
  // REQUIRES: join() returned, or start() was never called.
  ~Worker();

  // Before start(): the cluster manager needs all loops first.
  void equip(upstream::WorkerClusters& clusters, const filter::Registry& filters,
             event::Duration drain_time, redis::ClientMetricGroups& redis_metrics);
  void start();
  // From main: closes everything on the worker's own thread, then ends its loop and joins.
  void stopAndJoin();

  size_t index() const { return index_; }
  event::Loop& loop() { return loop_; }
  // On the worker's thread only.
  WorkerListeners& listeners() { return *listeners_; }

 private:
  const size_t index_;
  event::Loop loop_;
  upstream::WorkerClusters* clusters_ = nullptr;
  std::optional<filter::RedisClients> redis_;
  std::optional<WorkerListeners> listeners_;
  std::thread thread_;
};

}  // namespace convoy::server
