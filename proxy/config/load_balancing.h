#pragma once

// How a cluster chooses its hosts: lb_policy with its *_lb_config, or load_balancing_policy, of
// envoy.config.cluster.v3.Cluster, to upstream::BalancingSpec.

#include <optional>

#include "api/convoy/ext/load_balancing.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/maglev/v3/maglev.pb.h"
#include "envoy/extensions/load_balancing_policies/random/v3/random.pb.h"
#include "envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h"
#include "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h"
#include "envoy/extensions/load_balancing_policies/wrr_locality/v3/wrr_locality.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

upstream::BalancingSpec toBalancing(const envoy::config::cluster::v3::Cluster& proto,
                                    const Context& context, base::FieldReport& report);

// Factories, for the registry.
using Balancing = std::optional<upstream::BalancingSpec>;
Balancing makeRoundRobin(
    const envoy::extensions::load_balancing_policies::round_robin::v3::RoundRobin& proto,
    const Context& context, base::FieldReport& report);
Balancing makeLeastRequest(
    const envoy::extensions::load_balancing_policies::least_request::v3::LeastRequest& proto,
    const Context& context, base::FieldReport& report);
Balancing makeRandom(const envoy::extensions::load_balancing_policies::random::v3::Random& proto,
                     const Context& context, base::FieldReport& report);
Balancing makeRingHash(
    const envoy::extensions::load_balancing_policies::ring_hash::v3::RingHash& proto,
    const Context& context, base::FieldReport& report);
Balancing makeMaglev(const envoy::extensions::load_balancing_policies::maglev::v3::Maglev& proto,
                     const Context& context, base::FieldReport& report);
// Localities by their weights, and in them the policy that it names, which may not be another such.
Balancing makeWrrLocality(
    const envoy::extensions::load_balancing_policies::wrr_locality::v3::WrrLocality& proto,
    const Context& context, base::FieldReport& report);
Balancing makeLeastResponseTime(const ext::LeastResponseTime& proto, const Context& context,
                                base::FieldReport& report);
Balancing makePeakEwma(const ext::PeakEwma& proto, const Context& context,
                       base::FieldReport& report);
Balancing makeAdaptiveScore(const ext::AdaptiveScore& proto, const Context& context,
                            base::FieldReport& report);
Balancing makeConsistentHash(const ext::ConsistentHash& proto, const Context& context,
                             base::FieldReport& report);

}  // namespace convoy::config
