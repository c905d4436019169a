#include "proxy/server/node_report.h"

#include "proxy/upstream/host_state.h"

namespace convoy::server {

namespace {

using FinishingHost = ext::NodeReport::FinishingHost;

// Unspecified: there is nothing to tell. What the control plane itself says it knows.
ext::NodeReport::OutBy outBy(upstream::OutBy by) {
  switch (by) {
    case upstream::OutBy::HealthCheck:
      return ext::NodeReport::OUT_BY_HEALTH_CHECK;
    case upstream::OutBy::Ejection:
      return ext::NodeReport::OUT_BY_EJECTION;
    case upstream::OutBy::BreakerOpen:
      return ext::NodeReport::OUT_BY_BREAKER_OPEN;
    case upstream::OutBy::BreakerHalfOpen:
      return ext::NodeReport::OUT_BY_BREAKER_HALF_OPEN;
    case upstream::OutBy::Recovery:
      return ext::NodeReport::OUT_BY_RECOVERY;
    case upstream::OutBy::Nobody:
    case upstream::OutBy::ControlPlane:
      break;
  }
  return ext::NodeReport::OUT_BY_UNSPECIFIED;
}

std::string reasonOf(const upstream::ClusterManager::HostView& host, ext::NodeReport::OutBy by) {
  switch (by) {
    case ext::NodeReport::OUT_BY_HEALTH_CHECK:
      return host.checked.reason;
    case ext::NodeReport::OUT_BY_EJECTION:
      return host.ejection.evidence;
    case ext::NodeReport::OUT_BY_BREAKER_OPEN:
      return "its circuit breaker is open";
    case ext::NodeReport::OUT_BY_BREAKER_HALF_OPEN:
      return "its circuit breaker is half-open";
    default:
      return "it waits for its turn after an outage";
  }
}

void addFinishing(const std::string& cluster, const upstream::Host& host,
                  FinishingHost::State state, ext::NodeReport* report) {
  if (!upstream::isAtWork(host)) return;
  report->set_finishing_host_count(report->finishing_host_count() + 1);
  if (report->finishing_hosts_size() == kMostHosts) return;
  FinishingHost* finishing = report->add_finishing_hosts();
  finishing->set_cluster(cluster);
  finishing->set_address(host.addressText());
  finishing->set_state(state);
  finishing->set_requests(static_cast<uint64_t>(host.sum(&upstream::HostMetrics::rq_active)));
  finishing->set_connections(static_cast<uint64_t>(host.sum(&upstream::HostMetrics::cx_active)));
}

}  // namespace

ext::NodeReport nodeReport(ext::NodeReport::Lifecycle lifecycle,
                           const std::map<std::string, ListenerManager::Active>& listeners) {
  ext::NodeReport report;
  report.set_lifecycle(lifecycle);
  for (const auto& [name, listener] : listeners) {
    if (listener.spec == nullptr) continue;
    for (size_t i = 0; i < listener.addresses.size(); ++i) {
      ext::NodeReport::BoundAddress* bound = report.add_bound_addresses();
      bound->set_listener(name);
      bound->set_configured(listener.configured[i].text());
      bound->set_actual(listener.addresses[i].text());
    }
  }
  return report;
}

void addHosts(const upstream::ClusterManager& clusters, ext::NodeReport* report) {
  clusters.forEach([&](const upstream::ClusterManager::ClusterView& cluster) {
    for (const auto& host : cluster.hosts) addHost(cluster.spec.name, host, report);
  });
  for (const auto& removed : clusters.removedHosts()) {
    addFinishing(removed.cluster, *removed.host, FinishingHost::STATE_REMOVED, report);
  }
}

void addHost(const std::string& cluster, const upstream::ClusterManager::HostView& host,
             ext::NodeReport* report) {
  const upstream::HostStanding standing = host.standing();
  if (standing.state == upstream::HostState::Draining) {
    return addFinishing(cluster, host.host, FinishingHost::STATE_DRAINING, report);
  }
  const ext::NodeReport::OutBy by = outBy(standing.by);
  if (by == ext::NodeReport::OUT_BY_UNSPECIFIED) return;
  report->set_unhealthy_host_count(report->unhealthy_host_count() + 1);
  if (report->unhealthy_hosts_size() == kMostHosts) return;
  ext::NodeReport::UnhealthyHost* unhealthy = report->add_unhealthy_hosts();
  unhealthy->set_cluster(cluster);
  unhealthy->set_address(host.host.addressText());
  unhealthy->set_reason(reasonOf(host, by));
  unhealthy->set_ejected(by == ext::NodeReport::OUT_BY_EJECTION);
  unhealthy->set_out_by(by);
}

}  // namespace convoy::server
