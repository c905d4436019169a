#include "proxy/upstream/algorithms/modulo.h"

#include <gtest/gtest.h>

#include "proxy/base/xxhash.h"
#include "proxy/event/random.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using test::Hosts;

TEST(ModuloTest, TheRemainderDecides) {
  const Hosts hosts({1, 1, 1, 1});
  const Modulo table(hosts.set());
  // The low halves of the MD5 of 192.168.1.50, .75, .100 and .200: hosts 1, 3, 3 and 2. (A text on
  // the subject prints 2 for .75 and 4 for .200.)
  EXPECT_EQ(table.find(0xf62baac4b141829c), 0u);
  EXPECT_EQ(table.find(0x2e7d562793940186), 2u);
  EXPECT_EQ(table.find(0x6ac052a38960aeb2), 2u);
  EXPECT_EQ(table.find(0xb21a5c1fd4053ed9), 1u);
  EXPECT_EQ(table.find(~uint64_t{0}), 3u) << "a large hash is not a negative one";
}

// What share of the keys has another host.
double moved(size_t from, size_t to) {
  const Hosts before(std::vector<uint32_t>(from, 1));
  const Hosts after(std::vector<uint32_t>(to, 1));
  const Modulo a(before.set());
  const Modulo b(after.set());
  event::Random random(9);
  int moved = 0;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t hash = random.next();
    if (a.find(hash) != b.find(hash)) ++moved;
  }
  return moved / 1e5;
}

TEST(ModuloTest, MostKeysMoveWithTheNumberOfHosts) {
  EXPECT_NEAR(moved(3, 4), 0.75, 0.01);
  EXPECT_NEAR(moved(3, 2), 0.667, 0.01);
  EXPECT_EQ(moved(3, 3), 0);
}

TEST(ModuloTest, WeightsAreShares) {
  const Hosts hosts({5, 3, 2});
  const Modulo table(hosts.set());
  event::Random random(9);
  std::vector<int> counts(3);
  for (int i = 0; i < 100'000; ++i) ++counts[table.find(random.next())];
  EXPECT_NEAR(counts[0] / 1e5, .5, .01);
  EXPECT_NEAR(counts[1] / 1e5, .3, .01);
  EXPECT_NEAR(counts[2] / 1e5, .2, .01);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
