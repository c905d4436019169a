#include "proxy/upstream/subset_members.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace convoy::upstream {
namespace {

SubsetSpec by(const std::vector<std::string>& names) {
  SubsetSpec spec;
  for (const std::string& name : names) spec.selectors.push_back({.names = {name}});
  return spec;
}

std::vector<uint32_t> hostsOf(const HostBlocks& blocks) {
  return {blocks.indices().begin(), blocks.indices().end()};
}

std::string pairsOf(const char* name, const std::string& value) {
  return base::subsetKeyOf({{name, value}}).pairs;
}

class SubsetMembersTest : public testing::Test {
 protected:
  void add(const base::SubsetLabels& labels) {
    labels_.push_back(std::make_unique<const base::SubsetLabels>(labels));
  }
  const SubsetMembers& members(const SubsetSpec& spec) {
    std::vector<const base::SubsetLabels*> labels;
    for (const auto& of_host : labels_) labels.push_back(of_host.get());
    members_ = subsetMembers(labels, spec, std::move(members_));
    return members_;
  }
  bool has(const std::string& pairs) const {
    return std::ranges::any_of(members_.subsets,
                               [&](const auto& subset) { return subset.pairs == pairs; });
  }

  std::vector<std::unique_ptr<const base::SubsetLabels>> labels_;
  SubsetMembers members_;  // what the last call came to
};

TEST_F(SubsetMembersTest, AHostIsInOneSubsetOfEachSelectorThatItFits) {
  add({{"stage", "prod"}, {"version", "1"}});
  add({{"version", "2"}});
  add({{"version", "1"}});
  add({});
  const SubsetMembers& all = members(by({"version", "stage"}));
  ASSERT_EQ(all.subsets.size(), 3u);
  EXPECT_EQ(all.subsets[0].pairs, pairsOf("version", "1"));
  EXPECT_EQ(hostsOf(all.subsets[0].hosts), (std::vector<uint32_t>{0, 2}));
  EXPECT_EQ(hostsOf(all.subsets[1].hosts), (std::vector<uint32_t>{1}));
  EXPECT_EQ(all.subsets[2].pairs, pairsOf("stage", "prod"));
  EXPECT_EQ(hostsOf(all.subsets[2].hosts), (std::vector<uint32_t>{0}));
  EXPECT_TRUE(all.in_default.empty()) << "nobody asks for them";
  EXPECT_EQ(all.overflow, 0u);
}

TEST_F(SubsetMembersTest, TheDefaultIsWhoeverHasItsLabels) {
  add({{"version", "1"}});
  add({{"version", "2"}});
  SubsetSpec spec = by({"version"});
  spec.default_labels = {{"version", "2"}};
  spec.selectors[0].has_fallback = true;
  spec.selectors[0].fallback = SubsetFallback::Default;
  EXPECT_EQ(hostsOf(members(spec).in_default), (std::vector<uint32_t>{1}));
}

// Whatever comes first in the alphabet, or in the assignment.
TEST_F(SubsetMembersTest, WhoeverIsThereKeepsItsRoom) {
  for (size_t i = 0; i < kMostSubsets; ++i) add({{"user", "u" + std::to_string(i)}});
  EXPECT_EQ(members(by({"user"})).overflow, 0u);
  labels_.insert(labels_.begin(),
                 std::make_unique<const base::SubsetLabels>(base::SubsetLabels{{"user", "a"}}));
  add({{"user", "z"}});
  EXPECT_EQ(members(by({"user"})).overflow, 2u);
  EXPECT_EQ(members_.subsets.size(), kMostSubsets);
  EXPECT_FALSE(has(pairsOf("user", "a")));
  EXPECT_TRUE(has(pairsOf("user", "u999")));
  // Somebody leaves: the first of the others has room.
  labels_.erase(labels_.begin() + 1);
  EXPECT_EQ(members(by({"user"})).overflow, 1u);
  EXPECT_TRUE(has(pairsOf("user", "a")));
  EXPECT_FALSE(has(pairsOf("user", "z")));
}

}  // namespace
}  // namespace convoy::upstream
