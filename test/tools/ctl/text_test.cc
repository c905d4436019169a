// Tables and differences: text for people.

#include <gtest/gtest.h>

#include <sstream>

#include "tools/ctl/line_diff.h"
#include "tools/ctl/table.h"

namespace convoy::tools::ctl {
namespace {

TEST(TableTest, ColumnsAreAsWideAsNeeded) {
  Table table({"NAME", "N", "WHAT"});
  EXPECT_TRUE(table.empty());
  table.add({"a", "100", "x"});
  table.add({"caf\xc3\xa9-long", "", "y\x1b[2Jz"});
  EXPECT_FALSE(table.empty());
  std::ostringstream out;
  table.print(out);
  EXPECT_EQ(out.str(),
            "NAME       N    WHAT\n"
            "a          100  x\n"
            "caf\xc3\xa9-long  -    y?[2Jz\n");
}

TEST(TableTest, MayGoOnBelow) {
  Table table({"NAME", "N"});
  table.add({"long-name", "1"});
  std::ostringstream out;
  table.print(out);
  table.print(out);
  table.add({"a", "2"});
  table.print(out);
  EXPECT_EQ(out.str(), "NAME       N\nlong-name  1\na          2\n");
}

TEST(LineDiffTest, ShowsWhatCameAndWent) {
  const struct {
    const char* before;
    const char* after;
    const char* diff;
  } kCases[] = {
      {"", "", ""},
      {"a\n", "a\n", "  a\n"},
      {"a\nb\nc\n", "a\nx\nc\n", "  a\n- b\n+ x\n  c\n"},
      {"", "a\nb\n", "+ a\n+ b\n"},
      {"a\nb\n", "", "- a\n- b\n"},
      {"b\n", "a\nb\n", "+ a\n  b\n"},
  };
  for (const auto& test : kCases) EXPECT_EQ(lineDiff(test.before, test.after), test.diff);
}

TEST(LineDiffTest, TextsTooLongToCompareAreShownOneAfterTheOther) {
  std::string before;
  for (int i = 0; i < 3000; ++i) before += "x\n";
  const std::string diff = lineDiff(before, before);
  EXPECT_EQ(diff.substr(0, 4), "- x\n");
  EXPECT_EQ(diff.substr(diff.size() - 4), "+ x\n");
}

}  // namespace
}  // namespace convoy::tools::ctl
