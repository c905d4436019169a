#include "proxy/upstream/group_balancer.h"

#include <utility>

#include "absl/container/flat_hash_map.h"

namespace convoy::upstream {

GroupBalancer::GroupBalancer(Make make, ClusterMetrics& metrics)
    : make_(std::move(make)), metrics_(metrics), next_(make_()) {}

GroupBalancer::~GroupBalancer() = default;

std::unique_ptr<LoadBalancer> GroupBalancer::take() {
  return next_ != nullptr ? std::move(next_) : make_();
}

GroupBalancer::Retired GroupBalancer::setGroups(const HostGroups& groups) {
  absl::flat_hash_map<uint64_t, std::unique_ptr<LoadBalancer>> before;
  for (size_t i = 0; i < ids_.size(); ++i) before[ids_[i]] = std::move(balancers_[i]);
  ids_.clear();
  balancers_.clear();
  for (const HostGroup& group : groups.groups()) {
    const auto known = before.find(group.id);
    ids_.push_back(group.id);
    if (known != before.end()) {
      balancers_.push_back(std::move(known->second));
      before.erase(known);
    } else {
      balancers_.push_back(take());
    }
    balancers_.back()->setHosts(*group.hosts);
  }
  groups_ = &groups;
  single_ = groups.single();
  Retired retired;
  for (auto& [id, balancer] : before) retired.push_back(std::move(balancer));
  return retired;
}

GroupBalancer::Retired GroupBalancer::makeBy(Make make) {
  make_ = std::move(make);
  next_ = make_();
  ids_.clear();
  single_ = false;
  return std::exchange(balancers_, {});
}

Pick GroupBalancer::pick(PickContext& context) {
  if (groups_ == nullptr) return {};
  const HostGroups::Found found = groups_->select(context.subset);
  if (groups_->parts().subsets != nullptr) {
    (found.fallback ? metrics_.lb_subsets_fallback : metrics_.lb_subsets_selected).add();
  }
  if (found.selection == nullptr || found.selection->withShares() == 0) return {};
  const auto groups = found.selection->groups();
  const size_t chosen = found.selection->choose(context.random, context.hash);
  if (context.tried.empty() || !groups_->allTried(groups[chosen], context.tried)) {
    return pickFrom(groups[chosen], context);
  }
  // Those with shares first, the reserve at the end.
  for (const uint32_t group : groups) {
    if (!groups_->allTried(group, context.tried)) return pickFrom(group, context);
  }
  return pickFrom(groups[chosen], context);
}

Pick GroupBalancer::pickFrom(uint32_t group, PickContext& context) {
  Pick pick = balancers_[group]->pick(context);
  pick.panic = groups_->groups()[group].panic;
  return pick;
}

Pick GroupBalancer::adopt(PickContext& context, Host& host) {
  const auto groups = groups_->groupsOf(host);
  if (groups.empty()) return balancers_[0]->adopt(context, host);
  Pick pick = balancers_[groups.front()]->adopt(context, host);
  pick.panic = groups_->groups()[groups.front()].panic;
  return pick;
}

bool GroupBalancer::wantsResults() const {
  return next_ != nullptr ? next_->wantsResults()
                          : !balancers_.empty() && balancers_[0]->wantsResults();
}

void GroupBalancer::onResult(const Host& host, const RequestResult& result) {
  for (const uint32_t group : groups_->groupsOf(host)) {
    balancers_[group]->onResult(host, result);
  }
}

}  // namespace convoy::upstream
