#pragma once

// Who a client is, from the Node message of its requests.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/convoy/ext/node_report.pb.h"
#include "controlplane/model/selector.h"
#include "envoy/config/core/v3/base.pb.h"

namespace convoy::controlplane::push {

struct NodeIdentity {
  std::string id;
  std::string cluster;
  // node.metadata.labels: entries that are strings.
  model::Labels labels;
  std::string user_agent;  // "name/version"
};

// Error: InvalidArgument if there is no id.
absl::StatusOr<NodeIdentity> identityOf(const envoy::config::core::v3::Node& node);

// node.metadata["convoy.ext.NodeReport"], if it is there and can be read. Fields that this version
// does not know are left out.
std::optional<ext::NodeReport> reportOf(const envoy::config::core::v3::Node& node);

}  // namespace convoy::controlplane::push
