#include "proxy/upstream/group_balancer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

#include "proxy/base/xxhash.h"
#include "proxy/upstream/algorithms/registry.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::Hosts;

class GroupBalancerTest : public testing::Test {
 protected:
  static std::shared_ptr<const HostSet> setOf(const Hosts& hosts, const std::vector<size_t>& which,
                                              const MakeHashTable& make = nullptr) {
    std::vector<HostSet::Entry> entries;
    for (const size_t i : which) entries.emplace_back(&hosts[i], 1);
    return std::make_shared<const HostSet>(std::move(entries), make);
  }
  static GroupBalancer::Make makeOf(Algorithm algorithm) {
    return [algorithm] { return algorithms::makeLoadBalancer({.algorithm = algorithm}, 0, 1); };
  }
  // A and B with the first share, C and D with the second, E in reserve.
  HostGroups::Parts parts(uint32_t first, uint32_t second) const {
    HostGroups::Parts parts;
    parts.groups.push_back({1, "0", setOf(hosts_, {0, 1})});
    parts.groups.push_back({2, "1", setOf(hosts_, {2, 3})});
    parts.groups.push_back({3, "2", setOf(hosts_, {4})});
    parts.whole = GroupSelection({0, 1, 2}, {first, second, 0});
    return parts;
  }
  std::string pick(GroupBalancer& balancer, const std::vector<const Host*>& tried = {},
                   const base::SubsetKey* subset = nullptr) {
    PickContext context{.random = random_, .tried = tried, .subset = subset};
    const Pick picked = balancer.entry().pick(context);
    return picked.host == nullptr ? "-"
                                  : std::string(1, static_cast<char>('A' + picked.host->slot()));
  }

  const Hosts hosts_{{1, 1, 1, 1, 1}};
  event::Random random_{7};
  ClusterMetrics metrics_;
};

TEST_F(GroupBalancerTest, OneGroupIsPickedFromDirectly) {
  GroupBalancer balancer(makeOf(Algorithm::RoundRobin), metrics_);
  const HostGroups one(setOf(hosts_, {0, 1}));
  EXPECT_TRUE(balancer.setGroups(one).empty());
  EXPECT_EQ(&balancer.entry(), &balancer.balancer(0));
  EXPECT_EQ(pick(balancer) + pick(balancer) + pick(balancer), "ABA");
}

TEST_F(GroupBalancerTest, GroupsByTheirShares) {
  GroupBalancer balancer(makeOf(Algorithm::RoundRobin), metrics_);
  const HostGroups groups(parts(70, 30));
  EXPECT_TRUE(balancer.setGroups(groups).empty());
  std::map<std::string, int> counts;
  for (int i = 0; i < 10'000; ++i) ++counts[pick(balancer)];
  EXPECT_NEAR(counts["A"], 3500, 250);
  EXPECT_NEAR(counts["B"], 3500, 250);
  EXPECT_NEAR(counts["C"], 1500, 200);
  EXPECT_NEAR(counts["D"], 1500, 200);
  EXPECT_EQ(counts.size(), 4u);
}

TEST_F(GroupBalancerTest, ARequestLeavesAGroupThatItWasTriedOn) {
  GroupBalancer balancer(makeOf(Algorithm::RoundRobin), metrics_);
  const HostGroups groups(parts(100, 0));
  EXPECT_TRUE(balancer.setGroups(groups).empty());
  const std::vector<const Host*> both{&hosts_[0], &hosts_[1]};
  EXPECT_EQ(pick(balancer, {&hosts_[0]}), "B");
  EXPECT_EQ(pick(balancer, both), "C") << "the reserve";
  EXPECT_EQ(pick(balancer, {both[0], both[1], &hosts_[2]}), "D");
  EXPECT_EQ(pick(balancer, {both[0], both[1], &hosts_[2], &hosts_[3]}), "E");
  const std::string again = pick(balancer, {both[0], both[1], &hosts_[2], &hosts_[3], &hosts_[4]});
  EXPECT_TRUE(again == "A" || again == "B") << again;
}

TEST_F(GroupBalancerTest, AGroupKeepsItsPolicyWhileOthersComeAndGo) {
  GroupBalancer balancer(makeOf(Algorithm::RoundRobin), metrics_);
  const HostGroups before(parts(1, 1));
  EXPECT_TRUE(balancer.setGroups(before).empty());
  const LoadBalancer* const second = &balancer.balancer(1);
  HostGroups::Parts less = parts(1, 1);
  less.groups.erase(less.groups.begin());
  less.whole = GroupSelection({0, 1}, {1, 0});
  const HostGroups now(std::move(less));
  EXPECT_EQ(balancer.setGroups(now).size(), 1u);
  EXPECT_EQ(&balancer.balancer(0), second);
}

TEST_F(GroupBalancerTest, ResultsGoToTheGroupsOfTheHost) {
  GroupBalancer balancer(makeOf(Algorithm::LeastResponseTime), metrics_);
  EXPECT_TRUE(balancer.wantsResults());
  const HostGroups groups(parts(1, 0));
  EXPECT_TRUE(balancer.setGroups(groups).empty());
  EXPECT_TRUE(balancer.wantsResults());
  const auto result = [](int ms) {
    return RequestResult{.took = std::chrono::milliseconds(ms), .now = event::MonotonicTime{}};
  };
  balancer.onResult(hosts_[0], result(100));
  balancer.onResult(hosts_[1], result(1));
  balancer.onResult(hosts_[2], result(5));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(pick(balancer), "B");
    hosts_.setActive({0, 0, 0, 0, 0});
  }
}

TEST_F(GroupBalancerTest, TheSameHashTheSameHost) {
  const MakeHashTable make = algorithms::hashTableMaker({.algorithm = Algorithm::Maglev});
  HostGroups::Parts by_hash = parts(60, 40);
  by_hash.groups[0].hosts = setOf(hosts_, {0, 1}, make);
  by_hash.groups[1].hosts = setOf(hosts_, {2, 3}, make);
  by_hash.groups[2].hosts = setOf(hosts_, {4}, make);
  const HostGroups groups(std::move(by_hash));
  GroupBalancer balancer(makeOf(Algorithm::Maglev), metrics_);
  EXPECT_TRUE(balancer.setGroups(groups).empty());
  std::map<uint32_t, int> counts;
  for (uint64_t hash = 1; hash <= 4000; ++hash) {
    PickContext context{.random = random_, .tried = {}, .hash = base::mixBits(hash)};
    const Host* const host = balancer.entry().pick(context).host;
    ASSERT_NE(host, nullptr);
    ASSERT_EQ(balancer.entry().pick(context).host, host);
    ++counts[host->slot()];
  }
  for (const uint32_t slot : {0u, 1u}) EXPECT_NEAR(counts[slot], 1200, 200);
  for (const uint32_t slot : {2u, 3u}) EXPECT_NEAR(counts[slot], 800, 200);
}

TEST_F(GroupBalancerTest, SubsetsAreCounted) {
  const base::SubsetKey key = base::subsetKeyOf({{"version", "2"}});
  HostGroups::Parts with = parts(1, 0);
  auto table = std::make_shared<SubsetTable>();
  table->by_pairs[key.pairs] = GroupSelection({2}, {1});
  with.subsets = table;
  const HostGroups groups(std::move(with));
  GroupBalancer balancer(makeOf(Algorithm::RoundRobin), metrics_);
  EXPECT_TRUE(balancer.setGroups(groups).empty());
  EXPECT_EQ(pick(balancer, {}, &key), "E");
  EXPECT_EQ(pick(balancer), "-") << "no fallback";
  EXPECT_EQ(metrics_.lb_subsets_selected.value(), 1u);
  EXPECT_EQ(metrics_.lb_subsets_fallback.value(), 1u);
}

}  // namespace
}  // namespace convoy::upstream
