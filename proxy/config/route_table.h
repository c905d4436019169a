#pragma once

// envoy.config.route.v3.RouteConfiguration to route::RouteTableSpec.

#include <memory>

#include "envoy/config/route/v3/route.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/route/spec.h"

namespace convoy::config {

std::shared_ptr<const route::RouteTableSpec> toRouteTable(
    const envoy::config::route::v3::RouteConfiguration& proto, const Context& context,
    base::FieldReport& report);

}  // namespace convoy::config
