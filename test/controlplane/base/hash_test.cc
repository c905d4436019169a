#include "controlplane/base/hash.h"

#include <gtest/gtest.h>

namespace convoy::controlplane {
namespace {

// The first 64 bits of SHA-256 as its standard's examples give them: stored rows and versions on
// nodes depend on them.
TEST(HashTest, NeverChanges) {
  EXPECT_EQ(contentHash("abc"), 0xba7816bf8f01cfeaull);
  EXPECT_EQ(contentHash(""), 0xe3b0c44298fc1c14ull);
  EXPECT_EQ(contentHashText("abc"), "ba7816bf8f01cfea");
}

TEST(HashTest, TextKeepsLeadingZeros) {
  // SHA-256("39") begins with 0b.
  EXPECT_EQ(contentHashText("39").size(), 16u);
  EXPECT_EQ(contentHashText("39").substr(0, 2), "0b");
}

}  // namespace
}  // namespace convoy::controlplane
