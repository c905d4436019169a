#include "proxy/upstream/outlier/panic.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

TEST(PanicTest, BelowTheThreshold) {
  const PanicSpec half{PanicSpec::Mode::ServeAll, 50};
  const PanicSpec none{PanicSpec::Mode::ServeLastGood, 0};
  const struct {
    const char* name;
    PanicSpec spec;
    uint64_t hosts;
    uint64_t usable;
    bool expected;
  } kCases[] = {
      {"all are well", half, 4, 4, false},  {"just enough", half, 4, 2, false},
      {"too few", half, 4, 1, true},        {"none", half, 4, 0, true},
      {"nobody at all", half, 0, 0, false}, {"one is enough", none, 4, 1, false},
      {"never", {}, 4, 0, false},
  };
  for (const auto& c : kCases) EXPECT_EQ(tooFew(c.spec, c.hosts, c.usable), c.expected) << c.name;
}

TEST(PanicTest, Names) {
  EXPECT_EQ(nameOf(PanicSpec::Mode::Fail), "fail");
  EXPECT_EQ(nameOf(PanicSpec::Mode::ServeAll), "serve_all");
  EXPECT_EQ(nameOf(PanicSpec::Mode::ServeLastGood), "serve_last_good");
}

}  // namespace
}  // namespace convoy::upstream
