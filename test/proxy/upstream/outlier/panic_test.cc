#include "proxy/upstream/outlier/panic.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

TEST(PanicTest, BelowTheThresholdUnlessOtherPrioritiesMakeUpForIt) {
  const PanicSpec half{PanicSpec::Mode::ServeAll, 50};
  const PanicSpec none{PanicSpec::Mode::ServeLastGood, 0};
  const struct {
    const char* name;
    PanicSpec spec;
    PriorityHealths healths;
    uint32_t chosen;
    bool expected;
  } kCases[] = {
      {"all are well", half, {{0, {4, 4}}}, 0, false},
      {"just enough", half, {{0, {4, 2}}}, 0, false},
      {"too few", half, {{0, {4, 1}}}, 0, true},
      {"none", half, {{0, {4, 0}}}, 0, true},
      {"nobody at all", half, {}, 0, true},
      {"none, and that is the threshold", none, {{0, {4, 0}}}, 0, true},
      {"one is enough then", none, {{0, {4, 1}}}, 0, false},
      {"never", {}, {{0, {4, 0}}}, 0, false},
      {"the next priority makes up for it", half, {{0, {4, 1}}, {1, {4, 3}}}, 0, false},
      {"or does not", half, {{0, {4, 1}}, {1, {4, 1}}}, 0, true},
      {"72 % of two priorities each are enough", half, {{0, {100, 36}}, {1, {100, 36}}}, 0, false},
      {"the one that serves has enough", half, {{0, {9, 0}}, {1, {9, 5}}}, 1, false},
  };
  for (const auto& c : kCases)
    EXPECT_EQ(inPanic(c.spec, c.healths, c.chosen), c.expected) << c.name;
}

TEST(PanicTest, Names) {
  EXPECT_EQ(nameOf(PanicSpec::Mode::Fail), "fail");
  EXPECT_EQ(nameOf(PanicSpec::Mode::ServeAll), "serve_all");
  EXPECT_EQ(nameOf(PanicSpec::Mode::ServeLastGood), "serve_last_good");
}

}  // namespace
}  // namespace convoy::upstream
