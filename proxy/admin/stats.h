#pragma once

// The metrics as text: Envoy's /stats lines, and the Prometheus exposition format (version 0.0.4)
// with Envoy's names.

#include <string>
#include <string_view>

#include "proxy/observe/metrics.h"

namespace convoy::admin {

// "cluster.web.upstream_rq_total: 12", sorted; only names that contain `filter` (empty: all).
std::string renderStats(const observe::MetricRegistry& registry, std::string_view filter);

// envoy_cluster_upstream_rq_total{envoy_cluster_name="web"} 12, grouped by metric with HELP and
// TYPE. Histograms are in milliseconds with Envoy's buckets.
std::string renderPrometheus(const observe::MetricRegistry& registry);

}  // namespace convoy::admin
