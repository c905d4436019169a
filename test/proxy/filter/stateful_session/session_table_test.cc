#include "proxy/filter/stateful_session/session_table.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;
using Key = SessionTable::Key;

event::MonotonicTime at(event::Duration time) {
  return event::MonotonicTime(time);
}

class SessionTableTest : public testing::Test {
 protected:
  // Of one shard: keys that are equal there.
  static Key inShard(uint64_t i) { return {64 * i, i}; }
  std::string find(const Key& key, event::Duration time) {
    return std::string(table_.find(key, at(time), arena_));
  }
  std::string put(const Key& key, std::string_view host, event::Duration time) {
    const auto change = table_.put(key, host, at(time));
    return std::to_string(change.entries) + " " + std::to_string(change.evicted);
  }

  base::Arena arena_;
  SessionTable table_;
};

TEST_F(SessionTableTest, RemembersUntilNotUsedForTheTtl) {
  table_.setLimits(10s, 1000);
  EXPECT_EQ(find({1, 2}, 0s), "");
  EXPECT_EQ(put({1, 2}, "a:1", 0s), "1 0");
  EXPECT_EQ(find({1, 2}, 9s), "a:1");
  EXPECT_EQ(find({1, 3}, 9s), "") << "all of the key counts";
  EXPECT_EQ(find({1, 2}, 18s), "a:1") << "each use is a new start";
  EXPECT_EQ(put({1, 2}, "b:1", 19s), "0 0");
  EXPECT_EQ(find({1, 2}, 20s), "b:1");
  EXPECT_EQ(find({1, 2}, 30s), "");
  EXPECT_EQ(put({1, 2}, "c:1", 31s), "0 0");
  EXPECT_EQ(find({1, 2}, 31s), "c:1");
}

TEST_F(SessionTableTest, SaysWhenOthersAreToBeAsked) {
  table_.setLimits(1000s, 1000);
  const auto due = [this](event::Duration time) {
    bool check = false;
    table_.find({1, 2}, at(time), arena_, &check);
    return check;
  };
  put({1, 2}, "a:1", 0s);
  EXPECT_FALSE(due(SessionTable::kCheckEvery - 1s));
  EXPECT_TRUE(due(SessionTable::kCheckEvery));
  EXPECT_FALSE(due(SessionTable::kCheckEvery)) << "once";
  put({1, 2}, "a:1", 15s);
  EXPECT_FALSE(due(20s));
  EXPECT_TRUE(due(25s));
  table_.setLimits(4s, 1000);
  EXPECT_TRUE(due(27s)) << "before others forget it";
}

TEST_F(SessionTableTest, MovesOnlyWhatThereIs) {
  table_.setLimits(10s, 1000);
  table_.move({1, 2}, "a:1");
  EXPECT_EQ(find({1, 2}, 0s), "");
  put({1, 2}, "a:1", 0s);
  table_.move({1, 2}, "b:1");
  EXPECT_EQ(find({1, 2}, 9s), "b:1");
  EXPECT_EQ(table_.size(), 1u);
}

TEST_F(SessionTableTest, TheOneNotUsedForLongestMakesRoom) {
  table_.setLimits(100s, 3 * 64);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_EQ(put(inShard(i), "h", 1s), "1 0");
  EXPECT_EQ(find(inShard(0), 2s), "h");
  EXPECT_EQ(put(inShard(3), "h", 3s), "0 1");
  EXPECT_EQ(find(inShard(1), 3s), "");
  EXPECT_EQ(find(inShard(0), 3s), "h");
  EXPECT_EQ(table_.size(), 3u);
}

TEST_F(SessionTableTest, WhatIsOverGoesWithoutAWord) {
  table_.setLimits(10s, 1000);
  for (uint64_t i = 0; i < 5; ++i) put(inShard(i), "h", 0s);
  EXPECT_EQ(put(inShard(9), "h", 20s), "-1 0") << "two at a time";
  EXPECT_EQ(put(inShard(10), "h", 20s), "-1 0");
  EXPECT_EQ(put(inShard(11), "h", 20s), "0 0");
  EXPECT_EQ(table_.size(), 3u);
}

TEST_F(SessionTableTest, ASmallerLimitIsReachedBitByBit) {
  table_.setLimits(100s, 640);
  for (uint64_t i = 0; i < 10; ++i) put(inShard(i), "h", 1s);
  table_.setLimits(100s, 1);
  for (int i = 0; i < 10; ++i) put(inShard(9), "h", 2s);
  EXPECT_EQ(table_.size(), 1u);
  EXPECT_EQ(find(inShard(9), 2s), "h");
}

TEST_F(SessionTableTest, NeverMoreThanTheLimit) {
  table_.setLimits(100s, 1024);
  int64_t entries = 0;
  uint64_t evicted = 0;
  for (uint64_t i = 0; i < 20'000; ++i) {
    const auto change = table_.put({i * 0x9e3779b97f4a7c15, i}, "h", at(1s));
    entries += change.entries;
    evicted += change.evicted;
  }
  EXPECT_EQ(table_.size(), 1024u);
  EXPECT_EQ(entries, 1024);
  EXPECT_EQ(evicted, 20'000u - 1024);
}

TEST_F(SessionTableTest, WorkersShareIt) {
  table_.setLimits(100s, 100'000);
  std::vector<std::thread> workers;
  for (uint64_t w = 0; w < 4; ++w) {
    workers.emplace_back([this, w] {
      base::Arena arena;
      for (uint64_t i = 0; i < 2000; ++i) {
        table_.put({i, i}, "host" + std::to_string(w), at(1s));
        const std::string_view host = table_.find({i, i}, at(1s), arena);
        ASSERT_EQ(host.substr(0, 4), "host");
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(table_.size(), 2000u);
}

TEST(SessionTablesTest, StayForConfigurationThatIsYetToCome) {
  SessionTables tables;
  base::Arena arena;
  const Learned spec{.table = "web", .name = {}, .ttl = 10s};
  auto table = tables.get(spec, at(0s));
  table->put({1, 1}, "h", at(0s));
  table.reset();
  EXPECT_EQ(tables.get(spec, at(1s))->find({1, 1}, at(5s), arena), "h");
  tables.get({.table = "other", .name = {}}, at(6s));
  EXPECT_EQ(tables.get(spec, at(6s))->size(), 1u);
  tables.get({.table = "third", .name = {}}, at(15s));
  EXPECT_EQ(tables.get(spec, at(15s))->size(), 0u) << "nobody held it, and all was over";
}

TEST(SessionTablesTest, TheNewestLimitsHold) {
  SessionTables tables;
  base::Arena arena;
  const auto table = tables.get({.table = "web", .name = {}, .ttl = 10s}, at(0s));
  table->put({1, 1}, "h", at(0s));
  EXPECT_EQ(tables.get({.table = "web", .name = {}, .ttl = 20s}, at(0s)), table);
  EXPECT_EQ(table->find({1, 1}, at(15s), arena), "h");
}

}  // namespace
}  // namespace convoy::filter::stateful_session
