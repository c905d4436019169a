// Memberships of so many hosts that they are kept in several blocks (host_blocks.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proxy/event/random.h"
#include "proxy/upstream/membership.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using test::hostAddress;

constexpr size_t kHosts = 5 * HostBlocks::kHosts / 2;
constexpr const char* kZones[] = {"a", "b", "c"};

Grouping weightedWithSubsets() {
  Grouping grouping;
  grouping.spec.localities = GroupingSpec::Localities::Weighted;
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  subsets->selectors.push_back({.names = {"stage"}});
  subsets->fallback = SubsetFallback::Default;
  subsets->default_labels = {{"stage", "prod"}};
  grouping.spec.subsets = subsets;
  return grouping;
}

// A cluster that changes at random: two priorities of three zones each, labels, weights.
class Cluster {
 public:
  Cluster() {
    for (uint32_t priority = 0; priority < 2; ++priority) {
      for (const char* zone : kZones) {
        LocalitySpec& locality = spec.localities.emplace_back();
        locality.zone = zone;
        locality.priority = priority;
        locality.weight = 1 + priority;
      }
    }
    for (size_t i = 0; i < kHosts; ++i) add();
  }

  void add() {
    // Most are where most are.
    auto& endpoints = spec.localities[random_.below(2) == 0 ? 0 : random_.below(6)].endpoints;
    const size_t at =
        random_.below(4) == 0 ? random_.below(endpoints.size() + 1) : endpoints.size();
    EndpointSpec endpoint;
    endpoint.address = hostAddress(next_++);
    endpoint.weight = 1 + static_cast<uint32_t>(random_.below(3));
    endpoint.subset_labels = {{"stage", random_.below(3) == 0 ? "canary" : "prod"},
                              {"version", std::to_string(random_.below(10))}};
    endpoints.insert(endpoints.begin() + static_cast<std::ptrdiff_t>(at), endpoint);
  }
  void remove() {
    auto& endpoints = spec.localities[random_.below(6)].endpoints;
    if (endpoints.empty()) return;
    endpoints.erase(endpoints.begin() +
                    static_cast<std::ptrdiff_t>(random_.below(endpoints.size())));
  }
  EndpointSpec& any() {
    while (true) {
      auto& endpoints = spec.localities[random_.below(6)].endpoints;
      if (!endpoints.empty()) return endpoints[random_.below(endpoints.size())];
    }
  }
  // Returns whom they are about.
  std::vector<net::Address> otherVerdicts() {
    std::vector<net::Address> of;
    // Now and then so many that another priority has to help, or panic comes.
    for (uint64_t n = random_.below(random_.below(10) == 0 ? kHosts : 4); n > 0; --n) {
      const net::Address& host = any().address;
      constexpr ActiveHealth kVerdicts[] = {ActiveHealth::Healthy, ActiveHealth::Unhealthy,
                                            ActiveHealth::Degraded, ActiveHealth::Relapsed};
      verdicts_[host] = kVerdicts[random_.below(4)];
      of.push_back(host);
    }
    return of;
  }
  Membership::ActiveHealthOf active() const {
    return [this](const EndpointSpec& endpoint) -> Membership::Verdict {
      const auto found = verdicts_.find(endpoint.address);
      return found == verdicts_.end() ? ActiveHealth::Healthy : found->second;
    };
  }
  uint64_t below(uint64_t bound) { return random_.below(bound); }

  AssignmentSpec spec;

 private:
  event::Random random_{7};
  absl::flat_hash_map<net::Address, ActiveHealth> verdicts_;
  size_t next_ = 0;
};

std::string text(const HostSet& set) {
  std::string out;
  for (const HostSet::Entry& entry : set.entries()) {
    out += entry.host->addressText() + "*" + std::to_string(entry.weight) + " ";
  }
  return out;
}

std::string text(const HostGroups& groups, const GroupSelection& selection) {
  std::string out;
  for (size_t i = 0; i < selection.groups().size(); ++i) {
    const HostGroup& group = groups.groups()[selection.groups()[i]];
    out += group.key + " " + std::to_string(selection.share(i)) +
           (group.panic ? " panic: " : ": ") + text(*group.hosts) + "\n";
  }
  return out;
}

std::string text(const HostGroups& groups) {
  std::string out = text(groups, groups.whole());
  if (groups.parts().subsets != nullptr) {
    const SubsetTable& table = *groups.parts().subsets;
    std::map<std::string, const GroupSelection*> sorted;
    for (const auto& [pairs, selection] : table.by_pairs) sorted[pairs] = &selection;
    for (const auto& [pairs, selection] : sorted) out += pairs + ": " + text(groups, *selection);
    out += text(groups, table.default_subset);
  }
  for (const Host* host : groups.spares()) out += host->addressText() + " ";
  return out;
}

// By looking at every group.
std::vector<uint32_t> groupsOf(const HostGroups& groups, const Host& host) {
  std::vector<uint32_t> of;
  for (uint32_t i = 0; i < groups.groups().size(); ++i) {
    const auto entries = groups.groups()[i].hosts->entries();
    if (std::any_of(entries.begin(), entries.end(),
                    [&host](const HostSet::Entry& entry) { return entry.host == &host; })) {
      of.push_back(i);
    }
  }
  return of;
}

// One that has seen all changes, against one that sees only what they came to.
TEST(LargeMembershipTest, WhateverChangesItIsAsIfMadeAnew) {
  for (const bool divided : {false, true}) {
    const Grouping grouping = divided ? weightedWithSubsets() : Grouping();
    const PanicSpec panic{PanicSpec::Mode::ServeAll, 30};
    Cluster cluster;
    AssignmentSpec present = cluster.spec;
    Membership membership(1);
    membership.update(present, cluster.active(), panic, grouping);
    std::string before = text(*membership.hosts());
    for (int round = 0; round < 150; ++round) {
      Membership::Change change;
      if (cluster.below(2) == 0) {
        const std::vector<net::Address> of = cluster.otherVerdicts();
        change = membership.refresh(cluster.active(), panic, grouping, &of);
      } else {
        for (uint64_t n = cluster.below(4); n > 0; --n) cluster.add();
        for (uint64_t n = cluster.below(4); n > 0; --n) cluster.remove();
        for (uint64_t n = cluster.below(3); n > 0; --n) ++cluster.any().weight;
        if (cluster.below(20) == 0) cluster.spec.localities[1].zone = "z";
        AssignmentSpec next = cluster.spec;
        change = membership.update(next, cluster.active(), panic, grouping);
        present = std::move(next);
        // What it keeps of an assignment are pointers.
        membership.update(present, cluster.active(), panic, grouping);
      }
      Membership anew(1);
      anew.update(present, cluster.active(), panic, grouping);
      const std::string now = text(*membership.hosts());
      ASSERT_EQ(now, text(*anew.hosts())) << "round " << round;
      ASSERT_TRUE(change.changed || now == before) << "round " << round;
      before = now;
      ASSERT_EQ(membership.counts().healthy, anew.counts().healthy);
      ASSERT_EQ(membership.counts().degraded, anew.counts().degraded);
      ASSERT_EQ(membership.counts().excluded, anew.counts().excluded);
      ASSERT_EQ(membership.counts().max_weight, anew.counts().max_weight);
      ASSERT_EQ(membership.counts().healthy_by_locality, anew.counts().healthy_by_locality);
      if (membership.hosts()->single()) continue;
      const Host* const host = membership.find(cluster.any().address);
      const auto of = membership.hosts()->groupsOf(*host);
      ASSERT_EQ((std::vector<uint32_t>(of.begin(), of.end())),
                groupsOf(*membership.hosts(), *host));
    }
  }
}

// What a change costs: one host is one piece of each group that it is in, however many there are.
TEST(LargeMembershipTest, AVerdictMakesOnePieceAnew) {
  AssignmentSpec spec;
  spec.localities.resize(2);
  for (size_t i = 0; i < 8 * HostBlocks::kHosts; ++i) {
    EndpointSpec& endpoint = spec.localities[i % 2].endpoints.emplace_back();
    endpoint.address = hostAddress(i);
  }
  spec.localities[1].priority = 1;
  const std::vector<net::Address> of{hostAddress(5000)};
  bool out = false;
  const auto active = [&](const EndpointSpec& endpoint) -> Membership::Verdict {
    return out && endpoint.address == of[0] ? ActiveHealth::Unhealthy : ActiveHealth::Healthy;
  };
  Membership membership(1);
  const auto before = membership.update(spec, active).hosts;
  for (const bool fails : {true, false}) {
    out = fails;
    const auto now = membership.refresh(active, {}, {}, &of).hosts;
    ASSERT_EQ(now->groups().size(), 2u);
    EXPECT_EQ(now->groups()[1].hosts, before->groups()[1].hosts) << "the other priority";
    const HostPieces& were = before->groups()[0].hosts->pieces();
    const HostPieces& are = now->groups()[0].hosts->pieces();
    ASSERT_EQ(are.size(), 4u);
    size_t same = 0;
    for (size_t i = 0; i < are.size(); ++i) same += are[i] == were[i];
    EXPECT_EQ(same, 3u);
    EXPECT_EQ(now->groups()[0].hosts->size(), 4 * HostBlocks::kHosts - (fails ? 1 : 0));
  }
}

TEST(LargeMembershipTest, AnotherAssignmentOfTheSameHostsMakesNothingAnew) {
  Cluster cluster;
  const Grouping grouping = weightedWithSubsets();
  Membership membership(1);
  const auto before = membership.update(cluster.spec, nullptr, {}, grouping).hosts;
  const AssignmentSpec same = cluster.spec;
  const Membership::Change change = membership.update(same, nullptr, {}, grouping);
  EXPECT_FALSE(change.changed);
  EXPECT_EQ(change.hosts, before);
}

}  // namespace
}  // namespace convoy::upstream
