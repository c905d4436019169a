#include "proxy/upstream/group_index.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

std::vector<uint64_t> of(const GroupIndex& index, uint32_t slot) {
  const auto groups = index.groupsOf(slot);
  return {groups.begin(), groups.end()};
}

class GroupIndexTest : public testing::Test {
 protected:
  static constexpr size_t kHosts = 3000;

  // The set of those for which `has` is true.
  template <class Has>
  std::shared_ptr<const HostSet> setOf(Has&& has) const {
    std::vector<uint32_t> weights(kHosts);
    for (size_t i = 0; i < kHosts; ++i) weights[i] = has(i) ? 1 : 0;
    return hosts_.snapshot(weights);
  }

  const Hosts hosts_{std::vector<uint32_t>(kHosts, 1)};
};

TEST_F(GroupIndexTest, AHostMayBeInSeveralGroupsOrInNone) {
  const auto even = setOf([](size_t i) { return i % 2 == 0; });
  const auto fourth = setOf([](size_t i) { return i % 4 == 0; });
  GroupIndex index;
  EXPECT_TRUE(of(index, 7).empty());
  GroupIndex::Changes changes;
  changes.note(9, nullptr, even.get());
  changes.note(4, nullptr, fourth.get());
  index.apply(std::move(changes));
  EXPECT_EQ(of(index, 0), (std::vector<uint64_t>{4, 9}));
  EXPECT_EQ(of(index, 2), (std::vector<uint64_t>{9}));
  EXPECT_EQ(of(index, 2999), (std::vector<uint64_t>{}));
  EXPECT_EQ(of(index, 1'000'000), (std::vector<uint64_t>{}));
}

// Whatever comes and goes: as one that is made anew each time. What was there before stays as it
// was, for those who have it still.
TEST_F(GroupIndexTest, FollowsAnyChange) {
  event::Random random(3);
  std::map<uint64_t, std::set<size_t>> groups;
  std::map<uint64_t, std::shared_ptr<const HostSet>> sets;
  GroupIndex index;
  for (int round = 0; round < 100; ++round) {
    const GroupIndex before = index;
    const uint32_t looked_at = static_cast<uint32_t>(random.below(kHosts));
    const std::vector<uint64_t> was = of(before, looked_at);
    GroupIndex::Changes changes;
    for (uint64_t group = 1; group <= 5; ++group) {
      if (random.below(2) == 0) continue;
      std::set<size_t>& members = groups[group];
      if (random.below(8) == 0) {
        members.clear();
      } else {
        for (uint64_t n = random.below(random.below(4) == 0 ? 1000 : 4); n > 0; --n) {
          const size_t host = random.below(kHosts);
          if (members.erase(host) == 0) members.insert(host);
        }
      }
      auto set = members.empty() ? nullptr : setOf([&](size_t i) { return members.contains(i); });
      changes.note(group, sets[group].get(), set.get());
      sets[group] = std::move(set);
    }
    index.apply(std::move(changes));
    for (uint32_t slot = 0; slot < kHosts; ++slot) {
      std::vector<uint64_t> expected;
      for (const auto& [group, members] : groups) {
        if (members.contains(slot)) expected.push_back(group);
      }
      ASSERT_EQ(of(index, slot), expected) << round << " slot " << slot;
    }
    ASSERT_EQ(of(before, looked_at), was);
  }
}

}  // namespace
}  // namespace convoy::upstream
