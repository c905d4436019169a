#pragma once

// What ClusterManager does about failing hosts of one cluster: has a Guard (outlier/guard.h) as
// long as the cluster's spec asks for one, shows it what our own checks say and who there is
// whenever the host set is put together, and tells people when too few hosts can be used. Main's
// thread only.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/cluster_metrics.h"
#include "proxy/upstream/health_monitor.h"
#include "proxy/upstream/membership.h"
#include "proxy/upstream/outlier/guard.h"
#include "proxy/upstream/publication.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class ClusterGuard {
 public:
  using Checked = std::function<CheckedHost(const EndpointSpec& endpoint)>;

  // metrics: main's of the cluster, part of `shared`. on_changed: another set is due, because of
  // news of these hosts; called at the end of an iteration of the loop.
  // The loop and the registry outlive this object.
  ClusterGuard(event::Loop& main, observe::MetricRegistry& registry,
               std::shared_ptr<ClusterShared> shared, ClusterMetrics& metrics,
               Guard::OnChanged on_changed);

  // The rules from now on. True: the host set has to be put together anew.
  bool configure(const ClusterSpec& spec);
  // Nobody is watched any more. What main's loop knows of this object ends here, since a worker may
  // destroy it.
  void end() {
    guard_.reset();
    changed_.unlink();
    changed_hosts_.clear();
    any_changed_ = false;
  }

  // Puts the host set together. checked: what our own checks say.
  Membership::Change update(Membership& membership, const AssignmentSpec& hosts,
                            const Checked& checked, const Grouping& grouping = {});
  // Likewise, when `hosts` are the same as at the last update(). of: as of Membership::refresh().
  Membership::Change refresh(Membership& membership, const AssignmentSpec& hosts,
                             const Checked& checked, const Grouping& grouping = {},
                             const std::vector<net::Address>* of = nullptr);

  // Null: nothing is done about failing hosts.
  Guard* guard() const { return guard_.get(); }
  bool inPanic() const { return panic_; }
  std::vector<std::shared_ptr<const Host>> halfOpen() const;
  EjectionView view(const net::Address& host) const;

 private:
  void onNews(const std::vector<net::Address>* of);
  static void tellChanged(void* self);
  void observe(const AssignmentSpec& hosts, const Checked& checked);
  Membership::ActiveHealthOf verdictsBy(const Checked& checked);
  void tell(const Membership& membership, const Membership::Change& change);
  void notePanic(const Membership::Counts& counts, bool panic);

  event::Loop& main_;
  observe::MetricRegistry& registry_;
  const std::shared_ptr<ClusterShared> shared_;
  ClusterMetrics& metrics_;
  const Guard::OnChanged on_changed_;
  std::string name_;
  PanicSpec panic_spec_;
  bool panic_ = false;
  // When many hosts break at once, each has news for main. What they come to is put together once
  // for all that there is.
  event::EndOfTurnTask changed_;
  // Of whom there is news; any_changed_: and maybe of others.
  std::vector<net::Address> changed_hosts_;
  bool any_changed_ = false;
  std::unique_ptr<Guard> guard_;
  bool told_ = false;  // the guard, of its rules' hosts
};

}  // namespace convoy::upstream
