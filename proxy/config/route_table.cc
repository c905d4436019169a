#include "proxy/config/route_table.h"

#include <map>
#include <set>

#include "proxy/base/strings.h"
#include "proxy/config/header_edits.h"
#include "proxy/config/registry.h"
#include "proxy/config/retry_policy.h"
#include "proxy/config/route_action.h"
#include "proxy/config/route_match.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::route::v3;

constexpr uint32_t kDefaultMaxBodyBytes = 4096;  // Envoy's

using FilterConfigs = google::protobuf::Map<std::string, google::protobuf::Any>;

// typed_per_filter_config; each value may be wrapped in a FilterConfig.
std::map<std::string, Registry::PerRoutePtr> toFilterSpecs(const FilterConfigs& configs,
                                                           const Context& context,
                                                           base::FieldReport& report) {
  std::map<std::string, Registry::PerRoutePtr> specs;
  for (const auto& [name, any] : configs) {
    auto at = report.in("typed_per_filter_config", std::string_view(name));
    proto::FilterConfig wrapper;
    if (!any.UnpackTo(&wrapper)) {
      specs[name] = context.registry->per_route_filters.make(any, context, report);
      continue;
    }
    const std::string_view type = typeName(wrapper.config());
    if (wrapper.is_optional() && context.registry->per_route_filters.find(type) == nullptr) {
      report.note("config", "this build has no such filter, and the filter is optional");
      continue;
    }
    auto in = report.in("config");
    specs[name] = context.registry->per_route_filters.make(wrapper.config(), context, report);
  }
  return specs;
}

// "a.example", "*", "*.example", "*-suffix.example", "prefix.*", as Envoy has them.
bool isDomain(std::string_view domain) {
  if (domain == "*") return true;
  const size_t star = domain.find('*');
  if (star == std::string_view::npos) return !domain.empty();
  if (domain.find('*', star + 1) != std::string_view::npos) return false;
  return star == 0 || star == domain.size() - 1;
}

class VirtualHosts {
 public:
  VirtualHosts(uint32_t max_body_bytes, const Context& context, base::FieldReport& report)
      : max_body_bytes_(max_body_bytes), context_(context), report_(report) {}

  route::VirtualHost convert(const proto::VirtualHost& proto) {
    route::VirtualHost host;
    host.name = proto.name();
    if (!names_.insert(proto.name()).second) {
      report_.error("name", "duplicate", proto.name(),
                    "another virtual host of this route configuration has this name");
    }
    for (int i = 0; i < proto.domains_size(); ++i) {
      auto at = report_.in("domains", static_cast<size_t>(i));
      host.domains.push_back(takeDomain(proto.domains(i), proto.name()));
    }
    RetryPolicies retries(proto, context_, report_);
    host.routes.reserve(static_cast<size_t>(proto.routes_size()));
    for (int i = 0; i < proto.routes_size(); ++i) {
      auto at = report_.in("routes", static_cast<size_t>(i));
      host.routes.push_back(toRoute(proto.routes(i)));
      if (auto* forward = std::get_if<route::Forward>(&host.routes.back().action)) {
        retries.set(proto.routes(i), forward);
      }
    }
    host.edits = toAllHeaderEdits(proto, report_);
    host.filters = toFilterSpecs(proto.typed_per_filter_config(), context_, report_);
    return host;
  }

 private:
  route::Route toRoute(const proto::Route& proto) {
    route::Route route;
    route.name = proto.name();
    {
      auto at = report_.in("match");
      route.match = toMatch(proto.match(), report_);
    }
    setAction(proto, max_body_bytes_, context_, &route, report_);
    route.edits = toAllHeaderEdits(proto, report_);
    route.filters = toFilterSpecs(proto.typed_per_filter_config(), context_, report_);
    return route;
  }

  std::string takeDomain(std::string_view text, const std::string& host) {
    std::string domain(text);
    for (char& c : domain) c = base::asciiLower(c);
    if (!isDomain(domain)) {
      report_.error("domain", text,
                    "must be a host name, \"*\", or one with a single \"*\" at its beginning or "
                    "end");
    }
    const auto [other, fresh] = domains_.emplace(domain, host);
    if (!fresh) {
      report_.error("duplicate", text,
                    "the virtual host \"" + other->second + "\" has this domain already");
    }
    return domain;
  }

  const uint32_t max_body_bytes_;
  const Context& context_;
  base::FieldReport& report_;
  std::set<std::string> names_;
  std::map<std::string, std::string> domains_;  // -> virtual host
};

}  // namespace

std::shared_ptr<const route::RouteTableSpec> toRouteTable(const proto::RouteConfiguration& proto,
                                                          const Context& context,
                                                          base::FieldReport& report) {
  auto table = std::make_shared<route::RouteTableSpec>();
  table->name = proto.name();
  table->version = context.version;
  table->ignore_port_in_host = proto.ignore_port_in_host_matching();
  table->most_specific_header_mutations_wins = proto.most_specific_header_mutations_wins();
  if (proto.has_validate_clusters()) table->validate_clusters = proto.validate_clusters().value();
  const uint32_t max_body_bytes = proto.has_max_direct_response_body_size_bytes()
                                      ? proto.max_direct_response_body_size_bytes().value()
                                      : kDefaultMaxBodyBytes;
  VirtualHosts hosts(max_body_bytes, context, report);
  table->virtual_hosts.reserve(static_cast<size_t>(proto.virtual_hosts_size()));
  for (int i = 0; i < proto.virtual_hosts_size(); ++i) {
    auto at = report.in("virtual_hosts", static_cast<size_t>(i));
    table->virtual_hosts.push_back(hosts.convert(proto.virtual_hosts(i)));
  }
  table->edits = toAllHeaderEdits(proto, report);
  table->filters = toFilterSpecs(proto.typed_per_filter_config(), context, report);
  return table;
}

}  // namespace convoy::config
