#include "controlplane/push/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane::push {
namespace {

namespace discovery_v3 = envoy::service::discovery::v3;

class StreamTest : public ControlPlaneTest {
 protected:
  // What a stream that sends this request first ends with.
  grpc::Status endOf(const discovery_v3::DeltaDiscoveryRequest& request, bool half_close = false) {
    const auto stub = discovery_v3::AggregatedDiscoveryService::NewStub(
        grpc::CreateChannel(server_->xds().text(), grpc::InsecureChannelCredentials()));
    const auto waiting = context();
    auto stream = stub->DeltaAggregatedResources(waiting.get());
    stream->Write(request);
    if (half_close) stream->WritesDone();
    discovery_v3::DeltaDiscoveryResponse response;
    while (stream->Read(&response)) {
    }
    return stream->Finish();
  }
};

TEST_F(StreamTest, AStreamWithoutNodeIsRefused) {
  EXPECT_EQ(endOf({}).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(StreamTest, AClientThatHasSaidEverythingEndsTheStream) {
  discovery_v3::DeltaDiscoveryRequest request;
  request.mutable_node()->set_id("n1");
  request.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_TRUE(endOf(request, true).ok());
}

TEST_F(StreamTest, NodesGetWhatSelectsThem) {
  ASSERT_TRUE(apply(R"(
    listeners { name: "all" address: "0.0.0.0:1" routes { pool: "p" } }
    listeners { name: "edge" address: "0.0.0.0:2" routes { pool: "q" }
                nodes { labels { key: "role" value: "edge" } } }
    pools { name: "p" } pools { name: "q" })")
                  .ok());
  auto core = node("core");
  auto edge = node("edge", {{"role", "edge"}});
  EXPECT_TRUE(edge->waitFor("RouteConfiguration/listener/edge"));
  EXPECT_TRUE(edge->waitFor("RouteConfiguration/listener/all"));
  EXPECT_TRUE(core->waitFor("RouteConfiguration/listener/all"));
  EXPECT_EQ(core->held().count("Listener/edge"), 0u);
  EXPECT_EQ(core->held().count("Cluster/q"), 0u);
}

// What a client logs for these changes is exactly this.
TEST_F(StreamTest, OneBackendOfAThousandPoolsIsOneAssignment) {
  std::string config = R"(listeners { name: "l" address: "0.0.0.0:1" route_table: "t" })";
  std::string routes;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&config, "pools { name: \"p", i, "\" backends { address: \"10.0.0.1:80\" } }");
    absl::StrAppend(&routes, "routes { pool: \"p", i, "\" match { path_prefix: \"/", i, "\" } }");
  }
  ASSERT_TRUE(apply(absl::StrCat(config, "route_tables { name: \"t\" ", routes, "}")).ok());
  auto proxy = node("n1");
  ASSERT_TRUE(proxy->waitFor("RouteConfiguration/t"));
  const size_t before = proxy->log().size();
  EXPECT_EQ(before, 2002u);
  v1::ApplyRequest request;
  *request.mutable_config() =
      parse<v1::Config>(R"(backends { pool: "p7" address: "10.0.0.1:80" weight: 2 })");
  request.mutable_wait()->set_seconds(10);
  v1::ApplyResponse response;
  ASSERT_TRUE(apply(request, &response).ok());
  ASSERT_EQ(response.nodes_size(), 1);
  EXPECT_EQ(response.nodes(0).state(), v1::Node::SYNCED);
  const std::vector<std::string> log = proxy->log();
  ASSERT_EQ(log.size(), before + 1);
  EXPECT_EQ(log.back(), "ClusterLoadAssignment/p7");
}

TEST_F(StreamTest, ManyNodesAndManyChanges) {
  std::vector<std::unique_ptr<AdsClient>> nodes;
  for (int i = 0; i < 20; ++i) nodes.push_back(node(absl::StrCat("n", i)));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(
        apply(absl::StrCat(R"(listeners { name: "l" address: "0.0.0.0:1" routes { pool: "p)", i,
                           R"(" } } pools { name: "p)", i,
                           R"(" backends { address: "10.0.0.1:80" } })"))
            .ok());
  }
  v1::ApplyRequest request;
  *request.mutable_config() = parse<v1::Config>(
      R"(listeners { name: "l" address: "0.0.0.0:1" routes { pool: "last" } }
         pools { name: "last" backends { address: "10.0.0.1:80" } })");
  request.set_prune(true);
  request.mutable_wait()->set_seconds(15);
  v1::ApplyResponse response;
  ASSERT_TRUE(apply(request, &response).ok());
  ASSERT_EQ(response.nodes_size(), 20);
  for (const v1::Node& state : response.nodes()) EXPECT_EQ(state.state(), v1::Node::SYNCED);
  for (const auto& proxy : nodes) {
    EXPECT_EQ(proxy->held().size(), 4u);
    EXPECT_EQ(proxy->held().count("Cluster/last"), 1u);
  }
}

}  // namespace
}  // namespace convoy::controlplane::push
