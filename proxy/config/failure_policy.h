#pragma once

// envoy.config.cluster.v3.OutlierDetection, and what convoy.ext.FailurePolicy of the cluster's
// metadata adds to it, to upstream specs.

#include <memory>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/upstream/outlier/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

void setFailurePolicy(const envoy::config::cluster::v3::Cluster& proto, upstream::ClusterSpec* spec,
                      base::FieldReport& report);

}  // namespace convoy::config
