#include "proxy/event/loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::event {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LoopTest : public testing::Test {
 protected:
  LoopTest() { clock_.attach(loop()); }

  Loop& loop() { return test_loop_.loop(); }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
};

// Runs `work` as an end-of-turn task.
struct Task {
  explicit Task(std::function<void()> work)
      : work(std::move(work)), task([](void* self) { static_cast<Task*>(self)->work(); }, this) {}
  std::function<void()> work;
  EndOfTurnTask task;
};

struct Tracked {
  explicit Tracked(std::string& log) : log(log) {}
  ~Tracked() { log += "destroyed "; }
  std::string& log;
};

TEST_F(LoopTest, PostedTasksRunInOrderEachInItsOwnTurn) {
  std::string log;
  Task end([&] { log += "end "; });
  loop().post([&] {
    log += "a ";
    loop().atEndOfTurn(end.task);
  });
  loop().post([&] { log += "b "; });
  EXPECT_EQ(log, "");
  test_loop_.runReady();
  EXPECT_EQ(log, "a end b ");
}

TEST_F(LoopTest, TaskMayPostAnother) {
  int runs = 0;
  std::function<void()> again = [&] {
    if (++runs < 3) loop().post(again);
  };
  loop().post(again);
  ASSERT_TRUE(test_loop_.runUntil([&] { return runs == 3; }));
}

TEST_F(LoopTest, EndOfTurnTasksRunOnceThenObjectsAreDestroyed) {
  std::string log;
  Task second([&] { log += "second "; });
  Task first([&] {
    log += "first ";
    loop().atEndOfTurn(second.task);  // asked for at the end: same turn
  });
  {
    Loop::TurnScope turn(loop());
    loop().destroyAtEndOfTurn(std::make_unique<Tracked>(log));
    loop().atEndOfTurn(first.task);
    loop().atEndOfTurn(first.task);
    Loop::TurnScope nested(loop());
    log += "turn ";
  }
  EXPECT_EQ(log, "turn first second destroyed ");
}

TEST_F(LoopTest, DestructorsMayDeferMore) {
  std::string log;
  struct Outer {
    Outer(Loop& loop, std::string& log) : loop(loop), log(log) {}
    ~Outer() {
      log += "outer ";
      loop.destroyAtEndOfTurn(std::make_unique<Tracked>(log));
    }
    Loop& loop;
    std::string& log;
  };
  {
    Loop::TurnScope turn(loop());
    loop().destroyAtEndOfTurn(std::make_unique<Outer>(loop(), log));
  }
  EXPECT_EQ(log, "outer destroyed ");
}

TEST_F(LoopTest, DeferringOutsideOfATurnOpensOne) {
  std::string log;
  Task task([&] { log += "task "; });
  loop().atEndOfTurn(task.task);
  loop().destroyAtEndOfTurn(std::make_unique<Tracked>(log));
  EXPECT_EQ(log, "");
  ASSERT_TRUE(test_loop_.runUntil([&] { return !log.empty(); }));
  EXPECT_EQ(log, "task destroyed ");
}

TEST_F(LoopTest, ADestroyedTaskIsForgotten) {
  int runs = 0;
  {
    Loop::TurnScope turn(loop());
    Task task([&] { ++runs; });
    loop().atEndOfTurn(task.task);
  }
  EXPECT_EQ(runs, 0);
}

TEST_F(LoopTest, EndOfIterationComesOnceAfterManyTurns) {
  std::string log;
  Task flush([&] { log += "flush "; });
  for (const char* name : {"a ", "b ", "c "}) {
    loop().post([&, name] {
      log += name;
      loop().atEndOfIteration(flush.task);
    });
  }
  ASSERT_TRUE(test_loop_.runUntil([&] { return log.ends_with("flush "); }));
  EXPECT_EQ(log, "a b c flush ");
}

TEST_F(LoopTest, EndOfIterationOutsideOfATurnRunsSoon) {
  int runs = 0;
  Task task([&] { ++runs; });
  loop().atEndOfIteration(task.task);
  ASSERT_TRUE(test_loop_.runUntil([&] { return runs == 1; }));
}

TEST_F(LoopTest, ReadsTheClockOncePerIteration) {
  const MonotonicTime start = clock_.monotonicNow();
  const WallTime wall_start = clock_.wallNow();
  std::vector<MonotonicTime> seen;
  std::vector<WallTime> wall_seen;
  clock_.detach(loop());
  for (int i = 0; i < 2; ++i) {
    loop().post([&] {
      seen.push_back(loop().now());
      wall_seen.push_back(loop().wallNow());
      clock_.advance(seconds(1));
    });
  }
  test_loop_.runReady();
  loop().post([&] {
    seen.push_back(loop().now());
    wall_seen.push_back(loop().wallNow());
  });
  test_loop_.runReady();
  EXPECT_EQ(seen, (std::vector<MonotonicTime>{start, start, start + seconds(2)}));
  EXPECT_EQ(wall_seen, (std::vector<WallTime>{wall_start, wall_start, wall_start + seconds(2)}));
}

TEST_F(LoopTest, DeadlinesFollowASimulatedClock) {
  int fired = 0;
  Deadline deadline([](void* count) { ++*static_cast<int*>(count); }, &fired);
  deadline.arm(loop().deadlineQueue(seconds(30)));
  clock_.advance(seconds(29));
  EXPECT_EQ(fired, 0);
  clock_.advance(seconds(1));
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, TimerFiresOncePerArming) {
  int fired = 0;
  Timer timer(loop(), [&] { ++fired; });
  timer.armAfter(milliseconds(1500));
  EXPECT_TRUE(timer.armed());
  clock_.advance(milliseconds(1499));
  EXPECT_EQ(fired, 0);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(fired, 1);
  EXPECT_FALSE(timer.armed());
  timer.armAfter(seconds(1));
  timer.cancel();
  clock_.advance(seconds(2));
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, TimerWithoutDelayDoesNotSpin) {
  int fired = 0;
  Timer timer(loop(), [&] {
    ++fired;
    timer.armAfter(Duration::zero());
  });
  timer.armAfter(Duration::zero());
  clock_.advance(milliseconds(1));
  EXPECT_EQ(fired, 1);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(fired, 2);
}

TEST_F(LoopTest, TimerMayBeDestroyedByItsCallback) {
  int fired = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(loop(), [&fired, &timer] {
    timer.reset();
    ++fired;
  });
  timer->armAfter(seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(fired, 1);
}

TEST_F(LoopTest, UnrunTasksAreDestroyedWithTheLoop) {
  auto held = std::make_shared<int>(1);
  {
    Loop short_lived("short", clock_, Random(1));
    EXPECT_EQ(short_lived.name(), "short");
    short_lived.post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(LoopTest, RandomIsTheOneItWasGiven) {
  Random same(1);
  EXPECT_EQ(loop().random().next(), same.next());
}

TEST(LoopOnItsOwnThread, RunsPostedTasksThereAndStops) {
  test::SimulatedClock clock;
  test::LoopThread worker(clock);
  clock.attach(worker.loop());
  EXPECT_FALSE(worker.loop().isOwnThread());
  bool own = false;
  int fired = 0;
  std::unique_ptr<Timer> timer;
  worker.run([&] {
    own = worker.loop().isOwnThread();
    timer = std::make_unique<Timer>(worker.loop(), [&] { ++fired; });
    timer->armAfter(seconds(5));
  });
  EXPECT_TRUE(own);
  clock.advance(seconds(5));
  EXPECT_EQ(fired, 1);
  worker.run([&] { timer.reset(); });
}

TEST(LoopOnItsOwnThread, StopLetsEarlierTasksRun) {
  const SystemClock clock;
  Loop loop("worker", clock, Random(1));
  int runs = 0;
  loop.post([&] { ++runs; });
  loop.stop();
  loop.run();
  EXPECT_EQ(runs, 1);
}

TEST(LoopOnRealTime, DeadlineFiresAfterItsTimeAndNotBefore) {
  const SystemClock clock;
  test::TestLoop test_loop(clock);
  const MonotonicTime start = clock.monotonicNow();
  std::vector<Duration> fired;
  Timer late(test_loop.loop(), [&] { fired.push_back(clock.monotonicNow() - start); });
  Timer early(test_loop.loop(), [&] { fired.push_back(clock.monotonicNow() - start); });
  {
    Loop::TurnScope turn(test_loop.loop());
    late.armAfter(milliseconds(45));
    early.armAfter(milliseconds(12));
  }
  ASSERT_TRUE(test_loop.runUntil([&] { return fired.size() == 2; }));
  EXPECT_GE(fired[0], milliseconds(12));
  EXPECT_GE(fired[1], milliseconds(45));
}

TEST(LoopDeathTest, OnlyItsThreadMayRunIt) {
  test::SimulatedClock clock;
  test::LoopThread worker(clock);
  EXPECT_DEATH(worker.loop().runOnce(false), "isOwnThread");
}

}  // namespace
}  // namespace convoy::event
