#include "proxy/upstream/cluster_limits.h"

#include <algorithm>
#include <optional>
#include <ranges>
#include <utility>

namespace convoy::upstream {

namespace {

bool anyLimit(const AssignmentSpec& hosts) {
  return std::any_of(
      hosts.localities.begin(), hosts.localities.end(), [](const LocalitySpec& locality) {
        return std::any_of(
            locality.endpoints.begin(), locality.endpoints.end(),
            [](const EndpointSpec& endpoint) { return endpoint.max_connections.has_value(); });
      });
}

}  // namespace

ClusterLimits::ClusterLimits(event::Loop& main, std::function<void()> on_ended)
    : main_(main), on_ended_(std::move(on_ended)), timer_(main, [this] { onTimer(); }) {}

void ClusterLimits::configure(const ClusterSpec& spec, const HostGroups& serving) {
  other_rules_ = true;
  slow_start_.configure(spec.balancing.slow_start, serving, main_.now());
  arm();
}

bool ClusterLimits::update(const ClusterSpec& spec, const AssignmentSpec& hosts,
                           const Membership& membership, bool same_hosts) {
  if (std::exchange(other_rules_, false) || !same_hosts) limitConnections(spec, hosts, membership);
  slow_start_.setHosts(*membership.hosts(), main_.now());
  arm();
  return std::exchange(was_limited_, limited()) != limited();
}

void ClusterLimits::limitConnections(const ClusterSpec& spec, const AssignmentSpec& hosts,
                                     const Membership& membership) {
  const std::optional<uint32_t>& of_each = spec.max_connections_per_host;
  const bool limits = of_each.has_value() || anyLimit(hosts);
  if (!std::exchange(limits_connections_, limits) && !limits) return;
  // Backwards: an address that occurs more than once counts where it occurs first.
  for (const LocalitySpec& locality : std::views::reverse(hosts.localities)) {
    for (const EndpointSpec& endpoint : std::views::reverse(locality.endpoints)) {
      const Host* const host = membership.find(endpoint.address);
      if (host == nullptr) continue;
      const uint32_t most = std::min(endpoint.max_connections.value_or(HostLimits::kNone),
                                     of_each.value_or(HostLimits::kNone));
      host->limits().setMostConnections(most);
    }
  }
}

void ClusterLimits::end() {
  timer_.cancel();
}

void ClusterLimits::arm() {
  if (!slow_start_.active()) return timer_.cancel();
  if (!timer_.armed()) timer_.armAfter(slow_start_.period());
}

void ClusterLimits::onTimer() {
  slow_start_.step(main_.now());
  arm();
  if (!slow_start_.active()) on_ended_();
}

}  // namespace convoy::upstream
