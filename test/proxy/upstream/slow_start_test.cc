#include "proxy/upstream/slow_start.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t kFree = HostLimits::kNone;

// Hosts 0, 1, 2, ...; `serving` are those of the only group.
class SlowStartTest : public testing::Test {
 protected:
  SlowStartTest() {
    for (uint32_t i = 0; i < 4; ++i) {
      hosts_.push_back(std::make_shared<Host>(test::hostAddress(i), i, /*workers=*/2));
    }
  }
  void turnOn(SlowStartSpec spec = {}) { slow_start_.configure(spec, *groups_, now_); }
  void serve(std::vector<size_t> serving, uint32_t weight_of_last = 1) {
    serveInGroups({{1, std::move(serving)}}, weight_of_last);
  }
  // By the groups' ids.
  void serveInGroups(const std::vector<std::pair<uint64_t, std::vector<size_t>>>& groups,
                     uint32_t weight_of_last = 1) {
    HostGroups::Parts parts;
    for (const auto& [id, hosts] : groups) {
      std::vector<HostSet::Entry> entries;
      for (const size_t i : hosts) entries.emplace_back(hosts_[i].get(), 1);
      if (!entries.empty()) entries.back().weight = weight_of_last;
      parts.groups.push_back(
          {.id = id, .key = "", .hosts = std::make_shared<const HostSet>(std::move(entries))});
    }
    groups_ = std::make_shared<const HostGroups>(std::move(parts));
    slow_start_.setHosts(*groups_, now_);
  }
  void pass(event::Duration time) {
    now_ += time;
    slow_start_.step(now_);
  }
  // On both workers together.
  void load(size_t host, int64_t requests) {
    hosts_[host]->metrics(0).rq_active.set(requests - 1);
    hosts_[host]->metrics(1).rq_active.set(1);
  }
  uint32_t allowed(size_t host) const { return hosts_[host]->limits().mostRequests(); }

  std::vector<std::shared_ptr<Host>> hosts_;
  std::shared_ptr<const HostGroups> groups_ = std::make_shared<const HostGroups>();
  event::MonotonicTime now_{1000s};
  SlowStart slow_start_;
};

TEST_F(SlowStartTest, HostsThatStartTogetherServe) {
  turnOn();
  serve({0, 1, 2});
  load(0, 50);
  for (int i = 0; i < 30; ++i) {
    for (size_t host : {0, 1, 2}) EXPECT_EQ(allowed(host), kFree);
    EXPECT_FALSE(slow_start_.active());
    pass(1s);
  }
}

// Envoy's formula: max(10 %, t / window).
TEST_F(SlowStartTest, ANewHostHasAPartOfWhatTheOthersHave) {
  serve({0, 1});
  turnOn();
  load(0, 90);
  load(1, 110);
  serve({0, 1, 2});
  EXPECT_TRUE(slow_start_.active());
  EXPECT_EQ(allowed(0), kFree);
  EXPECT_EQ(allowed(1), kFree);
  EXPECT_EQ(allowed(2), 10u) << "a tenth of 100";
  pass(1s);
  EXPECT_EQ(allowed(2), 10u);
  pass(2s);
  EXPECT_EQ(allowed(2), 10u);
  pass(3s);
  EXPECT_EQ(allowed(2), 20u);
  pass(9s);
  EXPECT_EQ(allowed(2), 50u);
  pass(14s);
  EXPECT_EQ(allowed(2), 97u);
  EXPECT_TRUE(slow_start_.active());
  pass(1s);
  EXPECT_EQ(allowed(2), kFree);
  EXPECT_FALSE(slow_start_.active());
}

TEST_F(SlowStartTest, TheShareIsThatOfItsWeight) {
  serve({0, 1});
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0});
  load(0, 30);
  load(1, 30);
  serve({0, 1, 2}, /*weight_of_last=*/4);
  EXPECT_EQ(allowed(2), 1u) << "nothing at all would leave it cold";
  pass(5s);
  EXPECT_EQ(allowed(2), 60u);
}

TEST_F(SlowStartTest, AggressionBendsTheCurve) {
  serve({0});
  turnOn({.window = 10s, .aggression = 2, .min_factor = 0.05});
  load(0, 100);
  serve({0, 1});
  EXPECT_EQ(allowed(1), 5u);
  pass(100ms);
  EXPECT_EQ(allowed(1), 10u) << "the root of 1 %";
  pass(2400ms);
  EXPECT_EQ(allowed(1), 50u) << "the root of a quarter";
}

TEST_F(SlowStartTest, OneRequestIsAlwaysAllowed) {
  serve({0});
  turnOn();
  serve({0, 1});
  for (int i = 0; i < 29; ++i) {
    EXPECT_EQ(allowed(1), 1u);
    pass(1s);
  }
}

// A dip of a moment chokes nobody, and a peak opens no gate.
TEST_F(SlowStartTest, TheLoadIsSmoothed) {
  serve({0});
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0.5});
  load(0, 100);
  serve({0, 1});
  EXPECT_EQ(allowed(1), 50u);
  load(0, 0);
  pass(1s);
  EXPECT_EQ(allowed(1), 38u) << "half of 75";
  load(0, 175);
  pass(1s);
  EXPECT_EQ(allowed(1), 50u) << "half of 100";
}

TEST_F(SlowStartTest, WhoComesBackStartsAnew) {
  serve({0, 1});
  turnOn();
  load(0, 10);
  load(1, 10);
  serve({0});
  serve({0, 1});
  EXPECT_EQ(allowed(1), 1u);
  pass(15s);
  EXPECT_EQ(allowed(1), 5u);
  serve({0});
  EXPECT_EQ(allowed(1), kFree) << "it is nobody's business any more";
  EXPECT_FALSE(slow_start_.active());
  serve({0, 1});
  EXPECT_EQ(allowed(1), 1u);
}

// After an outage of all: whoever is back first has the load, and the others join.
TEST_F(SlowStartTest, WithoutAWarmHostTheOldestIsNotLimited) {
  turnOn();
  serve({0, 1});
  serve({});
  serve({2});
  EXPECT_EQ(allowed(2), kFree);
  load(2, 100);
  serve({2, 3});
  EXPECT_EQ(allowed(3), kFree) << "they start together";
  pass(15s);
  EXPECT_EQ(allowed(3), kFree);
  serve({2, 3, 0});
  EXPECT_EQ(allowed(2), kFree);
  EXPECT_EQ(allowed(0), 10u) << "a fifth of what they have: a tenth is to their half as that";
}

// Who starts a little later has the same factor at first; then they part.
TEST_F(SlowStartTest, ColdHostsThatStartOneAfterTheOtherPart) {
  turnOn({.window = 30s, .aggression = 1, .min_factor = 0.5});
  serve({0});
  load(0, 100);
  pass(14s);
  serve({0, 1});
  EXPECT_EQ(allowed(1), kFree) << "both have the least factor";
  EXPECT_TRUE(slow_start_.active());
  pass(1s);
  EXPECT_EQ(allowed(1), kFree);
  pass(10s);
  EXPECT_EQ(allowed(0), kFree);
  EXPECT_EQ(allowed(1), 60u) << "a half to their 25/30";
  pass(19s);
  EXPECT_EQ(allowed(1), kFree) << "both are warm";
  EXPECT_FALSE(slow_start_.active());
}

TEST_F(SlowStartTest, TheOthersPartWhenTheWarmOnesLeave) {
  serve({0});
  turnOn({.window = 30s, .aggression = 1, .min_factor = 0.5});
  load(0, 10);
  load(1, 100);
  serve({0, 1});
  pass(14s);
  serve({0, 1, 2});
  serve({1, 2});
  EXPECT_EQ(allowed(2), kFree);
  EXPECT_TRUE(slow_start_.active());
  pass(11s);
  EXPECT_EQ(allowed(2), 60u);
}

TEST_F(SlowStartTest, ALongerWindowMakesNobodyColdAgain) {
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0.1});
  serve({0});
  load(0, 100);
  now_ += 100s;
  serve({0, 1});
  pass(10s);
  EXPECT_FALSE(slow_start_.active());
  now_ += 90s;
  turnOn({.window = 600s, .aggression = 1, .min_factor = 0.1});
  serve({0, 1});
  EXPECT_EQ(allowed(1), kFree) << "it was warm";
  serve({0, 1, 2});
  EXPECT_EQ(allowed(2), 5u) << "a tenth of what the two have";
}

// Few warm ones among many: all of them are looked at, whatever their order.
TEST_F(SlowStartTest, TheLoadIsThatOfTheWarmOnesHoweverManyStart) {
  std::vector<size_t> warm{0, 1, 2};
  serve(warm);
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0.5});
  load(1, 300);
  std::vector<size_t> all = warm;
  for (uint32_t i = 4; i < 4 * SlowStart::kSampled; ++i) {
    hosts_.push_back(std::make_shared<Host>(test::hostAddress(i), i, /*workers=*/2));
    all.push_back(i);
  }
  serve(all);
  EXPECT_EQ(allowed(4), 50u) << "half of their mean";
}

// Nothing of nothing: a set that is replaced whole, with a factor that begins at 0.
TEST_F(SlowStartTest, HostsThatReplaceAllOthersServe) {
  serve({0, 1});
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0});
  serve({0, 1, 2});
  serve({3});
  EXPECT_EQ(allowed(3), kFree);
  EXPECT_FALSE(slow_start_.active());
}

TEST_F(SlowStartTest, TurningItOnAndOffLeavesThoseAloneWhoServe) {
  serve({0, 1});
  turnOn();
  EXPECT_EQ(allowed(0), kFree);
  serve({0, 1, 2});
  EXPECT_EQ(allowed(2), 1u);
  turnOn({.window = 60s, .aggression = 1, .min_factor = 0.1});
  EXPECT_EQ(allowed(2), 1u) << "another window starts nobody anew";
  slow_start_.configure(std::nullopt, *groups_, now_);
  EXPECT_EQ(allowed(2), kFree);
  EXPECT_FALSE(slow_start_.active());
}

// Another priority has another load, often none.
TEST_F(SlowStartTest, AHostIsComparedWithThoseOfItsGroup) {
  serveInGroups({{1, {0}}, {2, {1}}});
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0.5});
  load(0, 100);
  load(1, 20);
  serveInGroups({{1, {0, 2}}, {2, {1, 3}}});
  EXPECT_EQ(allowed(2), 50u);
  EXPECT_EQ(allowed(3), 10u);
  // The groups may be in another order, and one may go.
  load(1, 60);
  serveInGroups({{2, {1, 3}}, {1, {0, 2}}});
  EXPECT_EQ(allowed(2), 50u);
  EXPECT_EQ(allowed(3), 15u) << "a quarter of the way from 20 to 60";
  serveInGroups({{2, {1, 3}}});
  EXPECT_EQ(allowed(2), kFree);
  EXPECT_TRUE(slow_start_.active());
}

TEST_F(SlowStartTest, AHostOfSeveralGroupsCountsInTheFirst) {
  serveInGroups({{1, {0}}, {2, {0}}});
  turnOn({.window = 10s, .aggression = 1, .min_factor = 0.5});
  load(0, 100);
  serveInGroups({{1, {0, 1}}, {2, {1}}});
  EXPECT_EQ(allowed(1), 50u);
  // Of a group of its own it has no other to be compared with.
  serveInGroups({{1, {0}}, {2, {1}}});
  EXPECT_EQ(allowed(1), kFree);
}

TEST_F(SlowStartTest, StepsAreAsShortAsTheWindowNeeds) {
  EXPECT_EQ(slow_start_.period(), 100ms);
  turnOn({.window = 30s, .aggression = 1, .min_factor = 0.1});
  EXPECT_EQ(slow_start_.period(), 100ms);
  turnOn({.window = 1s, .aggression = 1, .min_factor = 0.1});
  EXPECT_EQ(slow_start_.period(), 50ms);
  turnOn({.window = 1ms, .aggression = 1, .min_factor = 0.1});
  EXPECT_EQ(slow_start_.period(), 10ms);
}

}  // namespace
}  // namespace convoy::upstream
