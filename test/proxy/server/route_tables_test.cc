#include "proxy/server/route_tables.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/route/matcher.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

class RouteTablesTest : public testing::Test {
 protected:
  // The body that this worker would answer with; "none" without a table.
  std::string bodyAt(test::LoopThread& worker, size_t index, const RouteTableSlot& slot) {
    std::string body = "none";
    worker.run([&] {
      if (const auto* table = dynamic_cast<const route::RouteTable*>(slot.get(index).get())) {
        const auto& action = table->spec().virtual_hosts[0].routes[0].action;
        body = std::get<route::DirectResponse>(action).body;
      }
    });
    return body;
  }
  void settle() {
    first_.run([] {});
    second_.run([] {});
    main_.runReady();
  }

  test::SimulatedClock clock_;
  test::TestLoop main_{clock_};
  test::LoopThread first_{clock_};
  test::LoopThread second_{clock_};
  std::optional<RouteTables> tables_{std::in_place, main_.loop(),
                                     std::vector<event::Loop*>{&first_.loop(), &second_.loop()}};
};

TEST_F(RouteTablesTest, EveryWorkerSeesTheTableOfItsName) {
  ASSERT_TRUE(tables_->put(table("a", "one")).ok());
  ASSERT_TRUE(tables_->put(table("b", "two")).ok());
  EXPECT_EQ(bodyAt(first_, 0, *tables_->slot("a")), "one");
  EXPECT_EQ(bodyAt(second_, 1, *tables_->slot("a")), "one");
  EXPECT_EQ(bodyAt(second_, 1, *tables_->slot("b")), "two");
  EXPECT_EQ(tables_->tables().at("a").spec->virtual_hosts.size(), 1u);
}

TEST_F(RouteTablesTest, ASlotIsThereBeforeItsTableAndIsTheSameAfterwards) {
  const std::shared_ptr<RouteTableSlot> slot = tables_->slot("a");
  EXPECT_EQ(bodyAt(first_, 0, *slot), "none");
  EXPECT_EQ(tables_->tables().at("a").spec, nullptr);
  ASSERT_TRUE(tables_->put(table("a", "one")).ok());
  EXPECT_EQ(bodyAt(first_, 0, *slot), "one");
  ASSERT_TRUE(tables_->put(table("a", "two")).ok());
  EXPECT_EQ(bodyAt(first_, 0, *slot), "two");
  EXPECT_EQ(tables_->slot("a"), slot);
}

// A request pins the table of its moment.
TEST_F(RouteTablesTest, APinnedTableOutlivesItsSuccessor) {
  ASSERT_TRUE(tables_->put(table("a", "one")).ok());
  const std::shared_ptr<RouteTableSlot> slot = tables_->slot("a");
  event::LocalRef<http::RouteMatcher> pinned;
  first_.run([&] { pinned = slot->get(0); });
  ASSERT_TRUE(tables_->put(table("a", "two")).ok());
  first_.run([&] {
    const auto& spec = dynamic_cast<const route::RouteTable&>(*pinned).spec();
    const auto& action = spec.virtual_hosts[0].routes[0].action;
    EXPECT_EQ(std::get<route::DirectResponse>(action).body, "one");
    pinned = {};
  });
}

TEST_F(RouteTablesTest, ABrokenTableLeavesThePreviousOneInForce) {
  ASSERT_TRUE(tables_->put(table("a", "one")).ok());
  auto broken = table("a", "two");
  broken->virtual_hosts[0].routes[0].match.path = {.kind = route::PathMatch::Kind::Regex,
                                                   .value = "("};
  EXPECT_FALSE(tables_->put(broken).ok());
  EXPECT_EQ(bodyAt(first_, 0, *tables_->slot("a")), "one");
  EXPECT_EQ(tables_->tables().at("a").spec->virtual_hosts[0].routes[0].match.path.value, "/");
}

TEST_F(RouteTablesTest, ARemovedTableServesThoseWhoHoldItsSlot) {
  ASSERT_TRUE(tables_->put(table("a", "one")).ok());
  std::shared_ptr<RouteTableSlot> held = tables_->slot("a");
  tables_->remove("a");
  EXPECT_TRUE(tables_->tables().empty());
  EXPECT_EQ(bodyAt(first_, 0, *held), "one");
  // The name is free for another table.
  ASSERT_TRUE(tables_->put(table("a", "two")).ok());
  EXPECT_NE(tables_->slot("a"), held);
  EXPECT_EQ(bodyAt(first_, 0, *held), "one");
  // Dropped last by a worker, the slot dies on main all the same.
  const std::weak_ptr<RouteTableSlot> watch = held;
  first_.run([&] { held.reset(); });
  settle();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace convoy::server
