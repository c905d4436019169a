#include "proxy/upstream/grouping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "proxy/event/random.h"
#include "proxy/upstream/priority_load.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::hostAddress;
using Localities = GroupingSpec::Localities;

// A cluster put together host by host.
class Cluster {
 public:
  explicit Cluster(size_t localities) { assignment.localities.resize(localities); }

  void add(uint32_t locality, HostGrade grade, const base::SubsetLabels& labels = {},
           uint32_t weight = 1) {
    const size_t number = hosts_.size();
    hosts_.push_back(std::make_unique<Host>(hostAddress(number), static_cast<uint32_t>(number), 1));
    labels_.push_back(labels);
    grouped_.push_back({.entry = {hosts_.back().get(), weight},
                        .priority = assignment.localities[locality].priority,
                        .locality = locality,
                        .grade = grade,
                        .last_good = false});
  }
  void add(uint32_t locality, size_t healthy, size_t unhealthy) {
    for (size_t i = 0; i < healthy; ++i) add(locality, HostGrade::Healthy);
    for (size_t i = 0; i < unhealthy; ++i) add(locality, HostGrade::Excluded);
  }

  GroupPlan plan() const {
    std::vector<const base::SubsetLabels*> labels;
    for (const base::SubsetLabels& of_host : labels_) labels.push_back(&of_host);
    SubsetMembers members;
    if (spec.subsets != nullptr) members = subsetMembers(labels, *spec.subsets, {});
    HostBlocks blocks;
    blocks.resize(grouped_.size(), 0);
    return planGroups({.hosts = grouped_,
                       .blocks = blocks,
                       .assignment = assignment,
                       .spec = spec,
                       .panic = panic,
                       .own = own.empty() ? nullptr : &own,
                       .callers = callers.empty() ? nullptr : &callers,
                       .subsets = &members});
  }
  const std::vector<GroupedHost>& hosts() const { return grouped_; }

  AssignmentSpec assignment;
  GroupingSpec spec;
  PanicSpec panic;
  LocalityName own;
  CallersByLocality callers;

 private:
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<base::SubsetLabels> labels_;
  std::vector<GroupedHost> grouped_;
};

// "KEY percent xHOSTS", of those with shares.
std::string text(const GroupPlan& plan, const GroupSelection& selection) {
  std::string out;
  for (size_t i = 0; i < selection.withShares(); ++i) {
    const GroupPlan::Group& group = plan.groups[selection.groups()[i]];
    const double percent = 100.0 * static_cast<double>(selection.share(i)) /
                           static_cast<double>(selection.totalShares());
    if (!out.empty()) out += ", ";
    out += group.key + " " + std::to_string(std::lround(percent)) + "% x" +
           std::to_string(countHosts(group.pieces));
  }
  return out;
}
std::string text(const GroupPlan& plan) {
  return text(plan, plan.whole);
}

TEST(GroupingTest, MostClustersHaveOneGroup) {
  Cluster cluster(2);
  EXPECT_EQ(text(cluster.plan()), "0 100% x0") << "nobody";
  cluster.add(0, 2, 0);
  cluster.add(1, 1, 0);
  EXPECT_EQ(text(cluster.plan()), "0 100% x3");
  EXPECT_EQ(cluster.plan().groups.size(), 1u);
  EXPECT_EQ(cluster.plan().subsets, nullptr);
}

TEST(GroupingTest, TheOtherPrioritiesAreTheReserve) {
  Cluster cluster(2);
  cluster.assignment.localities[1].priority = 1;
  cluster.add(0, 2, 0);
  cluster.add(1, 3, 0);
  const GroupPlan plan = cluster.plan();
  EXPECT_EQ(text(plan), "0 100% x2");
  ASSERT_EQ(plan.whole.groups().size(), 2u);
  EXPECT_EQ(plan.groups[plan.whole.groups()[1]].key, "1");
}

TEST(GroupingTest, PrioritiesShareByTheirHealth) {
  Cluster cluster(2);
  cluster.assignment.localities[1].priority = 1;
  cluster.add(0, 50, 50);
  cluster.add(1, 100, 0);
  EXPECT_EQ(text(cluster.plan()), "0 70% x50, 1 30% x100");
  cluster.assignment.overprovisioning_percent = 200;
  EXPECT_EQ(text(cluster.plan()), "0 100% x50");
}

TEST(GroupingTest, HostsMayCountByTheirWeights) {
  Cluster cluster(2);
  cluster.assignment.localities[1].priority = 1;
  cluster.add(0, HostGrade::Healthy, {}, 1);
  cluster.add(0, HostGrade::Excluded, {}, 3);
  cluster.add(1, 1, 0);
  EXPECT_EQ(text(cluster.plan()), "0 70% x1, 1 30% x1");
  cluster.assignment.weighted_priority_health = true;
  EXPECT_EQ(text(cluster.plan()), "0 35% x1, 1 65% x1");
}

TEST(GroupingTest, InPanicAPriorityServesWithAllItsHosts) {
  Cluster cluster(2);
  cluster.panic = {PanicSpec::Mode::ServeAll, 50};
  cluster.assignment.localities[1].priority = 1;
  cluster.add(0, 1, 3);
  cluster.add(1, 1, 3);
  const GroupPlan plan = cluster.plan();
  EXPECT_TRUE(plan.panic);
  EXPECT_EQ(text(plan), "0 50% x4, 1 50% x4");
}

// The table of Envoy's documentation ("Locality weighted load balancing"): X has a weight of 1, Y
// one of 2; within a point, since its numbers are rounded one way and the other.
TEST(GroupingTest, EnvoysWorkedNumbersOfLocalityWeights) {
  const struct {
    size_t healthy;
    double to_x;
  } kCases[] = {{100, 33}, {70, 33}, {69, 32}, {50, 26}, {25, 15}, {0, 0}};
  for (const auto& c : kCases) {
    Cluster cluster(2);
    cluster.spec.localities = Localities::Weighted;
    cluster.assignment.localities[0].zone = "x";
    cluster.assignment.localities[0].weight = 1;
    cluster.assignment.localities[1].zone = "y";
    cluster.assignment.localities[1].weight = 2;
    cluster.add(0, c.healthy, 100 - c.healthy);
    cluster.add(1, 100, 0);
    const GroupPlan plan = cluster.plan();
    const GroupSelection& whole = plan.whole;
    double to_x = 0;
    for (size_t i = 0; i < whole.withShares(); ++i) {
      if (plan.groups[whole.groups()[i]].key != "0/0:/1:x/0:") continue;
      to_x +=
          100.0 * static_cast<double>(whole.share(i)) / static_cast<double>(whole.totalShares());
    }
    EXPECT_NEAR(to_x, c.to_x, 1.0) << c.healthy;
  }
}

TEST(GroupingTest, LocalitiesWithoutAWeightGetNothingUnlessNoneHasOne) {
  Cluster cluster(2);
  cluster.spec.localities = Localities::Weighted;
  cluster.assignment.localities[0].zone = "x";
  cluster.assignment.localities[1].zone = "y";
  cluster.add(0, 2, 0);
  cluster.add(1, 1, 0);
  EXPECT_EQ(text(cluster.plan()), "0 100% x3");
  cluster.assignment.localities[1].weight = 5;
  EXPECT_EQ(text(cluster.plan()), "0/0:/1:y/0: 100% x1");
}

class ZonesTest : public testing::Test {
 protected:
  ZonesTest() {
    cluster_.spec.localities = Localities::ZoneAware;
    cluster_.spec.zone_least_hosts = 4;
    for (size_t i = 0; i < 2; ++i) cluster_.assignment.localities[i].zone = i == 0 ? "a" : "b";
    cluster_.own.zone = "a";
    cluster_.add(0, 1, 0);
    cluster_.add(1, 3, 0);
  }
  Cluster cluster_{2};
};

TEST_F(ZonesTest, OnlyIfTheCallersAreKnownOrItIsAskedFor) {
  EXPECT_EQ(text(cluster_.plan()), "0 100% x4");
  cluster_.spec.zone_aware_asked = true;
  EXPECT_EQ(text(cluster_.plan()), "0/0:/1:a/0: 50% x1, 0/0:/1:b/0: 50% x3");
  cluster_.callers[{"", "a", ""}] = 1;
  cluster_.callers[{"", "b", ""}] = 3;
  cluster_.spec.zone_aware_asked = false;
  EXPECT_EQ(text(cluster_.plan()), "0/0:/1:a/0: 100% x1");
  EXPECT_EQ(cluster_.plan().whole.groups().size(), 2u) << "the other zone is the reserve";
}

TEST_F(ZonesTest, NotIfNoRequestIsToBeRoutedSo) {
  cluster_.callers[{"", "a", ""}] = 1;
  cluster_.spec.zone_percent = 0;
  EXPECT_EQ(text(cluster_.plan()), "0 100% x4");
}

TEST_F(ZonesTest, SomeRequestsMayGoAnywhere) {
  cluster_.spec.zone_aware_asked = true;
  cluster_.spec.zone_percent = 50;
  EXPECT_EQ(text(cluster_.plan()), "0/0:/1:a/0: 25% x1, 0/0:/1:b/0: 25% x3, 0 50% x4");
  cluster_.spec.zone_percent = 0;
  EXPECT_EQ(text(cluster_.plan()), "0 100% x4");
}

TEST_F(ZonesTest, NotWithFewHostsNorOutsideOfAllZonesNorInPanic) {
  cluster_.spec.zone_aware_asked = true;
  cluster_.own.zone = "c";
  EXPECT_EQ(text(cluster_.plan()), "0 100% x4");
  cluster_.own.zone = "a";
  cluster_.spec.zone_least_hosts = 5;
  EXPECT_EQ(text(cluster_.plan()), "0 100% x4");
  cluster_.spec.zone_least_hosts = 1;
  cluster_.panic = {PanicSpec::Mode::ServeAll, 50};
  cluster_.add(1, 0, 8);
  EXPECT_EQ(text(cluster_.plan()), "0 100% x12");
  cluster_.spec.fail_on_panic = true;
  EXPECT_EQ(text(cluster_.plan()), "0 100% x0");
}

// The example of Envoy's documentation ("Load balancer subsets").
TEST(GroupingTest, EnvoysExampleOfSubsets) {
  Cluster cluster(1);
  cluster.add(0, HostGrade::Healthy, {{"v", "1.0"}, {"stage", "prod"}});
  cluster.add(0, HostGrade::Healthy, {{"v", "1.0"}, {"stage", "prod"}});
  cluster.add(0, HostGrade::Healthy, {{"v", "1.1"}, {"stage", "canary"}});
  cluster.add(0, HostGrade::Healthy, {{"v", "1.2-pre"}, {"stage", "dev"}});
  auto spec = std::make_shared<SubsetSpec>();
  spec->fallback = SubsetFallback::Default;
  spec->default_labels = {{"stage", "prod"}};
  spec->selectors.push_back({.names = {"stage", "v"}});
  spec->selectors.push_back({.names = {"stage"}, .has_fallback = true});
  cluster.spec.subsets = spec;
  GroupPlan plan = cluster.plan();
  HostGroups::Parts parts;
  for (const GroupPlan::Group& group : plan.groups) {
    parts.groups.push_back({0, group.key, std::make_shared<const HostSet>(group.pieces)});
  }
  parts.whole = plan.whole;
  parts.subsets = plan.subsets;
  const HostGroups groups(std::move(parts));
  const auto hostsOf = [&](const base::SubsetLabels& wanted) {
    const base::SubsetKey key = base::subsetKeyOf(wanted);
    const HostGroups::Found found = groups.select(&key);
    if (found.selection == nullptr) return std::string("nobody");
    std::string out;
    for (const uint32_t group : found.selection->groups()) {
      for (const HostSet::Entry& entry : groups.groups()[group].hosts->entries()) {
        out += std::to_string(entry.host->slot() + 1) + " ";
      }
    }
    return out;
  };
  EXPECT_EQ(hostsOf({{"stage", "canary"}}), "3 ");
  EXPECT_EQ(hostsOf({{"v", "1.2-pre"}, {"stage", "dev"}}), "4 ");
  EXPECT_EQ(hostsOf({{"v", "1.0"}}), "1 2 ");
  EXPECT_EQ(hostsOf({{"other", "x"}}), "1 2 ");
  EXPECT_EQ(hostsOf({}), "1 2 ");
  EXPECT_EQ(hostsOf({{"stage", "test"}}), "nobody");
}

// Whatever the names are: another locality is another group.
TEST(GroupingTest, KeysOfLocalitiesAreTheirOwn) {
  Cluster cluster(2);
  cluster.spec.localities = Localities::Weighted;
  cluster.assignment.localities[0].region = "a/b";
  cluster.assignment.localities[0].zone = "c";
  cluster.assignment.localities[1].region = "a";
  cluster.assignment.localities[1].zone = "b/c";
  for (uint32_t i = 0; i < 2; ++i) {
    cluster.assignment.localities[i].weight = 1;
    cluster.add(i, HostGrade::Healthy);
  }
  const GroupPlan plan = cluster.plan();
  ASSERT_EQ(plan.groups.size(), 2u);
  EXPECT_NE(plan.groups[0].key, plan.groups[1].key);
}

TEST(GroupingTest, OnlyHostsThatWereNeverCheckedMayNotCount) {
  for (const bool relapsed : {false, true}) {
    Cluster cluster(2);
    cluster.panic.ignores_unverified = true;
    cluster.assignment.localities[1].priority = 1;
    cluster.add(0, 6, 0);
    for (int i = 0; i < 4; ++i) {
      cluster.add(0, relapsed ? HostGrade::Relapsed : HostGrade::Unverified);
    }
    cluster.add(1, 1, 0);
    EXPECT_EQ(text(cluster.plan()), relapsed ? "0 84% x6, 1 16% x1" : "0 100% x6");
  }
}

// Whatever the hosts: the plan against one that looks at each host by itself, by Envoy's formulas
// in real numbers.
class DifferentialTest : public testing::Test {
 protected:
  static double load(const std::vector<PriorityLoad>& loads, size_t priority, bool degraded) {
    return degraded ? loads[priority].degraded : loads[priority].healthy;
  }

  // The chance of each host that a request goes to its group, by the plan.
  static std::vector<double> planned(const Cluster& cluster) {
    const GroupPlan plan = cluster.plan();
    std::vector<double> chances(cluster.hosts().size());
    for (size_t i = 0; i < plan.whole.withShares(); ++i) {
      const HostSet set(plan.groups[plan.whole.groups()[i]].pieces);
      for (const HostSet::Entry& entry : set.entries()) {
        chances[entry.host->slot()] += static_cast<double>(plan.whole.share(i)) /
                                       static_cast<double>(plan.whole.totalShares());
      }
    }
    return chances;
  }

  // Hosts, and usable ones, of a priority and, if given, a locality.
  static std::pair<double, double> count(const Cluster& cluster, uint32_t priority, HostGrade grade,
                                         const uint32_t* locality) {
    double all = 0;
    double usable = 0;
    for (const GroupedHost& host : cluster.hosts()) {
      if (host.priority != priority || (locality != nullptr && host.locality != *locality))
        continue;
      ++all;
      usable += host.grade == grade;
    }
    return {all, usable};
  }

  static double effective(const Cluster& cluster, uint32_t locality, HostGrade grade) {
    const LocalitySpec& spec = cluster.assignment.localities[locality];
    const auto [all, usable] = count(cluster, spec.priority, grade, &locality);
    return all == 0 ? 0 : spec.weight.value_or(0) * std::min(1.0, 1.4 * usable / all);
  }

  static std::vector<double> naive(const Cluster& cluster) {
    std::vector<PriorityHealth> healths(3);
    for (uint32_t p = 0; p < 3; ++p) {
      const auto [all, healthy] = count(cluster, p, HostGrade::Healthy, nullptr);
      const double degraded = count(cluster, p, HostGrade::Degraded, nullptr).second;
      healths[p] = {.hosts = static_cast<uint64_t>(all),
                    .healthy = static_cast<uint64_t>(healthy),
                    .degraded = static_cast<uint64_t>(degraded),
                    .present = all > 0};
    }
    const auto loads = priorityLoads(healths, 140, {});
    std::vector<double> chances;
    for (const GroupedHost& host : cluster.hosts()) {
      const bool degraded = host.grade == HostGrade::Degraded;
      if (host.grade > HostGrade::Degraded) {
        chances.push_back(0);
        continue;
      }
      double sum = 0;
      for (uint32_t l = 0; l < cluster.assignment.localities.size(); ++l) {
        if (cluster.assignment.localities[l].priority == host.priority) {
          sum += effective(cluster, l, host.grade);
        }
      }
      const double part = sum == 0 ? 1 : effective(cluster, host.locality, host.grade) / sum;
      chances.push_back(load(loads, host.priority, degraded) / 100 * part);
    }
    return chances;
  }
};

TEST_F(DifferentialTest, AsOneThatLooksAtEachHost) {
  event::Random random(11);
  for (int round = 0; round < 300; ++round) {
    const size_t localities = 1 + random.below(6);
    Cluster cluster(localities);
    cluster.spec.localities = Localities::Weighted;
    for (size_t i = 0; i < localities; ++i) {
      LocalitySpec& locality = cluster.assignment.localities[i];
      locality.zone = std::to_string(i);
      locality.priority = static_cast<uint32_t>(random.below(3));
      if (random.below(4) != 0) locality.weight = 1 + static_cast<uint32_t>(random.below(9));
    }
    for (uint64_t hosts = random.below(40); hosts > 0; --hosts) {
      constexpr HostGrade kGrades[] = {HostGrade::Healthy, HostGrade::Healthy, HostGrade::Degraded,
                                       HostGrade::Excluded};
      cluster.add(static_cast<uint32_t>(random.below(localities)), kGrades[random.below(4)]);
    }
    const std::vector<double> expected = naive(cluster);
    const std::vector<double> got = planned(cluster);
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    for (size_t i = 0; sum > 0 && i < expected.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], 0.001) << round << " host " << i;
    }
  }
}

}  // namespace
}  // namespace convoy::upstream
