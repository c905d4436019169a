#pragma once

// What single hosts of a cluster may have, and how they come and go: circuit_breakers, Envoy's
// slow_start_config, convoy.ext.HostPolicy and convoy.ext.EndpointPolicy.

#include "envoy/config/cluster/v3/circuit_breaker.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/extensions/load_balancing_policies/common/v3/common.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

// The report's scope is circuit_breakers.
void setBreakers(const envoy::config::cluster::v3::CircuitBreakers& proto,
                 upstream::ClusterSpec* spec, base::FieldReport& report);

// Both forms of Envoy's; the report's scope has the field slow_start_config.
void setSlowStart(const envoy::config::cluster::v3::Cluster::SlowStartConfig& proto,
                  upstream::BalancingSpec* spec, base::FieldReport& report);
void setSlowStart(
    const envoy::extensions::load_balancing_policies::common::v3::SlowStartConfig& proto,
    upstream::BalancingSpec* spec, base::FieldReport& report);

// What the cluster's metadata says; after its load-balancing policy.
void setHostPolicy(const envoy::config::cluster::v3::Cluster& proto, upstream::ClusterSpec* spec,
                   base::FieldReport& report);

// What the endpoint's metadata says; the report's scope has the field metadata.
void setEndpointPolicy(const envoy::config::core::v3::Metadata& metadata,
                       upstream::EndpointSpec* spec, base::FieldReport& report);

}  // namespace convoy::config
