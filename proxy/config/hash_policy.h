#pragma once

// envoy.config.route.v3.RouteAction.hash_policy to route::HashPolicy.

#include <vector>

#include "envoy/config/route/v3/route_components.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/route/spec.h"

namespace convoy::config {

std::vector<route::HashPolicy> toHashPolicies(const envoy::config::route::v3::RouteAction& action,
                                              base::FieldReport& report);

}  // namespace convoy::config
