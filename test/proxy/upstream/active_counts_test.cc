#include "proxy/upstream/active_counts.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace convoy::upstream {
namespace {

uintptr_t lineOf(const ActiveCounts::Count& count) {
  return reinterpret_cast<uintptr_t>(&count) / 64;
}

TEST(ActiveCountsTest, FewHostsShareNoLine) {
  ActiveCounts counts;
  std::set<uintptr_t> lines;
  for (size_t i = 0; i < ActiveCounts::kApart; ++i) {
    EXPECT_TRUE(lines.insert(lineOf(counts.take())).second) << i;
  }
}

TEST(ActiveCountsTest, ManyHostsLieSideBySide) {
  ActiveCounts counts;
  std::set<uintptr_t> apart;
  for (size_t i = 0; i < ActiveCounts::kApart; ++i) apart.insert(lineOf(counts.take()));
  std::set<uintptr_t> lines;
  std::set<const ActiveCounts::Count*> all;
  for (size_t i = 0; i < 4096; ++i) {
    ActiveCounts::Count& count = counts.take();
    EXPECT_FALSE(apart.contains(lineOf(count))) << i;
    EXPECT_TRUE(all.insert(&count).second) << i;
    lines.insert(lineOf(count));
  }
  EXPECT_EQ(lines.size(), 4096u / 16);
}

TEST(ActiveCountsTest, AGivenBackCountIsTheNextHosts) {
  ActiveCounts counts;
  ActiveCounts::Count& apart = counts.take();
  for (size_t i = 1; i < ActiveCounts::kApart; ++i) counts.take();
  ActiveCounts::Count& dense = counts.take();
  apart = 3;
  dense = 4;
  counts.giveBack(dense);
  counts.giveBack(apart);
  EXPECT_EQ(&counts.take(), &apart) << "those with a line of their own first";
  EXPECT_EQ(apart, 0u);
  EXPECT_EQ(&counts.take(), &dense);
  EXPECT_EQ(dense, 0u);
}

TEST(ActiveCountsTest, AnyThreadGivesBack) {
  ActiveCounts counts;
  std::vector<ActiveCounts::Count*> taken;
  for (int i = 0; i < 200; ++i) taken.push_back(&counts.take());
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < taken.size(); i += 2) counts.giveBack(*taken[i]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<ActiveCounts::Count*> again;
  for (int i = 0; i < 200; ++i) again.insert(&counts.take());
  EXPECT_EQ(again.size(), 200u);
}

}  // namespace
}  // namespace convoy::upstream
