#include "proxy/config/json_document.h"

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

using Kind = DocumentNode::Kind;

DocumentRoot parsed(std::string_view text) {
  DocumentResult result = parseJson(text, DocumentLimits());
  const auto* root = std::get_if<DocumentRoot>(&result);
  if (root == nullptr) ADD_FAILURE() << text << ": " << std::get<DocumentError>(result).message;
  return root == nullptr ? std::make_shared<DocumentNode>() : *root;
}

TEST(JsonDocument, Values) {
  const DocumentRoot root = parsed(
      "{\"a\": {\"b\": [1, -2.5e3, true, false, null, \"x\", {}, []]},\n\t\"c\"\t:\"d\"}\r\n");
  const DocumentNode& list = *root->find("a")->value->find("b")->value;
  ASSERT_EQ(list.items.size(), 8u);
  EXPECT_EQ(list.items[0]->text, "1");
  EXPECT_TRUE(list.items[0]->plain);
  EXPECT_EQ(list.items[1]->text, "-2.5e3");
  EXPECT_EQ(list.items[2]->text, "true");
  EXPECT_EQ(list.items[4]->kind, Kind::Null);
  EXPECT_EQ(list.items[5]->text, "x");
  EXPECT_FALSE(list.items[5]->plain);
  EXPECT_EQ(list.items[6]->kind, Kind::Map);
  EXPECT_EQ(list.items[7]->kind, Kind::List);
  EXPECT_EQ(root->find("c")->position, (Position{2, 2}));
  EXPECT_EQ(root->find("c")->value->position, (Position{2, 7}));
}

TEST(JsonDocument, Strings) {
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t")")->text, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(parsed(R"("\u00e9\u20AC\ud83D\uDE00")")->text, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(parsed("\"" + std::string(5000, 'k') + "\"")->text.size(), 5000u);
}

TEST(JsonDocument, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(parsed("\xEF\xBB\xBF[1]")->items.size(), 1u);
}

struct ErrorCase {
  std::string text;
  Position position;
  std::string message;
};

TEST(JsonDocument, Errors) {
  const ErrorCase cases[] = {
      {"", {1, 1}, "the text ends within a value"},
      {"{\"a\": ", {1, 7}, "the text ends within a value"},
      {"nul", {1, 1}, "expected a value"},
      {"{\"a\": 1,\n \"a\": 2}", {2, 2}, "the key \"a\" is already in line 1; remove one"},
      {"{a: 1}", {1, 2}, "expected a key in double quotes"},
      {"{\"a\" 1}", {1, 6}, "expected ':' after the key"},
      {"{\"a\": 1 \"b\": 2}", {1, 9}, "expected ',' or '}'"},
      {"[1 2]", {1, 4}, "expected ',' or ']'"},
      {"[1,]", {1, 4}, "expected a value"},
      {"[01]", {1, 2}, "expected a value"},
      {"[-]", {1, 2}, "expected a value"},
      {"[1.]", {1, 2}, "expected a value"},
      {"[1e+]", {1, 2}, "expected a value"},
      {"1 2", {1, 3}, "nothing may follow the value"},
      {"\"abc", {1, 5}, "the string has no end"},
      {"\"a\nb\"", {1, 3}, "a control character in a string must be escaped"},
      {"\"\\x\"", {1, 3}, "unknown escape sequence"},
      {"\"\\", {1, 3}, "unknown escape sequence"},
      {"\"\\u12g4\"", {1, 6}, "expected four hexadecimal digits"},
      {"\"\\ud83d\"", {1, 8}, "half of a surrogate pair"},
      {"\"\\ud83d\\u0041\"", {1, 14}, "half of a surrogate pair"},
      {"\"\\udc00\"", {1, 8}, "half of a surrogate pair"},
  };
  for (const ErrorCase& c : cases) {
    const DocumentResult result = parseJson(c.text, DocumentLimits());
    const auto* error = std::get_if<DocumentError>(&result);
    ASSERT_NE(error, nullptr) << c.text;
    EXPECT_EQ(error->message, c.message) << c.text;
    EXPECT_EQ(error->position, c.position)
        << c.text << " at " << error->position.line << ":" << error->position.column;
  }
}

TEST(JsonDocument, Limits) {
  DocumentLimits limits;
  limits.max_bytes = 100;
  limits.max_depth = 3;
  limits.max_nodes = 5;
  const auto ruleOf = [&](std::string_view text) {
    const DocumentResult result = parseJson(text, limits);
    const auto* error = std::get_if<DocumentError>(&result);
    return error == nullptr ? std::string("ok") : error->rule;
  };
  EXPECT_EQ(ruleOf("[[1]]"), "ok");
  EXPECT_EQ(ruleOf("[[[1]]]"), "too_deep");
  EXPECT_EQ(ruleOf("[1,2,3,4]"), "ok");
  EXPECT_EQ(ruleOf("[1,2,3,4,5]"), "too_large");
  EXPECT_EQ(ruleOf(std::string(101, ' ')), "too_large");
  limits = DocumentLimits();
  EXPECT_EQ(ruleOf(std::string(100000, '[')), "too_deep");
}

}  // namespace
}  // namespace convoy::config
