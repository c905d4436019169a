#include "proxy/config/validate_rules.h"

#include <algorithm>

#include "test/proxy/config/from_yaml.h"
#include "test/proxy/config/rules.pb.h"

namespace convoy::config {
namespace {

using test::Rules;

// Of a message whose every rule holds but for what is written here.
Lines errorsOf(const std::string& yaml) {
  base::FieldReport report;
  checkRules(fromYaml<Rules>("{required_message: {}, required_duration: 1s, required_any: "
                             "{\"@type\": type.googleapis.com/google.protobuf.StringValue}, "
                             "needed_one: x, min_items: [a], min_pairs: {a: 1}, " +
                             yaml + "}"),
             report);
  return brief(report.errors());
}

TEST(ValidateRules, NothingIsWrong) {
  EXPECT_EQ(errorsOf(""), Lines());
}

TEST(ValidateRules, WhatIsNeeded) {
  base::FieldReport report;
  checkRules(Rules(), report);
  EXPECT_EQ(brief(report.errors()),
            Lines({": required: ", "required_message: required: ", "required_duration: required: ",
                   "required_any: required: ", "min_items: required: ", "min_pairs: required: "}));
  EXPECT_EQ(report.errors()[0].hint, "one of these is needed: needed_one, needed_two");
}

struct RuleCase {
  std::string yaml;
  std::string error;  // empty: fine
};

void expectAll(const std::vector<RuleCase>& cases) {
  for (const RuleCase& c : cases) {
    const Lines errors = errorsOf(c.yaml);
    EXPECT_EQ(errors, c.error.empty() ? Lines() : Lines({c.error})) << c.yaml;
  }
}

TEST(ValidateRules, Numbers) {
  expectAll({
      {"int32_range: 1", ""},
      {"int32_range: 9", ""},
      {"int32_range: 10", "int32_range: range: 10"},
      {"int32_range: -1", "int32_range: range: -1"},
      {"sint32_const: 7", "sint32_const: const: 7"},
      {"sfixed32_in: 3", "sfixed32_in: in: 3"},
      {"sfixed32_in: 4", ""},
      {"int64_not_in: 5", "int64_not_in: not_in: 5"},
      {"sint64_gte: -6", "sint64_gte: range: -6"},
      {"sfixed64_lte: 6", "sfixed64_lte: range: 6"},
      {"uint32_gt: 5", "uint32_gt: range: 5"},
      {"uint32_gt: 6", ""},
      {"uint32_gt: 0", ""},  // ignore_empty
      {"fixed32_lt: 5", "fixed32_lt: range: 5"},
      {"uint64_gt: 4", "uint64_gt: range: 4"},
      {"fixed64_gt: 4", "fixed64_gt: range: 4"},
      {"float_lt: 0.5", "float_lt: range: 0.5"},
      {"double_gte: 0.25", "double_gte: range: 0.25"},
      {"bool_true: true", ""},
      {"bool_true: false", "bool_true: const: false"},
      {"wrapped: 0", "wrapped: range: 0"},
      {"wrapped: 1", ""},
  });
}

TEST(ValidateRules, Text) {
  expectAll({
      {"min_len: ab", ""},
      {"min_len: a", "min_len: length: a"},
      {"min_len: äö", ""},  // characters, not bytes
      {"max_len: abcd", "max_len: length: abcd"},
      {"max_len: äöü", ""},
      {"exact_len: ab", "exact_len: length: ab"},
      {"exact_len: abc", ""},
      {"max_bytes: äö", "max_bytes: length: äö"},
      {"min_bytes: a", "min_bytes: length: a"},
      {"len_bytes: ab", "len_bytes: length: ab"},
      {"pattern: abc", ""},
      {"pattern: a1", "pattern: pattern: a1"},
      {"affixes: <x>", ""},
      {"affixes: x>", "affixes: prefix: x>"},
      {"affixes: <x", "affixes: suffix: <x"},
      {"affixes: <y>", "affixes: contains: <y>"},
      {"affixes: <xz>", "affixes: not_contains: <xz>"},
      {"one_of: c", "one_of: in: c"},
      {"none_of: a", "none_of: not_in: a"},
      {"text_const: other", "text_const: const: other"},
      {"header_name: ok-name", ""},
      {"header_name: ':path'", ""},
      {"header_name: 'a b'", "header_name: header: a b"},
      {"header_name: ':'", "header_name: header: :"},
      {"header_value: \"a\\tb\"", ""},
      {"header_value: \"a\\u0001\"", "header_value: header: a\x01"},
      {"loose_header: \"a b\\u0001\"", ""},
      {"loose_header: \"a\\nb\"", "loose_header: header: a\nb"},
      {"bytes_max: YWJjZA==", "bytes_max: length: "},
      {"bytes_max: YWJj", ""},
  });
}

TEST(ValidateRules, EnumsDurationsAndAnys) {
  expectAll({
      {"known_enum: 1", ""},
      {"enum_in: THREE", "enum_in: in: THREE"},
      {"enum_not_in: TWO", "enum_not_in: not_in: TWO"},
      {"enum_const: TWO", "enum_const: const: TWO"},
      {"duration_range: 0s", "duration_range: range: 0s"},
      {"duration_range: 0.000000001s", ""},
      {"duration_range: 300s", "duration_range: range: 300s"},
      {"duration_in: 2s", "duration_in: in: 2s"},
      {"any_in: {\"@type\": type.googleapis.com/google.protobuf.BytesValue}", "any_in: in: "},
      {"any_not_in: {\"@type\": type.googleapis.com/google.protobuf.StringValue}",
       "any_not_in: not_in: "},
  });
  base::FieldReport report;
  Rules rules;
  rules.set_known_enum(static_cast<Rules::Number>(77));
  checkRules(rules, report);
  const Lines errors = brief(report.errors());
  EXPECT_NE(std::find(errors.begin(), errors.end(), "known_enum: enum: 77"), errors.end());
}

TEST(ValidateRules, ListsAndMaps) {
  expectAll({
      {"max_items: [a, b]", ""},
      {"max_items: [a, b, c]", "max_items: range: 3"},
      {"two_items: [a]", "two_items: range: 1"},
      {"two_items: []", ""},  // ignore_empty
      {"unique_items: [a, b, a]", "unique_items[2]: duplicate: a"},
      {"item_rules: [5, 0, 6]", "item_rules[1]: range: 0"},
      {"max_pairs: {a: 1, b: 2}", "max_pairs: range: 2"},
      {"entry_rules: {aa: 1}", ""},
      {"entry_rules: {a: 1}", "entry_rules[\"a\"]: length: a"},
      {"entry_rules: {aa: 0}", "entry_rules[\"aa\"]: range: 0"},
  });
}

TEST(ValidateRules, OnlyTheChosenMemberOfAOneofCounts) {
  expectAll({
      {"text_member: ''", "text_member: required: "},
      {"text_member: a", ""},
      {"message_member: {}", ""},
  });
}

TEST(ValidateRules, HintsSayWhatIsAllowed) {
  const auto hintOf = [](const std::string& yaml) {
    base::FieldReport report;
    checkRules(fromYaml<Rules>(yaml), report);
    for (const base::FieldError& error : report.errors()) {
      if (error.rule != "required") return error.hint;
    }
    return std::string();
  };
  EXPECT_EQ(hintOf("{int32_range: 10}"), "must be at least 0 and less than 10");
  EXPECT_EQ(hintOf("{duration_range: 300s}"), "must be greater than 0s and less than 300s");
  EXPECT_EQ(hintOf("{sfixed32_in: 3}"), "must be one of 0, 4, 5");
  EXPECT_EQ(hintOf("{min_len: a}"), "must have at least 2 characters");
  EXPECT_EQ(hintOf("{pattern: '1'}"), "must match the regular expression ^[a-z]*$");
  EXPECT_EQ(hintOf("{max_items: [a, b, c]}"), "may have at most 2 elements");
}

TEST(ValidateRules, AMessageMayBeExempt) {
  base::FieldReport report;
  checkRules(test::Exempt(), report);
  EXPECT_TRUE(report.ok());
}

TEST(ValidateRules, WhatIsNotImplementedIsListed) {
  EXPECT_EQ(unimplementedRules(*Rules::descriptor()), Lines());
  EXPECT_EQ(unimplementedRules(*test::Unimplemented::descriptor()),
            Lines({"convoy.config.test.Unimplemented.email: string.well_known",
                   "convoy.config.test.Unimplemented.emails: string.well_known",
                   "convoy.config.test.Unimplemented.by_uri: string.well_known",
                   "convoy.config.test.Unimplemented.prefixed: bytes",
                   "convoy.config.test.Unimplemented.past: timestamp"}));
}

}  // namespace
}  // namespace convoy::config
