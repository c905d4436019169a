#pragma once

// The algorithms of one cluster on one worker: one instance for each group of the snapshot
// (host_groups.h), carried over by the group's id, so that a change of one group leaves what is
// known of the others alone. Picks for a cluster of several groups go through this: it chooses the
// group (by its share, or by the request's hash), and leaves it for another one if the request was
// tried on all of its hosts. A cluster with one group has entry(), that group's own policy, with
// nothing in between. Worker's thread only.

#include <functional>
#include <memory>
#include <vector>

#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream {

class GroupBalancer final : public LoadBalancer {
 public:
  using Make = std::function<std::unique_ptr<LoadBalancer>()>;
  using Retired = std::vector<std::unique_ptr<LoadBalancer>>;

  // The worker's metrics of the cluster outlive this object.
  GroupBalancer(Make make, ClusterMetrics& metrics);
  ~GroupBalancer() override;

  // The groups from now on; they outlive this object, up to the next call. Returns the policies of
  // groups that are gone: those who wait for their answers are told by their end, and pick again.
  [[nodiscard]] Retired setGroups(const HostGroups& groups);
  // What to pick from, up to the next setGroups().
  LoadBalancer& entry() { return single_ ? *balancers_[0] : static_cast<LoadBalancer&>(*this); }
  // Other policies from now on. Returns those before, see setGroups().
  [[nodiscard]] Retired makeBy(Make make);

  // Nothing: groups come by setGroups().
  void setHosts(const HostSet& /*hosts*/) override {}
  Pick pick(PickContext& context) override;
  Pick adopt(PickContext& context, Host& host) override;
  bool wantsResults() const override;
  void onResult(const Host& host, const RequestResult& result) override;

  // For tests: of the i-th group.
  LoadBalancer& balancer(size_t i) const { return *balancers_[i]; }

 private:
  std::unique_ptr<LoadBalancer> take();
  Pick pickFrom(uint32_t group, PickContext& context);

  Make make_;
  ClusterMetrics& metrics_;
  std::unique_ptr<LoadBalancer> next_;  // made ahead: it says what all of them want
  const HostGroups* groups_ = nullptr;
  bool single_ = false;
  std::vector<uint64_t> ids_;
  std::vector<std::unique_ptr<LoadBalancer>> balancers_;  // by index of the groups
};

}  // namespace convoy::upstream
