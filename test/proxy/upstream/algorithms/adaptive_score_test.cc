#include "proxy/upstream/algorithms/adaptive_score.h"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>

#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Hosts;
using test::Picks;

constexpr event::MonotonicTime kStart{seconds(100)};

RequestResult took(int ms, bool failed = false, event::MonotonicTime now = kStart) {
  return {.failed = failed, .took = milliseconds(ms), .now = now};
}

TEST(AdaptiveScoreTest, TheFormula) {
  EXPECT_NEAR(adaptiveScore(10, 50, 1), 23.3, 1e-4);
  EXPECT_NEAR(adaptiveScore(10, 0, 0), 3, 1e-4);
  EXPECT_NEAR(adaptiveScore(0, 50, 0), 20, 1e-4);
  EXPECT_NEAR(adaptiveScore(0, 0, 1), 0.3, 1e-4);
}

TEST(ResultWindowTest, ScoresWhatItHasSeen) {
  ResultWindow window;
  // 99 results of 50 ms, one of which failed, and one of 900 ms: the 99th in rank is 50.
  window.note(took(900), 0, seconds(10));
  for (int i = 0; i < 99; ++i) window.note(took(50, i == 0), 0, seconds(10));
  EXPECT_FLOAT_EQ(window.p99Milliseconds(), 50);
  EXPECT_FLOAT_EQ(window.failedPercent(), 1);
  EXPECT_NEAR(ResultWindow::score(window.cost(), 10), 23.3, 1e-4);
}

// A10: a part-filled window counts what it has.
TEST(ResultWindowTest, APartFilledWindowIsDividedByItsPart) {
  ResultWindow window;
  window.note(took(80), 0, seconds(10));
  window.note(took(20, true), 0, seconds(10));
  EXPECT_FLOAT_EQ(window.p99Milliseconds(), 80);
  EXPECT_FLOAT_EQ(window.failedPercent(), 50);
}

TEST(ResultWindowTest, AgreesWithANaiveModel) {
  event::Random random(17);
  ResultWindow window;
  std::deque<RequestResult> model;
  event::MonotonicTime now = kStart;
  for (int i = 0; i < 5000; ++i) {
    now += milliseconds(random.below(300));
    const RequestResult result =
        took(static_cast<int>(random.below(1000)), random.below(10) == 0, now);
    window.note(result, 0, seconds(10));
    model.push_back(result);
    if (model.size() > ResultWindow::kResults) model.pop_front();
    while (now - model.front().now > seconds(10)) model.pop_front();
    std::vector<float> times;
    int failed = 0;
    for (const RequestResult& seen : model) {
      times.push_back(std::chrono::duration<float, std::milli>(seen.took).count());
      failed += seen.failed ? 1 : 0;
    }
    std::sort(times.begin(), times.end());
    const size_t rank = (99 * times.size() + 99) / 100;
    ASSERT_FLOAT_EQ(window.p99Milliseconds(), times[rank - 1]) << i;
    ASSERT_FLOAT_EQ(window.failedPercent(), 100.F * failed / times.size()) << i;
    ASSERT_EQ(window.at(), now);
  }
}

TEST(AdaptiveScoreTest, TheLowestScoreWins) {
  struct Case {
    const char* name;
    std::vector<std::pair<int, bool>> results;  // of A and of B: ms, failed
    std::vector<uint32_t> active;
    const char* pick;
  };
  const Case cases[] = {
      {"the quicker", {{50, false}, {30, false}}, {0, 0}, "B"},
      {"the less busy", {{50, false}, {50, false}}, {3, 2}, "B"},
      {"20 ms are worth 26 requests", {{50, false}, {30, false}}, {0, 26}, "B"},
      {"but not 27", {{50, false}, {30, false}}, {0, 27}, "A"},
      {"a failing one", {{50, false}, {1, true}}, {0, 0}, "A"},
  };
  for (const Case& c : cases) {
    const Hosts hosts({1, 1});
    AdaptiveScore policy(seconds(10));
    policy.setHosts(hosts.set());
    for (size_t i = 0; i < 2; ++i) {
      policy.onResult(hosts[i], took(c.results[i].first, c.results[i].second));
    }
    hosts.setActive(c.active);
    EXPECT_EQ(Picks(policy).text(1), c.pick) << c.name;
  }
}

}  // namespace
}  // namespace convoy::upstream::algorithms
