#include "controlplane/manage/config_service.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane::manage {
namespace {

using ConfigServiceTest = ControlPlaneTest;

TEST_F(ConfigServiceTest, ErrorsHaveTheirCodes) {
  ASSERT_TRUE(apply(kTenLines).ok());
  v1::GetResponse got;
  EXPECT_EQ(config_->Get(context().get(), {}, &got).error_code(), grpc::StatusCode::NOT_FOUND);
  v1::ListRequest list;
  list.set_revision(9);
  v1::ListResponse listed;
  EXPECT_EQ(config_->List(context().get(), list, &listed).error_code(),
            grpc::StatusCode::OUT_OF_RANGE);
  v1::ApplyRequest stale;
  stale.set_expected_revision(7);
  EXPECT_EQ(apply(stale).error_code(), grpc::StatusCode::ABORTED);
  v1::DeleteResponse removed;
  EXPECT_EQ(config_->Delete(context().get(), {}, &removed).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ConfigServiceTest, WaitsHaveARange) {
  v1::ApplyRequest request;
  request.mutable_wait()->set_seconds(3601);
  EXPECT_EQ(apply(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  v1::DeleteRequest remove;
  remove.mutable_wait()->set_seconds(-1);
  v1::DeleteResponse removed;
  EXPECT_EQ(config_->Delete(context().get(), remove, &removed).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ConfigServiceTest, WatchesBeginWithinTheHistory) {
  for (const int64_t after : {-1, 1}) {
    v1::WatchRequest request;
    request.set_after_revision(after);
    const auto watching = context();
    auto stream = config_->Watch(watching.get(), request);
    v1::WatchResponse message;
    EXPECT_FALSE(stream->Read(&message));
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::OUT_OF_RANGE);
  }
}

TEST_F(ConfigServiceTest, AnUnchangedApplyWaitsForNodesToo) {
  ASSERT_TRUE(apply(kTenLines).ok());
  auto proxy = node("n1");
  ASSERT_TRUE(proxy->waitFor("RouteConfiguration/listener/public"));
  v1::ApplyRequest request;
  *request.mutable_config() = parse<v1::Config>(kTenLines);
  request.mutable_wait()->set_seconds(10);
  v1::ApplyResponse response;
  ASSERT_TRUE(apply(request, &response).ok());
  EXPECT_TRUE(response.unchanged());
  ASSERT_EQ(response.nodes_size(), 1);
  EXPECT_EQ(response.nodes(0).state(), v1::Node::SYNCED);
}

}  // namespace
}  // namespace convoy::controlplane::manage
