#include "proxy/upstream/health/monitor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/upstream/outlier/spec.h"
#include "proxy/upstream/publication.h"

namespace convoy::upstream {

namespace {

ProbeTarget targetOf(const EndpointSpec& endpoint, const HealthCheckSpec& check) {
  ProbeTarget target{.address = endpoint.address, .host = endpoint.address, .hostname = {}};
  if (endpoint.health_address.has_value()) {
    target.address = *endpoint.health_address;
  } else if (check.alt_port != 0 && endpoint.address.isIp()) {
    target.address = endpoint.address.withPort(check.alt_port);
  }
  target.hostname = endpoint.health_hostname;
  return target;
}

void logVerdict(const std::string& cluster, const HealthReport& report) {
  const std::string who = absl::StrCat("cluster ", cluster, ": host ", report.host.text());
  switch (report.checked.health) {
    case ActiveHealth::Healthy:
      return base::logInfo(absl::StrCat(who, " passes its health check"));
    case ActiveHealth::Degraded:
      return base::logInfo(absl::StrCat(who, " passes its health check and is degraded"));
    case ActiveHealth::Unhealthy:
      return base::logWarning(
          absl::StrCat(who, " fails its health check: ", report.checked.reason));
    case ActiveHealth::Relapsed:
      return base::logInfo(
          absl::StrCat(who, " passes its health check and waits: ", report.checked.reason));
    default:
      return;
  }
}

bool isOut(const CheckedHost& host) {
  return host.health == ActiveHealth::Unhealthy || host.health == ActiveHealth::Relapsed;
}

}  // namespace

Monitor::Monitor(event::Loop& main, const std::vector<event::Loop*>& loops,
                 observe::MetricRegistry& registry, UpstreamIo& io, Options options)
    : main_(main),
      registry_(registry),
      options_(std::move(options)),
      gather_(main, [this] { announce(); }),
      self_(std::make_shared<Monitor*>(this)) {
  for (size_t i = 0; i < loops.size(); ++i) {
    threads_.push_back(
        {loops[i],
         std::make_shared<Checker>(
             *loops[i], io, i, options_.workers + 1 + i, options_.command_directory,
             [&main, self = std::weak_ptr<Monitor*>(self_)](std::vector<HealthReport> reports) {
               main.post([self, reports = std::move(reports)] {
                 const auto monitor = self.lock();
                 if (monitor != nullptr) (*monitor)->onReports(reports);
               });
             })});
  }
}

Monitor::~Monitor() = default;

void Monitor::shutdown() {
  for (const Thread& thread : threads_) {
    thread.loop->post([checker = thread.checker] { checker->shutdown(); });
  }
}

Monitor::Watched& Monitor::watched(const std::string& cluster) {
  Watched& watched = clusters_[cluster];
  if (watched.id != 0) return watched;
  if (options_.start_threads) std::exchange(options_.start_threads, nullptr)();
  watched.id = next_id_++;
  watched.metrics = std::make_shared<observe::MetricGroup<HealthMetrics>>(
      registry_, "cluster", observe::Labels{{"envoy_cluster_name", cluster}},
      static_cast<int>(threads_.size()));
  names_[watched.id] = cluster;
  return watched;
}

void Monitor::watch(const std::shared_ptr<ClusterShared>& shared,
                    const std::shared_ptr<const ClusterSpec>& spec,
                    const std::shared_ptr<net::TransportFactory>& transports,
                    const AssignmentSpec& hosts) {
  CONVOY_ASSERT(main_.isOwnThread());
  if (spec->health_check == nullptr) return forget(spec->name);
  Watched& watched = this->watched(spec->name);
  const auto used = [shared, workers = options_.workers] {
    for (size_t i = 0; i < workers; ++i) {
      if (shared->metrics.slot(static_cast<int>(i)).upstream_cx_total.value() > 0) return true;
    }
    return false;
  };
  const auto cluster = std::make_shared<const CheckedCluster>(
      CheckedCluster{watched.id,
                     {spec, transports},
                     watched.metrics,
                     used,
                     spec->outlier != nullptr && spec->outlier->health_check_unejects});
  std::vector<std::vector<ProbeTarget>> targets(threads_.size());
  absl::flat_hash_map<net::Address, Verdict> known;
  for (const LocalitySpec& locality : hosts.localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) {
      if (!endpoint.health_check || known.contains(endpoint.address)) continue;
      const auto found = watched.hosts.find(endpoint.address);
      Verdict& verdict = known[endpoint.address];
      if (found != watched.hosts.end()) {
        verdict = std::move(found->second);
      } else {
        verdict.life = next_life_++;
      }
      // The same host on the same thread, whatever the others are.
      const size_t thread = absl::Hash<net::Address>()(endpoint.address) % threads_.size();
      targets[thread].push_back(targetOf(endpoint, *spec->health_check));
      targets[thread].back().life = verdict.life;
    }
  }
  watched.hosts = std::move(known);
  watched.out = 0;
  for (const auto& [address, verdict] : watched.hosts) watched.out += isOut(verdict.checked);
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i].loop->post([checker = threads_[i].checker, cluster, mine = std::move(targets[i])] {
      checker->assign(cluster, mine);
    });
  }
}

void Monitor::forget(const std::string& cluster) {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return;
  const uint64_t id = found->second.id;
  for (const Thread& thread : threads_) {
    thread.loop->post([checker = thread.checker, id] { checker->drop(id); });
  }
  names_.erase(id);
  clusters_.erase(found);
}

CheckedHost Monitor::check(const std::string& cluster, const net::Address& host) const {
  const auto found = clusters_.find(cluster);
  if (found == clusters_.end()) return {ActiveHealth::Unknown};
  const auto verdict = found->second.hosts.find(host);
  if (verdict == found->second.hosts.end()) return {ActiveHealth::Unknown};
  if (verdict->second.let_in) return {ActiveHealth::Healthy};
  return verdict->second.checked;
}

std::vector<net::Address> Monitor::untold(const std::string& cluster) const {
  const auto found = changed_.find(cluster);
  return found == changed_.end() ? std::vector<net::Address>() : found->second;
}

void Monitor::onReports(const std::vector<HealthReport>& reports) {
  std::vector<std::pair<std::string, net::Address>> passed;
  for (const HealthReport& report : reports) {
    const auto name = names_.find(report.cluster);
    if (name == names_.end()) continue;
    Watched& watched = clusters_.at(name->second);
    const auto found = watched.hosts.find(report.host);
    if (found == watched.hosts.end() || found->second.life != report.life) continue;
    const bool flipped = found->second.checked.health != report.checked.health;
    watched.out -= isOut(found->second.checked);
    watched.out += isOut(report.checked);
    found->second.checked = report.checked;
    if (report.checked.health != ActiveHealth::Relapsed) found->second.let_in = false;
    if (report.passed && on_passed_) passed.emplace_back(name->second, report.host);
    if (!flipped) continue;
    logVerdict(name->second, report);
    changed_[name->second].push_back(report.host);
  }
  for (const auto& [cluster, host] : passed) on_passed_(cluster, host);
  if (changed_.empty() || gather_.armed()) return;
  const event::Duration since = main_.now() - announced_at_;
  if (since >= kGather) return announce();
  gather_.armAfter(kGather - since);
}

void Monitor::letIn(Watched& watched, std::vector<net::Address>& changed) {
  if (watched.out * 2 <= watched.hosts.size()) return;
  for (auto& [address, verdict] : watched.hosts) {
    if (verdict.let_in || verdict.checked.health != ActiveHealth::Relapsed) continue;
    verdict.let_in = true;
    changed.push_back(address);
  }
}

void Monitor::announce() {
  announced_at_ = main_.now();
  Changed changed = std::exchange(changed_, {});
  for (auto& [name, hosts] : changed) {
    const auto cluster = clusters_.find(name);
    if (cluster != clusters_.end()) letIn(cluster->second, hosts);
  }
  if (on_changed_) on_changed_(changed);
}

}  // namespace convoy::upstream
