#include "proxy/upstream/algorithms/scored.h"

#include <gtest/gtest.h>

#include <chrono>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using std::chrono::seconds;
using test::Hosts;
using test::Picks;

// The last result in seconds is the cost.
class Last {
 public:
  float cost() const { return cost_; }
  event::MonotonicTime at() const { return at_; }
  void note(const RequestResult& result, float median, event::Duration memory) {
    median_seen = median;
    memory_seen = memory;
    cost_ = std::chrono::duration<float>(result.took).count();
    at_ = result.now;
  }
  static float score(float cost, uint32_t active) { return cost * static_cast<float>(active); }

  static inline float median_seen = 0;
  static inline event::Duration memory_seen{};

 private:
  float cost_ = 0;
  event::MonotonicTime at_{};
};

class ScoredTest : public ::testing::Test {
 protected:
  // Every pick ends at once.
  std::string picks(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      const Pick pick = source_.one();
      text += static_cast<char>('A' + pick.host->slot());
      pick.host->active() -= 1;
    }
    return text;
  }
  void answer(Host& host, int took) {
    policy_.onResult(host, {.took = seconds(took), .now = source_.now});
  }
  void useHosts(const Hosts& hosts) { policy_.setHosts(hosts.set()); }

  Scored<Last> policy_{seconds(10)};
  Picks source_{policy_};
};

TEST_F(ScoredTest, TheLowestScoreWinsAndIsCounted) {
  const Hosts hosts({1, 1, 1});
  useHosts(hosts);
  answer(hosts[0], 50);
  answer(hosts[1], 30);
  answer(hosts[2], 45);
  const Pick pick = source_.one();
  EXPECT_EQ(pick.host, &hosts[1]);
  EXPECT_TRUE(pick.counted);
  EXPECT_EQ(hosts[1].active(), 1u);
  EXPECT_EQ(source_.one().host, &hosts[2]) << "60 of the busy one against 45";
}

TEST_F(ScoredTest, WeightsDivide) {
  const Hosts hosts({1, 4});
  useHosts(hosts);
  answer(hosts[0], 10);
  answer(hosts[1], 30);
  EXPECT_EQ(picks(3), "BBB");
}

// A10: no data is not 0 ms, which would send everything to a new host; nor is it the worst.
TEST_F(ScoredTest, AColdHostHasTheMedian) {
  const Hosts hosts({1, 1, 1, 1});
  const auto three = hosts.snapshot({1, 1, 1, 0});
  policy_.setHosts(*three);
  answer(hosts[0], 10);
  answer(hosts[1], 20);
  answer(hosts[2], 30);
  EXPECT_FLOAT_EQ(policy_.medianForTest(), 20);
  useHosts(hosts);
  EXPECT_EQ(picks(5), "AAAAA");
  hosts.setActive({2, 0, 0, 0});  // 30, 20, 30, 20: on a tie the cold one
  EXPECT_EQ(picks(3), "DDD");
  hosts.setActive({2, 0, 0, 1});  // 30, 20, 30, 40
  EXPECT_EQ(picks(3), "BBB");
}

// A10: and a concurrency cap. The new host would be the best at 7 requests, too, if they were
// counted as of a host that is known.
TEST_F(ScoredTest, AColdHostGetsFewRequestsBeforeItsFirstAnswer) {
  const Hosts hosts({1, 1});
  const auto one = hosts.snapshot({1, 0});
  policy_.setHosts(*one);
  answer(hosts[0], 1);
  useHosts(hosts);
  hosts.setActive({7, 0});
  EXPECT_EQ(source_.text(4), "BBBB");
  EXPECT_EQ(source_.text(4), "AAAA");
  answer(hosts[1], 1);
  EXPECT_EQ(source_.text(1), "B");
}

TEST_F(ScoredTest, TheCapHoldsOnlyWhileThereIsAnotherChoice) {
  const Hosts hosts({1, 1});
  useHosts(hosts);
  EXPECT_EQ(source_.text(12), "ABABABABABAB");
}

TEST_F(ScoredTest, HostsAreEqualBeforeTheFirstAnswer) {
  const Hosts hosts({1, 2});
  useHosts(hosts);
  EXPECT_EQ(source_.text(6), "BABBAB");
}

TEST_F(ScoredTest, NobodyStarves) {
  const Hosts hosts({1, 1, 1});
  useHosts(hosts);
  answer(hosts[0], 1);
  answer(hosts[1], 900);
  // C has never answered: asked once it is looked for. Then it is busy, and left alone.
  std::string text = picks(kLookEvery);
  EXPECT_EQ(text, std::string(kLookEvery - 1, 'A') + "C");
  answer(hosts[2], 800);
  EXPECT_EQ(picks(3 * kLookEvery), std::string(3 * kLookEvery, 'A'));
  // Ten seconds later the slow ones are asked again, one request each.
  source_.now += seconds(10);
  answer(hosts[0], 1);
  text = picks(kLookEvery);
  EXPECT_EQ(text.back(), 'B');
  hosts[1].active() = 1;
  EXPECT_EQ(picks(kLookEvery).back(), 'C');
  hosts[2].active() = 1;
  EXPECT_EQ(picks(2 * kLookEvery), std::string(2 * kLookEvery, 'A'));
}

TEST_F(ScoredTest, AHostThatHasRecoveredIsUsedAgain) {
  const Hosts hosts({1, 1});
  useHosts(hosts);
  answer(hosts[0], 10);
  answer(hosts[1], 1000);
  source_.now += seconds(10);
  answer(hosts[0], 10);
  EXPECT_EQ(picks(kLookEvery).back(), 'B');
  answer(hosts[1], 1);
  EXPECT_EQ(picks(5), "BBBBB");
}

TEST_F(ScoredTest, TracksHearTheMedianAndTheMemory) {
  const Hosts hosts({1, 1});
  useHosts(hosts);
  answer(hosts[0], 4);
  answer(hosts[1], 5);
  EXPECT_FLOAT_EQ(Last::median_seen, 4);
  EXPECT_EQ(Last::memory_seen, seconds(10));
}

TEST_F(ScoredTest, PassesOverTriedHosts) {
  const Hosts hosts({1, 1, 1});
  useHosts(hosts);
  answer(hosts[0], 1);
  answer(hosts[1], 2);
  answer(hosts[2], 3);
  EXPECT_EQ(source_.one({&hosts[0]}).host, &hosts[1]);
  EXPECT_EQ(source_.one({&hosts[0], &hosts[1]}).host, &hosts[2]);
  EXPECT_NE(source_.one({&hosts[0], &hosts[1], &hosts[2]}).host, nullptr);
}

TEST_F(ScoredTest, LargePoolsFindAGoodOne) {
  const Hosts hosts(std::vector<uint32_t>(1000, 1));
  useHosts(hosts);
  for (size_t i = 0; i < 1000; ++i) answer(hosts[i], 1 + static_cast<int>(i));
  EXPECT_NEAR(policy_.medianForTest(), 500, 500);
  uint64_t sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const Pick pick = source_.one();
    sum += pick.host->slot();
    pick.host->active() -= 1;
  }
  // The mean of the best of eight of 0..999 is 1000 / 9.
  EXPECT_NEAR(static_cast<double>(sum) / 1000, 111, 15);
}

class LargeScoredTest : public ScoredTest {
 protected:
  static constexpr size_t kHosts = 100;

  LargeScoredTest() { useHosts(hosts_); }
  // All but one have answered just now.
  void answerAllBut(size_t one) {
    for (size_t i = 0; i < kHosts; ++i) {
      if (i != one) answer(hosts_[i], 10);
    }
  }
  // How many of so many picks, each of which ends at once, were of this host; or how many it took
  // to come to the first one.
  int picksOf(size_t host, int count, bool first = false) {
    int picked = 0;
    for (int i = 1; i <= count; ++i) {
      Host& at = *source_.one().host;
      at.active() -= 1;
      if (&at != &hosts_[host]) continue;
      if (first) return i;
      ++picked;
    }
    return picked;
  }
  int picksUntil(size_t host, int most) { return picksOf(host, most, /*first=*/true); }

  const Hosts hosts_{std::vector<uint32_t>(kHosts, 1)};
};

// Each look goes over eight hosts, in turn: after thirteen looks all have been seen.
TEST_F(LargeScoredTest, AHostThatHasRecoveredIsSoonUsedAgain) {
  constexpr int kMost = static_cast<int>((kHosts + kSampledHosts - 1) / kSampledHosts * kLookEvery);
  for (size_t slow = 0; slow < kHosts; ++slow) {
    answer(hosts_[slow], 900);
    answerAllBut(slow);
    ASSERT_EQ(picksOf(slow, 3 * kMost), 0) << slow;
    source_.now += seconds(10);
    answerAllBut(slow);
    ASSERT_GT(picksUntil(slow, kMost), 0) << slow << " was not looked at";
    answer(hosts_[slow], 1);
    // 8 of 100 are compared.
    ASSERT_GT(picksOf(slow, 1000), 40) << slow;
  }
}

// Others that wait for a look as well take one each, not all of them.
TEST_F(LargeScoredTest, NobodyStarvesBehindOthersThatAreForgotten) {
  constexpr int kMost = static_cast<int>(kHosts * kLookEvery);
  for (size_t slow = 0; slow < kHosts; slow += 9) {
    answer(hosts_[slow], 900);
    answerAllBut(slow);
    source_.now += seconds(10);
    EXPECT_GT(picksUntil(slow, kMost), 0) << slow;
    answer(hosts_[slow], 10);
  }
}

TEST_F(ScoredTest, ResultsOfHostsThatHaveLeftDoNoHarm) {
  const Hosts hosts({1, 1});
  const auto one = hosts.snapshot({1, 0});
  answer(hosts[1], 5);
  policy_.setHosts(*one);
  answer(hosts[1], 5);
  EXPECT_FLOAT_EQ(policy_.medianForTest(), 0);
  EXPECT_EQ(picks(20), std::string(20, 'A'));
}

TEST_F(ScoredTest, NoHosts) {
  EXPECT_EQ(source_.one().kind, Pick::Kind::None);
  const HostSet none(HostPieces{});
  policy_.setHosts(none);
  EXPECT_EQ(source_.one().kind, Pick::Kind::None);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
