#include "proxy/upstream/dns/dns_cluster.h"

#include <algorithm>
#include <utility>

namespace convoy::upstream {

namespace {

// The endpoint at one of the addresses of its name.
EndpointSpec endpointAt(const DnsEndpoint& named, const net::Address& address) {
  EndpointSpec endpoint = named.endpoint;
  endpoint.address = address.withPort(named.port);
  if (endpoint.hostname.empty()) endpoint.hostname = named.host;
  const uint16_t health_port = named.health_port == 0 ? named.port : named.health_port;
  std::optional<net::Address>& health = endpoint.health_address;
  if (health.has_value()) {
    if (health->isIp() && health->port() == 0) health = health->withPort(health_port);
  } else if (health_port != named.port) {
    health = address.withPort(health_port);
  }
  return endpoint;
}

}  // namespace

DnsCluster::DnsCluster(const DnsEnvironment& environment, DnsMetrics& metrics,
                       std::shared_ptr<const ClusterSpec> spec, OnLookedUp on_looked_up)
    : environment_(environment), spec_(std::move(spec)) {
  for (const DnsEndpoint& endpoint : spec_->dns->named) {
    std::unique_ptr<DnsName>& name = names_[endpoint.host];
    if (name != nullptr) continue;
    name = std::make_unique<DnsName>(environment, metrics, spec_->name, endpoint.host, spec_->dns,
                                     on_looked_up);
  }
}

void DnsCluster::start(const DnsCluster* before) {
  for (const auto& [host, name] : names_) {
    const DnsName* former = nullptr;
    if (before != nullptr) {
      const auto found = before->names_.find(host);
      if (found != before->names_.end()) former = found->second.get();
    }
    name->start(former);
  }
}

bool DnsCluster::settled() const {
  return std::all_of(names_.begin(), names_.end(),
                     [](const auto& entry) { return entry.second->settled(); });
}

std::shared_ptr<const AssignmentSpec> DnsCluster::assignment() const {
  auto assignment = std::make_shared<AssignmentSpec>(spec_->dns->fixed);
  for (const DnsEndpoint& named : spec_->dns->named) {
    LocalitySpec& locality = assignment->localities[named.locality];
    for (const net::Address& address : names_.at(named.host)->addresses()) {
      locality.endpoints.push_back(endpointAt(named, address));
    }
  }
  return assignment;
}

event::MonotonicTime DnsCluster::oldestGoodAt() const {
  event::MonotonicTime oldest = environment_.loop.now();
  for (const auto& [host, name] : names_) oldest = std::min(oldest, name->goodAt());
  return oldest;
}

}  // namespace convoy::upstream
