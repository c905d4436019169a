#include "proxy/event/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace convoy::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kBase = milliseconds(500);
constexpr Duration kCap = seconds(30);

TEST(BackoffTest, TheBoundDoublesUpToTheCapAndTheWaitIsAnywhereBelowIt) {
  const Duration bounds[] = {milliseconds(500), seconds(1),  seconds(2),  seconds(4),
                             seconds(8),        seconds(16), seconds(30), seconds(30)};
  Duration most[std::size(bounds)] = {};
  Duration least[std::size(bounds)];
  std::fill(std::begin(least), std::end(least), Duration::max());
  Random random(7);
  for (int run = 0; run < 200; ++run) {
    Backoff backoff(kBase, kCap);
    for (size_t i = 0; i < std::size(bounds); ++i) {
      const Duration wait = backoff.next(random);
      most[i] = std::max(most[i], wait);
      least[i] = std::min(least[i], wait);
    }
  }
  for (size_t i = 0; i < std::size(bounds); ++i) {
    EXPECT_LT(most[i], bounds[i]) << i;
    EXPECT_GT(most[i], bounds[i] * 9 / 10) << i;
    EXPECT_LT(least[i], bounds[i] / 10) << i;
  }
}

TEST(BackoffTest, SuccessStartsTheSeriesAfresh) {
  Random random(1);
  Backoff backoff(kBase, kCap);
  for (int i = 0; i < 100; ++i) EXPECT_LT(backoff.next(random), kCap);
  backoff.reset();
  EXPECT_LT(backoff.next(random), kBase);
}

}  // namespace
}  // namespace convoy::event
