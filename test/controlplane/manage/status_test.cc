#include "controlplane/manage/status.h"

#include <gtest/gtest.h>

#include "google/rpc/status.pb.h"

namespace convoy::controlplane::manage {
namespace {

v1::ProblemList problems(int count) {
  validate::Problems out;
  for (int i = 0; i < count; ++i)
    out.add({1, "l"}, i == 0 ? "listeners[0].name" : "", "r", "v", "why");
  return out.list();
}

TEST(StatusTest, MessagesAreForPeople) {
  EXPECT_EQ(refusal(absl::StatusCode::kInvalidArgument, problems(1)).message(),
            "listeners[0].name: why");
  EXPECT_EQ(refusal(absl::StatusCode::kInvalidArgument, problems(3)).message(),
            "listeners[0].name: why (and 2 more)");
}

TEST(StatusTest, ProblemsTravel) {
  const absl::Status status = refusal(absl::StatusCode::kFailedPrecondition, problems(2));
  EXPECT_EQ(problemsOf(status).problems_size(), 2);
  const grpc::Status sent = toGrpc(status);
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(sent.error_details()));
  EXPECT_EQ(details.code(), grpc::StatusCode::FAILED_PRECONDITION);
  v1::ProblemList received;
  ASSERT_TRUE(details.details(0).UnpackTo(&received));
  EXPECT_EQ(received.total(), 2);
}

TEST(StatusTest, OtherStatusesHaveNoDetails) {
  EXPECT_TRUE(toGrpc(absl::OkStatus()).ok());
  const grpc::Status sent = toGrpc(absl::NotFoundError("no"));
  EXPECT_EQ(sent.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(sent.error_message(), "no");
  EXPECT_EQ(sent.error_details(), "");
  EXPECT_EQ(problemsOf(absl::NotFoundError("no")).problems_size(), 0);
}

}  // namespace
}  // namespace convoy::controlplane::manage
