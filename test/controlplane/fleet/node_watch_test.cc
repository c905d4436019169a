#include "controlplane/fleet/node_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/common/simulated_clock.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane::fleet {
namespace {

class NodeCursorTest : public testing::Test {
 protected:
  // All that there is to send.
  std::string drain(NodeCursor& cursor) {
    std::string out;
    while (auto message = cursor.next()) {
      EXPECT_EQ(message->revision(), 7);
      if (message->has_node()) {
        absl::StrAppend(&out, message->node().id(), ":",
                        v1::Node::State_Name(message->node().state()), " ");
      } else {
        absl::StrAppend(&out, message->initial_complete() ? "complete " : "-", message->removed());
      }
    }
    return out;
  }
  ConnectionId connect(const std::string& id) {
    return registry_.connected({id, "", {{"id", id}}, "", ""});
  }

  test::SimulatedClock clock_;
  Registry registry_{&clock_};
};

TEST_F(NodeCursorTest, FirstAllThenChanges) {
  const ConnectionId a = connect("a");
  connect("b");
  NodeCursor cursor(&registry_, {}, [] { return 7; });
  EXPECT_EQ(drain(cursor), "a:PENDING b:PENDING complete ");
  EXPECT_EQ(drain(cursor), "");
  registry_.disconnected(a);
  EXPECT_EQ(drain(cursor), "a:DISCONNECTED ");
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(drain(cursor), "-a");
}

TEST_F(NodeCursorTest, SlowReadersGetTheNewestState) {
  NodeCursor cursor(&registry_, {}, [] { return 7; });
  EXPECT_EQ(drain(cursor), "complete ");
  const ConnectionId a = connect("a");
  registry_.update(a, {.settled = true, .revision = 1, .errors = {}, .report = {}});
  registry_.disconnected(a);
  EXPECT_EQ(drain(cursor), "a:DISCONNECTED ");
}

TEST_F(NodeCursorTest, OnlyTheNodesThatAreAskedFor) {
  connect("a");
  connect("b");
  v1::NodeSelector selector;
  (*selector.mutable_labels())["id"] = "b";
  NodeCursor cursor(&registry_, selector, [] { return 7; });
  EXPECT_EQ(drain(cursor), "b:PENDING complete ");
}

using NodeWatchTest = ControlPlaneTest;

TEST_F(NodeWatchTest, EndsWithItsClient) {
  auto watching = context();
  auto stream = fleet_->WatchNodes(watching.get(), {});
  v1::WatchNodesResponse message;
  ASSERT_TRUE(stream->Read(&message));
  watching->TryCancel();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  // What changes now disturbs nobody.
  auto proxy = node("n1");
  ASSERT_TRUE(apply(kTenLines).ok());
  EXPECT_TRUE(proxy->waitFor("Listener/public"));
}

TEST_F(NodeWatchTest, EndsWhenTheControlPlaneStops) {
  auto watching = context();
  auto stream = fleet_->WatchNodes(watching.get(), {});
  v1::WatchNodesResponse message;
  ASSERT_TRUE(stream->Read(&message));
  server_.reset();
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace convoy::controlplane::fleet
