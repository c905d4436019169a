#pragma once

// What Convoy adds to Envoy's Cluster: messages of convoy.ext in the cluster's typed metadata, each
// under its own name, so that xDS clients that do not know them leave them alone.

#include <string>
#include <string_view>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "proxy/base/field_report.h"

namespace convoy::config {

// An empty one if there is none. What cannot be read is an error.
template <class Policy>
Policy clusterPolicy(const envoy::config::cluster::v3::Cluster& proto, base::FieldReport& report) {
  Policy policy;
  const std::string& name = Policy::descriptor()->full_name();
  const auto& metadata = proto.metadata().typed_filter_metadata();
  const auto found = metadata.find(name);
  if (found == metadata.end() || found->second.UnpackTo(&policy)) return policy;
  auto at = report.in("metadata");
  auto in = report.in("typed_filter_metadata", std::string_view(name));
  report.error("malformed", found->second.type_url(), "must be a " + name);
  return policy;
}

}  // namespace convoy::config
