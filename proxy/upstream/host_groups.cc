#include "proxy/upstream/host_groups.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/strings.h"
#include "proxy/base/xxhash.h"

namespace convoy::upstream {

namespace {

// So that the choice of a group says nothing about the choice in it.
constexpr uint64_t kGroupSeed = 0x9e3779b97f4a7c15;

HostGroups::Parts onlyGroup(std::shared_ptr<const HostSet> hosts, std::vector<Host*> spares) {
  HostGroups::Parts parts;
  parts.groups.push_back({.key = "0", .hosts = std::move(hosts)});
  parts.whole = GroupSelection({0}, {1});
  parts.spares = std::move(spares);
  return parts;
}

}  // namespace

GroupSelection::GroupSelection(const std::vector<uint32_t>& groups,
                               const std::vector<uint32_t>& shares) {
  CONVOY_ASSERT(groups.size() == shares.size());
  std::vector<uint32_t> weights;
  uint64_t sum = 0;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (shares[i] == 0) continue;
    groups_.push_back(groups[i]);
    weights.push_back(shares[i]);
    cumulative_.push_back(sum += shares[i]);
  }
  if (weights.size() > 1) shares_ = AliasTable(weights);
  for (size_t i = 0; i < groups.size(); ++i) {
    if (shares[i] == 0) groups_.push_back(groups[i]);
  }
}

size_t GroupSelection::choose(event::Random& random, std::optional<uint64_t> hash) const {
  if (shares_.empty()) return 0;
  if (!hash.has_value()) {
    return shares_.at(random.below(shares_.size()), random.below(shares_.total()));
  }
  __extension__ using Wide = unsigned __int128;
  const auto place =
      static_cast<uint64_t>(Wide{base::mixBits(*hash ^ kGroupSeed)} * totalShares() >> 64);
  const auto at = std::upper_bound(cumulative_.begin(), cumulative_.end(), place);
  return static_cast<size_t>(at - cumulative_.begin());
}

HostGroups::HostGroups(Parts parts) : parts_(std::move(parts)) {
  CONVOY_ASSERT(!parts_.groups.empty());
  if (!single()) noteGroups();
}

HostGroups::HostGroups(std::shared_ptr<const HostSet> hosts, std::vector<Host*> spares)
    : HostGroups(onlyGroup(std::move(hosts), std::move(spares))) {}

HostGroups::HostGroups()
    : HostGroups(std::make_shared<const HostSet>(std::vector<HostSet::Entry>{})) {}

// Counted first, then filled: two passes over all entries, no allocation for each host.
void HostGroups::noteGroups() {
  const auto forEach = [this](auto&& visit) {
    for (uint32_t i = 0; i < parts_.groups.size(); ++i) {
      for (const HostSet::Entry& entry : parts_.groups[i].hosts->entries()) {
        visit(entry.slot, i);
      }
    }
  };
  uint32_t slots = 0;
  forEach([&](uint32_t slot, uint32_t) { slots = std::max(slots, slot + 1); });
  first_of_.assign(slots + 1, 0);
  forEach([this](uint32_t slot, uint32_t) { ++first_of_[slot + 1]; });
  for (size_t i = 1; i < first_of_.size(); ++i) first_of_[i] += first_of_[i - 1];
  groups_of_.resize(first_of_.back());
  std::vector<uint32_t> next(first_of_.begin(), first_of_.end() - 1);
  forEach([&](uint32_t slot, uint32_t group) { groups_of_[next[slot]++] = group; });
}

std::span<const uint32_t> HostGroups::groupsOf(const Host& host) const {
  const size_t slot = host.slot();
  if (slot + 1 >= first_of_.size()) return {};
  return std::span(groups_of_).subspan(first_of_[slot], first_of_[slot + 1] - first_of_[slot]);
}

HostGroups::Found HostGroups::select(const base::SubsetKey* wanted) const {
  if (parts_.subsets == nullptr) return {&parts_.whole};
  const SubsetTable& table = *parts_.subsets;
  SubsetFallback fallback = table.fallback;
  if (wanted != nullptr && !wanted->empty()) {
    const auto found = table.by_pairs.find(wanted->pairs);
    if (found != table.by_pairs.end()) return {&found->second};
    const auto own = table.fallbacks.find(wanted->keys);
    if (own != table.fallbacks.end()) fallback = own->second;
  }
  switch (fallback) {
    case SubsetFallback::Any:
      return {&parts_.whole, true};
    case SubsetFallback::Default:
      return {&table.default_subset, true};
    case SubsetFallback::None:
      break;
  }
  return {nullptr, true};
}

size_t HostGroups::hostCount(const base::SubsetKey* wanted) const {
  const GroupSelection* const selection = select(wanted).selection;
  size_t count = 0;
  if (selection == nullptr) return count;
  for (const uint32_t group : selection->groups()) count += parts_.groups[group].hosts->size();
  return count;
}

Host* HostGroups::find(std::string_view address) const {
  std::call_once(indexed_, [this] { buildIndex(); });
  const auto found = index_.find(base::toAbsl(address));
  return found == index_.end() ? nullptr : found->second;
}

void HostGroups::buildIndex() const {
  index_.reserve(hostCount(nullptr) + parts_.spares.size());
  for (const HostGroup& group : parts_.groups) {
    for (const HostSet::Entry& entry : group.hosts->entries()) {
      index_.emplace(base::toAbsl(entry.host->addressText()), entry.host);
    }
  }
  for (Host* host : parts_.spares) index_.emplace(base::toAbsl(host->addressText()), host);
}

}  // namespace convoy::upstream
