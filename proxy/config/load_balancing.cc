#include "proxy/config/load_balancing.h"

#include <cmath>
#include <string>

#include "proxy/config/grouping.h"
#include "proxy/config/host_policy.h"
#include "proxy/config/registry.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::cluster::v3::LoadBalancingPolicy;
using upstream::Algorithm;
using upstream::BalancingSpec;
using upstream::LocalityRule;
namespace policies = envoy::extensions::load_balancing_policies;
using policies::wrr_locality::v3::WrrLocality;

constexpr uint32_t kPointsPerWeight = 150;
constexpr uint32_t kMostPointsPerWeight = 1000;
constexpr uint32_t kRingSize = 1'048'576;  // 20 MB
constexpr uint32_t kMostRingSize = 8'388'608;
constexpr uint32_t kLeastBalanceFactor = 100;

void setBias(double bias, BalancingSpec* spec, base::FieldReport& report) {
  if (!std::isfinite(bias) || bias < 0) {
    report.error("active_request_bias", "range", std::to_string(bias), "must be 0 or more");
    return;
  }
  spec->active_request_bias = bias;
}

// Of typed policies that have the field.
template <class Proto>
void setLocalityRule(const Proto& proto, BalancingSpec* spec) {
  if (proto.has_locality_lb_config()) spec->localities = toLocalityRule(proto.locality_lb_config());
}

// The same of policies by hash, which know the weighted kind only.
template <class Proto>
void setLocalityWeights(const Proto& proto, BalancingSpec* spec) {
  if (!proto.has_locality_weighted_lb_config()) return;
  spec->localities = LocalityRule{.localities = LocalityRule::Localities::Weighted};
}

// Of both forms of a least-request configuration.
template <class Proto>
void setLeastRequest(const Proto& proto, BalancingSpec* spec, base::FieldReport& report) {
  spec->algorithm = Algorithm::LeastRequest;
  if (proto.has_choice_count()) spec->choices = proto.choice_count().value();
  if (proto.has_active_request_bias()) {
    setBias(proto.active_request_bias().default_value(), spec, report);
  }
  if (proto.has_slow_start_config()) setSlowStart(proto.slow_start_config(), spec, report);
}

template <class Proto>
void setRingSizes(const Proto& proto, BalancingSpec* spec, base::FieldReport& report) {
  if (proto.has_minimum_ring_size()) spec->ring_min_size = proto.minimum_ring_size().value();
  if (proto.has_maximum_ring_size()) spec->ring_max_size = proto.maximum_ring_size().value();
  if (spec->ring_min_size == 0) {
    report.error("minimum_ring_size", "range", "0", "must be 1 or more");
  }
  if (spec->ring_min_size > spec->ring_max_size) {
    report.error("maximum_ring_size", "range", std::to_string(spec->ring_max_size),
                 "must not be less than minimum_ring_size, " + std::to_string(spec->ring_min_size));
  }
}

bool isPrime(uint64_t number) {
  for (uint64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return number >= 2;
}

template <class Proto>
void setTableSize(const Proto& proto, BalancingSpec* spec, base::FieldReport& report) {
  spec->algorithm = Algorithm::Maglev;
  if (!proto.has_table_size()) return;
  const uint64_t size = proto.table_size().value();
  if (!isPrime(size)) {
    report.error("table_size", "range", std::to_string(size),
                 "must be a prime, such as 65537 (the default) or 655373");
    return;
  }
  spec->maglev_table_size = static_cast<uint32_t>(size);
}

void setByEnum(const Cluster& proto, BalancingSpec* spec, base::FieldReport& report) {
  switch (proto.lb_policy()) {
    case Cluster::ROUND_ROBIN: {
      auto at = report.in("round_robin_lb_config");
      const auto& config = proto.round_robin_lb_config();
      if (config.has_slow_start_config()) setSlowStart(config.slow_start_config(), spec, report);
      return;
    }
    case Cluster::LEAST_REQUEST: {
      auto at = report.in("least_request_lb_config");
      return setLeastRequest(proto.least_request_lb_config(), spec, report);
    }
    case Cluster::RANDOM:
      spec->algorithm = Algorithm::Random;
      return;
    case Cluster::RING_HASH: {
      auto at = report.in("ring_hash_lb_config");
      spec->algorithm = Algorithm::RingHash;
      if (proto.ring_hash_lb_config().hash_function() == Cluster::RingHashLbConfig::MURMUR_HASH_2) {
        spec->ring_hash = BalancingSpec::HashFunction::Murmur2;
      }
      return setRingSizes(proto.ring_hash_lb_config(), spec, report);
    }
    case Cluster::MAGLEV: {
      auto at = report.in("maglev_lb_config");
      return setTableSize(proto.maglev_lb_config(), spec, report);
    }
    case Cluster::LOAD_BALANCING_POLICY_CONFIG:
      report.error("load_balancing_policy", "required", "",
                   "lb_policy LOAD_BALANCING_POLICY_CONFIG needs it");
      return;
    default:
      report.error("lb_policy", "unsupported_value", Cluster::LbPolicy_Name(proto.lb_policy()),
                   "write ROUND_ROBIN, LEAST_REQUEST, RANDOM, RING_HASH or MAGLEV");
  }
}

// The first policy of the list that this build has, as Envoy does. The report's scope is the list's
// field. nested: within wrr_locality, which may not be one of them.
void setByPolicy(const LoadBalancingPolicy& policy, bool nested, const Context& context,
                 BalancingSpec* spec, base::FieldReport& report) {
  for (int i = 0; i < policy.policies_size(); ++i) {
    const auto& typed_config = policy.policies(i).typed_extension_config().typed_config();
    const google::protobuf::Any any = openTypedStruct(typed_config).value_or(typed_config);
    auto in = report.in("policies", static_cast<size_t>(i));
    const std::string_view type = typeName(any);
    if (context.registry->load_balancers.find(type) == nullptr) continue;
    auto config = report.in("typed_extension_config.typed_config");
    if (nested && type == WrrLocality::descriptor()->full_name()) {
      report.error("", "conflict", type, "must be a policy that picks endpoints");
      return;
    }
    const auto made = context.registry->load_balancers.make(any, context, report);
    if (made.has_value()) *spec = *made;
    return;
  }
  std::string value;
  if (policy.policies_size() != 0) {
    value = typeName(policy.policies(0).typed_extension_config().typed_config());
  }
  report.error("policies", "unsupported_extension", value,
               "this build has none of these load-balancing policies; it has: " +
                   context.registry->load_balancers.kinds());
}

// Settings of another policy than the one in force.
void noteUnused(const Cluster& proto, const BalancingSpec& spec, base::FieldReport& report) {
  const bool by_list = proto.has_load_balancing_policy();
  const auto note = [by_list, &report](bool set, bool used, std::string_view field) {
    if (!set || (used && !by_list)) return;
    report.note(field, by_list ? "load_balancing_policy is set, and has settings of its own"
                               : "the cluster has another lb_policy");
  };
  note(proto.has_round_robin_lb_config(), proto.lb_policy() == Cluster::ROUND_ROBIN,
       "round_robin_lb_config");
  note(proto.has_least_request_lb_config(), proto.lb_policy() == Cluster::LEAST_REQUEST,
       "least_request_lb_config");
  note(proto.has_ring_hash_lb_config(), proto.lb_policy() == Cluster::RING_HASH,
       "ring_hash_lb_config");
  note(proto.has_maglev_lb_config(), proto.lb_policy() == Cluster::MAGLEV, "maglev_lb_config");
  auto at = report.in("common_lb_config");
  note(proto.common_lb_config().has_consistent_hashing_lb_config(),
       upstream::picksByHash(spec.algorithm), "consistent_hashing_lb_config");
}

template <class Proto>
Balancing withMemory(Algorithm algorithm, const Proto& proto, base::FieldReport& report) {
  BalancingSpec spec{.algorithm = algorithm};
  if (!proto.has_memory()) return spec;
  spec.memory = toMilliseconds(proto.memory(), "memory", report);
  if (spec.memory.count() < 1 || spec.memory > std::chrono::hours(1)) {
    report.error("memory", "range", std::to_string(spec.memory.count()) + " ms",
                 "must be from 1 ms to 1 h");
  }
  return spec;
}

}  // namespace

upstream::BalancingSpec toBalancing(const Cluster& proto, const Context& context,
                                    base::FieldReport& report) {
  BalancingSpec spec;
  if (proto.has_load_balancing_policy()) {
    auto at = report.in("load_balancing_policy");
    setByPolicy(proto.load_balancing_policy(), /*nested=*/false, context, &spec, report);
  } else {
    setByEnum(proto, &spec, report);
    if (upstream::picksByHash(spec.algorithm)) {
      // 0: unset.
      spec.hash_balance_percent =
          proto.common_lb_config().consistent_hashing_lb_config().hash_balance_factor().value();
    }
  }
  noteUnused(proto, spec, report);
  return spec;
}

Balancing makeRoundRobin(const policies::round_robin::v3::RoundRobin& proto, const Context&,
                         base::FieldReport& report) {
  BalancingSpec spec;
  if (proto.has_slow_start_config()) setSlowStart(proto.slow_start_config(), &spec, report);
  setLocalityRule(proto, &spec);
  return spec;
}

Balancing makeLeastRequest(const policies::least_request::v3::LeastRequest& proto, const Context&,
                           base::FieldReport& report) {
  BalancingSpec spec;
  setLeastRequest(proto, &spec, report);
  if (proto.selection_method() == policies::least_request::v3::LeastRequest::FULL_SCAN) {
    spec.choices = 0;
  }
  setLocalityRule(proto, &spec);
  return spec;
}

Balancing makeRandom(const policies::random::v3::Random& proto, const Context&,
                     base::FieldReport&) {
  BalancingSpec spec{.algorithm = Algorithm::Random};
  setLocalityRule(proto, &spec);
  return spec;
}

Balancing makeWrrLocality(const WrrLocality& proto, const Context& context,
                          base::FieldReport& report) {
  BalancingSpec spec;
  auto at = report.in("endpoint_picking_policy");
  setByPolicy(proto.endpoint_picking_policy(), /*nested=*/true, context, &spec, report);
  spec.localities = LocalityRule{.localities = LocalityRule::Localities::Weighted};
  return spec;
}

Balancing makeRingHash(const policies::ring_hash::v3::RingHash& proto, const Context&,
                       base::FieldReport& report) {
  BalancingSpec spec{.algorithm = Algorithm::RingHash};
  if (proto.hash_function() == policies::ring_hash::v3::RingHash::MURMUR_HASH_2) {
    spec.ring_hash = BalancingSpec::HashFunction::Murmur2;
  }
  setRingSizes(proto, &spec, report);
  spec.hash_balance_percent = proto.hash_balance_factor().value();
  if (proto.has_consistent_hashing_lb_config()) {
    spec.hash_balance_percent = proto.consistent_hashing_lb_config().hash_balance_factor().value();
  }
  setLocalityWeights(proto, &spec);
  return spec;
}

Balancing makeMaglev(const policies::maglev::v3::Maglev& proto, const Context&,
                     base::FieldReport& report) {
  BalancingSpec spec;
  setTableSize(proto, &spec, report);
  spec.hash_balance_percent = proto.consistent_hashing_lb_config().hash_balance_factor().value();
  setLocalityWeights(proto, &spec);
  return spec;
}

Balancing makeLeastResponseTime(const ext::LeastResponseTime& proto, const Context&,
                                base::FieldReport& report) {
  return withMemory(Algorithm::LeastResponseTime, proto, report);
}

Balancing makePeakEwma(const ext::PeakEwma& proto, const Context&, base::FieldReport& report) {
  return withMemory(Algorithm::PeakEwma, proto, report);
}

Balancing makeAdaptiveScore(const ext::AdaptiveScore& proto, const Context&,
                            base::FieldReport& report) {
  return withMemory(Algorithm::AdaptiveScore, proto, report);
}

Balancing makeConsistentHash(const ext::ConsistentHash& proto, const Context&,
                             base::FieldReport& report) {
  const auto limited = [&report](uint32_t value, uint32_t most, std::string_view field) {
    if (value <= most) return value;
    report.error(field, "range", std::to_string(value),
                 "must be from 1 to " + std::to_string(most) + ", or 0 for the default");
    return most;
  };
  const uint32_t points =
      limited(proto.points_per_weight(), kMostPointsPerWeight, "points_per_weight");
  const uint32_t size = limited(proto.maximum_ring_size(), kMostRingSize, "maximum_ring_size");
  const uint32_t balance = proto.hash_balance_factor();
  if (balance != 0 && balance < kLeastBalanceFactor) {
    report.error("hash_balance_factor", "range", std::to_string(balance),
                 "must be 100 or more, or 0 for no bound");
  }
  return BalancingSpec{.algorithm = Algorithm::RingHash,
                       .ring_max_size = size == 0 ? kRingSize : size,
                       .ring_points_per_weight = points == 0 ? kPointsPerWeight : points,
                       .hash_balance_percent = balance};
}

}  // namespace convoy::config
