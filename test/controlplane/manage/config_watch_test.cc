#include "controlplane/manage/config_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/control_plane_fixture.h"
#include "test/controlplane/common/manager_fixture.h"

namespace convoy::controlplane::manage {
namespace {

class WatchCursorTest : public ManagerTest {
 protected:
  // "number:changes" of every message that there is, "+" where more of the revision follows.
  static std::string drain(WatchCursor& cursor) {
    std::string out;
    while (true) {
      const auto next = cursor.next();
      if (!next.ok()) return absl::StrCat(out, next.status().ToString());
      if (!next->has_value()) return out;
      const v1::WatchResponse& message = **next;
      if (!message.has_revision()) {
        absl::StrAppend(&out, "after ", message.after_revision(), " ");
      } else {
        absl::StrAppend(&out, message.revision().number(), ":", message.revision().changes_size(),
                        message.complete() ? " " : "+ ");
      }
    }
  }
};

TEST_F(WatchCursorTest, SendsEveryRevisionOnce) {
  ASSERT_TRUE(apply(kTenLines).ok());
  ASSERT_TRUE(apply(R"(pools { name: "x" })").ok());
  WatchCursor all(store_.get(), 0, {});
  WatchCursor some(store_.get(), 1, {});
  EXPECT_EQ(drain(all), "after 0 1:4 2:1 ");
  EXPECT_EQ(drain(some), "after 1 2:1 ");
  EXPECT_EQ(drain(all), "");
  ASSERT_TRUE(apply("", true).ok());
  EXPECT_EQ(drain(all), "3:5 ");
}

TEST_F(WatchCursorTest, FiltersKindsButNotRevisions) {
  ASSERT_TRUE(apply(kTenLines).ok());
  ASSERT_TRUE(apply(R"(pools { name: "x" })").ok());
  WatchCursor backends(store_.get(), 0, {v1::KIND_BACKEND});
  EXPECT_EQ(drain(backends), "after 0 1:2 2:0 ");
}

TEST_F(WatchCursorTest, CutsLargeRevisions) {
  std::string config = "pools { name: \"big\" ";
  for (int i = 1; i <= 2500; ++i)
    absl::StrAppend(&config, "backends { address: \"10.0.0.1:", i, "\" }");
  ASSERT_TRUE(apply(config + "}").ok());
  WatchCursor cursor(store_.get(), 0, {});
  EXPECT_EQ(drain(cursor), "after 0 1:1000+ 1:1000+ 1:501 ");
}

TEST_F(WatchCursorTest, SaysWhatFails) {
  ASSERT_TRUE(apply(kTenLines).ok());
  WatchCursor cursor(store_.get(), 0, {});
  store_->reads = absl::DataLossError("corrupt");
  EXPECT_EQ(drain(cursor), "after 0 DATA_LOSS: corrupt");
}

using ConfigWatchTest = ControlPlaneTest;

TEST_F(ConfigWatchTest, EndsWithItsClient) {
  auto watching = context();
  auto stream = config_->Watch(watching.get(), {});
  v1::WatchResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.after_revision(), 0);
  watching->TryCancel();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(apply(kTenLines).ok());
}

TEST_F(ConfigWatchTest, BeginsAtTheHeadUnlessTold) {
  ASSERT_TRUE(apply(kTenLines).ok());
  auto watching = context();
  auto stream = config_->Watch(watching.get(), {});
  v1::WatchResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.after_revision(), 1);
  ASSERT_TRUE(apply(R"(pools { name: "x" })").ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.revision().number(), 2);
  EXPECT_TRUE(message.complete());
}

}  // namespace
}  // namespace convoy::controlplane::manage
