#include "proxy/upstream/host.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

net::Address address() {
  return net::Address::parse("[::1]:8080").value();
}

TEST(HostTest, KeepsWhatIdentifiesIt) {
  const auto owner = std::make_shared<const Host>(address(), 7, 2);
  const Host& host = *owner;
  EXPECT_EQ(host.address(), address());
  EXPECT_EQ(host.addressText(), "[::1]:8080");
  EXPECT_EQ(host.slot(), 7u);
  EXPECT_EQ(host.active(), 0u);
}

TEST(HostTest, NoTwoHostsHaveTheSameSerial) {
  const auto one = std::make_shared<const Host>(address(), 7, 1);
  const auto other = std::make_shared<const Host>(address(), 7, 1);
  EXPECT_NE(one->serial(), other->serial());
  EXPECT_NE(one->serial(), 0u);
}

TEST(HostTest, SumsTheMetricsOfAllWorkers) {
  const auto owner = std::make_shared<const Host>(address(), 0, 3);
  const Host& host = *owner;
  EXPECT_EQ(host.sum(&HostMetrics::rq_total), 0);
  host.metrics(0).rq_total.add(2);
  host.metrics(2).rq_total.add(3);
  host.metrics(0).cx_active.add(5);
  host.metrics(2).cx_active.sub(1);
  EXPECT_EQ(host.sum(&HostMetrics::rq_total), 5);
  EXPECT_EQ(host.sum(&HostMetrics::cx_active), 4);
  EXPECT_EQ(&host.metrics(2), &host.metrics(2));
}

TEST(HostTest, NamesEveryMetricOnceAndSaysWhatItIs) {
  HostMetrics metrics;
  std::set<std::string> names;
  HostMetrics::visit(metrics, [&](std::string_view name, auto& /*metric*/, std::string_view help) {
    EXPECT_TRUE(names.insert(std::string(name)).second) << name;
    EXPECT_FALSE(help.empty()) << name;
  });
  EXPECT_EQ(names.size(), 8u);
}

TEST(HostTest, GivesItsCountBack) {
  const auto counts = std::make_shared<ActiveCounts>();
  auto host = std::make_shared<const Host>(address(), 0, 1, counts);
  const ActiveCounts::Count* const count = &host->active();
  EXPECT_NE(&counts->take(), count);
  host = nullptr;
  EXPECT_EQ(&counts->take(), count);
}

TEST(HostTest, WorkersCountWhileMainReads) {
  const auto owner = std::make_shared<const Host>(address(), 0, 2);
  const Host& host = *owner;
  constexpr int kRequests = 10'000;
  std::vector<std::thread> workers;
  for (size_t w = 0; w < 2; ++w) {
    workers.emplace_back([&host, w] {
      for (int i = 0; i < kRequests; ++i) {
        host.active().fetch_add(1, std::memory_order_relaxed);
        host.metrics(w).rq_total.add();
        host.active().fetch_sub(1, std::memory_order_relaxed);
      }
    });
  }
  int64_t last = 0;
  for (int i = 0; i < 100; ++i) {
    const int64_t now = host.sum(&HostMetrics::rq_total);
    EXPECT_LE(last, now);
    last = now;
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(host.sum(&HostMetrics::rq_total), 2 * kRequests);
  EXPECT_EQ(host.active(), 0u);
}

}  // namespace
}  // namespace convoy::upstream
