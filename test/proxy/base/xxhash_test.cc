#include "proxy/base/xxhash.h"

#include <gtest/gtest.h>

#include <set>

namespace convoy::base {
namespace {

// By the reference implementation.
TEST(XxHashTest, AgreesWithTheReference) {
  struct Case {
    const char* text;
    uint64_t hash;
    uint64_t with_seed_1;
  };
  const Case cases[] = {
      {"", 0xef46db3751d8e999, 0xd5afba1336a3be4b},
      {"a", 0xd24ec4f1a98c6e5b, 0xdec2bc81c3cd46c6},
      {"abc", 0x44bc2cf5ad770999, 0xbea9ca8199328908},
      {"abcdefghijkl", 0x4b09b7d3a233d4b3, 0x0864d2aa7e89bd8b},
      {"10.0.0.1:80_0", 0x75041381e7371a08, 0x886565a2d161b779},
      {"0123456789abcdef0123456789abcdef", 0x642a94958e71e6c5, 0x048b8b580878a4a4},
      {"0123456789abcdef0123456789abcdefghijklmnopqrstuvwxyz!", 0x31872148ed9c037e,
       0x1545a9e07f5a45c4},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(xxHash64(c.text), c.hash) << c.text;
    EXPECT_EQ(xxHash64(c.text, 1), c.with_seed_1) << c.text;
  }
}

TEST(XxHashTest, MixingLosesNothing) {
  std::set<uint64_t> mixed;
  for (uint64_t value = 0; value < 10'000; ++value) mixed.insert(mixBits(value));
  EXPECT_EQ(mixed.size(), 10'000u);
}

}  // namespace
}  // namespace convoy::base
