#include "proxy/upstream/half_open.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/proxy/upstream/guard_fixture.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

const base::SubsetLabels kSecond{{"stage", "prod"}, {"version", "2"}};

SubsetSpec byVersion(SubsetFallback fallback) {
  SubsetSpec spec;
  spec.selectors = {{.names = {"version"}}, {.names = {"stage", "version"}}, {.names = {"user"}}};
  spec.fallback = fallback;
  spec.default_labels = {{"version", "1"}};
  return spec;
}

class HalfOpenTest : public testing::Test {
 protected:
  HalfOpenTest() {
    endpoint_.address = test::hostAddress(1);
    endpoint_.subset_labels = kSecond;
  }
  HalfOpenHost made(const SubsetSpec* subsets) const {
    const auto endpoint_of = [this](const net::Address& host) {
      return host == host_->address() ? &endpoint_ : nullptr;
    };
    return halfOpenHosts({host_}, endpoint_of, subsets).at(0);
  }
  // Of a cluster in which somebody else has version 2 and 3.
  static HostGroups groups(SubsetFallback fallback) {
    HostGroups::Parts parts = HostGroups().parts();
    auto table = std::make_shared<SubsetTable>();
    for (const char* version : {"2", "3"}) {
      table->by_pairs[base::subsetKeyOf({{"version", version}}).pairs] = parts.whole;
    }
    table->fallback = fallback;
    table->default_subset = parts.whole;
    parts.subsets = std::move(table);
    return HostGroups(std::move(parts));
  }
  static bool isFor(const HalfOpenHost& host, SubsetFallback fallback,
                    const base::SubsetLabels& wanted) {
    const base::SubsetKey key = base::subsetKeyOf(wanted);
    return upstream::isFor(groups(fallback), &key, host);
  }

  const std::shared_ptr<const Host> host_ = std::make_shared<Host>(test::hostAddress(1), 0, 1);
  EndpointSpec endpoint_;
};

TEST_F(HalfOpenTest, WithoutSubsetsItIsForEverybody) {
  EXPECT_TRUE(halfOpenHosts({}, nullptr, nullptr).empty());
  const HalfOpenHost host = made(nullptr);
  EXPECT_EQ(host.host, host_);
  EXPECT_TRUE(host.subsets.empty());
  const base::SubsetKey key = base::subsetKeyOf(kSecond);
  EXPECT_TRUE(upstream::isFor(HostGroups(), nullptr, host));
  EXPECT_TRUE(upstream::isFor(HostGroups(), &key, host));
}

TEST_F(HalfOpenTest, ItIsForRequestsForItsSubsets) {
  const SubsetSpec subsets = byVersion(SubsetFallback::None);
  const HalfOpenHost host = made(&subsets);
  EXPECT_EQ(host.subsets, (std::vector<std::string>{base::subsetKeyOf({{"version", "2"}}).pairs,
                                                    base::subsetKeyOf(kSecond).pairs}));
  EXPECT_FALSE(host.in_default);
  EXPECT_TRUE(isFor(host, SubsetFallback::None, {{"version", "2"}}));
  EXPECT_FALSE(isFor(host, SubsetFallback::None, {{"version", "3"}}));
}

TEST_F(HalfOpenTest, AFallbackIsForItIfItWouldBeThere) {
  const SubsetSpec subsets = byVersion(SubsetFallback::Any);
  HalfOpenHost host = made(&subsets);
  const base::SubsetLabels nowhere{{"version", "4"}};
  EXPECT_FALSE(isFor(host, SubsetFallback::None, nowhere));
  EXPECT_TRUE(isFor(host, SubsetFallback::Any, nowhere));
  EXPECT_FALSE(isFor(host, SubsetFallback::Default, nowhere));
  host.in_default = true;
  EXPECT_TRUE(isFor(host, SubsetFallback::Default, nowhere));
  EXPECT_TRUE(isFor(host, SubsetFallback::Default, {}));
}

// --- through the cluster ---

class ProbeTest : public test::GuardTest {
 protected:
  Pick::Kind kindFor(const base::SubsetKey& key, std::vector<PickResult>& held) {
    held.push_back(cluster().pick({}, nullptr, std::nullopt, nullptr, {}, &key));
    return held.back().kind;
  }
};

// Its breaker opens at five failures and asks again after a minute.
TEST_F(ProbeTest, ARequestForAnotherSubsetIsNoProbe) {
  auto web = clusterSpec();
  web->host_breaker = HostBreakerSpec{};
  web->grouping.subsets = std::make_shared<SubsetSpec>(byVersion(SubsetFallback::None));
  const auto labelled = [](int index, const char* version) {
    EndpointSpec spec = endpoint(index);
    spec.subset_labels = {{"version", version}};
    return spec;
  };
  setHosts({labelled(1, "1"), labelled(2, "2")}, {web});
  const base::SubsetKey first = base::subsetKeyOf({{"version", "1"}});
  const base::SubsetKey second = base::subsetKeyOf({{"version", "2"}});
  std::vector<PickResult> held;
  ASSERT_EQ(kindFor(second, held), Pick::Kind::Host);
  for (int i = 0; i < 5; ++i) {
    cluster().noteOutcome(held[0].lease.ref(), Outcome::answered(500, {}));
  }
  run();
  EXPECT_EQ(kindFor(second, held), Pick::Kind::None);
  pass(std::chrono::seconds(61));
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(kindFor(first, held), Pick::Kind::Host);
    EXPECT_EQ(held.back().lease.host().address(), address(1));
  }
  ASSERT_EQ(kindFor(second, held), Pick::Kind::Host);
  EXPECT_EQ(held.back().lease.host().address(), address(2));
  EXPECT_EQ(kindFor(second, held), Pick::Kind::None) << "one at a time";
}

// However many are of other subsets.
TEST_F(ProbeTest, OneInASubsetOfItsOwnIsProbedByTheFirstRequestForIt) {
  auto web = clusterSpec();
  web->host_breaker = HostBreakerSpec{.failures = 1};
  web->grouping.subsets = std::make_shared<SubsetSpec>(byVersion(SubsetFallback::None));
  constexpr int kHosts = 20;
  std::vector<EndpointSpec> hosts;
  for (int i = 1; i <= kHosts; ++i) {
    hosts.push_back(endpoint(i));
    hosts.back().subset_labels = {{"version", i == kHosts ? "2" : "1"}};
  }
  setHosts(hosts, {web});
  const base::SubsetKey first = base::subsetKeyOf({{"version", "1"}});
  const base::SubsetKey second = base::subsetKeyOf({{"version", "2"}});
  std::vector<PickResult> held;
  for (int i = 1; i <= kHosts; ++i) kindFor(i == kHosts ? second : first, held);
  for (const PickResult& picked : held) note(picked, Outcome::answered(500, {}));
  run();
  held.clear();
  pass(std::chrono::seconds(61));
  ASSERT_EQ(kindFor(second, held), Pick::Kind::Host);
  EXPECT_EQ(held.back().lease.host().address(), address(kHosts));
}

// A request looks at a few, the next one at those after them: none is left out.
TEST_F(ProbeTest, VeryManyAreProbedInTurn) {
  auto web = clusterSpec();
  web->host_breaker = HostBreakerSpec{.failures = 1};
  constexpr int kHosts = 20;
  std::vector<EndpointSpec> hosts;
  for (int i = 1; i <= kHosts; ++i) hosts.push_back(endpoint(i));
  setHosts(hosts, {web});
  {
    std::vector<PickResult> all;
    for (int i = 0; i < kHosts; ++i) all.push_back(cluster().pick());
    for (const PickResult& picked : all) {
      cluster().noteOutcome(picked.lease.ref(), Outcome::answered(500, {}));
    }
    run();
  }
  pass(std::chrono::seconds(61));
  const auto first = cluster().pick().lease.host().address();
  EXPECT_NE(cluster().pick().lease.host().address(), first) << "given back, but it had its turn";
  std::set<std::string> probed;
  std::vector<PickResult> held;
  for (int i = 0; i < kHosts; ++i) {
    held.push_back(cluster().pick());
    ASSERT_EQ(held.back().kind, Pick::Kind::Host);
    probed.insert(std::string(held.back().lease.host().addressText()));
  }
  EXPECT_EQ(probed.size(), size_t{kHosts});
  EXPECT_EQ(cluster().pick().kind, Pick::Kind::None);
}

}  // namespace
}  // namespace convoy::upstream
