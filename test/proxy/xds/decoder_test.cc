#include "proxy/xds/decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/config/builtins.h"
#include "test/proxy/xds/resources.h"

namespace convoy::xds {
namespace {

config::Context context() {
  config::Context made;
  made.registry = &config::builtins();
  return made;
}

google::protobuf::Any pack(const google::protobuf::Message& message) {
  google::protobuf::Any any;
  any.PackFrom(message);
  return any;
}

Update with(std::string_view name, const google::protobuf::Any& any) {
  Update update;
  update.changed.push_back({name, "v7", &any});
  return update;
}

TEST(DecoderTest, EachTypeBecomesItsSpec) {
  const google::protobuf::Any cluster = pack(edsCluster("c"));
  const auto clusters = decodeClusters(with("c", cluster), context());
  ASSERT_EQ(clusters.specs.size(), 1u);
  EXPECT_EQ(clusters.specs[0]->name, "c");
  EXPECT_EQ(clusters.specs[0]->version, "v7");

  const google::protobuf::Any endpoints = pack(assignment("c", {80}));
  const auto assignments = decodeAssignments(with("c", endpoints), context());
  ASSERT_EQ(assignments.specs.size(), 1u);
  EXPECT_EQ(assignments.specs[0]->cluster, "c");

  const google::protobuf::Any listener = pack(rdsListener("l", "t"));
  const auto listeners = decodeListeners(with("l", listener), context());
  ASSERT_EQ(listeners.specs.size(), 1u);
  EXPECT_EQ(listeners.specs[0]->version, "v7");

  const google::protobuf::Any table = pack(routesTo("t", {"c"}));
  const auto tables = decodeRouteTables(with("t", table), context());
  ASSERT_EQ(tables.specs.size(), 1u);
  EXPECT_TRUE(tables.errors.empty());
  ASSERT_EQ(tables.notes.size(), 1u);
  EXPECT_EQ(tables.notes[0].name, "t");
}

TEST(DecoderTest, WhatIsRefusedSaysWhyUnderItsName) {
  google::protobuf::Any garbage = pack(edsCluster("c"));
  garbage.set_value("\xff\xff\xff");
  ClusterProto invalid = edsCluster("c");
  invalid.mutable_connect_timeout()->set_seconds(-1);
  const struct {
    const char* what;
    google::protobuf::Any any;
    const char* rule;
  } kCases[] = {
      {"no protobuf", garbage, "malformed"},
      {"another name inside", pack(edsCluster("other")), "name_mismatch"},
      {"a bad value", pack(invalid), ""},
  };
  for (const auto& c : kCases) {
    const auto decoded = decodeClusters(with("c", c.any), context());
    EXPECT_TRUE(decoded.specs.empty()) << c.what;
    ASSERT_EQ(decoded.errors.size(), 1u) << c.what;
    EXPECT_EQ(decoded.errors[0].name(), "c") << c.what;
    EXPECT_EQ(decoded.errors[0].type_url(), c.any.type_url()) << c.what;
    EXPECT_NE(decoded.errors[0].reason(), "") << c.what;
    EXPECT_NE(decoded.errors[0].rule().find(c.rule), std::string::npos) << c.what;
  }
}

}  // namespace
}  // namespace convoy::xds
