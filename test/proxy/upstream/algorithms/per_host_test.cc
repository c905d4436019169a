#include "proxy/upstream/algorithms/per_host.h"

#include <gtest/gtest.h>

#include <memory>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

// On the heap: AddressSanitizer's own stack does not keep a Host's alignment.
std::unique_ptr<const Host> makeHost(size_t index, uint32_t slot) {
  return std::make_unique<const Host>(test::hostAddress(index), slot, 1);
}

TEST(PerHostTest, KeepsAValueForEachHost) {
  const auto a = makeHost(1, 0);
  const auto b = makeHost(2, 9);
  PerHost<int> values;
  EXPECT_EQ(values.find(*a), nullptr);
  EXPECT_EQ(values.of(*b), 0);
  values.of(*b) = 5;
  values.of(*a) = 3;
  EXPECT_EQ(*values.find(*b), 5);
  EXPECT_EQ(*values.find(*a), 3);
}

TEST(PerHostTest, ATakenOverSlotStartsAnew) {
  const auto before = makeHost(1, 4);
  const auto after = makeHost(1, 4);
  PerHost<int> values;
  values.of(*before) = 5;
  EXPECT_EQ(values.find(*after), nullptr);
  EXPECT_EQ(values.of(*after), 0);
  EXPECT_EQ(values.find(*before), nullptr);
}

}  // namespace
}  // namespace convoy::upstream::algorithms
