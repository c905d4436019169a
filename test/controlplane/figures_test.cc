// Prints how long changes take from the call until every node has acknowledged them. The figures
// are for people: nothing is asserted of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane {
namespace {

constexpr int kPools = 1000;
constexpr int kNodes = 20;
constexpr int kChanges = 100;

class FiguresTest : public ControlPlaneTest {
 protected:
  static std::string thousandPools() {
    std::string config = R"(listeners { name: "l" address: "0.0.0.0:1" route_table: "t" })";
    std::string routes;
    for (int i = 0; i < kPools; ++i) {
      absl::StrAppend(&config, "pools { name: \"p", i, "\" ");
      for (int b = 1; b <= 10; ++b)
        absl::StrAppend(&config, "backends { address: \"10.0.0.", b, ":80\" }");
      absl::StrAppend(&config, "}");
      absl::StrAppend(&routes, "routes { pool: \"p", i, "\" match { path_prefix: \"/", i, "\" } }");
    }
    return absl::StrCat(config, "route_tables { name: \"t\" ", routes, "}");
  }

  // Until every node has connected.
  void awaitNodes() {
    const auto watching = context();
    auto stream = fleet_->WatchNodes(watching.get(), {});
    std::set<std::string> seen;
    v1::WatchNodesResponse message;
    while (seen.size() < kNodes && stream->Read(&message)) {
      if (message.node().state() == v1::Node::SYNCED) seen.insert(message.node().id());
    }
    watching->TryCancel();
    ASSERT_EQ(seen.size(), static_cast<size_t>(kNodes));
  }

  // Applies and waits for every node; milliseconds.
  double timedApply(const std::string& config) {
    v1::ApplyRequest request;
    *request.mutable_config() = parse<v1::Config>(config);
    request.mutable_wait()->set_seconds(15);
    v1::ApplyResponse response;
    const auto begin = clock_.monotonicNow();
    EXPECT_TRUE(apply(request, &response).ok());
    const std::chrono::duration<double, std::milli> took = clock_.monotonicNow() - begin;
    EXPECT_EQ(response.nodes_size(), kNodes);
    for (const v1::Node& node : response.nodes()) EXPECT_EQ(node.state(), v1::Node::SYNCED);
    return took.count();
  }
};

TEST_F(FiguresTest, ApplyUntilEveryNodeAcknowledged) {
  std::vector<std::unique_ptr<AdsClient>> nodes;
  nodes.reserve(kNodes);
  for (int i = 0; i < kNodes; ++i) nodes.push_back(node(absl::StrCat("n", i)));
  awaitNodes();
  std::printf("%d nodes, %d pools of 10 backends, the first apply: %.1f ms\n", kNodes, kPools,
              timedApply(thousandPools()));
  std::vector<double> times;
  times.reserve(kChanges);
  for (int i = 0; i < kChanges; ++i) {
    times.push_back(timedApply(absl::StrCat(
        "backends { pool: \"p", i, "\" address: \"10.0.0.1:80\" weight: ", 2 + i % 100, " }")));
  }
  std::sort(times.begin(), times.end());
  std::printf("one backend changed: median %.1f ms, most %.1f ms\n", times[kChanges / 2],
              times.back());
}

}  // namespace
}  // namespace convoy::controlplane
