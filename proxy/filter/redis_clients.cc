#include "proxy/filter/redis_clients.h"

#include <string>
#include <utility>

namespace convoy::filter {

class RedisClients::ClusterDialer final : public redis::Dialer {
 public:
  ClusterDialer(upstream::WorkerClusters& clusters, std::string name)
      : clusters_(clusters), name_(std::move(name)) {}

  std::unique_ptr<net::Connection> connect(net::ConnectionHandler& handler) override {
    upstream::WorkerCluster* const cluster = clusters_.find(name_);
    if (cluster == nullptr) return nullptr;
    upstream::PickResult picked = cluster->pick();
    if (picked.kind != upstream::Pick::Kind::Host) return nullptr;
    host_ = picked.lease.ref();
    transports_ = cluster->transports();
    const upstream::ClusterSpec& spec = cluster->spec();
    auto connection =
        cluster->io().connect(cluster->loop(), host_.address(),
                              spec.bind_to.has_value() ? &*spec.bind_to : nullptr, handler);
    if (transports_ != nullptr) wrap(*connection, cluster->worker());
    count(*cluster);
    return connection;
  }

  bool current() override {
    upstream::WorkerCluster* const cluster = clusters_.find(name_);
    return cluster != nullptr && cluster == &host_.pool()->cluster() && !host_.pool()->draining() &&
           cluster->transports() == transports_;
  }

  void onEnded(bool failed) override {
    const upstream::HostRef host = std::exchange(host_, {});
    upstream::ClusterMetrics& metrics = host.pool()->cluster().metrics();
    metrics.upstream_cx_active.sub();
    host.metrics().cx_active.sub();
    if (failed) {
      metrics.upstream_cx_connect_fail.add();
      host.metrics().cx_connect_fail.add();
    }
    metrics.upstream_cx_destroy.add();
  }

  event::Duration connectTimeout() override {
    const auto timeout = host_.pool()->cluster().spec().connect_timeout;
    return timeout.count() > 0 ? timeout : upstream::ClusterSpec().connect_timeout;
  }

 private:
  // Without certificates, which have not come yet, the connect fails like one that is refused.
  void wrap(net::Connection& connection, size_t worker) {
    auto transport = transports_->create(worker);
    if (transport != nullptr) return connection.setTransport(std::move(transport));
    connection.closeWith(net::CloseReason::TransportError);
  }

  void count(upstream::WorkerCluster& cluster) const {
    cluster.metrics().upstream_cx_total.add();
    cluster.metrics().upstream_cx_active.add();
    host_.metrics().cx_total.add();
    host_.metrics().cx_active.add();
  }

  upstream::WorkerClusters& clusters_;
  const std::string name_;
  upstream::HostRef host_;  // of the last connection, while there is one
  std::shared_ptr<net::TransportFactory> transports_;
};

RedisClients::RedisClients(event::Loop& loop, upstream::WorkerClusters& clusters, size_t worker,
                           redis::ClientMetricGroups& metrics)
    : loop_(loop), clusters_(clusters), worker_(worker), metrics_(metrics) {}

RedisClients::~RedisClients() = default;

redis::Client& RedisClients::get(const redis::ClientSpec& spec) {
  for (const Entry& entry : entries_) {
    if (entry.client->spec() == spec) return *entry.client;
  }
  std::erase_if(entries_, [](const Entry& entry) { return entry.client->unused(); });
  Entry& entry = entries_.emplace_back();
  entry.metrics = metrics_.of(spec.cluster);
  entry.client = std::make_unique<redis::Client>(
      loop_, spec, std::make_unique<ClusterDialer>(clusters_, spec.cluster),
      entry.metrics->slot(static_cast<int>(worker_)));
  return *entry.client;
}

}  // namespace convoy::filter
