#include "proxy/upstream/outlier/streaks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

// Threads that race for probes of one host. Whoever has one ends it as a worker does and, for main,
// allows the next one; or its client goes away, and somebody else may have it.
class ProbeRace {
 public:
  static constexpr size_t kThreads = 4;
  static constexpr size_t kEach = 20'000;  // probes, at least, that a thread ends
  static constexpr uint32_t kLateEvery = 16;

  void run() {
    streaks_->allowProbes();
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([this, i] { race(ended_[i]); });
    }
    for (std::thread& thread : threads) thread.join();
  }
  bool anyLost() const { return lost_; }
  // The probes that had an outcome, by thread.
  const std::vector<std::vector<uint32_t>>& ended() const { return ended_; }
  Streaks& streaks() { return *streaks_; }

 private:
  void race(std::vector<uint32_t>& ended) {
    start_.arrive_and_wait();
    uint32_t former = Streaks::kNoProbe, taken = 0, refused = 0;
    while (done_ < kThreads && !lost_) {
      const uint32_t probe = streaks_->takeProbe();
      if (probe == Streaks::kNoProbe) {
        // Late news of one that has had its outcome: none of the one that is under way.
        if (former == Streaks::kNoProbe || ++refused % kLateEvery != 0) continue;
        if (streaks_->endProbe(former)) lost_ = true;
        streaks_->giveBackProbe(former);
        continue;
      }
      if (++taken % 2 == 0) {
        if (!streaks_->endProbe(probe)) lost_ = true;
        ended.push_back(former = probe);
        streaks_->allowProbes();
        if (ended.size() == kEach) ++done_;
      }
      streaks_->giveBackProbe(probe);
    }
  }

  // On the heap: gcc 12's AddressSanitizer does not align it in a frame.
  const std::unique_ptr<Streaks> streaks_ = std::make_unique<Streaks>();
  std::latch start_{kThreads};
  std::atomic<size_t> done_{0};  // threads; they go on for the others to have company
  std::atomic<bool> lost_{false};
  std::vector<std::vector<uint32_t>> ended_{kThreads};
};

TEST(StreaksTest, OneOfManyThreadsHasTheProbe) {
  ProbeRace race;
  race.run();
  EXPECT_FALSE(race.anyLost()) << "somebody else ended it";
  std::vector<uint32_t> probes;
  for (const std::vector<uint32_t>& ended : race.ended()) {
    EXPECT_GE(ended.size(), ProbeRace::kEach);
    probes.insert(probes.end(), ended.begin(), ended.end());
  }
  std::sort(probes.begin(), probes.end());
  EXPECT_EQ(std::adjacent_find(probes.begin(), probes.end()), probes.end())
      << "two threads had the same one";
  const uint32_t last = race.streaks().takeProbe();
  EXPECT_NE(last, Streaks::kNoProbe) << "none was lost";
  EXPECT_EQ(race.streaks().takeProbe(), Streaks::kNoProbe);
}

}  // namespace
}  // namespace convoy::upstream
