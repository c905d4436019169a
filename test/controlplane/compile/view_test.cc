#include "controlplane/compile/view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "absl/strings/str_join.h"

namespace convoy::controlplane::compile {
namespace {

View viewOf(const std::map<std::string, std::string>& clusters) {
  View view;
  for (const auto& [name, version] : clusters) {
    const EncodedPtr encoded = encodedElsewhere(name, version);
    view.resources[indexOf(Type::Cluster)].emplace(encoded->name, encoded);
  }
  return view;
}

TEST(ViewTest, FindsByTypeAndName) {
  const View view = viewOf({{"a", "1"}});
  EXPECT_EQ(view.find(Type::Cluster, "a")->version, "1");
  EXPECT_EQ(view.find(Type::Cluster, "b"), nullptr);
  EXPECT_EQ(view.find(Type::Listener, "a"), nullptr);
}

TEST(ViewTest, DifferenceIsWhatIsNewGoneOrChanged) {
  const View from = viewOf({{"same", "1"}, {"changed", "1"}, {"gone", "1"}});
  View to = viewOf({{"same", "1"}, {"changed", "2"}, {"new", "1"}});
  ViewDifference found = difference(from, to);
  std::vector<std::string>& names = found[indexOf(Type::Cluster)];
  std::sort(names.begin(), names.end());
  EXPECT_EQ(absl::StrJoin(names, " "), "changed gone new");
  EXPECT_TRUE(found[indexOf(Type::Listener)].empty());
  EXPECT_TRUE(difference(from, from)[indexOf(Type::Cluster)].empty());
}

}  // namespace
}  // namespace convoy::controlplane::compile
