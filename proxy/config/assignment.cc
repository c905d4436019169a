#include "proxy/config/assignment.h"

#include <set>

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

void addEndpoint(const proto::LbEndpoint& proto, upstream::LocalitySpec* locality,
                 base::FieldReport& report) {
  upstream::EndpointSpec spec;
  auto at = report.in("endpoint");
  if (!proto.endpoint().has_address()) {
    // An endpoint_name is refused by the field table.
    if (proto.host_identifier_case() != proto::LbEndpoint::kEndpointName) {
      report.error("address", "required", "", "an endpoint needs an address");
    }
    return;
  }
  {
    auto in = report.in("address");
    std::optional<net::Address> address =
        toAddress(proto.endpoint().address(), Port::NotZero, report);
    if (!address.has_value()) return;
    spec.address = *std::move(address);
  }
  spec.hostname = proto.endpoint().hostname();
  setHealthCheck(proto.endpoint().health_check_config(), &spec, report);
  if (proto.has_load_balancing_weight()) spec.weight = proto.load_balancing_weight().value();
  spec.health = toHealth(proto.health_status());
  setLabels(proto.metadata(), &spec);
  locality->endpoints.push_back(std::move(spec));
}

upstream::LocalitySpec toLocality(const proto::LocalityLbEndpoints& proto,
                                  base::FieldReport& report) {
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
    addEndpoint(proto.lb_endpoints(i), &locality, report);
    total += locality.endpoints.empty() ? 0 : locality.endpoints.back().weight;
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

}  // namespace

std::shared_ptr<const upstream::AssignmentSpec> toAssignment(
    const proto::ClusterLoadAssignment& proto, const Context& context, base::FieldReport& report) {
  auto spec = std::make_shared<upstream::AssignmentSpec>();
  spec->cluster = proto.cluster_name();
  spec->version = context.version;
  spec->localities.reserve(static_cast<size_t>(proto.endpoints_size()));
  for (int i = 0; i < proto.endpoints_size(); ++i) {
    auto at = report.in("endpoints", static_cast<size_t>(i));
    spec->localities.push_back(toLocality(proto.endpoints(i), report));
  }
  checkPriorities(*spec, report);
  return spec;
}

}  // namespace convoy::config
