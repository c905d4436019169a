#include "proxy/config/document.h"

#include <charconv>

#include "proxy/base/strings.h"

namespace convoy::config {
namespace {

// One step of a field path: a field name, an index or a map key.
struct Step {
  enum class Kind : uint8_t { Field, Index, Key };
  Kind kind;
  std::string_view text;
  size_t index = 0;
};

// Takes the next step off the path. False at the end, and on text that is no path.
bool takeStep(std::string_view* path, Step* step) {
  if (path->empty()) return false;
  if (path->front() == '[') {
    if (path->starts_with("[\"")) {
      const size_t end = path->find("\"]", 2);
      if (end == std::string_view::npos) return false;
      *step = {Step::Kind::Key, path->substr(2, end - 2)};
      path->remove_prefix(end + 2);
      return true;
    }
    const size_t end = path->find(']');
    if (end == std::string_view::npos) return false;
    *step = {Step::Kind::Index, path->substr(1, end - 1)};
    const auto [rest, code] =
        std::from_chars(step->text.data(), step->text.data() + step->text.size(), step->index);
    if (code != std::errc() || rest != step->text.data() + step->text.size()) return false;
    path->remove_prefix(end + 1);
    return true;
  }
  if (path->front() == '.') path->remove_prefix(1);
  const size_t end = path->find_first_of(".[");
  *step = {Step::Kind::Field, path->substr(0, end)};
  path->remove_prefix(end == std::string_view::npos ? path->size() : end);
  return true;
}

// Equal but for capitals and underscores, which is all that protobuf's two forms of a name differ
// in.
bool isSameField(std::string_view a, std::string_view b) {
  size_t i = 0;
  size_t j = 0;
  for (;;) {
    while (i < a.size() && a[i] == '_') ++i;
    while (j < b.size() && b[j] == '_') ++j;
    if (i == a.size() || j == b.size()) return i == a.size() && j == b.size();
    if (base::asciiLower(a[i++]) != base::asciiLower(b[j++])) return false;
  }
}

const DocumentEntry* findField(const DocumentNode& node, std::string_view field) {
  for (const DocumentEntry& entry : node.entries) {
    if (isSameField(entry.key, field)) return &entry;
  }
  return nullptr;
}

}  // namespace

const DocumentEntry* DocumentNode::find(std::string_view key) const {
  for (const DocumentEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Position findPosition(const DocumentNode& root, std::string_view field_path) {
  const DocumentNode* node = &root;
  Position found = root.position;
  Step step;
  while (takeStep(&field_path, &step)) {
    if (step.kind == Step::Kind::Index) {
      if (step.index >= node->items.size()) break;
      node = node->items[step.index].get();
      found = node->position;
      continue;
    }
    const DocumentEntry* entry =
        step.kind == Step::Kind::Field ? findField(*node, step.text) : node->find(step.text);
    if (entry == nullptr) break;
    found = entry->position;
    node = entry->value.get();
  }
  return found;
}

std::string toSnakeCase(std::string_view name) {
  std::string snake;
  snake.reserve(name.size() + 4);
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      if (!snake.empty()) snake += '_';
      snake += static_cast<char>(c | 0x20);
    } else {
      snake += c;
    }
  }
  return snake;
}

}  // namespace convoy::config
