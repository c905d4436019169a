#include "proxy/base/field_report.h"

#include "gtest/gtest.h"

namespace convoy::base {
namespace {

TEST(FieldReport, PathsFollowTheScopes) {
  FieldReport report;
  {
    auto a = report.in("endpoints", 0);
    {
      auto b = report.in("lb_endpoints", 12);
      report.error("load_balancing_weight", "range", "0", "must be 1 or more");
    }
    auto c = report.in("metadata");
    auto d = report.in("filter_metadata", "envoy.lb");
    report.error("type", "x", "must be a map");
  }
  report.error("required", "", "something is missing");
  ASSERT_EQ(report.errors().size(), 3u);
  EXPECT_EQ(report.errors()[0], (FieldError{"endpoints[0].lb_endpoints[12].load_balancing_weight",
                                            "range", "0", "must be 1 or more"}));
  EXPECT_EQ(report.errors()[1].field_path, "endpoints[0].metadata.filter_metadata[\"envoy.lb\"]");
  EXPECT_EQ(report.errors()[2].field_path, "");
  EXPECT_FALSE(report.ok());
}

TEST(FieldReport, AnIndexAloneFollowsItsField) {
  FieldReport report;
  auto a = report.in("items");
  auto b = report.in("", 3);
  EXPECT_EQ(report.path(), "items[3]");
  auto c = report.in("", "key");
  EXPECT_EQ(report.path(), "items[3][\"key\"]");
}

TEST(FieldReport, NotesAreNoErrors) {
  FieldReport report;
  report.note("stat_prefix", "has no effect");
  report.note("", "unknown", true);
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(report.noteCount(), 2u);
  EXPECT_EQ(report.notes()[0], (FieldNote{"stat_prefix", "has no effect", false}));
  EXPECT_TRUE(report.notes()[1].unknown);
}

TEST(FieldReport, AFieldBreaksARuleOnce) {
  FieldReport report;
  report.error("a", "range", "1", "must be 2");
  report.error("a", "range", "1", "must be 2 indeed");
  report.error("b", "range", "1", "must be 2");
  report.error("a", "required", "", "is needed");
  EXPECT_EQ(report.errorCount(), 3u);
}

TEST(FieldReport, KeepsAFewAndCountsAll) {
  FieldReport report;
  for (size_t i = 0; i < FieldReport::kMaxErrors + 5; ++i) {
    report.error("rule" + std::to_string(i), "", "hint");
  }
  for (size_t i = 0; i < FieldReport::kMaxNotes + 7; ++i) report.note("field", "reason");
  EXPECT_EQ(report.errorCount(), FieldReport::kMaxErrors + 5);
  EXPECT_EQ(report.takeErrors().size(), FieldReport::kMaxErrors);
  EXPECT_EQ(report.noteCount(), FieldReport::kMaxNotes + 7);
  EXPECT_EQ(report.takeNotes().size(), FieldReport::kMaxNotes);
}

TEST(ShownValue, IsCutBetweenCharacters) {
  EXPECT_EQ(shownValue("short"), "short");
  const std::string exact(FieldReport::kMaxValueBytes, 'a');
  EXPECT_EQ(shownValue(exact), exact);
  // Two-byte characters: the cut must not halve one.
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xC3\xA4";
  const std::string shown = shownValue(umlauts);
  EXPECT_LE(shown.size(), FieldReport::kMaxValueBytes);
  EXPECT_TRUE(shown.ends_with("\xC3\xA4...")) << shown;
}

}  // namespace
}  // namespace convoy::base
