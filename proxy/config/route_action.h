#pragma once

// What a route does: the action of envoy.config.route.v3.Route to route::Forward, DirectResponse or
// Redirect.

#include <string>
#include <vector>

#include "envoy/config/route/v3/route_components.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/route/spec.h"

namespace convoy::config {

// Direct responses hold at most `max_body_bytes`.
void setAction(const envoy::config::route::v3::Route& proto, uint32_t max_body_bytes,
               const Context& context, route::Route* route, base::FieldReport& report);

// One entry of upgrade_configs, of a route or a connection manager.
void addUpgrade(const std::string& protocol, bool enabled, std::vector<route::Upgrade>* upgrades,
                base::FieldReport& report);

}  // namespace convoy::config
