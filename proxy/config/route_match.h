#pragma once

// envoy.config.route.v3.RouteMatch to route::Match.

#include "envoy/config/route/v3/route_components.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/route/spec.h"

namespace convoy::config {

route::Match toMatch(const envoy::config::route::v3::RouteMatch& proto, base::FieldReport& report);

route::HeaderMatch toHeaderMatch(const envoy::config::route::v3::HeaderMatcher& header,
                                 base::FieldReport& report);

}  // namespace convoy::config
