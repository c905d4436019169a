#include "proxy/server/node_report.h"

namespace convoy::server {

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

void addUnhealthyHosts(const upstream::ClusterManager& clusters, ext::NodeReport* report) {
  clusters.forEach([&](const upstream::ClusterManager::ClusterView& cluster) {
    for (const auto& host : cluster.hosts) {
      const bool fails = host.checked.health == upstream::ActiveHealth::Unhealthy ||
                         host.checked.health == upstream::ActiveHealth::Relapsed;
      const bool ejected = host.ejection.ejected;
      const bool broken = host.ejection.breaker_open || host.ejection.breaker_half_open;
      if (!fails && !ejected && !broken) continue;
      report->set_unhealthy_host_count(report->unhealthy_host_count() + 1);
      if (report->unhealthy_hosts_size() == kMostUnhealthyHosts) continue;
      ext::NodeReport::UnhealthyHost* unhealthy = report->add_unhealthy_hosts();
      unhealthy->set_cluster(cluster.spec.name);
      unhealthy->set_address(host.host.addressText());
      unhealthy->set_reason(fails     ? host.checked.reason
                            : ejected ? host.ejection.evidence
                                      : "its circuit breaker is open");
      unhealthy->set_ejected(!fails);
    }
  });
}

}  // namespace convoy::server
