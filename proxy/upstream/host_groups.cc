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
  std::vector<uint64_t> weights;
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

HostGroups::HostGroups(Parts parts, const HostGroups* before) : parts_(std::move(parts)) {
  CONVOY_ASSERT(!parts_.groups.empty());
  if (!single()) noteGroups(before);
}

HostGroups::HostGroups(std::shared_ptr<const HostSet> hosts, std::vector<Host*> spares)
    : HostGroups(onlyGroup(std::move(hosts), std::move(spares))) {}

HostGroups::HostGroups() : HostGroups(std::make_shared<const HostSet>(HostPieces{})) {}

// Of groups that were there before, what is new.
void HostGroups::noteGroups(const HostGroups* before) {
  absl::flat_hash_map<uint64_t, const HostSet*> known;
  if (before != nullptr && !before->single()) {
    groups_of_ = before->groups_of_;
    for (const HostGroup& group : before->groups()) known[group.id] = group.hosts.get();
  }
  GroupIndex::Changes changes;
  for (uint32_t i = 0; i < parts_.groups.size(); ++i) {
    const HostGroup& group = parts_.groups[i];
    by_id_[group.id] = i;
    const auto was = known.find(group.id);
    changes.note(group.id, was == known.end() ? nullptr : was->second, group.hosts.get());
    if (was != known.end()) known.erase(was);
  }
  for (const auto& [id, hosts] : known) changes.note(id, hosts, nullptr);
  groups_of_.apply(std::move(changes));
}

absl::InlinedVector<uint32_t, 8> HostGroups::groupsOf(const Host& host) const {
  absl::InlinedVector<uint32_t, 8> groups;
  for (const uint64_t id : groups_of_.groupsOf(host.slot())) groups.push_back(by_id_.at(id));
  std::ranges::sort(groups);
  return groups;
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

bool HostGroups::hasUntried(std::span<const Host* const> tried,
                            const base::SubsetKey* wanted) const {
  const GroupSelection* const selection = select(wanted).selection;
  if (selection == nullptr) return false;
  return std::ranges::any_of(selection->groups(),
                             [&](uint32_t group) { return !allTried(group, tried); });
}

bool HostGroups::allTried(uint32_t group, std::span<const Host* const> tried) const {
  const auto entries = parts_.groups[group].hosts->entries();
  if (entries.size() > tried.size()) return false;
  return std::ranges::all_of(entries, [&tried](const HostSet::Entry& entry) {
    return std::ranges::find(tried, entry.host) != tried.end();
  });
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
