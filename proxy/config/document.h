#pragma once

// A YAML or JSON document as a tree that remembers where everything stands. Immutable once parsed;
// an aliased YAML node is shared, not copied. No protobuf, no exceptions.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace convoy::config {

// Counted from 1; 0 means unknown. Columns are bytes.
struct Position {
  int line = 0;
  int column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

struct DocumentNode;

struct DocumentEntry {
  std::string key;
  Position position;  // of the key
  std::shared_ptr<const DocumentNode> value;
};

struct DocumentNode {
  enum class Kind : uint8_t { Null, Scalar, List, Map };
  Kind kind = Kind::Null;
  // Scalar: written without quotes, so that it may be a number or a truth value.
  bool plain = false;
  Position position;
  std::string text;                                        // Scalar
  std::vector<std::shared_ptr<const DocumentNode>> items;  // List
  std::vector<DocumentEntry> entries;                      // Map, in the order of the text

  // Entry of this key, or null.
  const DocumentEntry* find(std::string_view key) const;
};

// Limits that keep hostile text from costing more than its size suggests.
struct DocumentLimits {
  size_t max_bytes = 64u << 20;
  int max_depth = 100;
  size_t max_nodes = 2'000'000;  // aliases expanded
};

struct DocumentError {
  Position position;
  std::string rule;
  std::string message;
};

using DocumentRoot = std::shared_ptr<const DocumentNode>;
using DocumentResult = std::variant<DocumentRoot, DocumentError>;

// The position of a field path (see base/field_report.h) or of its nearest ancestor that the text
// has. Field names match in either of protobuf's forms: `typed_config` finds `typedConfig`.
Position findPosition(const DocumentNode& root, std::string_view field_path);

// "lowerCamelCase" to "snake_case"; names without capitals stay as they are.
std::string toSnakeCase(std::string_view name);

}  // namespace convoy::config
