#include "proxy/config/assignment.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/host_name.h"
#include "proxy/base/strings.h"
#include "proxy/config/grouping.h"
#include "proxy/config/host_policy.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::endpoint::v3;
namespace core = envoy::config::core::v3;

constexpr char kLabels[] = "convoy.labels";

upstream::HealthStatus toHealth(core::HealthStatus status) {
  switch (status) {
    case core::HEALTHY:
      return upstream::HealthStatus::Healthy;
    case core::UNHEALTHY:
      return upstream::HealthStatus::Unhealthy;
    case core::DRAINING:
      return upstream::HealthStatus::Draining;
    case core::TIMEOUT:
      return upstream::HealthStatus::Timeout;
    case core::DEGRADED:
      return upstream::HealthStatus::Degraded;
    default:
      return upstream::HealthStatus::Unknown;
  }
}

void setLabels(const core::Metadata& metadata, upstream::EndpointSpec* spec) {
  const auto found = metadata.filter_metadata().find(kLabels);
  if (found == metadata.filter_metadata().end()) return;
  for (const auto& [key, value] : found->second.fields()) {
    if (value.kind_case() == google::protobuf::Value::kStringValue) {
      spec->labels[key] = value.string_value();
    }
  }
}

void setHealthCheck(const proto::Endpoint::HealthCheckConfig& proto, upstream::EndpointSpec* spec,
                    base::FieldReport& report) {
  auto at = report.in("health_check_config");
  spec->health_check = !proto.disable_active_health_check();
  spec->health_hostname = proto.hostname();
  if (proto.has_address()) {
    auto in = report.in("address");
    spec->health_address = toAddress(proto.address(), Port::Any, report);
  }
  const auto port = static_cast<uint16_t>(proto.port_value());
  const net::Address base = spec->health_address.value_or(spec->address);
  if (port != 0 && base.isIp()) spec->health_address = base.withPort(port);
  if (spec->health_address.has_value() && spec->health_address->isIp() &&
      spec->health_address->port() == 0) {
    spec->health_address = spec->health_address->withPort(spec->address.port());
  }
}

// Where the names of a cluster go, if it may have any.
struct Names {
  size_t locality;
  std::vector<upstream::DnsEndpoint>* found;
};

// A name in place of an IP address. False: it is none, and the address is to be judged as usual.
bool takeName(const core::SocketAddress& proto, upstream::DnsEndpoint* named,
              base::FieldReport& report) {
  const bool is_ip = net::Address::fromIp(proto.address(), 0).ok();
  if (is_ip || proto.protocol() != core::SocketAddress::TCP) return false;
  const std::string_view problem = base::problemWithHostName(proto.address());
  if (!problem.empty()) {
    report.error("address", "address", proto.address(),
                 "must be an IP address or the name of a host: " + std::string(problem));
  } else if (proto.port_value() == 0) {
    report.error("port_value", "range", "0", "must be a port from 1 to 65535");
  }
  named->host = proto.address();
  std::transform(named->host.begin(), named->host.end(), named->host.begin(), base::asciiLower);
  named->port = static_cast<uint16_t>(proto.port_value());
  return true;
}

void addEndpoint(const proto::LbEndpoint& proto, upstream::LocalitySpec* locality,
                 const std::optional<Names>& names, base::FieldReport& report) {
  upstream::EndpointSpec spec;
  upstream::DnsEndpoint named;
  setEndpointPolicy(proto.metadata(), &spec, report);
  auto at = report.in("endpoint");
  if (!proto.endpoint().has_address()) {
    // An endpoint_name is refused by the field table.
    if (proto.host_identifier_case() != proto::LbEndpoint::kEndpointName) {
      report.error("address", "required", "", "an endpoint needs an address");
    }
    return;
  }
  bool is_named = false;
  {
    auto in = report.in("address");
    if (proto.endpoint().address().has_socket_address()) {
      auto socket = report.in("socket_address");
      const core::SocketAddress& address = proto.endpoint().address().socket_address();
      if (names.has_value()) {
        is_named = takeName(address, &named, report);
      } else if (base::problemWithHostName(address.address()).empty()) {
        report.error("address", "address", address.address(),
                     "is the name of a host; write an IP address, or a cluster of type STRICT_DNS "
                     "or LOGICAL_DNS");
        return;
      }
    }
    if (!is_named) {
      std::optional<net::Address> address =
          toAddress(proto.endpoint().address(), Port::NotZero, report);
      if (!address.has_value()) return;
      spec.address = *std::move(address);
    }
  }
  spec.hostname = proto.endpoint().hostname();
  setHealthCheck(proto.endpoint().health_check_config(), &spec, report);
  if (proto.has_load_balancing_weight()) spec.weight = proto.load_balancing_weight().value();
  spec.health = toHealth(proto.health_status());
  setLabels(proto.metadata(), &spec);
  spec.subset_labels = subsetLabels(proto.metadata());
  if (!is_named) {
    locality->endpoints.push_back(std::move(spec));
    return;
  }
  named.locality = names->locality;
  named.health_port = static_cast<uint16_t>(proto.endpoint().health_check_config().port_value());
  named.endpoint = std::move(spec);
  names->found->push_back(std::move(named));
}

upstream::LocalitySpec toLocality(const proto::LocalityLbEndpoints& proto,
                                  const std::optional<Names>& names, base::FieldReport& report) {
  upstream::LocalitySpec locality;
  locality.region = proto.locality().region();
  locality.zone = proto.locality().zone();
  locality.sub_zone = proto.locality().sub_zone();
  locality.priority = proto.priority();
  if (proto.has_load_balancing_weight()) locality.weight = proto.load_balancing_weight().value();
  locality.endpoints.reserve(static_cast<size_t>(proto.lb_endpoints_size()));
  uint64_t total = 0;
  for (int i = 0; i < proto.lb_endpoints_size(); ++i) {
    auto at = report.in("lb_endpoints", static_cast<size_t>(i));
    addEndpoint(proto.lb_endpoints(i), &locality, names, report);
    const auto& weight = proto.lb_endpoints(i).load_balancing_weight();
    total += proto.lb_endpoints(i).has_load_balancing_weight() ? weight.value() : 1;
  }
  if (total > UINT32_MAX) {
    report.error("lb_endpoints", "range", std::to_string(total),
                 "the sum of the weights of a locality must be at most 4294967295");
  }
  return locality;
}

// Priorities begin at 0 and leave none out.
void checkPriorities(const upstream::AssignmentSpec& spec, base::FieldReport& report) {
  std::set<uint32_t> priorities;
  for (const upstream::LocalitySpec& locality : spec.localities) {
    priorities.insert(locality.priority);
  }
  uint32_t expected = 0;
  for (const uint32_t priority : priorities) {
    if (priority == expected++) continue;
    report.error("endpoints", "range", std::to_string(priority),
                 "priorities must begin at 0 and leave none out: there is no priority " +
                     std::to_string(expected - 1));
    return;
  }
}

upstream::AssignmentSpec readAssignment(const proto::ClusterLoadAssignment& proto,
                                        const Context& context,
                                        std::vector<upstream::DnsEndpoint>* named,
                                        base::FieldReport& report) {
  upstream::AssignmentSpec spec;
  spec.cluster = proto.cluster_name();
  spec.version = context.version;
  spec.localities.reserve(static_cast<size_t>(proto.endpoints_size()));
  for (int i = 0; i < proto.endpoints_size(); ++i) {
    auto at = report.in("endpoints", static_cast<size_t>(i));
    std::optional<Names> names;
    if (named != nullptr) names = Names{static_cast<size_t>(i), named};
    spec.localities.push_back(toLocality(proto.endpoints(i), names, report));
  }
  checkPriorities(spec, report);
  setAssignmentPolicy(proto, &spec, report);
  return spec;
}

}  // namespace

std::shared_ptr<const upstream::AssignmentSpec> toAssignment(
    const proto::ClusterLoadAssignment& proto, const Context& context, base::FieldReport& report) {
  return std::make_shared<const upstream::AssignmentSpec>(
      readAssignment(proto, context, nullptr, report));
}

void setDnsEndpoints(const proto::ClusterLoadAssignment& proto, const Context& context,
                     upstream::DnsSpec* spec, base::FieldReport& report) {
  spec->fixed = readAssignment(proto, context, &spec->named, report);
  // By whatever DNS says, it changes without a new version.
  spec->fixed.version.clear();
}

}  // namespace convoy::config
