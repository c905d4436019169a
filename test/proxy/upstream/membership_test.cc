#include "proxy/upstream/membership.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::hostAddress;

struct Endpoint {
  int host;
  HealthStatus health = HealthStatus::Unknown;
  uint32_t weight = 1;
  uint32_t priority = 0;
};

AssignmentSpec assignmentOf(const std::vector<Endpoint>& endpoints) {
  AssignmentSpec spec;
  for (const Endpoint& endpoint : endpoints) {
    // A locality of its own each: they are one list.
    LocalitySpec& locality = spec.localities.emplace_back();
    locality.priority = endpoint.priority;
    EndpointSpec& out = locality.endpoints.emplace_back();
    out.address = hostAddress(static_cast<size_t>(endpoint.host));
    out.weight = endpoint.weight;
    out.health = endpoint.health;
  }
  return spec;
}

std::string numberOf(const Host& host) {
  const std::string ip = host.address().ipText();
  return ip.substr(ip.rfind('.') + 1);
}

// Those with shares; the share itself only if there are several groups.
std::string text(const HostGroups& groups) {
  std::string out;
  const GroupSelection& whole = groups.whole();
  for (size_t i = 0; i < whole.withShares(); ++i) {
    if (whole.withShares() > 1) {
      out += std::to_string((whole.share(i) * 100 + whole.totalShares() / 2) / whole.totalShares());
      out += "% ";
    }
    for (const HostSet::Entry& entry : groups.groups()[whole.groups()[i]].hosts->entries()) {
      out += numberOf(*entry.host) + "*" + std::to_string(entry.weight) + " ";
    }
  }
  return out;
}

const HostSet& only(const HostGroups& groups) {
  EXPECT_TRUE(groups.single());
  return *groups.groups()[0].hosts;
}

constexpr HealthStatus kUnknown = HealthStatus::Unknown;
constexpr HealthStatus kHealthy = HealthStatus::Healthy;
constexpr HealthStatus kUnhealthy = HealthStatus::Unhealthy;
constexpr HealthStatus kDraining = HealthStatus::Draining;
constexpr HealthStatus kTimeout = HealthStatus::Timeout;
constexpr HealthStatus kDegraded = HealthStatus::Degraded;

struct Case {
  const char* name;
  std::vector<Endpoint> endpoints;
  const char* eligible;
};

TEST(MembershipTest, ChoosesWhoGetsRequests) {
  const Case cases[] = {
      {"nobody", {}, ""},
      {"unknown counts as healthy", {{1, kUnknown}, {2, kHealthy}}, "1*1 2*1 "},
      {"weights are kept", {{1, kUnknown, 5}, {2, kUnknown, 3}}, "1*5 2*3 "},
      {"the unhealthy get none",
       {{1, kUnhealthy}, {2, kHealthy}, {3, kTimeout}, {4, kDraining}},
       "2*1 "},
      {"degraded hosts wait while there are enough healthy ones",
       {{1, kDegraded}, {2}, {3}, {4}},
       "2*1 3*1 4*1 "},
      {"and take what is too much for these", {{1, kDegraded}, {2}}, "70% 2*1 30% 1*1 "},
      {"degraded hosts serve when there is none", {{1, kDegraded}, {2, kUnhealthy}}, "1*1 "},
      {"nobody is left: no panic", {{1, kUnhealthy}, {2, kDraining}}, ""},
      {"priority 0 first", {{1, kUnknown, 1, 1}, {2, kUnknown, 1, 0}}, "2*1 "},
      {"what is too much for priority 0 goes to the next",
       {{1, kUnhealthy}, {2}, {3, kUnhealthy}, {4, kUnknown, 1, 1}},
       "46% 2*1 54% 4*1 "},
      {"the next priority", {{1, kUnhealthy}, {2, kUnknown, 1, 2}, {3, kUnknown, 1, 1}}, "3*1 "},
      {"healthy before degraded, over all priorities",
       {{1, kDegraded}, {2, kUnknown, 1, 1}},
       "2*1 "},
      {"the lowest priority with a degraded one",
       {{1, kUnhealthy}, {2, kDegraded, 1, 2}, {3, kDegraded, 1, 1}},
       "3*1 "},
      {"a repeated address counts once", {{1, kUnknown, 5}, {2}, {1, kUnknown, 9}}, "1*5 2*1 "},
  };
  for (const Case& c : cases) {
    Membership membership(1);
    EXPECT_EQ(text(*membership.update(assignmentOf(c.endpoints)).hosts), c.eligible) << c.name;
  }
}

TEST(MembershipTest, InPanicAllServe) {
  const PanicSpec half{PanicSpec::Mode::ServeAll, 50};
  Membership membership(1);
  const auto update = [&](const std::vector<Endpoint>& endpoints) {
    const Membership::Change change = membership.update(assignmentOf(endpoints), nullptr, half);
    return (change.panic ? "panic: " : "") + text(*change.hosts);
  };
  EXPECT_EQ(update({{1}, {2, kUnhealthy}}), "1*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy, 7}}), "panic: 1*1 2*7 ");
  EXPECT_EQ(update({{1}, {2, kTimeout}, {3, kDraining}}), "panic: 1*1 2*1 ")
      << "whoever goes away on purpose stays out";
  EXPECT_EQ(update({{1, kDraining}}), "");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy, 1, 1}}), "panic: 50% 1*1 50% 2*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnknown, 1, 1}}), "2*1 ");
  EXPECT_EQ(update({}), "");
  // The same hosts, and yet a change.
  EXPECT_EQ(update({{1}, {2}, {3}}), "1*1 2*1 3*1 ");
  EXPECT_TRUE(
      membership
          .update(assignmentOf({{1, kUnhealthy}, {2, kUnhealthy}, {3, kUnhealthy}}), nullptr, half)
          .changed);
}

TEST(MembershipTest, TheLastGoodOnesServeAsLongAsTheyAreThere) {
  const PanicSpec spec{PanicSpec::Mode::ServeLastGood, 50};
  Membership membership(1);
  const auto update = [&](const std::vector<Endpoint>& endpoints) {
    const Membership::Change change = membership.update(assignmentOf(endpoints), nullptr, spec);
    return (change.panic ? "panic: " : "") + text(*change.hosts);
  };
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy}}), "panic: 1*1 2*1 ")
      << "nothing was good yet";
  EXPECT_EQ(update({{1, kUnhealthy}, {2}, {3}}), "2*1 3*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy}, {3}}), "panic: 2*1 3*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy}, {3, kUnhealthy}}), "panic: 2*1 3*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {3, kUnhealthy}}), "panic: 3*1 ");
  EXPECT_EQ(update({{1}, {3, kUnhealthy}}), "1*1 ");
  // Whoever is well serves, whether it was good before or not.
  EXPECT_EQ(update({{1}, {2}, {3, kUnhealthy}, {4, kUnhealthy}}), "1*1 2*1 ");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy}, {3}, {4, kUnhealthy}}),
            "panic: 1*1 2*1 3*1 ");
  // While they are kept away on purpose they stay good.
  constexpr HealthStatus kAway = HealthStatus::Draining;
  EXPECT_EQ(update({{1}, {2}, {3, kUnhealthy}}), "1*1 2*1 ");
  EXPECT_EQ(update({{1, kAway}, {2, kAway}, {3, kAway}}), "");
  EXPECT_EQ(update({{1, kUnhealthy}, {2, kUnhealthy}, {3, kUnhealthy}}), "panic: 1*1 2*1 ");
}

TEST(MembershipTest, WhoWaitsServesInNoPanic) {
  for (const auto mode : {PanicSpec::Mode::ServeAll, PanicSpec::Mode::ServeLastGood}) {
    Membership membership(1);
    const auto update = [&](const std::string& waiting) {
      return membership.update(
          assignmentOf({{1}, {2}, {3}}),
          [&](const EndpointSpec& endpoint) -> Membership::Verdict {
            const std::string ip = endpoint.address.ipText();
            if (ip.back() == '3') return ActiveHealth::Unhealthy;
            return {ActiveHealth::Unhealthy, waiting.find(ip.back()) != std::string::npos};
          },
          {mode, 50});
    };
    EXPECT_EQ(text(*update("").hosts), "1*1 2*1 3*1 ");
    const Membership::Change change = update("2");
    EXPECT_EQ(text(*change.hosts), "1*1 3*1 ");
    EXPECT_TRUE(change.panic);
  }
}

TEST(MembershipTest, HostsThatWereNeverCheckedMayNotCount) {
  PanicSpec spec{PanicSpec::Mode::ServeAll, 50};
  const auto never = [](const EndpointSpec& endpoint) {
    return endpoint.address == hostAddress(1) ? ActiveHealth::Healthy : ActiveHealth::Unknown;
  };
  Membership membership(1);
  EXPECT_TRUE(membership.update(assignmentOf({{1}, {2}, {3}}), never, spec).panic);
  spec.ignores_unverified = true;
  EXPECT_FALSE(membership.update(assignmentOf({{1}, {2}, {3}}), never, spec).panic);
}

TEST(MembershipTest, CountsEveryKind) {
  Membership membership(1);
  membership.update(assignmentOf({{1},
                                  {2, kHealthy, 7},
                                  {3, kDegraded},
                                  {4, kUnhealthy, 9},
                                  {5, kTimeout},
                                  {6, kDraining},
                                  {6, kHealthy}}));
  EXPECT_EQ(membership.counts().total, 6u);
  EXPECT_EQ(membership.counts().healthy, 2u);
  EXPECT_EQ(membership.counts().degraded, 1u);
  EXPECT_EQ(membership.counts().excluded, 3u);
  EXPECT_EQ(membership.counts().max_weight, 9u);
}

TEST(MembershipTest, AHostStaysTheSameWhileItsAddressStays) {
  Membership membership(1);
  membership.update(assignmentOf({{1}, {2}}));
  const Host* first = membership.find(hostAddress(1));
  ASSERT_NE(first, nullptr);
  const Membership::Change change = membership.update(assignmentOf({{3}, {1, kHealthy, 4}}));
  EXPECT_TRUE(change.changed);
  EXPECT_EQ(membership.find(hostAddress(1)), first);
  ASSERT_EQ(change.removed.size(), 1u);
  EXPECT_EQ(change.removed[0]->address(), hostAddress(2));
  EXPECT_EQ(membership.find(hostAddress(2)), nullptr);
  EXPECT_EQ(text(*change.hosts), "3*1 1*4 ");
}

TEST(MembershipTest, NothingChangedGivesTheSameSet) {
  Membership membership(1);
  const auto first = membership.update(assignmentOf({{1}, {2, kUnhealthy}})).hosts;
  const Membership::Change same = membership.update(assignmentOf({{1, kHealthy}, {2, kTimeout}}));
  EXPECT_FALSE(same.changed);
  EXPECT_EQ(same.hosts, first);
  EXPECT_FALSE(membership.update(assignmentOf({{2, kUnhealthy}, {1}, {3, kUnhealthy}})).changed);
  EXPECT_TRUE(membership.update(assignmentOf({{1, kHealthy, 2}, {2, kTimeout}})).changed);
}

TEST(MembershipTest, AReorderIsAChange) {
  Membership membership(1);
  membership.update(assignmentOf({{1}, {2}}));
  EXPECT_TRUE(membership.update(assignmentOf({{2}, {1}})).changed);
}

TEST(MembershipTest, NamesTheHostsThatBeganToDrain) {
  Membership membership(1);
  membership.update(assignmentOf({{1}, {2}, {3, kUnhealthy}}));
  const auto change = membership.update(assignmentOf({{1, kDraining}, {2}, {3, kDraining}}));
  ASSERT_EQ(change.draining.size(), 1u) << "the third had no requests before either";
  EXPECT_EQ(change.draining[0]->address(), hostAddress(1));
  EXPECT_TRUE(membership.update(assignmentOf({{1, kDraining}, {2}})).draining.empty());
  EXPECT_TRUE(membership.update(assignmentOf({{1}, {2}})).draining.empty());
}

TEST(MembershipTest, SlotsStayDense) {
  Membership membership(1);
  event::Random random(3);
  size_t most = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<Endpoint> endpoints;
    std::set<int> chosen;
    while (chosen.size() < 1 + random.below(20)) chosen.insert(static_cast<int>(random.below(40)));
    for (const int host : chosen) endpoints.push_back({host});
    most = std::max(most, chosen.size());
    const auto change = membership.update(assignmentOf(endpoints));
    std::set<uint32_t> slots;
    for (const HostSet::Entry& entry : only(*change.hosts).entries()) {
      EXPECT_TRUE(slots.insert(entry.host->slot()).second) << "two hosts on one slot";
      EXPECT_LT(entry.host->slot(), most);
    }
    ASSERT_EQ(slots.size(), chosen.size());
  }
}

// However an assignment differs from the one before: order, hosts, addresses that it names twice.
TEST(MembershipTest, FollowsAnyOrder) {
  Membership membership(1);
  event::Random random(5);
  std::map<int, uint64_t> serials;  // of the present hosts
  for (int round = 0; round < 500; ++round) {
    std::vector<int> order;
    for (int host = 1; host <= 30; ++host) {
      if (random.below(10) != 0) order.push_back(host);
    }
    for (uint64_t swaps = random.below(4); swaps > 0; --swaps) {
      std::swap(order[random.below(order.size())], order[random.below(order.size())]);
    }
    std::vector<Endpoint> endpoints;
    for (const int host : order) endpoints.push_back({host});
    if (random.below(2) == 0) endpoints.push_back({order[random.below(order.size())]});
    const auto change = membership.update(assignmentOf(endpoints));

    std::map<int, uint64_t> now;
    ASSERT_EQ(change.hosts->hostCount(nullptr), order.size());
    for (size_t i = 0; i < order.size(); ++i) {
      const Host& host = *only(*change.hosts).entries()[i].host;
      ASSERT_EQ(host.address(), hostAddress(static_cast<size_t>(order[i]))) << round;
      const auto before = serials.find(order[i]);
      ASSERT_TRUE(before == serials.end() || host.serial() == before->second) << round;
      now[order[i]] = host.serial();
    }
    std::set<uint64_t> gone;
    for (const auto& [host, serial] : serials) {
      if (!now.contains(host)) gone.insert(serial);
    }
    std::set<uint64_t> removed;
    for (const auto& host : change.removed) removed.insert(host->serial());
    ASSERT_EQ(removed, gone) << round;
    ASSERT_EQ(change.removed.size(), gone.size()) << round;
    serials = std::move(now);
  }
}

// The removed ones are as long alive as somebody holds the change, and the former set needs them.
TEST(MembershipTest, RemovedHostsOutliveTheSetThatTheyWereIn) {
  Membership membership(1);
  const auto before = membership.update(assignmentOf({{1}, {2}})).hosts;
  const Membership::Change change = membership.update(assignmentOf({}));
  EXPECT_EQ(change.removed.size(), 2u);
  EXPECT_EQ(change.hosts->hostCount(nullptr), 0u);
  EXPECT_EQ(text(*before), "1*1 2*1 ");
}

// Active verdicts by host: ? unknown, H healthy, D degraded, U unhealthy, R relapsed, - not
// checked.
Membership::ActiveHealthOf verdicts(const std::string& of_hosts) {
  return [of_hosts](const EndpointSpec& endpoint) {
    const std::string ip = endpoint.address.ipText();
    const auto host = static_cast<size_t>(std::stoi(ip.substr(ip.rfind('.') + 1)));
    return static_cast<ActiveHealth>(std::string("-?HDUR").find(of_hosts.at(host - 1)));
  };
}

TEST(MembershipTest, AHostIsAsGoodAsTheWorseOfBothVerdicts) {
  const std::vector<Endpoint> all{{1}, {2}, {3}, {4}};
  struct ActiveCase {
    std::vector<Endpoint> endpoints;
    const char* active;
    const char* eligible;
  };
  const ActiveCase cases[] = {
      {all, "HHUH", "1*1 2*1 4*1 "},
      {all, "H?H-", "1*1 3*1 4*1 "},  // unknown: not before its first pass
      {all, "????", "1*1 2*1 3*1 4*1 "},
      {all, "?UU?", "1*1 4*1 "},  // nobody else could
      {all, "UUUU", ""},
      {all, "RHUR", "2*1 "},  // relapsed: not while another one can
      {all, "RUUU", "1*1 "},
      {all, "DUH?", "50% 3*1 50% 1*1 "},
      {all, "DUD?", "1*1 3*1 "},  // degraded hosts come before unverified ones
      {{{1, kUnhealthy}, {2, kDegraded}, {3}}, "HHU", "2*1 "},
      {{{1, kUnhealthy}, {2, kDraining}}, "H?", ""},
      {{{1}, {2, kUnknown, 1, 1}}, "?H", "2*1 "},
      {{{1, kUnknown, 1, 1}, {2}}, "??", "2*1 "},
  };
  for (const ActiveCase& c : cases) {
    Membership membership(1);
    EXPECT_EQ(text(*membership.update(assignmentOf(c.endpoints), verdicts(c.active)).hosts),
              c.eligible)
        << c.active;
  }
}

TEST(MembershipTest, UnverifiedHostsThatServeGoOnUntilTheirOwnVerdict) {
  Membership membership(1);
  const AssignmentSpec spec = assignmentOf({{1}, {2}, {3}});
  EXPECT_EQ(text(*membership.update(spec, verdicts("???")).hosts), "1*1 2*1 3*1 ");
  EXPECT_EQ(membership.counts().healthy, 3u);
  EXPECT_FALSE(membership.update(spec, verdicts("H??")).changed);
  const Membership::Change out = membership.update(spec, verdicts("HU?"));
  EXPECT_EQ(text(*out.hosts), "1*1 3*1 ");
  ASSERT_EQ(out.draining.size(), 1u);
  EXPECT_EQ(out.draining[0]->address(), hostAddress(2));
  EXPECT_EQ(membership.counts().excluded, 1u);
  EXPECT_EQ(text(*membership.update(spec, verdicts("HH?")).hosts), "1*1 2*1 3*1 ");
  // A newcomer finds others.
  const AssignmentSpec more = assignmentOf({{1}, {2}, {3}, {4}});
  EXPECT_EQ(text(*membership.update(more, verdicts("HH??")).hosts), "1*1 2*1 3*1 ");
}

// Who may be asked for by name although others are chosen.
TEST(MembershipTest, WhoeverIsUsableIsFoundByName) {
  Membership membership(1);
  const auto found = [&membership](const std::vector<Endpoint>& endpoints) {
    const Membership::Change change = membership.update(assignmentOf(endpoints));
    std::string out = change.changed ? "changed: " : "same: ";
    for (const Endpoint& endpoint : endpoints) {
      const Host* host = membership.find(hostAddress(static_cast<size_t>(endpoint.host)));
      if (change.hosts->find(host->addressText()) == host) out += numberOf(*host) + " ";
    }
    return out;
  };
  EXPECT_EQ(found({{1}, {2, kDegraded}, {3, kUnhealthy}, {4, kUnknown, 1, 1}, {5, kDraining}}),
            "changed: 1 2 4 ");
  EXPECT_EQ(found({{1}, {2, kDegraded}, {3, kUnhealthy}, {4, kUnknown, 1, 1}, {5, kDraining}}),
            "same: 1 2 4 ");
  EXPECT_EQ(found({{1}, {2, kDegraded}, {4, kUnknown, 1, 1}, {6, kUnknown, 1, 1}}),
            "changed: 1 2 4 6 ")
      << "workers are told of a new one";
}

Grouping byWeight() {
  Grouping grouping;
  grouping.spec.localities = GroupingSpec::Localities::Weighted;
  return grouping;
}

TEST(MembershipTest, AHostWithoutAGroupIsASpare) {
  AssignmentSpec spec = assignmentOf({{1}, {2}});
  spec.localities[0].zone = "a";
  spec.localities[0].weight = 1;
  spec.localities[1].zone = "b";  // without a weight: no requests
  Membership membership(1);
  const Membership::Change change = membership.update(spec, nullptr, {}, byWeight());
  EXPECT_EQ(text(*change.hosts), "1*1 ");
  ASSERT_EQ(change.hosts->spares().size(), 1u);
  EXPECT_EQ(change.hosts->find(membership.find(hostAddress(2))->addressText()),
            membership.find(hostAddress(2)));
}

// What a change of one locality costs the others: nothing, and workers keep what they know.
TEST(MembershipTest, AGroupThatStaysKeepsItsIdAndItsSet) {
  const Grouping weighted = byWeight();
  const auto spec = [](const std::vector<Endpoint>& endpoints) {
    AssignmentSpec made = assignmentOf(endpoints);
    for (size_t i = 0; i < made.localities.size(); ++i) {
      made.localities[i].zone = i % 2 == 0 ? "even" : "odd";
      made.localities[i].weight = 1;
    }
    return made;
  };
  Membership membership(1);
  const auto before = membership.update(spec({{1}, {2}, {3}, {4}}), nullptr, {}, weighted).hosts;
  const auto now =
      membership.update(spec({{1}, {2}, {3}, {4, kUnhealthy}}), nullptr, {}, weighted).hosts;
  ASSERT_EQ(before->groups().size(), 2u);
  ASSERT_EQ(now->groups().size(), 2u);
  EXPECT_EQ(now->groups()[0].hosts, before->groups()[0].hosts);
  EXPECT_NE(now->groups()[1].hosts, before->groups()[1].hosts);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(now->groups()[i].id, before->groups()[i].id);
}

Grouping byVersion() {
  Grouping grouping;
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  grouping.spec.subsets = subsets;
  return grouping;
}

TEST(MembershipTest, ASubsetInPanicServesItsLastGoodHosts) {
  const Grouping grouping = byVersion();
  const base::SubsetKey key = base::subsetKeyOf({{"version", "2"}});
  Membership membership(1);
  // Of version 2; there are five others, which are well.
  const auto update = [&](std::vector<Endpoint> endpoints) {
    const size_t labelled = endpoints.size();
    for (int other = 11; other <= 15; ++other) endpoints.push_back({other});
    AssignmentSpec spec = assignmentOf(endpoints);
    for (size_t i = 0; i < labelled; ++i) {
      spec.localities[i].endpoints[0].subset_labels = {{"version", "2"}};
    }
    return membership.update(spec, nullptr, {PanicSpec::Mode::ServeLastGood, 50}, grouping);
  };
  EXPECT_FALSE(update({{2}, {3, kUnhealthy}, {4}, {5}}).panic);
  for (int i = 0; i < 2; ++i) {
    const Membership::Change change =
        update({{2, kUnhealthy}, {3, kUnhealthy}, {4, kDraining}, {5, kUnhealthy}});
    EXPECT_TRUE(change.panic) << "though the cluster as a whole is in none";
    const auto* selection = change.hosts->select(&key).selection;
    ASSERT_EQ(selection->withShares(), 1u);
    const HostGroup& group = change.hosts->groups()[selection->groups()[0]];
    EXPECT_TRUE(group.panic);
    ASSERT_EQ(group.hosts->size(), 2u);
    EXPECT_EQ(numberOf(*group.hosts->entries()[0].host), "2");
    EXPECT_EQ(numberOf(*group.hosts->entries()[1].host), "5");
  }
  EXPECT_FALSE(update({{2}, {3}}).panic);
}

// Of one version each.
AssignmentSpec versioned(const std::vector<std::pair<Endpoint, const char*>>& endpoints) {
  std::vector<Endpoint> all;
  for (const auto& [endpoint, version] : endpoints) all.push_back(endpoint);
  AssignmentSpec spec = assignmentOf(all);
  for (size_t i = 0; i < endpoints.size(); ++i) {
    spec.localities[i].endpoints[0].subset_labels = {{"version", endpoints[i].second}};
  }
  return spec;
}

// A canary that is down for days is nobody else's panic.
TEST(MembershipTest, APanicElsewhereDoesNotKeepTheLastGoodOnes) {
  const Grouping grouping = byVersion();
  Membership membership(1);
  const auto update = [&](const std::vector<std::pair<Endpoint, const char*>>& endpoints) {
    return text(
        *membership
             .update(versioned(endpoints), nullptr, {PanicSpec::Mode::ServeLastGood, 50}, grouping)
             .hosts);
  };
  update({{{1}, "1"}, {{2}, "1"}, {{3}, "1"}, {{9, kUnhealthy}, "2"}});
  // Others have taken their place, and one of these fails.
  update({{{4}, "1"}, {{5}, "1"}, {{6, kUnhealthy}, "1"}, {{9, kUnhealthy}, "2"}});
  EXPECT_EQ(update({{{4, kUnhealthy}, "1"},
                    {{5, kUnhealthy}, "1"},
                    {{6, kUnhealthy}, "1"},
                    {{9, kUnhealthy}, "2"}}),
            "4*1 5*1 ");
}

// Without an assignment that is new: the same as with one.
TEST(MembershipTest, VerdictsAloneDoAsMuchAsAnAssignment) {
  const Grouping grouping = byVersion();
  event::Random random(17);
  std::vector<std::pair<Endpoint, const char*>> endpoints;
  for (int host = 1; host <= 20; ++host) {
    constexpr HealthStatus kTold[] = {kUnknown, kHealthy, kDegraded, kUnhealthy};
    endpoints.push_back({{host, kTold[random.below(4)], 1, static_cast<uint32_t>(host > 12)},
                         host % 3 == 0 ? "1" : "2"});
  }
  const AssignmentSpec spec = versioned(endpoints);
  std::string verdict(20, '?');
  const auto ask = [&verdict](const EndpointSpec& endpoint) { return verdicts(verdict)(endpoint); };
  const PanicSpec panic{PanicSpec::Mode::ServeLastGood, 50};
  Membership alone(1);
  Membership whole(1);
  alone.update(spec, ask, panic, grouping);
  whole.update(spec, ask, panic, grouping);
  const base::SubsetKey key = base::subsetKeyOf({{"version", "1"}});
  for (int round = 0; round < 1000; ++round) {
    std::vector<net::Address> other;
    for (uint64_t n = random.below(3); n > 0; --n) {
      const size_t host = random.below(20);
      verdict[host] = "?HDUR"[random.below(5)];
      other.push_back(hostAddress(host + 1));
    }
    const Membership::Change a = alone.refresh(ask, panic, grouping, &other);
    const Membership::Change b = whole.update(spec, ask, panic, grouping);
    ASSERT_EQ(text(*a.hosts), text(*b.hosts)) << verdict;
    ASSERT_EQ(a.hosts->hostCount(&key), b.hosts->hostCount(&key)) << verdict;
    ASSERT_EQ(a.changed, b.changed) << verdict;
    ASSERT_EQ(a.panic, b.panic) << verdict;
    ASSERT_EQ(a.draining.size(), b.draining.size()) << verdict;
    ASSERT_EQ(alone.counts().healthy, whole.counts().healthy) << verdict;
    ASSERT_EQ(a.hosts->spares().size(), b.hosts->spares().size()) << verdict;
  }
}

TEST(MembershipTest, NobodyIsAskedInVain) {
  Membership membership(1);
  const AssignmentSpec spec = assignmentOf({{1}, {2}, {3}});
  int asked = 0;
  const auto ask = [&asked](const EndpointSpec&) {
    ++asked;
    return ActiveHealth::Healthy;
  };
  membership.update(spec, ask);
  EXPECT_EQ(std::exchange(asked, 0), 3);
  const std::vector<net::Address> of{hostAddress(2), hostAddress(7)};
  EXPECT_FALSE(membership.refresh(ask, {}, {}, &of).changed);
  EXPECT_EQ(std::exchange(asked, 0), 1);
  membership.refresh(ask);
  EXPECT_EQ(asked, 3);
}

// What is not the hosts' makes other groups, too.
TEST(MembershipTest, OtherRulesForTheSameHosts) {
  Membership membership(1);
  AssignmentSpec spec = assignmentOf({{1}, {2, kUnhealthy}, {3, kUnknown, 1, 1}});
  EXPECT_EQ(text(*membership.update(spec).hosts), "70% 1*1 30% 3*1 ");
  spec.overprovisioning_percent = 200;
  EXPECT_EQ(text(*membership.update(spec).hosts), "1*1 ");
  spec.localities[0].zone = "a";
  spec.localities[0].weight = 1;
  EXPECT_EQ(text(*membership.update(spec, nullptr, {}, byWeight()).hosts), "1*1 ");
  spec.localities[1].endpoints[0].health = kHealthy;
  spec.localities[1].zone = "b";
  EXPECT_EQ(text(*membership.update(spec, nullptr, {}, byWeight()).hosts), "1*1 ");
  spec.localities[1].weight = 1;
  EXPECT_EQ(text(*membership.update(spec, nullptr, {}, byWeight()).hosts), "50% 1*1 50% 2*1 ");
  EXPECT_EQ(text(*membership.refresh().hosts), "1*1 2*1 ");
}

TEST(MembershipTest, LabelsMayBeAllThatIsNew) {
  const Grouping grouping = byVersion();
  const base::SubsetKey key = base::subsetKeyOf({{"version", "2"}});
  Membership membership(1);
  const auto update = [&](const char* version) {
    return membership.update(versioned({{{1}, "1"}, {{2}, version}}), nullptr, {}, grouping);
  };
  EXPECT_EQ(update("1").hosts->select(&key).selection, nullptr);
  const Membership::Change change = update("2");
  EXPECT_TRUE(change.changed);
  EXPECT_TRUE(change.same_hosts);
  ASSERT_NE(change.hosts->select(&key).selection, nullptr);
  EXPECT_EQ(change.hosts->hostCount(&key), 1u);
}

TEST(MembershipTest, SaysWhetherTheHostsAreTheSame) {
  Membership membership(1);
  EXPECT_FALSE(membership.update(assignmentOf({{1}, {2}})).same_hosts);
  EXPECT_TRUE(membership.update(assignmentOf({{1, kUnhealthy}, {2, kUnknown, 7}})).same_hosts);
  EXPECT_FALSE(membership.update(assignmentOf({{2}, {1}})).same_hosts);
  EXPECT_FALSE(membership.update(assignmentOf({{2}})).same_hosts);
  EXPECT_FALSE(membership.update(assignmentOf({{3}})).same_hosts);
}

TEST(MembershipTest, CountsEachPriority) {
  Membership membership(1);
  membership.update(assignmentOf({{1}, {2, kDegraded}, {3, kUnhealthy, 1, 1}}));
  const auto& counts = membership.counts().by_priority;
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts.at(0).total, 2u);
  EXPECT_EQ(counts.at(0).healthy, 1u);
  EXPECT_EQ(counts.at(0).degraded, 1u);
  EXPECT_EQ(counts.at(1).total, 1u);
  EXPECT_EQ(counts.at(1).healthy, 0u);
}

}  // namespace
}  // namespace convoy::upstream
