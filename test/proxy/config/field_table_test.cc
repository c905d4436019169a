#include "proxy/config/field_table.h"

#include <fstream>
#include <set>
#include <sstream>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proxy/config/builtins.h"
#include "proxy/config/validate_rules.h"

namespace convoy::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Everything that a configuration can begin with: the bootstrap (which holds listeners, clusters
// and endpoints), route tables, and what the extensions of this build take.
std::vector<const Descriptor*> roots() {
  std::vector<const Descriptor*> found = {
      envoy::config::bootstrap::v3::Bootstrap::descriptor(),
      envoy::config::route::v3::RouteConfiguration::descriptor(),
      envoy::config::route::v3::FilterConfig::descriptor(),
  };
  std::vector<std::string> types = builtins().types();
  types.push_back("convoy.ext.RoutePolicy");        // in metadata
  types.push_back("convoy.ext.HealthCheckPolicy");  // likewise
  types.push_back("convoy.ext.DnsPolicy");          // likewise
  types.push_back("convoy.ext.FailurePolicy");      // likewise
  types.push_back("convoy.ext.HostPolicy");         // likewise
  types.push_back("convoy.ext.EndpointPolicy");     // likewise
  for (const std::string& type : types) {
    found.push_back(
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type));
  }
  return found;
}

TEST(FieldTable, TheBuiltinTextIsInForm) {
  EXPECT_GT(FieldTable::builtin().messages().size(), 50u);
  std::ifstream file("proxy/config/fields.txt");
  std::ostringstream text;
  text << file.rdbuf();
  std::vector<std::string> errors;
  FieldTable::parse(text.str(), &errors);
  EXPECT_EQ(errors, std::vector<std::string>());
}

TEST(FieldTable, EveryReachableFieldIsThere) {
  const FieldTable& table = FieldTable::builtin();
  for (const Descriptor* type : reachableTypes(table, roots())) {
    const MessageEntry* entry = table.find(type->full_name());
    if (entry == nullptr) {
      std::string fields;
      for (int i = 0; i < type->field_count(); ++i)
        fields += type->field(i)->name() + " honoured\n";
      ADD_FAILURE() << "missing: message " << type->full_name() << "\n" << fields;
      continue;
    }
    for (int i = 0; i < type->field_count(); ++i) {
      EXPECT_NE(entry->find(type->field(i)->name()), nullptr)
          << "missing: " << type->field(i)->full_name();
    }
  }
}

TEST(FieldTable, NothingElseIsThere) {
  const FieldTable& table = FieldTable::builtin();
  std::map<std::string, const Descriptor*> reachable;
  for (const Descriptor* type : reachableTypes(table, roots())) reachable[type->full_name()] = type;
  for (const auto& [name, entry] : table.messages()) {
    const auto found = reachable.find(name);
    if (found == reachable.end()) {
      ADD_FAILURE() << name << " can no longer be reached: remove it";
      continue;
    }
    for (const FieldEntry& field : entry.fields) {
      EXPECT_NE(found->second->FindFieldByName(field.field), nullptr)
          << name << " has no field " << field.field;
    }
  }
}

// A value that may be written must be one that a person can write.
TEST(FieldTable, HarmlessValuesAreValues) {
  const FieldTable& table = FieldTable::builtin();
  for (const auto& [name, entry] : table.messages()) {
    const Descriptor* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    ASSERT_NE(type, nullptr) << name;
    for (const FieldEntry& row : entry.fields) {
      if (row.harmless.empty()) continue;
      const FieldDescriptor* field = type->FindFieldByName(row.field);
      ASSERT_NE(field, nullptr) << name << "." << row.field;
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        EXPECT_NE(field->enum_type()->FindValueByName(row.harmless), nullptr) << field->full_name();
      }
      EXPECT_FALSE(field->is_repeated()) << field->full_name();
    }
  }
}

TEST(FieldTable, EveryRuleOfAReachableFieldIsEnforced) {
  for (const Descriptor* type : reachableTypes(FieldTable::builtin(), roots())) {
    EXPECT_EQ(unimplementedRules(*type), std::vector<std::string>()) << type->full_name();
  }
}

TEST(FieldTable, TheDocumentIsGeneratedFromIt) {
  std::ifstream file("docs/reference/fields.md");
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == fieldTableAsMarkdown(FieldTable::builtin()))
      << "docs/reference/fields.md is not up to date: bazel run //tools/fields > "
         "docs/reference/fields.md";
}

TEST(FieldTable, Forms) {
  std::vector<std::string> errors;
  const FieldTable table = FieldTable::parse(
      "# a comment\n"
      "message a.B\n"
      "  one honoured\n"
      "two honoured: with a reason\n"
      "three no-effect: for people\n"
      "four refused: not yet\n"
      "five refused unless 10 s: always so\n"
      "\n"
      "message a.Empty",
      &errors);
  EXPECT_EQ(errors, std::vector<std::string>());
  const MessageEntry* message = table.find("a.B");
  ASSERT_NE(message, nullptr);
  ASSERT_EQ(message->fields.size(), 5u);
  EXPECT_EQ(message->find("one")->field_class, FieldClass::Honoured);
  EXPECT_EQ(message->find("two")->reason, "with a reason");
  EXPECT_EQ(message->find("three")->field_class, FieldClass::NoEffect);
  EXPECT_EQ(message->find("four")->harmless, "");
  EXPECT_EQ(message->find("five")->harmless, "10 s");
  EXPECT_EQ(message->find("six"), nullptr);
  EXPECT_EQ(table.find("a.C"), nullptr);
  EXPECT_EQ(fieldTableAsMarkdown(table).substr(fieldTableAsMarkdown(table).find("\n## ")),
            "\n## a.B\n\n"
            "| field | class | |\n|---|---|---|\n"
            "| `one` | honoured |  |\n"
            "| `two` | honoured | with a reason |\n"
            "| `three` | without effect | for people |\n"
            "| `four` | refused | not yet |\n"
            "| `five` | refused unless `10 s` | always so |\n"
            "\n## a.Empty\n\nIt has no fields.\n");
}

TEST(FieldTable, ErrorsOfTheText) {
  const std::string lines[] = {
      "field honoured",  // outside of a message
      "message a.B\nfield maybe",
      "message a.B\nfield",
      "message a.B\nfield honoured unless 5",
      "message a.B\nfield no-effect",
      "message a.B\nfield no-effect unless 5: x",
      "message a.B\nfield refused",
      "message a.B\nfield refused unless: x",
      "message a.B\nfield refused but 5: x",
      "message a.B\nfield honoured\nfield honoured",
      "message a.B\nmessage a.B",
  };
  for (const std::string& text : lines) {
    std::vector<std::string> errors;
    FieldTable::parse(text, &errors);
    EXPECT_EQ(errors.size(), 1u) << text;
  }
}

}  // namespace
}  // namespace convoy::config
