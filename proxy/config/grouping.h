#pragma once

// Where requests may go before an algorithm picks: common_lb_config's localities and
// lb_subset_config of envoy.config.cluster.v3.Cluster, locality_lb_config of its typed policies,
// the policy of an assignment, and the labels ("envoy.lb") of endpoints and routes that subsets go
// by.

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/extensions/load_balancing_policies/common/v3/common.pb.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/base/subset_key.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

// A typed policy's locality_lb_config.
upstream::LocalityRule toLocalityRule(
    const envoy::extensions::load_balancing_policies::common::v3::LocalityLbConfig& proto);

// REQUIRES: spec->balancing is set; what its policy says of localities goes from there to
// spec->grouping.
void setGrouping(const envoy::config::cluster::v3::Cluster& proto, upstream::ClusterSpec* spec,
                 base::FieldReport& report);

void setAssignmentPolicy(const envoy::config::endpoint::v3::ClusterLoadAssignment& proto,
                         upstream::AssignmentSpec* spec, base::FieldReport& report);

// Values that are texts, numbers or booleans; a host with another value is in no subset by it.
base::SubsetLabels subsetLabels(const envoy::config::core::v3::Metadata& metadata);
// The same of what asks for a subset, where another value is an error. The report's scope is the
// field that holds the metadata.
base::SubsetLabels wantedLabels(const envoy::config::core::v3::Metadata& metadata,
                                base::FieldReport& report);

}  // namespace convoy::config
