#include "controlplane/validate/problems.h"

#include <gtest/gtest.h>

#include <string>

#include "api/convoy/v1/config.pb.h"

namespace convoy::controlplane::validate {
namespace {

const store::Key kPool{v1::KIND_POOL, "web"};

TEST(ProblemsTest, KeepThePlaceAndTheReason) {
  Problems problems;
  EXPECT_TRUE(problems.empty());
  Place(&problems, kPool, "pools[1]")
      .element("backends", 2)
      .field("weight")
      .refuse("range", "0", "why");
  ASSERT_FALSE(problems.empty());
  const v1::Problem& problem = problems.list().problems(0);
  EXPECT_EQ(problem.id().kind(), v1::KIND_POOL);
  EXPECT_EQ(problem.id().name(), "web");
  EXPECT_EQ(problem.field_path(), "pools[1].backends[2].weight");
  EXPECT_EQ(problem.rule(), "range");
  EXPECT_EQ(problem.value(), "0");
  EXPECT_EQ(problem.reason(), "why");
}

TEST(ProblemsTest, PathsBeginWithTheResourceThatIsNotInTheRequest) {
  Problems problems;
  EXPECT_EQ(Place(&problems, kPool, "").field("name").path(), "name");
  EXPECT_EQ(Place(&problems, kPool, "pool web: ").field("name").path(), "pool web: name");
}

TEST(ProblemsTest, ManyAreCountedAndValuesAreCut) {
  Problems problems;
  // The 256th byte is in the middle of a letter.
  const std::string long_value = std::string(255, 'a') + "ü" + std::string(50, 'b');
  for (int i = 0; i < 150; ++i) problems.add(kPool, "f", "r", long_value, "why");
  EXPECT_EQ(problems.list().problems_size(), Problems::kMost);
  EXPECT_EQ(problems.list().total(), 150);
  EXPECT_EQ(problems.list().problems(0).value(), std::string(255, 'a'));
}

TEST(ClosestTest, SuggestsWhatMayHaveBeenMeant) {
  struct Case {
    std::string name;
    std::string meant;
  };
  const Case cases[] = {{"wbe", "web"},
                        {"we", "web"},
                        {"webb", "web"},
                        {"api-srevers", "api-servers"},
                        {"database", ""},
                        {"x", ""},
                        {"", ""},
                        {"api-server", "api-servers"},
                        {std::string(200, 'w'), ""}};
  for (const Case& c : cases) EXPECT_EQ(closest(c.name, {"api-servers", "web"}), c.meant) << c.name;
}

}  // namespace
}  // namespace convoy::controlplane::validate
