#include "proxy/upstream/algorithms/round_robin.h"

namespace convoy::upstream::algorithms {

void RoundRobin::setHosts(const HostSet& hosts) {
  hosts_ = &hosts;
  cycle_ = hosts.smoothOrder().empty() ? hosts.size() : hosts.smoothOrder().size();
  if (cycle_ == 0) return;
  if (!started_) position_ = worker_ * cycle_ / workers_;
  started_ = true;
  position_ %= cycle_;
  if (!hosts.weightClasses().empty()) deadlines_.setHosts(hosts, position_);
}

Host* RoundRobin::next() {
  if (!hosts_->weightClasses().empty()) return deadlines_.next().host;
  const size_t at = position_;
  if (++position_ == cycle_) position_ = 0;
  return hosts_->at(hosts_->smoothOrder().empty() ? at : hosts_->smoothOrder()[at]).host;
}

Pick RoundRobin::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  Host* host = next();
  if (!context.tried.empty() && context.triedAlready(host)) {
    // One more cycle brings every host of these orders; of deadlines, a bounded look is enough, and
    // then the first untried one in configured order.
    for (size_t i = 1; i < cycle_ && context.triedAlready(host); ++i) {
      host = next();
    }
    if (context.triedAlready(host)) host = context.firstUntried(*hosts_, host);
  }
  return {.kind = Pick::Kind::Host, .host = host};
}

}  // namespace convoy::upstream::algorithms
