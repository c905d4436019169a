#pragma once

// The whole data plane of one process: builds main's loop, the workers, clusters, listeners and the
// control-plane client from a bootstrap, and runs until it is told to stop. Joins the parts and
// holds no logic of theirs. Thread: the one that calls run().
//
// Life: see State. Order of start: sockets of the admin endpoint; static clusters; static listeners
// bound; when the host names of the static clusters have been looked up (15 s at most), accepting
// and the control plane; Live when the first dynamic configuration is in force.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proxy/config/bootstrap.h"
#include "proxy/event/loop.h"
#include "proxy/filter/registry.h"
#include "proxy/observe/log_writer.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/control_plane.h"
#include "proxy/server/health_threads.h"
#include "proxy/server/listener_manager.h"
#include "proxy/server/options.h"
#include "proxy/server/resources.h"
#include "proxy/server/route_tables.h"
#include "proxy/server/worker.h"
#include "proxy/tls/secret_manager.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/dns/cares_resolver.h"
#include "proxy/upstream/dns/discovery.h"
#include "proxy/upstream/health/monitor.h"
#include "proxy/upstream/socket_io.h"

namespace convoy::server {

class Server {
 public:
  enum class State : uint8_t {
    Initializing,  // waits for DNS, or the first configuration of the control plane
    Live,          // serves
    Draining,      // finishes what runs
    Stopped,
  };

  // How many workers these options mean.
  static size_t workersOf(const Options& options);
  // The clock outlives the server. Randomness seeds each thread's own.
  Server(const Options& options, config::BootstrapSpec bootstrap, const event::Clock& clock,
         event::Random random);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Puts the static configuration in force and starts the workers, at once or when DNS has
  // answered. The error names the listener, address or file.
  absl::Status start();
  // Runs main's loop until stopped.
  void run();
  // Main's thread: drains, then stops when nothing runs any more or the drain time is over. A
  // second call stops at once.
  void drainAndStop();
  void stop();

  State state() const { return state_; }
  bool healthCheckFailed() const { return health_check_failed_; }
  void setHealthCheckFailed(bool failed) { health_check_failed_ = failed; }
  // Closes the listening sockets and drains, and lives on.
  void drainListeners();
  void reopenLogs() { logs_.reopenAll(); }
  // Called on main when the state becomes Live.
  void onLive(std::function<void()> callback) { on_live_ = std::move(callback); }

  const Options& options() const { return options_; }
  const config::BootstrapSpec& bootstrap() const { return bootstrap_; }
  event::Loop& loop() { return main_; }
  // All that run: main's, the workers' and those of health checks, if there are any by now; for
  // whoever turns a clock that does not flow by itself.
  std::vector<event::Loop*> loops();
  const event::Clock& timeSource() const { return clock_; }
  event::MonotonicTime startedAt() const { return started_at_; }
  event::WallTime startedAtWall() const { return started_at_wall_; }
  size_t workerCount() const { return workers_.size(); }
  const observe::MetricRegistry& metrics() const { return metrics_; }
  const upstream::ClusterManager& clusters() const { return *clusters_; }
  const upstream::DnsDiscovery& dns() const { return dns_; }
  const ListenerManager& listeners() const { return listeners_; }
  const RouteTables& routes() const { return routes_; }
  const tls::SecretManager& secrets() const { return secrets_; }
  tls::SecretManager& secrets() { return secrets_; }
  // Null without dynamic_resources.
  const ControlPlane* controlPlane() const { return control_plane_.get(); }

 private:
  std::shared_ptr<net::TransportFactory> transportsOf(const upstream::ClusterSpec& cluster);
  absl::Status startSecrets();
  absl::Status startClusters();
  absl::Status admitListeners();
  absl::Status makeControlPlane();
  void onHostsChanged(const upstream::DnsDiscovery::Names& clusters);
  void onHostsFound(const upstream::DnsDiscovery::Names& clusters);
  void serve();
  void endAccepting();
  void watchDrain();
  void becomeLive();
  void report();

  const Options options_;
  const config::BootstrapSpec bootstrap_;
  const event::Clock& clock_;
  observe::MetricRegistry metrics_;
  event::Loop main_;
  observe::LogWriter logs_;
  filter::Registry filters_;
  net::AdoptedSockets adopted_;
  std::vector<std::unique_ptr<Worker>> workers_;
  redis::ClientMetricGroups redis_metrics_;
  HealthThreads health_threads_;
  RouteTables routes_;
  tls::SecretManager secrets_;
  upstream::SocketIo upstream_io_;
  upstream::Monitor health_;
  upstream::CaresResolver resolver_;
  upstream::DnsDiscovery dns_;
  std::unique_ptr<upstream::ClusterManager> clusters_;
  ListenerManager listeners_;
  std::unique_ptr<Resources> resources_;
  std::unique_ptr<ControlPlane> control_plane_;
  std::set<std::string> awaited_;  // static clusters whose host names are looked up first
  bool serving_ = false;           // the workers run
  State state_ = State::Initializing;
  bool health_check_failed_ = false;
  const event::MonotonicTime started_at_;
  const event::WallTime started_at_wall_;
  std::function<void()> on_live_;
  event::Timer dns_patience_;
  event::Timer last_call_;
  event::Timer drain_watch_;
  event::Timer state_report_;
  event::Timer finishing_report_;
  event::MonotonicTime drain_deadline_{};
};

}  // namespace convoy::server
