#pragma once

// What a route does: the action of envoy.config.route.v3.Route to route::Forward, DirectResponse or
// Redirect.

#include <optional>
#include <string>
#include <vector>

#include "api/convoy/ext/route_policy.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/route/spec.h"

namespace convoy::config {

// Direct responses hold at most `max_body_bytes`.
void setAction(const envoy::config::route::v3::Route& proto, uint32_t max_body_bytes,
               const Context& context, route::Route* route, base::FieldReport& report);

// What Envoy's route has no field for: it travels in the route's metadata. Unset: nothing that can
// be read; setAction() has complained then.
std::optional<ext::RoutePolicy> routePolicy(const envoy::config::route::v3::Route& proto);

// One entry of upgrade_configs, of a route or a connection manager.
void addUpgrade(const std::string& protocol, bool enabled, std::vector<route::Upgrade>* upgrades,
                base::FieldReport& report);

}  // namespace convoy::config
