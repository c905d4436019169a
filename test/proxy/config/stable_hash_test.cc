#include "proxy/config/stable_hash.h"

#include "google/protobuf/struct.pb.h"
#include "gtest/gtest.h"

namespace convoy::config {
namespace {

google::protobuf::Struct mapOf(std::initializer_list<const char*> keys) {
  google::protobuf::Struct map;
  for (const char* key : keys) (*map.mutable_fields())[key].set_number_value(1);
  return map;
}

TEST(StableHash, TheOrderOfAMapDoesNotMatter) {
  const auto one = mapOf({"a", "b", "c", "d", "e"});
  const auto two = mapOf({"e", "d", "c", "b", "a"});
  EXPECT_EQ(stableBytes(one), stableBytes(two));
  EXPECT_EQ(stableHash(one), stableHash(two));
  EXPECT_NE(stableHash(one), stableHash(mapOf({"a"})));
}

TEST(StableHash, OfNothingIsTheOffsetOfFnv1a) {
  EXPECT_EQ(stableBytes(google::protobuf::Struct()), "");
  EXPECT_EQ(stableHash(google::protobuf::Struct()), 0xCBF29CE484222325u);
}

}  // namespace
}  // namespace convoy::config
