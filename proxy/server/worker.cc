#include "proxy/server/worker.h"

#include <string>
#include <utility>

namespace convoy::server {

Worker::Worker(size_t index, const event::Clock& clock, event::Random random)
    : index_(index), loop_("worker-" + std::to_string(index), clock, std::move(random)) {}

Worker::~Worker() {
  CONVOY_ASSERT(!thread_.joinable());
}

void Worker::equip(upstream::WorkerClusters& clusters, const filter::Registry& filters,
                   event::Duration drain_time, redis::ClientMetricGroups& redis_metrics) {
  clusters_ = &clusters;
  redis_.emplace(loop_, clusters, index_, redis_metrics);
  const filter::WorkerServices services{loop_, clusters, index_, &*redis_};
  listeners_.emplace(static_cast<int>(index_), loop_, filters, services, drain_time);
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void Worker::stopAndJoin() {
  if (!thread_.joinable()) return;
  // Owners learn of closed connections at the end of a turn: the stop waits for a turn after that.
  loop_.post([this] {
    listeners_->stopAccepting();
    listeners_->closeAll();
    clusters_->shutdown();
    loop_.post([this] {
      listeners_.reset();
      redis_.reset();
      loop_.stop();
    });
  });
  thread_.join();
}

}  // namespace convoy::server
