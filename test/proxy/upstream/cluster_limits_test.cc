#include "proxy/upstream/cluster_limits.h"

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using namespace std::chrono_literals;

class ClusterLimitsTest : public test::UpstreamTest {
 protected:
  ClusterLimitsTest() : limits_(loop_.loop(), [this] { ++ended_; }) {}
  ~ClusterLimitsTest() override { limits_.end(); }
  // True: whether there are limits is another answer.
  bool update(const ClusterSpec& spec, std::vector<EndpointSpec> endpoints) {
    const auto hosts = assignment(std::move(endpoints));
    membership_.update(*hosts);
    return limits_.update(spec, *hosts, membership_);
  }
  uint32_t most(int index) { return membership_.find(address(index))->limits().mostConnections(); }

  int ended_ = 0;
  Membership membership_{1};
  ClusterLimits limits_;
};

TEST_F(ClusterLimitsTest, TheLowerOfTheClustersAndTheHostsHolds) {
  ClusterSpec spec;
  EXPECT_FALSE(update(spec, {endpoint(1), endpoint(2)}));
  EXPECT_FALSE(limits_.limited());
  EndpointSpec two = endpoint(2);
  two.max_connections = 5;
  EXPECT_TRUE(update(spec, {endpoint(1), two}));
  EXPECT_TRUE(limits_.limited());
  EXPECT_EQ(most(1), HostLimits::kNone);
  EXPECT_EQ(most(2), 5u);
  spec.max_connections_per_host = 3;
  EXPECT_FALSE(update(spec, {endpoint(1), two})) << "there were limits before";
  EXPECT_EQ(most(1), 3u);
  EXPECT_EQ(most(2), 3u);
  spec.max_connections_per_host = 7;
  // An address that occurs twice counts where it occurs first.
  update(spec, {endpoint(1), two, endpoint(2)});
  EXPECT_EQ(most(2), 5u);
  spec.max_connections_per_host.reset();
  EXPECT_TRUE(update(spec, {endpoint(1), endpoint(2)}));
  EXPECT_EQ(most(1), HostLimits::kNone);
  EXPECT_EQ(most(2), HostLimits::kNone);
}

TEST_F(ClusterLimitsTest, AnotherRuleHoldsForTheSameHosts) {
  ClusterSpec spec;
  const auto hosts = assignment({endpoint(1)});
  membership_.update(*hosts);
  for (const uint32_t limit : {3u, 7u}) {
    spec.max_connections_per_host = limit;
    limits_.configure(spec, *membership_.hosts());
    limits_.update(spec, *hosts, membership_, /*same_hosts=*/true);
    EXPECT_EQ(most(1), limit);
  }
}

TEST_F(ClusterLimitsTest, ASlowStartGoesOnByItselfAndEnds) {
  ClusterSpec spec;
  spec.balancing.slow_start = SlowStartSpec{.window = 10s, .aggression = 1, .min_factor = 0.1};
  limits_.configure(spec, *membership_.hosts());
  EXPECT_FALSE(update(spec, {endpoint(1)}));
  clock_.advance(11s);
  membership_.find(address(1))->metrics(0).rq_active.set(100);
  EXPECT_TRUE(update(spec, {endpoint(1), endpoint(2)}));
  const HostLimits& two = membership_.find(address(2))->limits();
  EXPECT_EQ(two.mostRequests(), 10u);
  clock_.advanceInSteps(5s, 100ms);
  EXPECT_GE(two.mostRequests(), 48u);
  EXPECT_LE(two.mostRequests(), 50u);
  EXPECT_EQ(ended_, 0);
  clock_.advanceInSteps(6s, 100ms);
  EXPECT_EQ(ended_, 1);
  EXPECT_FALSE(two.limitsRequests());
  EXPECT_TRUE(update(spec, {endpoint(1), endpoint(2)})) << "nobody is limited any more";
}

}  // namespace
}  // namespace convoy::upstream
