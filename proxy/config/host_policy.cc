#include "proxy/config/host_policy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string>
#include <utility>

#include "api/convoy/ext/host_policy.pb.h"
#include "proxy/base/strings.h"
#include "proxy/config/cluster_policy.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::CircuitBreakers;
using envoy::config::cluster::v3::Cluster;
using upstream::Priority;
using upstream::SlowStartSpec;
namespace core = envoy::config::core::v3;

constexpr std::string_view kHostPolicy = "convoy.ext.HostPolicy";
constexpr std::string_view kEndpointPolicy = "convoy.ext.EndpointPolicy";
constexpr std::string_view kOverridePrefix = "x-";
constexpr double kHundred = 100;

upstream::RetryBudget toRetryBudget(const CircuitBreakers::Thresholds::RetryBudget& proto) {
  upstream::RetryBudget budget;
  if (proto.has_budget_percent()) budget.percent = proto.budget_percent().value();
  if (proto.has_min_retry_concurrency()) {
    budget.min_concurrency = proto.min_retry_concurrency().value();
  }
  return budget;
}

void setThresholds(const CircuitBreakers::Thresholds& limits, upstream::CircuitBreakers* breakers) {
  if (limits.has_max_connections()) breakers->max_connections = limits.max_connections().value();
  if (limits.has_max_pending_requests()) {
    breakers->max_pending_requests = limits.max_pending_requests().value();
  }
  if (limits.has_max_requests()) breakers->max_requests = limits.max_requests().value();
  if (limits.has_max_retries()) breakers->max_retries = limits.max_retries().value();
  if (limits.has_retry_budget()) breakers->retry_budget = toRetryBudget(limits.retry_budget());
  breakers->track_remaining = limits.track_remaining();
}

// Connections are all that Envoy limits of a host, too.
void setPerHost(const CircuitBreakers::Thresholds& limits, upstream::ClusterSpec* spec,
                base::FieldReport& report) {
  const auto refuse = [&report](bool set, std::string_view field, std::string_view why) {
    if (set) report.error(field, "unsupported_field", "", std::string(why));
  };
  refuse(limits.priority() != core::DEFAULT, "priority",
         "the limits of a host are for requests of both priorities together; remove it");
  constexpr std::string_view kOnlyConnections = "hosts have limits on connections only; remove it";
  refuse(limits.has_max_pending_requests(), "max_pending_requests", kOnlyConnections);
  refuse(limits.has_max_requests(), "max_requests", kOnlyConnections);
  refuse(limits.has_max_retries(), "max_retries", kOnlyConnections);
  refuse(limits.has_retry_budget(), "retry_budget", kOnlyConnections);
  refuse(limits.track_remaining(), "track_remaining", kOnlyConnections);
  // Envoy's default of 1,024 is that of `thresholds`: here nothing means no limit.
  if (limits.has_max_connections()) {
    spec->max_connections_per_host = limits.max_connections().value();
  }
}

void setAggression(double aggression, SlowStartSpec* spec, base::FieldReport& report) {
  if (!std::isfinite(aggression) || aggression <= 0) {
    report.error("aggression", "range", std::to_string(aggression), "must be more than 0");
  }
  spec->aggression = aggression;
}

// The range of its percentage is a rule of the field's own type.
template <class Proto>
void setEnvoys(const Proto& proto, upstream::BalancingSpec* spec, base::FieldReport& report) {
  auto at = report.in("slow_start_config");
  SlowStartSpec read;
  setAggression(proto.has_aggression() ? proto.aggression().default_value() : 1, &read, report);
  if (proto.has_min_weight_percent()) {
    read.min_factor = proto.min_weight_percent().value() / kHundred;
  }
  read.window = toMilliseconds(proto.slow_start_window(), "slow_start_window", report);
  // Without a window there is no slow start.
  if (read.window.count() > 0) spec->slow_start = read;
}

SlowStartSpec toSlowStart(const ext::HostPolicy::SlowStart& proto, base::FieldReport& report) {
  SlowStartSpec spec;
  spec.window = toMilliseconds(proto.window(), "window", report);
  if (spec.window.count() < 1 || spec.window > std::chrono::hours(24)) {
    report.error("window", "range", std::to_string(spec.window.count()) + " ms",
                 "must be from 1 ms to 24 h");
  }
  setAggression(proto.aggression() == 0 ? 1 : proto.aggression(), &spec, report);
  if (proto.has_min_percent()) {
    const double percent = proto.min_percent();
    if (!(percent >= 0 && percent <= kHundred)) {
      report.error("min_percent", "range", std::to_string(percent), "must be from 0 to 100");
    }
    spec.min_factor = percent / kHundred;
  }
  return spec;
}

bool isHeaderName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string toOverrideHeader(const std::string& name, base::FieldReport& report) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(), base::asciiLower);
  if (lower.empty()) return lower;
  if (!lower.starts_with(kOverridePrefix) || lower == kOverridePrefix || !isHeaderName(lower)) {
    report.error("override_header", "syntax", name,
                 "must be the name of a header that begins with \"x-\", such as "
                 "\"x-backend\"");
  }
  return lower;
}

}  // namespace

void setBreakers(const CircuitBreakers& proto, upstream::ClusterSpec* spec,
                 base::FieldReport& report) {
  std::array<bool, 2> seen{};
  for (int i = 0; i < proto.thresholds_size(); ++i) {
    auto at = report.in("thresholds", static_cast<size_t>(i));
    const CircuitBreakers::Thresholds& limits = proto.thresholds(i);
    const bool high = limits.priority() == core::HIGH;
    if (std::exchange(seen[high ? 1 : 0], true)) {
      report.error("priority", "duplicate", high ? "HIGH" : "DEFAULT",
                   "its limits are there already");
    }
    setThresholds(limits, high ? &spec->high_breakers : &spec->breakers);
  }
  for (int i = 0; i < proto.per_host_thresholds_size(); ++i) {
    auto at = report.in("per_host_thresholds", static_cast<size_t>(i));
    if (i > 0) report.error("priority", "duplicate", "DEFAULT", "its limits are there already");
    setPerHost(proto.per_host_thresholds(i), spec, report);
  }
}

void setSlowStart(const Cluster::SlowStartConfig& proto, upstream::BalancingSpec* spec,
                  base::FieldReport& report) {
  setEnvoys(proto, spec, report);
}

void setSlowStart(
    const envoy::extensions::load_balancing_policies::common::v3::SlowStartConfig& proto,
    upstream::BalancingSpec* spec, base::FieldReport& report) {
  setEnvoys(proto, spec, report);
}

void setHostPolicy(const Cluster& proto, upstream::ClusterSpec* spec, base::FieldReport& report) {
  const auto policy = clusterPolicy<ext::HostPolicy>(proto, report);
  auto at = report.in("metadata");
  auto in = report.in("typed_filter_metadata", kHostPolicy);
  if (policy.has_slow_start()) {
    auto within = report.in("slow_start");
    spec->balancing.slow_start = toSlowStart(policy.slow_start(), report);
  }
  spec->override_header = toOverrideHeader(policy.override_header(), report);
  if (!policy.has_drain_timeout()) return;
  const Milliseconds timeout = toMilliseconds(policy.drain_timeout(), "drain_timeout", report);
  if (timeout.count() > 0) spec->host_drain_timeout = timeout;
}

void setEndpointPolicy(const core::Metadata& metadata, upstream::EndpointSpec* spec,
                       base::FieldReport& report) {
  const auto found = metadata.typed_filter_metadata().find(std::string(kEndpointPolicy));
  if (found == metadata.typed_filter_metadata().end()) return;
  ext::EndpointPolicy policy;
  if (!found->second.UnpackTo(&policy)) {
    auto at = report.in("metadata");
    auto in = report.in("typed_filter_metadata", kEndpointPolicy);
    report.error("malformed", found->second.type_url(), "must be a convoy.ext.EndpointPolicy");
    return;
  }
  if (policy.max_connections() != 0) spec->max_connections = policy.max_connections();
}

}  // namespace convoy::config
