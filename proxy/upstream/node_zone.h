#pragma once

// Where this node is, and where the other callers of its clusters are: the healthy hosts of the
// cluster that it is part of itself, if the bootstrap names one (Envoy's local_cluster_name). For
// clusters that are zone-aware (zone_aware.h). Main's thread only.

#include <optional>
#include <string>

#include "proxy/upstream/grouping.h"
#include "proxy/upstream/membership.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class NodeZone {
 public:
  // local_cluster: empty: none is named.
  void set(LocalityName locality, std::string local_cluster);
  // Good up to the next call of note() or forget().
  Grouping grouping(const GroupingSpec& spec) const;

  // The hosts of a cluster were put together. In panic nobody knows which of them are there.
  void note(const std::string& cluster, const AssignmentSpec& hosts,
            const Membership::Counts& counts, bool panic);
  void forget(const std::string& cluster);
  // Whether the callers are elsewhere than at the last call.
  bool takeChanged();
  // Whether the groups of this cluster depend on where the callers are.
  bool concerns(const ClusterSpec& spec) const;

 private:
  void setCallers(std::optional<CallersByLocality> callers);

  LocalityName own_;
  std::string local_cluster_;
  std::optional<CallersByLocality> callers_;  // unset: unknown
  bool changed_ = false;
};

}  // namespace convoy::upstream
