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
      : PermitWaiter(worker, host, priority), worker(worker) {}
  void onTurn() override { ++turns; }
  const size_t worker;
  int turns = 0;
};

class PermitQueuesTest : public testing::Test {
 protected:
  PermitQueuesTest() {
    queues_.lookBy([this](size_t worker) { looks_.push_back(worker); });
  }
  // Who was sent one; they look.
  std::vector<size_t> looks() {
    for (const size_t worker : looks_) queues_.look(worker);
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
using Turns = std::vector<PermitWaiter*>;
using Wanted = std::vector<std::pair<const Host*, uint32_t>>;

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
  EXPECT_EQ(queues_.look(1).turns, std::vector<PermitWaiter*>{&b});
  EXPECT_TRUE(queues_.look(0).turns.empty());
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
  EXPECT_EQ(queues_.ofHost(one_).urgent, 1u);
  EXPECT_TRUE(queues_.ofHost(two_).any);
  EXPECT_EQ(queues_.ofHost(two_).urgent, 0u);
  EXPECT_FALSE(queues_.ofCluster(kDefault).any);
  EXPECT_EQ(queues_.ofCluster(Priority::High).worker, 2u);
  EXPECT_EQ(queues_.look(0).wanted, (Wanted{{&two_, 1}, {&one_, 0}}));
  stir(false);
  EXPECT_EQ(looks(), Workers{0}) << "of the host; nobody waits for the default priority";
  // From one queue to another.
  EXPECT_TRUE(queues_.wait(a, Lacks::Cluster, true));
  EXPECT_FALSE(queues_.ofHost(one_).any);
  EXPECT_EQ(queues_.ofCluster(kDefault).urgent, 1u);
  queues_.stirAll();
  EXPECT_EQ(queues_.look(1).wanted, (Wanted{{&two_, 1}}));
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

TEST_F(PermitQueuesTest, ALookIsAboutTheHostsWhereSomethingHasChanged) {
  Waiter a(0, one_), b(0, two_), second(1, two_);
  for (Waiter* waiter : {&a, &b, &second}) queues_.wait(*waiter, Lacks::Host, true);
  const auto both = queues_.look(0);
  EXPECT_EQ(both.turns, (Turns{&b, &a}));
  EXPECT_EQ(both.wanted, (Wanted{{&two_, 1}, {&one_, 0}}));
  EXPECT_EQ(queues_.look(0).turns, Turns{});
  EXPECT_EQ(queues_.look(0).wanted, Wanted{});
  stir(/*cluster_full=*/false, /*host_full=*/false);
  EXPECT_EQ(looks_, Workers{0});
  EXPECT_EQ(queues_.look(0).turns, Turns{&a}) << "whatever waits for the other host";
  // A worker that has not looked for long sees all, each once.
  EXPECT_EQ(queues_.look(2).wanted, (Wanted{{&one_, 0}, {&two_, 1}}));
  queues_.leave(b);
  queues_.stir(kDefault, false, two_, false);
  EXPECT_EQ(queues_.look(1).turns, Turns{&second});
  queues_.stirAll(0);
  EXPECT_EQ(queues_.look(0).turns, Turns{&a}) << "the limits may be others";
  queues_.leave(a);
  queues_.leave(second);
  EXPECT_EQ(queues_.look(0).wanted, Wanted{}) << "nobody waits there any more";
}

// A permit of the host that another worker has for a moment does not cost it its place.
TEST_F(PermitQueuesTest, WhoLacksTheOtherPermitForAWhileKeepsItsPlace) {
  Waiter first(0, one_), second(1, two_), third(2, two_);
  for (Waiter* waiter : {&first, &second, &third}) queues_.wait(*waiter, Lacks::Cluster, true);
  queues_.wait(second, Lacks::Host, true);
  queues_.wait(first, Lacks::Host, true);
  EXPECT_TRUE(queues_.isFirst(third, Lacks::Cluster, true));
  for (Waiter* waiter : {&second, &first}) queues_.wait(*waiter, Lacks::Cluster, true);
  for (Waiter* waiter : {&first, &second, &third}) {
    EXPECT_TRUE(queues_.isFirst(*waiter, Lacks::Cluster, true)) << waiter->worker;
    queues_.leave(*waiter);
  }
  // Who has had its turn is a newcomer.
  for (Waiter* waiter : {&second, &first}) queues_.wait(*waiter, Lacks::Cluster, true);
  EXPECT_TRUE(queues_.isFirst(second, Lacks::Cluster, true));
  queues_.leave(first);
  queues_.leave(second);
}

// --- on threads ---

constexpr int kRounds = 1'000;
constexpr size_t kThreads = 6;
constexpr uint32_t kMost = 3;
constexpr uint32_t kMostOfHost = 2;

// Two hosts, each for half of the threads, that may have less together than each by itself.
struct Shared {
  Shared() {
    for (const Host* host : {&one, &two}) host->limits().setMostConnections(kMostOfHost);
  }
  const Host& hostOf(size_t worker) const { return worker % 2 == 0 ? one : two; }
  void stir(const Host& host) {
    queues.stir(kDefault, limit.used() >= kMost, host, !host.limits().roomForConnection());
  }

  Limit limit;
  PermitQueues queues{kThreads};
  const Host one{address(1), 0, kThreads};
  const Host two{address(2), 1, kThreads};
  std::atomic<uint32_t> held{0};
  std::atomic<bool> exceeded{false};
};

// Takes both permits and gives them back, time and again. Nothing ever wakes it but a look.
class Taker final : public PermitWaiter {
 public:
  Taker(Shared& shared, size_t worker, event::Loop& loop)
      : PermitWaiter(worker, shared.hostOf(worker), kDefault),
        shared_(shared),
        host_(shared.hostOf(worker)),
        loop_(loop) {}

  void onTurn() override {
    bool moved = false;
    while (wants_) {
      const Lacks lacks = take();
      if (lacks == Lacks::Nothing) return use();
      if (!shared_.queues.wait(*this, lacks, true)) break;
      moved = true;
    }
    if (moved) shared_.stir(host_);
  }
  std::promise<void> done;

 private:
  bool isFirst(Lacks what) const {
    return !shared_.queues.anybody() || shared_.queues.isFirst(*this, what, true);
  }
  // As pools do (pool_permits.cc).
  Lacks take() {
    if (!isFirst(Lacks::Host) || !host_.limits().roomForConnection()) return Lacks::Host;
    if (!isFirst(Lacks::Cluster) || !shared_.limit.tryAcquire(kMost)) return Lacks::Cluster;
    if (host_.limits().tryConnect()) return Lacks::Nothing;
    shared_.limit.release();
    shared_.stir(host_);
    return Lacks::Host;
  }
  void use() {
    wants_ = false;
    if (waiting()) {
      shared_.queues.leave(*this);
      shared_.stir(host_);
    }
    if (shared_.held.fetch_add(1) >= kMost) shared_.exceeded = true;
    if (host_.limits().connections() > kMostOfHost) shared_.exceeded = true;
    loop_.post([this] { end(); });
  }
  void end() {
    shared_.held.fetch_sub(1);
    shared_.limit.release();
    host_.limits().disconnect();
    shared_.stir(host_);
    if (--left_ == 0) return done.set_value();
    wants_ = true;
    onTurn();
  }

  Shared& shared_;
  const Host& host_;
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
      for (PermitWaiter* const waiter : shared.queues.look(worker).turns) waiter->onTurn();
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
  for (const Host* host : {&shared.one, &shared.two}) EXPECT_EQ(host->limits().connections(), 0u);
}

}  // namespace
}  // namespace convoy::upstream
