#pragma once

// The limits of a cluster's single hosts, on main: sets what each may have (host_limits.h) whenever
// the hosts are put together, and lets slow starts go on (slow_start.h). Main's thread only.

#include <functional>

#include "proxy/event/loop.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/membership.h"
#include "proxy/upstream/slow_start.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

class ClusterLimits {
 public:
  // on_ended: nobody is started slowly any more; called from a timer. The loop outlives this
  // object.
  ClusterLimits(event::Loop& main, std::function<void()> on_ended);

  // The rules from now on; `serving` have been there before.
  void configure(const ClusterSpec& spec, const HostGroups& serving);
  // After the host set was put together, and before workers have it. same_hosts: the assignment is
  // that of the last call. True: whether hosts are limited is another answer than before.
  bool update(const ClusterSpec& spec, const AssignmentSpec& hosts, const Membership& membership,
              bool same_hosts = false);
  // No timer is left.
  void end();

  // Whether some host may have less than the cluster: a pick has to look then.
  bool limited() const { return limits_connections_ || slow_start_.active(); }

 private:
  void limitConnections(const ClusterSpec& spec, const AssignmentSpec& hosts,
                        const Membership& membership);
  void onTimer();
  void arm();

  event::Loop& main_;
  const std::function<void()> on_ended_;
  bool limits_connections_ = false;
  bool was_limited_ = false;
  bool other_rules_ = false;  // since the last update()
  SlowStart slow_start_;
  event::Timer timer_;
};

}  // namespace convoy::upstream
