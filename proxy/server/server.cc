#include "proxy/server/server.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/net/splice_pipe.h"
#include "proxy/server/descriptors.h"
#include "proxy/server/node_report.h"

namespace convoy::server {

namespace {

// How often main looks whether draining is over.
constexpr event::Duration kDrainCheck = std::chrono::milliseconds(20);

// How long those who have begun to connect get before the listening sockets are closed: a round
// trip.
constexpr event::Duration kLastCall = std::chrono::milliseconds(250);

// How long a start waits for DNS: as long as for the first endpoints of EDS.
constexpr event::Duration kDnsPatience = std::chrono::seconds(15);

// Between a host's change of state and the control plane's knowledge of it, so that many are told
// together.
constexpr event::Duration kStateReport = std::chrono::milliseconds(500);

// How often the control plane is told what hosts that leave still have to finish: nobody says when
// they have (node_report.proto).
constexpr event::Duration kFinishingReport = std::chrono::seconds(5);

ext::NodeReport::Lifecycle lifecycleOf(Server::State state) {
  switch (state) {
    case Server::State::Initializing:
      return ext::NodeReport::LIFECYCLE_INITIALIZING;
    case Server::State::Live:
      return ext::NodeReport::LIFECYCLE_LIVE;
    case Server::State::Draining:
    case Server::State::Stopped:
      break;
  }
  return ext::NodeReport::LIFECYCLE_DRAINING;
}

size_t usableProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

std::vector<std::unique_ptr<Worker>> makeWorkers(size_t count, const event::Clock& clock,
                                                 event::Random& random) {
  net::SplicePipe::shareAmong(count);
  std::vector<std::unique_ptr<Worker>> workers;
  for (size_t i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<Worker>(i, clock, event::Random(random.next())));
  }
  return workers;
}

std::vector<event::Loop*> loopsOf(const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<event::Loop*> loops;
  for (const auto& worker : workers) loops.push_back(&worker->loop());
  return loops;
}

std::vector<Worker*> pointersTo(const std::vector<std::unique_ptr<Worker>>& workers) {
  std::vector<Worker*> pointers;
  for (const auto& worker : workers) pointers.push_back(worker.get());
  return pointers;
}

}  // namespace

size_t Server::workersOf(const Options& options) {
  return options.concurrency > 0 ? options.concurrency : usableProcessors();
}

Server::Server(const Options& options, config::BootstrapSpec bootstrap, const event::Clock& clock,
               event::Random random)
    : options_(options),
      bootstrap_(std::move(bootstrap)),
      clock_(clock),
      main_("main", clock, event::Random(random.next())),
      logs_(metrics_),
      workers_(makeWorkers(workersOf(options), clock, random)),
      redis_metrics_(metrics_, workers_.size()),
      health_threads_(options.health_threads, clock, random),
      routes_(main_, loopsOf(workers_)),
      secrets_(main_, metrics_, static_cast<int>(workers_.size() + 1 + options.health_threads)),
      health_(main_, health_threads_.loops(), metrics_, upstream_io_,
              {.workers = workers_.size(),
               .command_directory = options.health_command_dir,
               .start_threads = [this] { health_threads_.start(); }}),
      resolver_(main_, metrics_, {}),
      dns_(main_, resolver_, metrics_, bootstrap_.dns),
      clusters_(std::make_unique<upstream::ClusterManager>(main_, loopsOf(workers_), metrics_,
                                                           upstream_io_)),
      listeners_(main_, pointersTo(workers_), routes_, logs_, metrics_, secrets_, adopted_,
                 {.process = bootstrap_.max_downstream_connections,
                  .listeners = bootstrap_.listener_connection_limits,
                  .descriptors = descriptorsForClients()}),
      resources_(std::make_unique<Resources>(*clusters_, routes_, listeners_, secrets_, dns_)),
      started_at_(clock.monotonicNow()),
      started_at_wall_(clock.wallNow()),
      dns_patience_(main_, [this] { serve(); }),
      last_call_(main_, [this] { endAccepting(); }),
      drain_watch_(main_, [this] { watchDrain(); }),
      state_report_(main_, [this] { report(); }),
      finishing_report_(main_, [this] { report(); }) {
  filter::registerBuiltins(filters_);
  clusters_->makeTransportsBy(
      [this](const upstream::ClusterSpec& cluster) { return transportsOf(cluster); });
  clusters_->setNode(bootstrap_.node.locality, bootstrap_.local_cluster);
  clusters_->monitorHealthBy(health_);
  clusters_->onHostStateChanged([this] {
    if (!state_report_.armed()) state_report_.armAfter(kStateReport);
  });
  dns_.onChanged([this](const upstream::DnsDiscovery::Names& names) { onHostsChanged(names); });
  dns_.onReady([this](const upstream::DnsDiscovery::Names& names) { onHostsFound(names); });
  if (!options_.health_command_dir.empty()) resources_->allowCheckCommands();
  for (const auto& worker : workers_) {
    worker->equip(clusters_->worker(worker->index()), filters_, options_.drain_time,
                  redis_metrics_);
  }
}

Server::~Server() {
  stop();
  // What workers sent back to be destroyed here.
  main_.runOnce(/*wait=*/false);
}

absl::Status Server::start() {
  auto adopted = net::AdoptedSockets::fromEnvironment();
  if (!adopted.ok()) return adopted.status();
  adopted_ = *std::move(adopted);
  if (absl::Status status = startSecrets(); !status.ok()) return status;
  if (absl::Status status = startClusters(); !status.ok()) return status;
  if (absl::Status status = admitListeners(); !status.ok()) return status;
  if (bootstrap_.ads.has_value()) {
    if (absl::Status status = makeControlPlane(); !status.ok()) return status;
  }
  if (awaited_.empty()) {
    serve();
  } else {
    dns_patience_.armAfter(kDnsPatience);
  }
  return absl::OkStatus();
}

// Until here, who connects waits in the sockets' queues.
void Server::serve() {
  if (serving_ || state_ != State::Initializing) return;
  serving_ = true;
  dns_patience_.cancel();
  for (const auto& listener : bootstrap_.listeners) listeners_.apply(listener);
  for (const auto& worker : workers_) worker->start();
  if (control_plane_ != nullptr) return control_plane_->start([this] { becomeLive(); });
  // Behind the workers' first messages, so that "live" means that they serve.
  main_.post([this] { becomeLive(); });
}

// As EDS would have told it.
void Server::onHostsChanged(const upstream::DnsDiscovery::Names& clusters) {
  upstream::ClusterChanges changes;
  for (const std::string& name : clusters) {
    auto found = dns_.assignment(name);
    if (found == nullptr) continue;  // it went meanwhile
    if (control_plane_ != nullptr && name == bootstrap_.ads->cluster) {
      control_plane_->setAddresses(*found);
    }
    changes.assignments.emplace_back(name, std::move(found));
  }
  clusters_->apply(changes);
}

void Server::onHostsFound(const upstream::DnsDiscovery::Names& clusters) {
  for (const std::string& name : clusters) {
    awaited_.erase(name);
    if (serving_ && control_plane_ != nullptr) control_plane_->onHostsFound(name);
  }
  if (awaited_.empty()) serve();
}

std::shared_ptr<net::TransportFactory> Server::transportsOf(const upstream::ClusterSpec& cluster) {
  return secrets_.makeFactory(cluster.transport, absl::StrCat("cluster ", cluster.name), "cluster",
                              {{"envoy_cluster_name", cluster.name}});
}

absl::Status Server::startSecrets() {
  for (const auto& secret : bootstrap_.secrets) {
    if (absl::Status status = secrets_.put(secret); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Server::startClusters() {
  for (const auto& cluster : bootstrap_.clusters) {
    if (options_.health_command_dir.empty() && upstream::runsCheckCommands(*cluster)) {
      return absl::InvalidArgumentError(
          absl::StrCat("cluster ", cluster->name, ": ", kCommandsNotAllowed));
    }
    if (cluster->transport == nullptr) continue;
    if (absl::Status status = secrets_.admit(*cluster->transport); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("cluster ", cluster->name, ": ", status.message()));
    }
  }
  upstream::ClusterChanges clusters;
  clusters.clusters = bootstrap_.clusters;
  for (const auto& cluster : bootstrap_.clusters) {
    auto found = dns_.putInForce(cluster);
    if (found == nullptr) continue;
    clusters.assignments.emplace_back(cluster->name, std::move(found));
    if (cluster->wait_for_warm && !dns_.ready(cluster->name)) awaited_.insert(cluster->name);
  }
  clusters_->apply(clusters);
  return absl::OkStatus();
}

absl::Status Server::admitListeners() {
  for (const auto& listener : bootstrap_.listeners) {
    if (absl::Status status = listeners_.admit(listener); !status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("listener ", listener->name, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status Server::makeControlPlane() {
  for (const auto& cluster : bootstrap_.clusters) resources_->addStaticCluster(cluster->name);
  for (const auto& listener : bootstrap_.listeners) resources_->addStaticListener(listener->name);
  const ControlPlane::Transport transport = {
      [this](const upstream::ClusterSpec& cluster) { return transportsOf(cluster); },
      workers_.size()};
  auto made = ControlPlane::make(main_, bootstrap_, transport,
                                 options_.reject_unknown_dynamic_fields, *resources_, metrics_);
  if (!made.ok()) return made.status();
  control_plane_ = *std::move(made);
  if (auto found = dns_.assignment(bootstrap_.ads->cluster); found != nullptr) {
    control_plane_->setAddresses(*found);
  }
  resources_->onListenersChanged([this] { report(); });
  return absl::OkStatus();
}

void Server::becomeLive() {
  if (state_ != State::Initializing) return;
  state_ = State::Live;
  report();
  for (const std::string& socket : adopted_.unclaimed()) {
    base::logWarning(absl::StrCat("adopted socket ", socket, " is used by no listener"));
  }
  if (on_live_) on_live_();
}

// For whoever looks at the fleet.
void Server::report() {
  if (control_plane_ != nullptr) {
    ext::NodeReport report = nodeReport(lifecycleOf(state_), listeners_.active());
    addHosts(*clusters_, &report);
    if (report.finishing_host_count() > 0) finishing_report_.armAfter(kFinishingReport);
    control_plane_->setReport(std::move(report));
  }
}

std::vector<event::Loop*> Server::loops() {
  std::vector<event::Loop*> loops = loopsOf(workers_);
  loops.push_back(&main_);
  if (!health_threads_.started()) return loops;
  for (event::Loop* const loop : health_threads_.loops()) loops.push_back(loop);
  return loops;
}

void Server::run() {
  main_.run();
}

// --- the end ---

void Server::drainListeners() {
  base::logInfo("closing the listening sockets and draining, on request; the process lives on");
  listeners_.drainAll();
  listeners_.stopListening();
  report();
}

void Server::drainAndStop() {
  if (state_ == State::Draining || !serving_) return stop();
  if (state_ == State::Stopped) return;
  state_ = State::Draining;
  base::logInfo(absl::StrCat("draining: no new connections, requests in flight have ",
                             options_.drain_time.count(), " s"));
  report();
  listeners_.drainAll();
  listeners_.lastCall();
  drain_deadline_ = main_.now() + options_.drain_time;
  if (options_.drain_time < kLastCall) return endAccepting();
  last_call_.armAfter(kLastCall);
}

void Server::endAccepting() {
  if (state_ != State::Draining) return;
  listeners_.stopAccepting();
  watchDrain();
}

// Counts the connections on every worker; the last one's answer decides.
void Server::watchDrain() {
  if (state_ != State::Draining) return;
  if (main_.now() >= drain_deadline_) {
    base::logWarning("the drain time is over: what still runs is broken off");
    return stop();
  }
  struct Sum {
    std::atomic<size_t> open{0};
    std::atomic<size_t> missing;
  };
  auto sum = std::make_shared<Sum>();
  sum->missing = workers_.size();
  for (const auto& worker : workers_) {
    worker->loop().post([this, sum, w = worker.get()] {
      sum->open += w->listeners().connections();
      if (--sum->missing > 0) return;
      main_.post([this, open = sum->open.load()] {
        if (state_ != State::Draining) return;
        if (open == 0) return stop();
        drain_watch_.armAfter(kDrainCheck);
      });
    });
  }
}

void Server::stop() {
  if (state_ == State::Stopped) return;
  state_ = State::Stopped;
  if (control_plane_ != nullptr) control_plane_->stop();
  for (const auto& worker : workers_) worker->stopAndJoin();
  health_.shutdown();
  health_threads_.stopAndJoin();
  logs_.flush();
  base::logInfo("stopped");
  main_.stop();
}

}  // namespace convoy::server
