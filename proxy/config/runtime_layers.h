#pragma once

// The static layers of layered_runtime: the limits that Envoy takes from there. Other keys have no
// effect, and are noted.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "proxy/base/field_report.h"

namespace convoy::config {

struct RuntimeLimits {
  // overload.global_downstream_max_connections; unset: none. As with Envoy, 0 lets nobody in.
  std::optional<uint64_t> downstream_connections;
  // envoy.resource_limits.listener.NAME.connection_limit, by NAME
  std::map<std::string, uint64_t> listener_connections;
};

// Later layers override earlier ones.
RuntimeLimits readRuntimeLayers(const envoy::config::bootstrap::v3::LayeredRuntime& proto,
                                base::FieldReport& report);

}  // namespace convoy::config
