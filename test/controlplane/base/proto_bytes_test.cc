#include "controlplane/base/proto_bytes.h"

#include <gtest/gtest.h>

#include "api/convoy/v1/selector.pb.h"

namespace convoy::controlplane {
namespace {

TEST(ProtoBytesTest, DoNotDependOnTheOrderOfInsertion) {
  v1::NodeSelector forward;
  v1::NodeSelector backward;
  for (int i = 0; i < 50; ++i) (*forward.mutable_labels())["k" + std::to_string(i)] = "v";
  for (int i = 49; i >= 0; --i) (*backward.mutable_labels())["k" + std::to_string(i)] = "v";
  EXPECT_EQ(deterministicBytes(forward), deterministicBytes(backward));
  v1::NodeSelector parsed;
  ASSERT_TRUE(parsed.ParseFromString(deterministicBytes(forward)));
  EXPECT_EQ(parsed.labels_size(), 50);
}

TEST(ProtoBytesTest, EmptyMessageHasNoBytes) {
  EXPECT_EQ(deterministicBytes(v1::NodeSelector()), "");
}

}  // namespace
}  // namespace convoy::controlplane
