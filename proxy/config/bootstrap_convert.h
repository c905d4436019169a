#pragma once

// envoy.config.bootstrap.v3.Bootstrap to BootstrapSpec, and what holds between its parts: names and
// addresses are unique, routes name clusters that exist, ADS has a cluster.

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/bootstrap.h"
#include "proxy/config/context.h"

namespace convoy::config {

BootstrapSpec toBootstrap(const envoy::config::bootstrap::v3::Bootstrap& proto,
                          const Context& context, base::FieldReport& report);

}  // namespace convoy::config
