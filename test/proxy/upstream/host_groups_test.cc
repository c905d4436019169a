#include "proxy/upstream/host_groups.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

std::shared_ptr<const HostSet> setOf(const Hosts& hosts, const std::vector<size_t>& indices) {
  std::vector<HostSet::Entry> entries;
  for (const size_t i : indices) entries.emplace_back(&hosts[i], 1);
  return std::make_shared<const HostSet>(std::move(entries));
}

TEST(GroupSelectionTest, SharesAndReserve) {
  const GroupSelection selection({4, 2, 7, 1}, {0, 30, 0, 10});
  EXPECT_EQ((std::vector<uint32_t>(selection.groups().begin(), selection.groups().end())),
            (std::vector<uint32_t>{2, 1, 4, 7}));
  EXPECT_EQ(selection.withShares(), 2u);
  EXPECT_EQ(selection.share(0), 30u);
  EXPECT_EQ(selection.share(1), 10u);
  EXPECT_EQ(selection.share(2), 0u);
  EXPECT_EQ(selection.totalShares(), 40u);
  EXPECT_EQ(GroupSelection().withShares(), 0u);
}

TEST(GroupSelectionTest, DrawsByTheShares) {
  const GroupSelection selection({0, 1, 2}, {70, 0, 30});
  event::Random random(3);
  std::map<size_t, int> drawn;
  for (int i = 0; i < 100'000; ++i) ++drawn[selection.choose(random, std::nullopt)];
  EXPECT_NEAR(drawn[0], 70'000, 900);
  EXPECT_NEAR(drawn[1], 30'000, 900);
}

// Shares that move from one group to the next move the hashes between them, and no others.
TEST(GroupSelectionTest, AHashKeepsItsGroup) {
  const GroupSelection before({0, 1, 2}, {50, 30, 20});
  const GroupSelection after({0, 1, 2}, {40, 40, 20});
  event::Random random(3);
  std::map<size_t, int> chosen;
  int moved = 0;
  for (uint64_t hash = 0; hash < 20'000; ++hash) {
    const size_t group = before.choose(random, hash);
    ASSERT_EQ(group, before.choose(random, hash));
    ++chosen[group];
    const size_t now = after.choose(random, hash);
    if (now == group) continue;
    ++moved;
    ASSERT_EQ(group, 0u);
    ASSERT_EQ(now, 1u);
  }
  EXPECT_NEAR(chosen[0], 10'000, 400);
  EXPECT_NEAR(chosen[1], 6'000, 400);
  EXPECT_NEAR(moved, 2'000, 300);
}

TEST(HostGroupsTest, OneGroupIsAllThatMostClustersHave) {
  EXPECT_TRUE(HostGroups().single());
  EXPECT_EQ(HostGroups().hostCount(nullptr), 0u);
  const Hosts hosts({1, 1, 1});
  const HostGroups groups(setOf(hosts, {0, 1}), {&hosts[2]});
  EXPECT_TRUE(groups.single());
  EXPECT_EQ(groups.hostCount(nullptr), 2u) << "spares are not picked";
  EXPECT_EQ(groups.select(nullptr).selection, &groups.whole());
  EXPECT_EQ(groups.find(hosts[0].addressText()), &hosts[0]);
  EXPECT_EQ(groups.find(hosts[2].addressText()), &hosts[2]);
  EXPECT_EQ(groups.find(""), nullptr);
}

// A request may have been tried on hosts that are in no group, or more than once on one.
TEST(HostGroupsTest, WhetherAnyIsUntriedIsNoMatterOfHowManyWereTried) {
  const Hosts hosts({1, 1, 1, 1});
  const HostGroups groups(setOf(hosts, {0, 1}), {&hosts[2]});
  using Tried = std::vector<const Host*>;
  EXPECT_TRUE(groups.hasUntried(Tried{}, nullptr));
  EXPECT_TRUE(groups.hasUntried(Tried{&hosts[0]}, nullptr));
  EXPECT_TRUE(groups.hasUntried(Tried{&hosts[0], &hosts[0]}, nullptr));
  EXPECT_TRUE(groups.hasUntried(Tried{&hosts[2], &hosts[3], &hosts[1]}, nullptr));
  EXPECT_FALSE(groups.hasUntried(Tried{&hosts[1], &hosts[0]}, nullptr));
  EXPECT_FALSE(HostGroups().hasUntried(Tried{}, nullptr));
}

HostGroups::Parts twoGroups(const Hosts& hosts) {
  HostGroups::Parts parts;
  parts.groups.push_back({1, "0", setOf(hosts, {0, 2})});
  parts.groups.push_back({2, "1", setOf(hosts, {1, 2})});
  parts.whole = GroupSelection({0, 1}, {1, 1});
  return parts;
}

TEST(HostGroupsTest, WhereAHostIs) {
  const Hosts hosts({1, 1, 1, 1});
  const HostGroups groups(twoGroups(hosts));
  const auto of = [&](size_t i) {
    const auto found = groups.groupsOf(hosts[i]);
    return std::vector<uint32_t>(found.begin(), found.end());
  };
  EXPECT_EQ(of(0), (std::vector<uint32_t>{0}));
  EXPECT_EQ(of(1), (std::vector<uint32_t>{1}));
  EXPECT_EQ(of(2), (std::vector<uint32_t>{0, 1}));
  EXPECT_EQ(of(3), (std::vector<uint32_t>{}));
  EXPECT_EQ(groups.find(hosts[1].addressText()), &hosts[1]);
}

TEST(HostGroupsTest, ASubsetOrItsFallback) {
  const Hosts hosts({1, 1, 1});
  const base::SubsetKey v2 = base::subsetKeyOf({{"version", "2"}});
  const base::SubsetKey v3 = base::subsetKeyOf({{"version", "3"}});
  const base::SubsetKey prod = base::subsetKeyOf({{"stage", "prod"}});
  const auto with = [&](SubsetFallback fallback) {
    HostGroups::Parts parts = twoGroups(hosts);
    auto table = std::make_shared<SubsetTable>();
    table->by_pairs[v2.pairs] = GroupSelection({1}, {1});
    table->fallbacks[v2.keys] = SubsetFallback::None;
    table->fallback = fallback;
    table->default_subset = GroupSelection({0}, {1});
    parts.subsets = table;
    return parts;
  };
  const HostGroups any(with(SubsetFallback::Any));
  EXPECT_FALSE(any.single());
  EXPECT_EQ(any.select(&v2).selection->groups()[0], 1u);
  EXPECT_FALSE(any.select(&v2).fallback);
  EXPECT_EQ(any.select(&v3).selection, nullptr) << "the selector's own";
  EXPECT_EQ(any.select(&prod).selection, &any.whole());
  EXPECT_EQ(any.select(nullptr).selection, &any.whole());
  EXPECT_TRUE(any.select(nullptr).fallback);
  const HostGroups none(with(SubsetFallback::None));
  EXPECT_EQ(none.select(nullptr).selection, nullptr);
  const HostGroups by_default(with(SubsetFallback::Default));
  EXPECT_EQ(by_default.select(&prod).selection->groups()[0], 0u);
}

TEST(HostGroupsTest, WorkersMayAskAtTheSameTime) {
  const Hosts hosts(std::vector<uint32_t>(1000, 1));
  std::vector<size_t> all(1000);
  for (size_t i = 0; i < all.size(); ++i) all[i] = i;
  const HostGroups groups(setOf(hosts, all));
  std::vector<std::thread> workers;
  std::atomic<int> found{0};
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      for (size_t h = 0; h < 1000; ++h) {
        found += groups.find(hosts[h].addressText()) == &hosts[h] ? 1 : 0;
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(found, 4000);
}

}  // namespace
}  // namespace convoy::upstream
