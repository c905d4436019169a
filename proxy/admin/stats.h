#pragma once

// The metrics as text: Envoy's /stats lines, and the Prometheus exposition format (version 0.0.4)
// with Envoy's names.

#include <string>
#include <string_view>

#include <re2/re2.h>

#include "proxy/observe/metrics.h"

namespace convoy::admin {

// Which metrics are shown.
struct StatsChoice {
  const RE2* name = nullptr;  // found anywhere in the dotted name; null: all
  bool used_only = false;     // not those that are zero
};

// "cluster.web.upstream_rq_total: 12", sorted.
std::string renderStats(const observe::MetricRegistry& registry, const StatsChoice& choice);
// Only names that contain the text; empty: all.
std::string renderStats(const observe::MetricRegistry& registry, std::string_view text);

// envoy_cluster_upstream_rq_total{envoy_cluster_name="web"} 12, grouped by metric with HELP and
// TYPE. Histograms are in milliseconds with Envoy's buckets. What a name ends in may become a label
// of its own, as Envoy's tags: upstream_rq_5xx is upstream_rq_xx{envoy_response_code_class="5"},
// downstream_rq_response_flag.UF is downstream_rq_response_flag{response_flag="UF"}, and
// downstream_http1_error.bare_lf is downstream_http1_error{reason="bare_lf"} (Convoy's own).
std::string renderPrometheus(const observe::MetricRegistry& registry,
                             const StatsChoice& choice = {});

}  // namespace convoy::admin
