#include "proxy/upstream/permit_queues.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "proxy/upstream/host.h"
#include "proxy/upstream/limit.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::upstream {
namespace {

using Lacks = PermitQueues::Lacks;
constexpr Priority kDefault = Priority::Default;

net::Address address(int index) {
  return net::Address::fromIp("10.0.0." + std::to_string(index), 80).value();
}

class Waiter final : public PermitWaiter {
 public:
  Waiter(size_t worker, const Host& host, Priority priority = kDefault)
      : PermitWaiter(worker, host, priority) {}
  void onTurn() override { ++turns; }
  int turns = 0;
};

class PermitQueuesTest : public testing::Test {
 protected:
  PermitQueuesTest() {
    queues_.lookBy([this](size_t worker) { looks_.push_back(worker); });
  }
  // Who was sent one; they look.
  std::vector<size_t> looks() {
    for (const size_t worker : looks_) queues_.looked(worker);
    return std::exchange(looks_, {});
  }
  void stir(bool cluster_full, bool host_full = false) {
    queues_.stir(kDefault, cluster_full, one_, host_full);
  }

  const Host one_{address(1), 0, 3};
  const Host two_{address(2), 1, 3};
  PermitQueues queues_{3};
  std::vector<size_t> looks_;
};

using Workers = std::vector<size_t>;

TEST_F(PermitQueuesTest, NobodyIsToldWhileNobodyWaits) {
  EXPECT_FALSE(queues_.anybody());
  stir(false);
  stir(true);
  EXPECT_EQ(looks(), Workers{});
  EXPECT_FALSE(queues_.ofCluster(kDefault).any);
  EXPECT_FALSE(queues_.ofHost(one_).any);
}

TEST_F(PermitQueuesTest, TheUrgentComeFirstThenTheOldest) {
  Waiter a(0, one_), b(1, one_), c(2, one_), newcomer(0, one_);
  EXPECT_TRUE(queues_.isFirst(a, Lacks::Cluster, false));
  EXPECT_TRUE(queues_.wait(a, Lacks::Cluster, false));
  EXPECT_FALSE(queues_.wait(a, Lacks::Cluster, false)) << "it has its place";
  EXPECT_TRUE(queues_.wait(b, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.wait(c, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.isFirst(b, Lacks::Cluster, true));
  for (const Waiter* other : {&a, &c, &newcomer}) {
    EXPECT_FALSE(queues_.isFirst(*other, Lacks::Cluster, true));
  }
  stir(false);
  EXPECT_EQ(looks(), Workers{1});
  queues_.leave(b);
  EXPECT_TRUE(queues_.isFirst(c, Lacks::Cluster, true));
  queues_.leave(c);
  EXPECT_TRUE(queues_.isFirst(newcomer, Lacks::Cluster, true)) << "nobody else is without";
  EXPECT_FALSE(queues_.isFirst(newcomer, Lacks::Cluster, false));
  // One that loses its last connection comes before others.
  EXPECT_TRUE(queues_.wait(b, Lacks::Cluster, false));
  EXPECT_TRUE(queues_.wait(b, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.isFirst(b, Lacks::Cluster, true));
  EXPECT_EQ(queues_.turnsOf(1), std::vector<PermitWaiter*>{&b});
  EXPECT_TRUE(queues_.turnsOf(0).empty());
  queues_.leave(a);
  queues_.leave(b);
  EXPECT_FALSE(queues_.anybody());
}

// Else the two would send each other from the one queue to the other for ever.
TEST_F(PermitQueuesTest, WhoHasHadItsTurnAtTheHostWaitsForTheClusterAlone) {
  Waiter first(0, one_), second(1, one_);
  ASSERT_TRUE(queues_.wait(first, Lacks::Host, true));
  ASSERT_TRUE(queues_.wait(second, Lacks::Host, true));
  ASSERT_TRUE(queues_.isFirst(first, Lacks::Host, true));
  ASSERT_TRUE(queues_.wait(first, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.isFirst(first, Lacks::Host, true)) << "the other waits there";
  EXPECT_TRUE(queues_.isFirst(second, Lacks::Host, true));
  ASSERT_TRUE(queues_.wait(second, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.isFirst(first, Lacks::Cluster, true));
  EXPECT_FALSE(queues_.isFirst(second, Lacks::Cluster, true));
  queues_.leave(first);
  EXPECT_TRUE(queues_.isFirst(second, Lacks::Cluster, true));
  queues_.leave(second);
}

TEST_F(PermitQueuesTest, HostsAndPrioritiesHaveQueuesOfTheirOwn) {
  Waiter a(0, one_), b(1, two_), high(2, one_, Priority::High);
  queues_.wait(a, Lacks::Host, true);
  queues_.wait(b, Lacks::Host, false);
  queues_.wait(high, Lacks::Cluster, true);
  EXPECT_TRUE(queues_.isFirst(b, Lacks::Host, false));
  EXPECT_TRUE(queues_.isFirst(a, Lacks::Cluster, true));
  EXPECT_TRUE(queues_.ofHost(one_).urgent);
  EXPECT_TRUE(queues_.ofHost(two_).any);
  EXPECT_FALSE(queues_.ofHost(two_).urgent);
  EXPECT_FALSE(queues_.ofCluster(kDefault).any);
  EXPECT_EQ(queues_.ofCluster(Priority::High).worker, 2u);
  EXPECT_EQ(queues_.wantedHosts().size(), 2u);
  stir(false);
  EXPECT_EQ(looks(), Workers{0}) << "of the host; nobody waits for the default priority";
  // From one queue to another.
  EXPECT_TRUE(queues_.wait(a, Lacks::Cluster, true));
  EXPECT_FALSE(queues_.ofHost(one_).any);
  EXPECT_EQ(queues_.wantedHosts(), (std::vector<std::pair<const Host*, uint32_t>>{{&two_, 1}}));
  for (Waiter* waiter : {&a, &b, &high}) queues_.leave(*waiter);
  EXPECT_FALSE(queues_.anybody());
}

TEST_F(PermitQueuesTest, WithoutAFreePermitEverybodyLooksOnce) {
  Waiter a(1, one_);
  queues_.wait(a, Lacks::Cluster, true);
  stir(true);
  stir(true);
  EXPECT_EQ(looks(), (Workers{0, 1, 2})) << "one look at a time is under way to each";
  stir(true);
  EXPECT_EQ(looks(), (Workers{0, 1, 2}));
  queues_.leave(a);
}

TEST_F(PermitQueuesTest, WhoAsksIsSomebody) {
  queues_.beginAsking();
  EXPECT_TRUE(queues_.anybody());
  EXPECT_TRUE(queues_.asking());
  queues_.endAsking();
  EXPECT_FALSE(queues_.anybody());
  EXPECT_FALSE(queues_.asking());
}

// --- on threads ---

constexpr int kRounds = 1'000;
constexpr size_t kThreads = 4;
constexpr uint32_t kMost = 2;

struct Shared {
  Limit limit;
  PermitQueues queues{kThreads};
  const Host host{address(1), 0, kThreads};
  std::atomic<uint32_t> held{0};
  std::atomic<bool> exceeded{false};

  void stir() { queues.stir(kDefault, limit.used() >= kMost, host, /*host_full=*/false); }
};

// Takes a permit and gives it back, time and again. Nothing ever wakes it but a look.
class Taker final : public PermitWaiter {
 public:
  Taker(Shared& shared, size_t worker, event::Loop& loop)
      : PermitWaiter(worker, shared.host, kDefault), shared_(shared), loop_(loop) {}

  void onTurn() override {
    bool moved = false;
    while (wants_) {
      PermitQueues& queues = shared_.queues;
      const bool mine = !queues.anybody() || queues.isFirst(*this, Lacks::Cluster, true);
      if (mine && shared_.limit.tryAcquire(kMost)) return use();
      if (!queues.wait(*this, Lacks::Cluster, true)) break;
      moved = true;
    }
    if (moved) shared_.stir();
  }
  std::promise<void> done;

 private:
  void use() {
    wants_ = false;
    if (waiting()) {
      shared_.queues.leave(*this);
      shared_.stir();
    }
    if (shared_.held.fetch_add(1) >= kMost) shared_.exceeded = true;
    loop_.post([this] { end(); });
  }
  void end() {
    shared_.held.fetch_sub(1);
    shared_.limit.release();
    shared_.stir();
    if (--left_ == 0) return done.set_value();
    wants_ = true;
    onTurn();
  }

  Shared& shared_;
  event::Loop& loop_;
  bool wants_ = true;
  int left_ = kRounds;
};

TEST(PermitQueuesThreadsTest, NoWakeUpIsLostAndNoPermitIsTooMany) {
  const test::SimulatedClock clock;
  // On the heap: gcc 12's AddressSanitizer does not align it in a frame like this one.
  const auto of_all = std::make_unique<Shared>();
  Shared& shared = *of_all;
  std::vector<std::unique_ptr<test::LoopThread>> threads;
  std::vector<std::unique_ptr<Taker>> takers;
  for (size_t i = 0; i < kThreads; ++i) {
    threads.push_back(std::make_unique<test::LoopThread>(clock));
    takers.push_back(std::make_unique<Taker>(shared, i, threads[i]->loop()));
  }
  shared.queues.lookBy([&](size_t worker) {
    threads[worker]->loop().post([&, worker] {
      shared.queues.looked(worker);
      for (PermitWaiter* const waiter : shared.queues.turnsOf(worker)) waiter->onTurn();
    });
  });
  for (size_t i = 0; i < kThreads; ++i) {
    threads[i]->loop().post([&, i] { takers[i]->onTurn(); });
  }
  for (const auto& taker : takers) {
    EXPECT_EQ(taker->done.get_future().wait_for(test::kPatience), std::future_status::ready);
  }
  for (const auto& thread : threads) thread->stop();
  EXPECT_FALSE(shared.exceeded);
  EXPECT_FALSE(shared.queues.anybody());
  EXPECT_EQ(shared.limit.used(), 0u);
}

}  // namespace
}  // namespace convoy::upstream
