#include "proxy/xds/node_reporter.h"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

namespace convoy::xds {
namespace {

using envoy::config::core::v3::Node;

std::string encodedNode() {
  Node node;
  node.set_id("n1");
  (*node.mutable_metadata()->mutable_fields())["labels"].set_string_value("kept");
  return node.SerializeAsString();
}

ext::NodeReport reportIn(const Node& node) {
  ext::NodeReport report;
  const auto found = node.metadata().fields().find("convoy.ext.NodeReport");
  if (found == node.metadata().fields().end()) return report;
  std::string json;
  EXPECT_TRUE(
      google::protobuf::util::MessageToJsonString(found->second.struct_value(), &json).ok());
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &report).ok());
  return report;
}

Notes notesOn(const std::string& name, uint64_t kept, uint64_t count) {
  Notes notes{.name = name, .notes = {}, .count = count};
  for (uint64_t i = 0; i < kept; ++i) {
    notes.notes.push_back({"field[" + std::to_string(i) + "]", "has no effect", i % 2 == 1});
  }
  return notes;
}

TEST(NodeReporterTest, WithoutAReportThereIsOnlyTheNode) {
  NodeReporter reporter(encodedNode());
  reporter.setNotes("type", notesOn("a", 1, 1));
  EXPECT_FALSE(reporter.due());
  EXPECT_EQ(reporter.node().SerializeAsString(), encodedNode());
}

TEST(NodeReporterTest, AReportGoesOutWithTheIgnoredFields) {
  NodeReporter reporter(encodedNode());
  ext::NodeReport report;
  report.set_lifecycle(ext::NodeReport::LIFECYCLE_LIVE);
  report.add_bound_addresses()->set_actual("127.0.0.1:1");
  reporter.setReport(report);
  reporter.setNotes("type", notesOn("a", 2, 5));
  ASSERT_TRUE(reporter.due());
  const Node node = reporter.node();
  EXPECT_FALSE(reporter.due());
  EXPECT_EQ(node.id(), "n1");
  EXPECT_TRUE(node.metadata().fields().contains("labels"));
  const ext::NodeReport told = reportIn(node);
  EXPECT_EQ(told.lifecycle(), ext::NodeReport::LIFECYCLE_LIVE);
  EXPECT_EQ(told.bound_addresses(0).actual(), "127.0.0.1:1");
  EXPECT_EQ(told.ignored_field_count(), 5u);
  ASSERT_EQ(told.ignored_fields_size(), 2);
  EXPECT_EQ(told.ignored_fields(1).type_url(), "type");
  EXPECT_EQ(told.ignored_fields(1).name(), "a");
  EXPECT_EQ(told.ignored_fields(1).field_path(), "field[1]");
  EXPECT_TRUE(told.ignored_fields(1).unknown());
}

TEST(NodeReporterTest, OnlyChangesAreDue) {
  NodeReporter reporter(encodedNode());
  reporter.setReport({});
  (void)reporter.node();
  reporter.setNotes("type", notesOn("a", 0, 0));
  EXPECT_FALSE(reporter.due());
  reporter.setNotes("type", notesOn("a", 1, 1));
  EXPECT_TRUE(reporter.due());
  (void)reporter.node();
  reporter.setNotes("type", notesOn("a", 1, 1));
  EXPECT_FALSE(reporter.due());
  EXPECT_EQ(reporter.ignoredCount(), 1u);
  reporter.forget("type", "b");
  EXPECT_FALSE(reporter.due());
  reporter.forget("type", "a");
  ASSERT_TRUE(reporter.due());
  EXPECT_EQ(reportIn(reporter.node()).ignored_field_count(), 0u);
}

TEST(NodeReporterTest, TheSameReportIsToldOnce) {
  NodeReporter reporter(encodedNode());
  ext::NodeReport report;
  report.set_lifecycle(ext::NodeReport::LIFECYCLE_LIVE);
  reporter.setReport(report);
  reporter.setNotes("type", notesOn("a", 1, 1));
  (void)reporter.node();
  reporter.setReport(report);
  EXPECT_FALSE(reporter.due());
  EXPECT_EQ(reportIn(reporter.node()).ignored_field_count(), 1u);
  report.set_finishing_host_count(1);
  reporter.setReport(report);
  ASSERT_TRUE(reporter.due());
  const ext::NodeReport told = reportIn(reporter.node());
  EXPECT_EQ(told.finishing_host_count(), 1u);
  EXPECT_EQ(told.ignored_field_count(), 1u);
}

TEST(NodeReporterTest, CountsTheFieldsOfAllResources) {
  NodeReporter reporter(encodedNode());
  reporter.setNotes("type", notesOn("a", 2, 5));
  reporter.setNotes("type", notesOn("b", 1, 1));
  reporter.setNotes("other", notesOn("a", 1, 1));
  EXPECT_EQ(reporter.ignoredCount(), 7u);
  reporter.setNotes("type", notesOn("a", 2, 3));
  EXPECT_EQ(reporter.ignoredCount(), 5u);
  reporter.forget("type", "a");
  reporter.setNotes("type", notesOn("b", 0, 0));
  EXPECT_EQ(reporter.ignoredCount(), 1u);
}

TEST(NodeReporterTest, ALongReportIsCutAndCounted) {
  NodeReporter reporter(encodedNode());
  reporter.setReport({});
  reporter.setNotes("type", notesOn("a", 700, 700));
  reporter.setNotes("type", notesOn("b", 700, 9000));
  const ext::NodeReport told = reportIn(reporter.node());
  EXPECT_EQ(told.ignored_fields_size(), NodeReporter::kMaxIgnoredFields);
  EXPECT_EQ(told.ignored_field_count(), 9700u);
}

}  // namespace
}  // namespace convoy::xds
