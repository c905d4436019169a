#include "controlplane/validate/grouping.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/config_text.h"
#include "test/controlplane/validate/problem_text.h"

namespace convoy::controlplane::validate {
namespace {

struct Case {
  std::string fields;
  std::string problems;
};

TEST(GroupingTest, Pools) {
  const Case cases[] = {
      {"", ""},
      {"zone_aware: true", ""},
      {"zone_aware: true algorithm: ALGORITHM_MAGLEV", "x.zone_aware: conflict true"},
      {"subsets { by { labels: \"a\" labels: \"b\" } by { labels: \"a\" } }", ""},
      {"subsets {}", "x.subsets.by: required"},
      {"subsets { by {} }", "x.subsets.by[0].labels: required"},
      {"subsets { by { labels: \"a\" labels: \"a\" } }", "x.subsets.by[0].labels: duplicate a, a"},
      {"subsets { by { labels: \"b\" labels: \"a\" } by { labels: \"a\" labels: \"b\" } }",
       "x.subsets.by[1].labels: duplicate a, b"},
      {"subsets { by { labels: \"a\" } fallback: 9 }", "x.subsets.fallback: enum 9"},
      {"subsets { by { labels: \"a\" } fallback: FALLBACK_DEFAULT }",
       "x.subsets.default_labels: required"},
      {"subsets { by { labels: \"a\" } default_labels { key: \"a\" value: \"1\" } }",
       "x.subsets.default_labels: conflict"},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkGrouping(parse<v1::Pool>(c.fields), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
}

TEST(GroupingTest, Backends) {
  const std::string longest(128, 'z');
  const Case cases[] = {
      {"backup: true zone: \"a\" labels { key: \"version\" value: \"v2\" }", ""},
      {"priority: 127", ""},
      {"zone: \"" + longest + "\"", ""},
      {"priority: 128", "x.priority: range 128"},
      {"backup: true priority: 1", "x.priority: conflict 1"},
      {"zone: \"" + longest + "z\"", "x.zone: range 129 characters"},
      {"labels { key: \"\" value: \"v2\" }", "x.labels: required"},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkPlacement(parse<v1::Backend>(c.fields), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
}

TEST(GroupingTest, RoutesAskForSubsetsThatThereAre) {
  const std::string subset = "subset { key: \"version\" value: \"v2\" }";
  const Case cases[] = {
      {"pool: \"p\" " + subset, ""},
      {"direct_response { status: 200 } " + subset, "x.subset: conflict"},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkSubset(parse<v1::Route>(c.fields), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
  const auto route = parse<v1::Route>(subset);
  const Case pools[] = {
      {"subsets { by { labels: \"version\" } }", ""},
      {"", "x.subset: not_found version"},
      {"subsets { by { labels: \"version\" labels: \"stage\" } }", "x.subset: not_found version"},
  };
  for (const Case& c : pools) {
    Problems problems;
    checkSubsetOf(parse<v1::Pool>(c.fields), route, Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
