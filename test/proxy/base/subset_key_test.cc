#include "proxy/base/subset_key.h"

#include <gtest/gtest.h>

namespace convoy::base {
namespace {

TEST(SubsetKeyTest, TheSameForTheSameLabelsOnly) {
  EXPECT_TRUE(subsetKeyOf({}).empty());
  const SubsetKey key = subsetKeyOf({{"stage", "prod"}, {"version", "2"}});
  EXPECT_EQ(key, subsetKeyOf({{"version", "2"}, {"stage", "prod"}}));
  EXPECT_EQ(key.keys, subsetKeyOf({{"version", "3"}, {"stage", "dev"}}).keys);
  EXPECT_EQ(key.keys, subsetKeyNames({"version", "stage"}));
  EXPECT_NE(key.pairs, subsetKeyOf({{"version", "3"}, {"stage", "prod"}}).pairs);
  // What is in a name or value does not matter.
  EXPECT_NE(subsetKeyOf({{"a", "b"}, {"c", "d"}}).pairs, subsetKeyOf({{"a", "b1:c1:d"}}).pairs);
  EXPECT_NE(subsetKeyOf({{"ab", ""}}).pairs, subsetKeyOf({{"a", "b"}}).pairs);
}

TEST(SubsetKeyTest, ThePairsOfSomeNames) {
  const SubsetLabels labels{{"stage", "prod"}, {"version", "2"}, {"zone", "a"}};
  std::string pairs;
  EXPECT_TRUE(subsetPairs(labels, {"stage", "version"}, &pairs));
  EXPECT_EQ(pairs, subsetKeyOf({{"stage", "prod"}, {"version", "2"}}).pairs);
  EXPECT_FALSE(subsetPairs(labels, {"stage", "user"}, &pairs));
}

TEST(SubsetKeyTest, AllOfSomeLabels) {
  const SubsetLabels labels{{"stage", "prod"}, {"version", "2"}};
  EXPECT_TRUE(hasAll(labels, {}));
  EXPECT_TRUE(hasAll(labels, {{"version", "2"}}));
  EXPECT_FALSE(hasAll(labels, {{"version", "3"}}));
  EXPECT_FALSE(hasAll(labels, {{"version", "2"}, {"zone", "a"}}));
}

}  // namespace
}  // namespace convoy::base
