#include "proxy/config/yaml_document.h"

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

using Kind = DocumentNode::Kind;

DocumentRoot parsed(std::string_view text) {
  DocumentResult result = parseYaml(text, DocumentLimits());
  const auto* root = std::get_if<DocumentRoot>(&result);
  if (root == nullptr) ADD_FAILURE() << text << ": " << std::get<DocumentError>(result).message;
  return root == nullptr ? std::make_shared<DocumentNode>() : *root;
}

TEST(YamlDocument, KindsAndPositions) {
  const DocumentRoot root = parsed(
      "# A comment.\n"
      "name: web\n"
      "port: 80\n"
      "quoted: \"80\"\n"
      "none: ~\n"
      "empty:\n"
      "list:\n"
      "- a\n"
      "- {b: [c]}\n"
      "text: |\n"
      "  one\n"
      "  two\n");
  ASSERT_EQ(root->kind, Kind::Map);
  ASSERT_EQ(root->entries.size(), 7u);
  EXPECT_EQ(root->find("name")->position, (Position{2, 1}));
  EXPECT_EQ(root->find("name")->value->position, (Position{2, 7}));
  EXPECT_TRUE(root->find("port")->value->plain);
  EXPECT_FALSE(root->find("quoted")->value->plain);
  EXPECT_EQ(root->find("quoted")->value->text, "80");
  EXPECT_EQ(root->find("none")->value->kind, Kind::Null);
  EXPECT_EQ(root->find("empty")->value->kind, Kind::Null);
  EXPECT_EQ(root->find("list")->value->items[1]->find("b")->value->items[0]->text, "c");
  EXPECT_EQ(root->find("list")->value->items[1]->position, (Position{9, 3}));
  EXPECT_EQ(root->find("text")->value->text, "one\ntwo\n");
}

TEST(YamlDocument, StandardTags) {
  const DocumentRoot root =
      parsed("{a: !!str 5, b: !!int \"5\", c: !!map {}, d: !!seq [], e: ! x}");
  EXPECT_FALSE(root->find("a")->value->plain);
  EXPECT_TRUE(root->find("b")->value->plain);
  EXPECT_EQ(root->find("c")->value->kind, Kind::Map);
  EXPECT_EQ(root->find("d")->value->kind, Kind::List);
  EXPECT_EQ(root->find("e")->value->text, "x");
}

TEST(YamlDocument, AnAliasSharesItsNode) {
  const DocumentRoot root = parsed("a: &x {b: 1}\nc: *x\n&k d: 2\ne: {*k : 3}\nf: [&n ~, *n]");
  EXPECT_EQ(root->find("a")->value, root->find("c")->value);
  EXPECT_NE(root->find("e")->value->find("d"), nullptr);
  EXPECT_EQ(root->find("f")->value->items[1]->kind, Kind::Null);
}

TEST(YamlDocument, EmptyIsNull) {
  for (const std::string_view text : {"", "\n", "# only a comment\n", "---\n"}) {
    EXPECT_EQ(parsed(text)->kind, Kind::Null) << text;
  }
}

struct ErrorCase {
  std::string text;
  std::string rule;
  Position position;
  std::string message;
};

TEST(YamlDocument, Errors) {
  const ErrorCase cases[] = {
      {"a: 1\nb: 2\na: 3\n", "duplicate", {3, 1}, "the key \"a\" is already in line 1; remove one"},
      {"a: b: c", "syntax", {1, 5}, "not YAML: illegal map value"},
      {"a: [a, b", "syntax", {1, 4}, "not YAML: the \"[\" here is never closed"},
      {"a: [\n", "syntax", {1, 4}, "not YAML: the \"[\" here is never closed"},
      {"a: [{b: c", "syntax", {1, 5}, "not YAML: the \"{\" here is never closed"},
      {"a: [{b: c}\n# no more\n", "syntax", {1, 4}, "not YAML: the \"[\" here is never closed"},
      {"\xef\xbb\xbf[[[[", "syntax", {1, 4}, "not YAML: the \"[\" here is never closed"},
      {"[[[[", "syntax", {1, 4}, "not YAML: the \"[\" here is never closed"},
      {"{", "syntax", {1, 1}, "not YAML: the \"{\" here is never closed"},
      {"{,", "syntax", {1, 1}, "not YAML: the \"{\" here is never closed"},
      {"{[a]: b}: [", "syntax", {1, 11}, "not YAML: the \"[\" here is never closed"},
      {"a: [{b: c}\nd: e\n",
       "syntax",
       {2, 1},
       "not YAML: \",\" or \"]\" is missing here, in what begins at 1:4"},
      {"a: {b: \"c\" \"d\"}",
       "syntax",
       {1, 12},
       "not YAML: \",\" or \"}\" is missing here, in what begins at 1:4"},
      {"@type: x", "syntax", {1, 1}, "not YAML: unknown token"},
      {"a: *x", "syntax", {1, 4}, "not YAML: the referenced anchor is not defined"},
      {"a: &x [*x]", "syntax", {1, 8}, "an alias inside of what it names has no end"},
      {"{a: b}: c", "syntax", {1, 1}, "a key must be a scalar, and not null"},
      {"a: &x [1]\n? *x\n: 2", "syntax", {2, 3}, "a key must be a scalar, and not null"},
      {"~: 1", "syntax", {1, 1}, "a key must be a scalar, and not null"},
      {"{[a]: 1, {b: c}: 2}", "syntax", {1, 2}, "a key must be a scalar, and not null"},
      {"{a: b}: c\n---\nd: e", "syntax", {1, 1}, "a key must be a scalar, and not null"},
      {"{a: b}: c\nd: e: f", "syntax", {1, 1}, "a key must be a scalar, and not null"},
      {"a: !secret 5", "syntax", {1, 4}, "the tag !secret is not supported; remove it"},
      {"a: !thing {}", "syntax", {1, 4}, "the tag !thing is not supported; remove it"},
      {"a: 1\n---\nb: 2",
       "syntax",
       {3, 1},
       "a second document begins here; the file may have only one"},
  };
  for (const ErrorCase& c : cases) {
    const DocumentResult result = parseYaml(c.text, DocumentLimits());
    const auto* error = std::get_if<DocumentError>(&result);
    ASSERT_NE(error, nullptr) << c.text;
    EXPECT_EQ(error->rule, c.rule) << c.text;
    EXPECT_EQ(error->message, c.message) << c.text;
    EXPECT_EQ(error->position, c.position)
        << c.text << " at " << error->position.line << ":" << error->position.column;
  }
}

std::string ruleOf(std::string_view text, const DocumentLimits& limits) {
  const DocumentResult result = parseYaml(text, limits);
  const auto* error = std::get_if<DocumentError>(&result);
  return error == nullptr ? "ok" : error->rule;
}

TEST(YamlDocument, Limits) {
  DocumentLimits limits;
  limits.max_bytes = 100;
  limits.max_depth = 3;
  EXPECT_EQ(ruleOf("[[[]]]", limits), "ok");
  EXPECT_EQ(ruleOf("[[[[]]]]", limits), "too_deep");
  EXPECT_EQ(ruleOf("{a: &x [[]], b: {c: *x}}", limits), "too_deep");
  EXPECT_EQ(ruleOf(std::string(101, ' '), limits), "too_large");
  EXPECT_NE(ruleOf(std::string(100000, '['), DocumentLimits()), "ok");
}

// Each line doubles what the line before names: 2^40 values in 600 bytes.
TEST(YamlDocument, AliasesAreCountedExpanded) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    const std::string previous = "a" + std::to_string(i - 1);
    const std::string name = "a" + std::to_string(i);
    bomb += name + ": &" + name + " [*" + previous + ", *" + previous + "]\n";
  }
  EXPECT_EQ(ruleOf(bomb, DocumentLimits()), "too_large");
}

}  // namespace
}  // namespace convoy::config
