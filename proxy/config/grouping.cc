#include "proxy/config/grouping.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using google::protobuf::Struct;
using google::protobuf::Value;
using upstream::GroupingSpec;
using upstream::SubsetFallback;
using upstream::SubsetSpec;
using Subsets = Cluster::LbSubsetConfig;
using Selector = Subsets::LbSubsetSelector;
using upstream::LocalityRule;
using Localities = LocalityRule::Localities;

constexpr char kLabels[] = "envoy.lb";

// 1, "1" and true are different values.
std::optional<std::string> textOf(const Value& value) {
  switch (value.kind_case()) {
    case Value::kStringValue:
      return "s" + value.string_value();
    case Value::kNumberValue:
      return absl::StrFormat("n%.17g", value.number_value());
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    default:
      return std::nullopt;
  }
}

// report: null: values of other kinds are left out.
base::SubsetLabels labelsOf(const Struct& fields, base::FieldReport* report) {
  base::SubsetLabels labels;
  for (const auto& [name, value] : fields.fields()) {
    const std::optional<std::string> text = textOf(value);
    if (text.has_value()) {
      labels[name] = *text;
    } else if (report != nullptr) {
      report->error(name, "unsupported_value", "",
                    "must be a text, a number or a boolean: subsets go by nothing else");
    }
  }
  return labels;
}

// Of both forms. The range of the percentage is a rule of its own type.
template <class Proto>
void setZoneAware(const Proto& proto, LocalityRule* rule) {
  rule->localities = Localities::ZoneAware;
  rule->zone_aware_asked = true;
  if (proto.has_routing_enabled()) rule->zone_percent = proto.routing_enabled().value();
  if (proto.has_min_cluster_size()) rule->zone_least_hosts = proto.min_cluster_size().value();
  rule->fail_on_panic = proto.fail_traffic_on_panic();
}

void setLocalities(const Cluster& proto, const upstream::BalancingSpec& balancing,
                   LocalityRule* spec, base::FieldReport& report) {
  const Cluster::CommonLbConfig& common = proto.common_lb_config();
  if (balancing.localities.has_value()) {
    *spec = *balancing.localities;
    auto at = report.in("common_lb_config");
    const char* const why = "load_balancing_policy says it";
    if (common.has_locality_weighted_lb_config()) report.note("locality_weighted_lb_config", why);
    if (common.has_zone_aware_lb_config()) report.note("zone_aware_lb_config", why);
    return;
  }
  if (common.has_locality_weighted_lb_config()) {
    spec->localities = Localities::Weighted;
    return;
  }
  if (upstream::picksByHash(balancing.algorithm)) {
    if (!common.has_zone_aware_lb_config()) return;
    auto at = report.in("common_lb_config");
    report.note("zone_aware_lb_config", "a policy by hash chooses among all zones, as in Envoy");
    return;
  }
  // Envoy's default, which matters where the bootstrap names a local cluster.
  spec->localities = Localities::ZoneAware;
  if (!common.has_zone_aware_lb_config()) return;
  setZoneAware(common.zone_aware_lb_config(), spec);
}

SubsetFallback toFallback(Selector::LbSubsetSelectorFallbackPolicy proto,
                          base::FieldReport& report) {
  switch (proto) {
    case Selector::ANY_ENDPOINT:
      return SubsetFallback::Any;
    case Selector::DEFAULT_SUBSET:
      return SubsetFallback::Default;
    case Selector::KEYS_SUBSET:
      report.error("fallback_policy", "unsupported_value", "KEYS_SUBSET",
                   "write NO_FALLBACK, ANY_ENDPOINT or DEFAULT_SUBSET");
      break;
    default:
      break;
  }
  return SubsetFallback::None;
}

SubsetSpec::Selector toSelector(const Selector& proto, base::FieldReport& report) {
  SubsetSpec::Selector selector;
  const std::set<std::string> names(proto.keys().begin(), proto.keys().end());
  if (names.empty()) report.error("keys", "required", "", "the names of labels are needed");
  selector.names.assign(names.begin(), names.end());
  selector.has_fallback = proto.fallback_policy() != Selector::NOT_DEFINED;
  selector.fallback = toFallback(proto.fallback_policy(), report);
  return selector;
}

SubsetFallback toFallback(Subsets::LbSubsetFallbackPolicy proto) {
  return proto == Subsets::ANY_ENDPOINT     ? SubsetFallback::Any
         : proto == Subsets::DEFAULT_SUBSET ? SubsetFallback::Default
                                            : SubsetFallback::None;
}

void setSubsets(const Subsets& proto, bool weighted, GroupingSpec* spec,
                base::FieldReport& report) {
  auto at = report.in("lb_subset_config");
  // As in Envoy: without selectors there are no subsets.
  if (proto.subset_selectors_size() == 0) {
    report.note("subset_selectors", "without them the cluster has no subsets");
    return;
  }
  if (proto.subset_selectors_size() > upstream::kMostSubsetSelectors) {
    report.error("subset_selectors", "range", std::to_string(proto.subset_selectors_size()),
                 "must be at most " + std::to_string(upstream::kMostSubsetSelectors));
    return;
  }
  if (weighted && !proto.locality_weight_aware()) {
    report.error("locality_weight_aware", "conflict", "false",
                 "must be true: the cluster's locality_weighted_lb_config holds in subsets too; or "
                 "remove that");
  }
  auto subsets = std::make_shared<SubsetSpec>();
  for (int i = 0; i < proto.subset_selectors_size(); ++i) {
    auto in = report.in("subset_selectors", static_cast<size_t>(i));
    SubsetSpec::Selector selector = toSelector(proto.subset_selectors(i), report);
    const bool seen =
        std::any_of(subsets->selectors.begin(), subsets->selectors.end(),
                    [&selector](const auto& earlier) { return earlier.names == selector.names; });
    if (seen) report.error("keys", "duplicate", "", "an earlier selector has these keys");
    subsets->selectors.push_back(std::move(selector));
  }
  subsets->fallback = toFallback(proto.fallback_policy());
  auto in = report.in("default_subset");
  subsets->default_labels = labelsOf(proto.default_subset(), &report);
  spec->subsets = std::move(subsets);
}

}  // namespace

LocalityRule toLocalityRule(
    const envoy::extensions::load_balancing_policies::common::v3::LocalityLbConfig& proto) {
  LocalityRule rule{.localities = Localities::Weighted};
  if (proto.has_zone_aware_lb_config()) setZoneAware(proto.zone_aware_lb_config(), &rule);
  return rule;
}

void setGrouping(const Cluster& proto, upstream::ClusterSpec* spec, base::FieldReport& report) {
  setLocalities(proto, spec->balancing, &spec->grouping, report);
  spec->balancing.localities.reset();
  if (!proto.has_lb_subset_config()) return;
  setSubsets(proto.lb_subset_config(), spec->grouping.localities == Localities::Weighted,
             &spec->grouping, report);
}

void setAssignmentPolicy(const envoy::config::endpoint::v3::ClusterLoadAssignment& proto,
                         upstream::AssignmentSpec* spec, base::FieldReport& report) {
  if (proto.endpoints_size() > upstream::kMostLocalities) {
    report.error("endpoints", "range", std::to_string(proto.endpoints_size()),
                 "a cluster has at most " + std::to_string(upstream::kMostLocalities) +
                     " localities, those of all priorities together");
  }
  spec->weighted_priority_health = proto.policy().weighted_priority_health();
  if (!proto.policy().has_overprovisioning_factor()) return;
  const uint32_t percent = proto.policy().overprovisioning_factor().value();
  if (percent == 0) {
    auto at = report.in("policy");
    report.error("overprovisioning_factor", "range", "0", "must be at least 1");
  }
  spec->overprovisioning_percent = std::clamp(percent, 1u, upstream::kMostOverprovisioning);
}

base::SubsetLabels subsetLabels(const envoy::config::core::v3::Metadata& metadata) {
  const auto found = metadata.filter_metadata().find(kLabels);
  if (found == metadata.filter_metadata().end()) return {};
  return labelsOf(found->second, nullptr);
}

base::SubsetLabels wantedLabels(const envoy::config::core::v3::Metadata& metadata,
                                base::FieldReport& report) {
  const auto found = metadata.filter_metadata().find(kLabels);
  if (found == metadata.filter_metadata().end()) return {};
  auto at = report.in("filter_metadata", std::string_view(kLabels));
  return labelsOf(found->second, &report);
}

}  // namespace convoy::config
