#include "proxy/event/worker_slot.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::event {
namespace {

struct Config {
  explicit Config(int version) : version(version) { ++alive; }
  ~Config() {
    --alive;
    destroyed_on = std::this_thread::get_id();
  }
  const int version;
  static inline std::atomic<int> alive{0};
  static inline std::atomic<std::thread::id> destroyed_on;
};

class WorkerSlotTest : public testing::Test {
 protected:
  WorkerSlotTest() {
    std::vector<Loop*> loops;
    for (int i = 0; i < 2; ++i) {
      workers_.push_back(std::make_unique<test::LoopThread>(clock_));
      loops.push_back(&workers_.back()->loop());
    }
    slot_ = std::make_unique<WorkerSlot<Config>>(main_.loop(), loops);
  }

  void publishAndWait(int version) {
    bool everywhere = false;
    slot_->publish(std::make_shared<Config>(version), [&] { everywhere = true; });
    ASSERT_TRUE(main_.runUntil([&] { return everywhere; }));
  }
  void settle() {
    for (auto& worker : workers_) worker->run([] {});
    main_.runReady();
  }
  int versionSeenBy(size_t worker) {
    int version = -1;
    workers_[worker]->run([&] {
      const LocalRef<Config>& seen = slot_->get(worker);
      version = seen ? seen->version : 0;
    });
    return version;
  }

  test::SimulatedClock clock_;
  test::TestLoop main_{clock_};
  std::vector<std::unique_ptr<test::LoopThread>> workers_;
  std::unique_ptr<WorkerSlot<Config>> slot_;
};

TEST_F(WorkerSlotTest, EveryWorkerSeesWhatWasPublishedAndMainLearnsOfIt) {
  EXPECT_EQ(slot_->published(), nullptr);
  EXPECT_EQ(versionSeenBy(0), 0);
  publishAndWait(1);
  publishAndWait(2);
  EXPECT_EQ(slot_->published()->version, 2);
  for (size_t worker = 0; worker < 2; ++worker) {
    workers_[worker]->run([&, worker] { EXPECT_EQ(slot_->get(worker)->version, 2); });
  }
}

TEST_F(WorkerSlotTest, CallbackRunsAfterEachSwap) {
  std::vector<int> seen;
  workers_[1]->run([&] { slot_->setOnChange(1, [&] { seen.push_back(slot_->get(1)->version); }); });
  for (int version = 1; version <= 3; ++version) slot_->publish(std::make_shared<Config>(version));
  publishAndWait(4);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3, 4}));
}

TEST_F(WorkerSlotTest, AValueStaysTheSameForTheWholeTurn) {
  publishAndWait(1);
  std::latch in_turn(1);
  std::latch published(1);
  int before = 0;
  int after = 0;
  workers_[0]->loop().post([&] {
    before = slot_->get(0)->version;
    in_turn.count_down();
    published.wait();
    after = slot_->get(0)->version;
  });
  in_turn.wait();
  slot_->publish(std::make_shared<Config>(2));
  published.count_down();
  EXPECT_EQ(versionSeenBy(0), 2);
  EXPECT_EQ(before, 1);
  EXPECT_EQ(after, 1);
}

TEST_F(WorkerSlotTest, PinnedValueOutlivesItsReplacementAndDiesOnMain) {
  publishAndWait(1);
  LocalRef<Config> pinned;
  workers_[0]->run([&] { pinned = slot_->get(0); });
  publishAndWait(2);
  settle();
  EXPECT_EQ(Config::alive, 2);
  int pinned_version = 0;
  workers_[0]->run([&] {
    pinned_version = pinned->version;
    pinned = LocalRef<Config>();
  });
  EXPECT_EQ(pinned_version, 1);
  ASSERT_TRUE(main_.runUntil([] { return Config::alive == 1; }));
  EXPECT_EQ(Config::destroyed_on.load(), std::this_thread::get_id());
}

TEST_F(WorkerSlotTest, DestroyingTheSlotReleasesTheWorkersCopies) {
  publishAndWait(1);
  slot_.reset();
  settle();
  ASSERT_TRUE(main_.runUntil([] { return Config::alive == 0; }));
  EXPECT_EQ(Config::destroyed_on.load(), std::this_thread::get_id());
}

TEST_F(WorkerSlotTest, NullMayBePublished) {
  publishAndWait(1);
  slot_->publish(nullptr);
  settle();
  EXPECT_EQ(versionSeenBy(1), 0);
}

TEST(WorkerSlotWithoutWorkers, StillTellsMain) {
  test::SimulatedClock clock;
  test::TestLoop main(clock);
  WorkerSlot<Config> slot(main.loop(), {});
  bool everywhere = false;
  slot.publish(std::make_shared<Config>(1), [&] { everywhere = true; });
  EXPECT_TRUE(main.runUntil([&] { return everywhere; }));
}

TEST(LocalRef, CountsCopiesAndComparesByObject) {
  const int before = Config::alive;
  auto value = std::make_shared<const Config>(7);
  LocalRef<Config> empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty.get(), nullptr);
  EXPECT_EQ(empty.shared(), nullptr);
  LocalRef<Config> a(value);
  LocalRef<Config> b = a;
  EXPECT_EQ(a, b);
  EXPECT_EQ((*b).version, 7);
  EXPECT_EQ(b.shared(), value);
  value.reset();
  LocalRef<Config> c = std::move(a);
  EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): moving leaves it empty
  b = LocalRef<Config>();
  EXPECT_EQ(c->version, 7);
  EXPECT_EQ(Config::alive, before + 1);
  c = LocalRef<Config>();
  EXPECT_EQ(Config::alive, before);
}

}  // namespace
}  // namespace convoy::event
