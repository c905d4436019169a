#include "proxy/event/deadlines.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "test/common/simulated_clock.h"

namespace convoy::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class DeadlinesTest : public testing::Test {
 protected:
  struct Watched {
    explicit Watched(std::function<void()> callback)
        : callback(std::move(callback)),
          deadline([](void* self) { static_cast<Watched*>(self)->callback(); }, this) {}
    std::function<void()> callback;
    Deadline deadline;
  };

  Watched& watch(std::function<void()> callback) {
    return *watched_.emplace_back(std::make_unique<Watched>(std::move(callback)));
  }
  Watched& named(std::string name) {
    return watch([this, name = std::move(name)] { log_ += name + ' '; });
  }
  std::string runAfter(Duration duration) {
    log_.clear();
    clock_.advance(duration);
    deadlines_.refreshNow();
    deadlines_.runExpired();
    return log_;
  }

  test::SimulatedClock clock_;
  Deadlines deadlines_{clock_};
  std::string log_;
  std::deque<std::unique_ptr<Watched>> watched_;
};

TEST_F(DeadlinesTest, OneQueuePerDuration) {
  DeadlineQueue& one = deadlines_.queue(seconds(1));
  EXPECT_EQ(&deadlines_.queue(milliseconds(1000)), &one);
  EXPECT_NE(&deadlines_.queue(seconds(2)), &one);
  EXPECT_EQ(&deadlines_.queue(seconds(1)), &one);
  EXPECT_EQ(one.duration(), seconds(1));
}

TEST_F(DeadlinesTest, NeverEarlyAndOnlyOnce) {
  Watched& a = named("a");
  a.deadline.arm(deadlines_.queue(seconds(1)));
  EXPECT_TRUE(a.deadline.armed());
  EXPECT_EQ(runAfter(seconds(1) - Duration(1)), "");
  EXPECT_EQ(runAfter(Duration(1)), "a ");
  EXPECT_FALSE(a.deadline.armed());
  EXPECT_EQ(runAfter(seconds(10)), "");
}

TEST_F(DeadlinesTest, RunsTheEarliestFirstAcrossQueuesAndPoints) {
  named("c").deadline.arm(deadlines_.queue(seconds(3)));
  named("a").deadline.arm(deadlines_.queue(seconds(1)));
  deadlines_.armAt(named("b").deadline, deadlines_.now() + seconds(2));
  deadlines_.armAt(named("d").deadline, deadlines_.now() + seconds(4));
  named("a2").deadline.arm(deadlines_.queue(seconds(1)));
  EXPECT_EQ(runAfter(seconds(3)), "a a2 b c ");
  EXPECT_EQ(runAfter(seconds(1)), "d ");
}

TEST_F(DeadlinesTest, CancelledAndDestroyedOnesStaySilent) {
  Watched& a = named("a");
  a.deadline.arm(deadlines_.queue(seconds(1)));
  named("b").deadline.arm(deadlines_.queue(seconds(1)));
  deadlines_.armAt(named("c").deadline, deadlines_.now() + seconds(1));
  watched_.pop_back();
  a.deadline.cancel();
  EXPECT_EQ(runAfter(seconds(5)), "b ");
}

TEST_F(DeadlinesTest, RearmingMovesBetweenQueuesAndPoints) {
  Watched& a = named("a");
  a.deadline.arm(deadlines_.queue(seconds(1)));
  a.deadline.arm(deadlines_.queue(seconds(5)));
  EXPECT_EQ(runAfter(seconds(1)), "");
  deadlines_.armAt(a.deadline, deadlines_.now() + seconds(7));
  EXPECT_EQ(runAfter(seconds(6)), "");
  a.deadline.arm(deadlines_.queue(seconds(5)));
  EXPECT_EQ(runAfter(seconds(1)), "");
  EXPECT_EQ(runAfter(seconds(4)), "a ");
}

TEST_F(DeadlinesTest, CallbackMayRearmItselfCancelAndDestroyOthers) {
  int runs = 0;
  Watched& victim = named("victim");
  Watched* periodic = nullptr;
  periodic = &watch([&] {
    ++runs;
    victim.deadline.cancel();
    periodic->deadline.arm(deadlines_.queue(seconds(1)));
    deadlines_.queue(milliseconds(runs));  // a new queue while the queues are walked
  });
  periodic->deadline.arm(deadlines_.queue(seconds(1)));
  victim.deadline.arm(deadlines_.queue(seconds(2)));
  EXPECT_EQ(runAfter(seconds(2)), "");
  EXPECT_EQ(runs, 1);
  runAfter(seconds(1));
  EXPECT_EQ(runs, 2);
}

TEST_F(DeadlinesTest, CallbackMayDestroyItsOwnDeadline) {
  int runs = 0;
  std::unique_ptr<Watched> own;
  own = std::make_unique<Watched>([&] {
    ++runs;
    std::function<void()> keep_running_code_alive = std::move(own->callback);
    own.reset();
  });
  own->deadline.arm(deadlines_.queue(seconds(1)));
  runAfter(seconds(1));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(own, nullptr);
}

TEST_F(DeadlinesTest, NextExpiryIsTheEarliestPending) {
  EXPECT_EQ(deadlines_.nextExpiry(), MonotonicTime::max());
  Watched& far = named("far");
  Watched& near = named("near");
  far.deadline.arm(deadlines_.queue(seconds(9)));
  deadlines_.armAt(near.deadline, deadlines_.now() + seconds(4));
  EXPECT_EQ(deadlines_.nextExpiry(), deadlines_.now() + seconds(4));
  near.deadline.cancel();
  EXPECT_EQ(deadlines_.nextExpiry(), deadlines_.now() + seconds(9));
}

TEST_F(DeadlinesTest, TellsOnlyOfWhatIsEarlierThanAllBefore) {
  int told = 0;
  deadlines_.onArmed([](void* context) { ++*static_cast<int*>(context); }, &told);
  Watched& a = named("a");
  a.deadline.arm(deadlines_.queue(seconds(5)));
  EXPECT_EQ(told, 1);
  named("b").deadline.arm(deadlines_.queue(seconds(5)));
  named("c").deadline.arm(deadlines_.queue(seconds(6)));
  a.deadline.cancel();
  a.deadline.arm(deadlines_.queue(seconds(5)));
  EXPECT_EQ(told, 1);
  deadlines_.armAt(named("d").deadline, deadlines_.now() + seconds(1));
  EXPECT_EQ(told, 2);
  runAfter(seconds(1));
  EXPECT_EQ(deadlines_.nextExpiry(), deadlines_.now() + seconds(4));
  named("e").deadline.arm(deadlines_.queue(seconds(2)));
  EXPECT_EQ(told, 3);
}

// Jittered delays, cancelled and armed again for hours, must not pile up.
TEST_F(DeadlinesTest, CancelledPointsAreSwept) {
  Watched& keep = named("keep");
  deadlines_.armAt(keep.deadline, deadlines_.now() + std::chrono::hours(3));
  Watched& a = named("a");
  for (int i = 1; i <= 10'000; ++i) {
    deadlines_.armAt(a.deadline, deadlines_.now() + std::chrono::hours(1) + milliseconds(i));
    a.deadline.cancel();
  }
  EXPECT_LE(deadlines_.pointsForTest(), 128u);
  EXPECT_EQ(runAfter(std::chrono::hours(3)), "keep ");
  EXPECT_EQ(deadlines_.pointsForTest(), 0u);
}

TEST_F(DeadlinesTest, ManyExpireTogether) {
  int runs = 0;
  for (int i = 0; i < 5000; ++i) {
    watch([&] { ++runs; }).deadline.arm(deadlines_.queue(seconds(1 + i % 5)));
  }
  runAfter(seconds(5));
  EXPECT_EQ(runs, 5000);
}

}  // namespace
}  // namespace convoy::event
