#include "proxy/config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace convoy::config {
namespace {

// Ends parsing from inside yaml-cpp's callbacks; caught in parseYaml.
struct Refused {
  DocumentError error;
};

Position positionOf(const YAML::Mark& mark) {
  return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

[[noreturn]] void refuse(Position position, std::string rule, std::string message) {
  throw Refused{{position, std::move(rule), std::move(message)}};
}

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool isNull(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds the tree from yaml-cpp's events.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(const DocumentLimits& limits) : limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = std::make_shared<DocumentNode>();
    node->position = positionOf(mark);
    addLeaf(std::move(node), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = std::make_shared<DocumentNode>();
    node->position = positionOf(mark);
    // yaml-cpp's tag is "?" or empty for plain text and "!" for quoted text.
    node->plain = tag.empty() || tag == "?";
    if (!node->plain && tag != "!") node->plain = plainByTag(tag, node->position);
    if (!node->plain || !isNull(value)) {
      node->kind = DocumentNode::Kind::Scalar;
      node->text = value;
    }
    addLeaf(std::move(node), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      refuse(positionOf(mark), "syntax", "an alias inside of what it names has no end");
    }
    checkDepth(open_.size() + found->second.depth, positionOf(mark));
    add(found->second.node, found->second.size, found->second.depth, positionOf(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(DocumentNode::Kind::List, mark, tag, "tag:yaml.org,2002:seq", anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(DocumentNode::Kind::Map, mark, tag, "tag:yaml.org,2002:map", anchor);
  }
  void OnMapEnd() override { close(); }

  DocumentRoot takeRoot() {
    return root_ != nullptr ? std::move(root_) : std::make_shared<DocumentNode>();
  }

  // The first key that is none. It does not end the parsing: yaml-cpp takes what stands in a "["
  // or "{" that is never closed for keys, and then that is what has to be said.
  const std::optional<DocumentError>& badKey() const { return bad_key_; }

  // What yaml-cpp says of a text of this many bytes, in words that help. REQUIRES: it has said so
  // while this builder was at work.
  DocumentError explain(const YAML::Exception& e, size_t text_bytes) const {
    const bool is_list = e.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
    if (!is_list && e.msg != YAML::ErrorMsg::END_OF_MAP_FLOW) {
      return bad_key_.value_or(DocumentError{positionOf(e.mark), "syntax", "not YAML: " + e.msg});
    }
    const Position begin = open_.back().node->position;
    if (e.mark.pos >= 0 && static_cast<size_t>(e.mark.pos) >= text_bytes) {
      return {begin, "syntax",
              std::string("not YAML: the \"") + (is_list ? '[' : '{') + "\" here is never closed"};
    }
    return {positionOf(e.mark), "syntax",
            std::string("not YAML: \",\" or \"") + (is_list ? ']' : '}') +
                "\" is missing here, in what begins at " + std::to_string(begin.line) + ":" +
                std::to_string(begin.column)};
  }

 private:
  struct Open {
    std::shared_ptr<DocumentNode> node;
    YAML::anchor_t anchor;
    size_t size = 1;   // nodes below and this one
    size_t depth = 1;  // levels below and this one
    bool has_key = false;
    std::string key;
    Position key_position;
    std::unordered_set<std::string> keys;  // of large maps

    bool expectsKey() const { return node->kind == DocumentNode::Kind::Map && !has_key; }
  };
  struct Anchored {
    DocumentRoot node;
    size_t size;
    size_t depth;
  };

  static bool plainByTag(const std::string& tag, Position position) {
    if (tag == "tag:yaml.org,2002:str") return false;
    for (const char* known : {"bool", "int", "float", "null"}) {
      if (tag == std::string("tag:yaml.org,2002:") + known) return true;
    }
    refuse(position, "syntax", "the tag " + tag + " is not supported; remove it");
  }

  void checkDepth(size_t depth, Position position) const {
    if (depth > static_cast<size_t>(limits_.max_depth)) {
      refuse(position, "too_deep",
             "nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
  }

  void open(DocumentNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            const char* standard_tag, YAML::anchor_t anchor) {
    const Position position = positionOf(mark);
    if (!tag.empty() && tag != "?" && tag != "!" && tag != standard_tag) {
      refuse(position, "syntax", "the tag " + tag + " is not supported; remove it");
    }
    if (!open_.empty() && open_.back().expectsKey()) {
      noteBadKey(position);
    }
    checkDepth(open_.size() + 1, position);
    auto node = std::make_shared<DocumentNode>();
    node->kind = kind;
    node->position = position;
    Open level;
    level.node = std::move(node);
    level.anchor = anchor;
    open_.push_back(std::move(level));
  }

  void close() {
    Open level = std::move(open_.back());
    open_.pop_back();
    if (level.anchor != 0) anchors_[level.anchor] = {level.node, level.size, level.depth};
    add(level.node, level.size, level.depth, level.node->position);
  }

  void addLeaf(std::shared_ptr<DocumentNode> node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {node, 1, 1};
    const Position position = node->position;
    add(std::move(node), 1, 1, position);
  }

  void add(DocumentRoot node, size_t size, size_t depth, Position position) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& level = open_.back();
    level.size += size;
    if (level.size > limits_.max_nodes) {
      refuse(position, "too_large",
             "more than " + std::to_string(limits_.max_nodes) + " values, aliases expanded");
    }
    level.depth = std::max(level.depth, depth + 1);
    if (level.node->kind == DocumentNode::Kind::List) {
      level.node->items.push_back(std::move(node));
    } else if (!level.has_key) {
      takeKey(&level, *node, position);
    } else {
      level.node->entries.push_back({std::move(level.key), level.key_position, std::move(node)});
      level.has_key = false;
    }
  }

  void noteBadKey(Position position) {
    if (bad_key_.has_value()) return;
    bad_key_ = DocumentError{position, "syntax", "a key must be a scalar, and not null"};
  }

  void takeKey(Open* level, const DocumentNode& node, Position position) {
    level->has_key = true;
    if (node.kind != DocumentNode::Kind::Scalar) {
      noteBadKey(position);
      return;
    }
    if (!level->keys.insert(node.text).second) {
      const DocumentEntry* first = level->node->find(node.text);
      refuse(position, "duplicate",
             "the key \"" + node.text + "\" is already in line " +
                 std::to_string(first != nullptr ? first->position.line : 0) + "; remove one");
    }
    level->key = node.text;
    level->key_position = position;
  }

  const DocumentLimits& limits_;
  DocumentRoot root_;
  std::optional<DocumentError> bad_key_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchored> anchors_;
};

}  // namespace

DocumentResult parseYaml(std::string_view text, const DocumentLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return DocumentError{
        {1, 1}, "too_large", "larger than " + std::to_string(limits.max_bytes) + " bytes"};
  }
  Builder first(limits);
  Builder second(limits);
  const Builder* builder = &first;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    const bool has_document = parser.HandleNextDocument(first);
    if (first.badKey().has_value()) return *first.badKey();
    builder = &second;
    if (has_document && parser.HandleNextDocument(second)) {
      return DocumentError{second.takeRoot()->position, "syntax",
                           "a second document begins here; the file may have only one"};
    }
    return first.takeRoot();
  } catch (const Refused& refused) {
    return builder->badKey().value_or(refused.error);
  } catch (const YAML::Exception& e) {
    return builder->explain(e, text.size() - (text.starts_with(kByteOrderMark) ? 3 : 0));
  }
}

}  // namespace convoy::config
