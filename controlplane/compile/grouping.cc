#include "controlplane/compile/grouping.h"

#include <algorithm>
#include <set>

#include "controlplane/compile/balancing.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::endpoint::v3::LocalityLbEndpoints;
using Labels = google::protobuf::Map<std::string, std::string>;

constexpr char kLabels[] = "envoy.lb";
// So that one backend of a hundred thousand is enough to keep the backups out.
constexpr uint32_t kBackupOverprovisioning = 10'000'000;

constexpr double kAllRequests = 100;  // percent

void setLabels(const Labels& labels, google::protobuf::Struct* out) {
  for (const auto& [name, value] : labels) (*out->mutable_fields())[name].set_string_value(value);
}

uint32_t preferenceOf(const v1::Backend& backend) {
  return backend.backup() ? 1 : backend.priority();
}

std::vector<uint32_t> prioritiesOf(const std::vector<std::shared_ptr<const v1::Backend>>& all) {
  std::set<uint32_t> priorities;
  for (const auto& backend : all) priorities.insert(preferenceOf(*backend));
  return {priorities.begin(), priorities.end()};
}

}  // namespace

void compileGrouping(const v1::Pool& pool, Cluster* cluster) {
  if (!hashes(pool)) {
    // Without a word a node is zone-aware as soon as it knows where the callers are.
    auto* zones = cluster->mutable_common_lb_config()->mutable_zone_aware_lb_config();
    zones->mutable_routing_enabled()->set_value(pool.zone_aware() ? kAllRequests : 0);
    if (pool.zone_aware()) zones->mutable_min_cluster_size()->set_value(1);
  }
  if (!pool.has_subsets()) return;
  auto* out = cluster->mutable_lb_subset_config();
  for (const v1::Subsets::Selector& selector : pool.subsets().by()) {
    *out->add_subset_selectors()->mutable_keys() = selector.labels();
  }
  switch (pool.subsets().fallback()) {
    case v1::Subsets::FALLBACK_NONE:
      return out->set_fallback_policy(Cluster::LbSubsetConfig::NO_FALLBACK);
    case v1::Subsets::FALLBACK_DEFAULT:
      setLabels(pool.subsets().default_labels(), out->mutable_default_subset());
      return out->set_fallback_policy(Cluster::LbSubsetConfig::DEFAULT_SUBSET);
    default:
      return out->set_fallback_policy(Cluster::LbSubsetConfig::ANY_ENDPOINT);
  }
}

void compileSubset(const v1::Route& route, envoy::config::route::v3::RouteAction* action) {
  if (route.subset().empty()) return;
  auto* metadata = action->mutable_metadata_match()->mutable_filter_metadata();
  setLabels(route.subset(), &(*metadata)[kLabels]);
}

Localities::Localities(const std::vector<std::shared_ptr<const v1::Backend>>& backends,
                       ClusterLoadAssignment* assignment)
    : priorities_(prioritiesOf(backends)), assignment_(assignment) {
  const bool backups = std::any_of(backends.begin(), backends.end(),
                                   [](const auto& backend) { return backend->backup(); });
  if (!backups) return;
  assignment->mutable_policy()->mutable_overprovisioning_factor()->set_value(
      kBackupOverprovisioning);
}

uint32_t Localities::priorityOf(const v1::Backend& backend) const {
  const auto at = std::lower_bound(priorities_.begin(), priorities_.end(), preferenceOf(backend));
  return static_cast<uint32_t>(at - priorities_.begin());
}

LocalityLbEndpoints* Localities::of(const v1::Backend& backend) {
  const uint32_t priority = priorityOf(backend);
  const auto [known, added] = known_.try_emplace({priority, backend.zone()}, nullptr);
  if (!added) return known->second;
  LocalityLbEndpoints* locality = known->second = assignment_->add_endpoints();
  locality->set_priority(priority);
  if (!backend.zone().empty()) locality->mutable_locality()->set_zone(backend.zone());
  return locality;
}

void compileLabels(const v1::Backend& backend, envoy::config::endpoint::v3::LbEndpoint* endpoint) {
  if (backend.labels().empty()) return;
  auto* metadata = endpoint->mutable_metadata()->mutable_filter_metadata();
  setLabels(backend.labels(), &(*metadata)[kLabels]);
}

}  // namespace convoy::controlplane::compile
