#include "proxy/config/document.h"

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

std::shared_ptr<DocumentNode> node(DocumentNode::Kind kind, int line) {
  auto made = std::make_shared<DocumentNode>();
  made->kind = kind;
  made->position = {line, 1};
  return made;
}

// line 1: staticResources:
// line 2:   listeners:
// line 3:   - name: a
// line 4:   - filterMetadata:
// line 5:       "envoy.lb": x
DocumentRoot sample() {
  auto root = node(DocumentNode::Kind::Map, 1);
  auto resources = node(DocumentNode::Kind::Map, 2);
  auto listeners = node(DocumentNode::Kind::List, 3);
  auto first = node(DocumentNode::Kind::Map, 3);
  first->entries.push_back({"name", {3, 5}, node(DocumentNode::Kind::Scalar, 3)});
  auto second = node(DocumentNode::Kind::Map, 4);
  auto metadata = node(DocumentNode::Kind::Map, 5);
  metadata->entries.push_back({"envoy.lb", {5, 7}, node(DocumentNode::Kind::Scalar, 5)});
  second->entries.push_back({"filterMetadata", {4, 5}, metadata});
  listeners->items = {first, second};
  resources->entries.push_back({"listeners", {2, 3}, listeners});
  root->entries.push_back({"staticResources", {1, 1}, resources});
  return root;
}

struct PositionCase {
  std::string path;
  Position expected;
};

TEST(Document, PositionsAreFoundByFieldPath) {
  const PositionCase cases[] = {
      {"", {1, 1}},
      {"static_resources", {1, 1}},
      {"static_resources.listeners", {2, 3}},
      {"staticResources.listeners[0]", {3, 1}},
      {"static_resources.listeners[0].name", {3, 5}},
      {"static_resources.listeners[1].filter_metadata[\"envoy.lb\"]", {5, 7}},
      // What the text does not have is shown at the nearest thing above it.
      {"static_resources.listeners[0].address", {3, 1}},
      {"static_resources.listeners[0].address.socket_address", {3, 1}},
      {"static_resources.listeners[7].name", {2, 3}},
      {"static_resources.listeners[1].filter_metadata[\"other\"]", {4, 5}},
      {"admin", {1, 1}},
      // No paths: the nearest thing too.
      {"static_resources.listeners[x]", {2, 3}},
      {"static_resources.listeners[", {2, 3}},
      {"static_resources.listeners[\"a", {2, 3}},
  };
  const DocumentRoot root = sample();
  for (const PositionCase& c : cases) {
    EXPECT_EQ(findPosition(*root, c.path), c.expected) << c.path;
  }
}

TEST(Document, SnakeCase) {
  EXPECT_EQ(toSnakeCase("staticResources"), "static_resources");
  EXPECT_EQ(toSnakeCase("static_resources"), "static_resources");
  EXPECT_EQ(toSnakeCase("Name"), "name");
  EXPECT_EQ(toSnakeCase(""), "");
}

TEST(Document, EntriesByKey) {
  const DocumentRoot root = sample();
  ASSERT_NE(root->find("staticResources"), nullptr);
  EXPECT_EQ(root->find("static_resources"), nullptr);
}

}  // namespace
}  // namespace convoy::config
