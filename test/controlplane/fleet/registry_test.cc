#include "controlplane/fleet/registry.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "test/common/simulated_clock.h"

namespace convoy::controlplane::fleet {
namespace {

class RegistryTest : public testing::Test {
 protected:
  ConnectionId connect(const std::string& id, const model::Labels& labels = {}) {
    return registry_.connected({id, "cluster", labels, "convoy-proxy/1", "ipv4:1.2.3.4:5"});
  }
  void settle(ConnectionId connection, store::RevisionNumber revision) {
    registry_.update(connection,
                     {.settled = true, .revision = revision, .errors = {}, .report = {}});
  }
  void pending(ConnectionId connection, store::RevisionNumber revision) {
    registry_.update(connection,
                     {.settled = false, .revision = revision, .errors = {}, .report = {}});
  }
  // Acknowledged, but it was sent a cluster whose endpoints it has not asked for.
  void settleUnasked(ConnectionId connection, store::RevisionNumber revision) {
    registry_.update(connection, {.settled = true,
                                  .revision = revision,
                                  .expects_requests = true,
                                  .errors = {},
                                  .report = {}});
  }
  // Waits while kAskPatience passes at the second turn; true if it took that long.
  bool waitsToBeAsked(store::RevisionNumber revision) {
    int turns = 0;
    registry_.awaitRevision(revision, absl::Minutes(1), [this, &turns] {
      if (++turns == 2) clock_.advance(Registry::kAskPatience);
      return false;
    });
    return turns >= 2;
  }
  // "id:STATE@revision" of every node.
  std::string list(const v1::NodeSelector& selector = {}) {
    std::string out;
    for (const v1::Node& node : registry_.list(selector, "", 100)) {
      absl::StrAppend(&out, node.id(), ":", v1::Node::State_Name(node.state()), "@",
                      node.acknowledged_revision(), " ");
    }
    return out;
  }

  test::SimulatedClock clock_;
  Registry registry_{&clock_};
};

TEST_F(RegistryTest, FollowsANodeThroughItsLife) {
  const ConnectionId connection = connect("n1", {{"role", "edge"}});
  EXPECT_EQ(list(), "n1:PENDING@0 ");
  settle(connection, 3);
  EXPECT_EQ(list(), "n1:SYNCED@3 ");
  pending(connection, 4);
  EXPECT_EQ(list(), "n1:PENDING@3 ");
  Progress refusing{.settled = true, .revision = 4, .errors = {}, .report = ext::NodeReport()};
  refusing.errors.push_back({ext::ResourceError(), 4});
  refusing.report->set_ignored_field_count(2);
  registry_.update(connection, refusing);
  EXPECT_EQ(list(), "n1:REFUSING@4 ");
  const v1::Node node = registry_.list({}, "", 1)[0];
  EXPECT_EQ(node.errors_size(), 1);
  EXPECT_EQ(node.errors(0).revision(), 4);
  EXPECT_TRUE(node.errors(0).has_time());
  EXPECT_EQ(node.report().ignored_field_count(), 2u);
  EXPECT_EQ(node.labels().at("role"), "edge");
  EXPECT_EQ(node.peer(), "ipv4:1.2.3.4:5");
  settle(connection, 5);
  EXPECT_EQ(registry_.list({}, "", 1)[0].errors_size(), 0);
  registry_.disconnected(connection);
  EXPECT_EQ(list(), "n1:DISCONNECTED@5 ");
}

TEST_F(RegistryTest, TheTimeOfAnErrorIsItsFirst) {
  const ConnectionId connection = connect("n1");
  Progress refusing{
      .settled = true, .revision = 4, .errors = {{ext::ResourceError(), 4}}, .report = {}};
  registry_.update(connection, refusing);
  const auto first = registry_.list({}, "", 1)[0].errors(0).time().seconds();
  clock_.advance(std::chrono::minutes(1));
  registry_.update(connection, refusing);
  EXPECT_EQ(registry_.list({}, "", 1)[0].errors(0).time().seconds(), first);
}

TEST_F(RegistryTest, TheLatestConnectionOfANodeIsShown) {
  const ConnectionId first = connect("n1");
  settle(first, 3);
  const ConnectionId second = connect("n1");
  EXPECT_EQ(list(), "n1:PENDING@0 ");
  EXPECT_EQ(registry_.list({}, "", 1)[0].connections(), 2u);
  settle(first, 9);
  EXPECT_EQ(list(), "n1:PENDING@0 ");
  registry_.disconnected(first);
  EXPECT_EQ(list(), "n1:PENDING@0 ");
  EXPECT_EQ(registry_.list({}, "", 1)[0].connections(), 1u);
  settle(second, 4);
  EXPECT_EQ(list(), "n1:SYNCED@4 ");
}

// A second process by the same id came and went: the first is still there.
TEST_F(RegistryTest, AnEarlierConnectionIsShownAgainWhenTheLaterOneIsLost) {
  const ConnectionId first = connect("n1");
  settle(first, 3);
  const ConnectionId second = connect("n1");
  settle(second, 4);
  bool waited = false;  // one of the two is at 3
  registry_.awaitRevision(4, absl::Minutes(1), [&waited] { return waited = true; });
  EXPECT_TRUE(waited);
  registry_.disconnected(second);
  EXPECT_EQ(list(), "n1:SYNCED@3 ");
  settle(first, 5);
  EXPECT_EQ(list(), "n1:SYNCED@5 ");
  registry_.disconnected(first);
  EXPECT_EQ(list(), "n1:DISCONNECTED@5 ");
  EXPECT_EQ(registry_.list({}, "", 1)[0].connections(), 0u);
}

TEST_F(RegistryTest, ForgetsLostNodesAfterAnHour) {
  registry_.disconnected(connect("lost"));
  connect("here");
  clock_.advance(std::chrono::minutes(59));
  EXPECT_EQ(list(), "here:PENDING@0 lost:DISCONNECTED@0 ");
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(list(), "here:PENDING@0 ");
  const FleetChanges changes = registry_.changesSince(3, {});
  EXPECT_EQ(changes.removed, (std::vector<std::string>{"lost"}));
  // It may come back.
  connect("lost");
  EXPECT_TRUE(registry_.changesSince(0, {}).removed.empty());
}

TEST_F(RegistryTest, ListsPagesAndSelections) {
  for (const char* id : {"a", "b", "c"}) connect(id, {{"id", id}});
  EXPECT_EQ(registry_.list({}, "a", 1)[0].id(), "b");
  EXPECT_TRUE(registry_.list({}, "c", 1).empty());
  v1::NodeSelector selector;
  (*selector.mutable_labels())["id"] = "c";
  EXPECT_EQ(list(selector), "c:PENDING@0 ");
  EXPECT_EQ(registry_.changesSince(0, selector).nodes.size(), 1u);
}

TEST_F(RegistryTest, TellsWhatChanged) {
  connect("a");
  const ConnectionId b = connect("b");
  const FleetChanges all = registry_.changesSince(0, {});
  EXPECT_EQ(all.nodes.size(), 2u);
  settle(b, 1);
  const FleetChanges one = registry_.changesSince(all.sequence, {});
  ASSERT_EQ(one.nodes.size(), 1u);
  EXPECT_EQ(one.nodes[0].id(), "b");
  EXPECT_TRUE(registry_.changesSince(one.sequence, {}).nodes.empty());
}

TEST_F(RegistryTest, WaitsForEveryNode) {
  const ConnectionId a = connect("a");
  const ConnectionId b = connect("b");
  registry_.disconnected(connect("gone before"));
  settle(a, 5);
  std::thread later([this, b] { settle(b, 5); });
  const auto nodes = registry_.awaitRevision(5, absl::Hours(1), [] { return false; });
  later.join();
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].state(), v1::Node::SYNCED);
  EXPECT_EQ(nodes[1].acknowledged_revision(), 5);
}

TEST_F(RegistryTest, WaitsForWhatAClientAsksForAfterItAcknowledged) {
  const ConnectionId late = connect("late");
  settleUnasked(late, 5);
  std::atomic<int> turns = 0;
  const auto untilTurn = [&turns](int turn) {
    while (turns < turn) std::this_thread::yield();
  };
  // It asks for the endpoints, gets them, and answers: only then is the revision in force.
  std::thread client([&] {
    untilTurn(1);
    pending(late, 5);
    untilTurn(turns + 2);
    settle(late, 5);
  });
  const auto nodes = registry_.awaitRevision(5, absl::Hours(1), [&turns] {
    ++turns;
    return false;
  });
  client.join();
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].state(), v1::Node::SYNCED);
  EXPECT_GE(turns, 3);
}

TEST_F(RegistryTest, WaitsOnceForAClientThatNeverAsks) {
  const ConnectionId deaf = connect("deaf");
  settleUnasked(deaf, 5);
  EXPECT_TRUE(waitsToBeAsked(5));
  settleUnasked(deaf, 6);
  EXPECT_FALSE(waitsToBeAsked(6));
  // One that asked after all is waited for again.
  settle(deaf, 7);
  settleUnasked(deaf, 8);
  EXPECT_TRUE(waitsToBeAsked(8));
}

TEST_F(RegistryTest, DoesNotWaitForNodesThatLeave) {
  const ConnectionId a = connect("a");
  std::thread later([this, a] { registry_.disconnected(a); });
  registry_.awaitRevision(5, absl::Hours(1), [] { return false; });
  later.join();
  EXPECT_EQ(list(), "a:DISCONNECTED@0 ");
}

TEST_F(RegistryTest, WaitsNoLongerThanItIsToldTo) {
  pending(connect("slow"), 5);
  EXPECT_EQ(registry_.awaitRevision(5, absl::ZeroDuration(), [] { return false; })[0].state(),
            v1::Node::PENDING);
  EXPECT_EQ(registry_.awaitRevision(5, absl::Hours(1), [] { return true; })[0].state(),
            v1::Node::PENDING);
}

TEST_F(RegistryTest, WaitsOnTheClockThatItIsGiven) {
  pending(connect("slow"), 5);
  std::atomic<int> asked = 0;
  const auto advance = [this, &asked] {
    // Asked once per turn of the wait: time passes there.
    if (++asked == 2) clock_.advance(std::chrono::hours(2));
    return false;
  };
  EXPECT_EQ(registry_.awaitRevision(5, absl::Hours(1), advance).size(), 1u);
  EXPECT_GE(asked, 2);
}

}  // namespace
}  // namespace convoy::controlplane::fleet
