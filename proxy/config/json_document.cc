#include "proxy/config/json_document.h"

#include <cstring>
#include <optional>
#include <unordered_set>
#include <utility>

#include "proxy/config/utf8.h"

namespace convoy::config {
namespace {

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  Parser(std::string_view text, const DocumentLimits& limits) : text_(text), limits_(limits) {}

  DocumentResult parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;
    DocumentRoot root = value(1);
    if (root != nullptr) {
      skipSpace();
      if (at_ != text_.size()) fail("syntax", "nothing may follow the value");
    }
    if (error_.has_value()) return std::move(*error_);
    return root;
  }

 private:
  using Kind = DocumentNode::Kind;

  std::nullptr_t fail(std::string rule, std::string message) {
    if (!error_.has_value()) error_ = {position(), std::move(rule), std::move(message)};
    return nullptr;
  }

  bool reject(std::string rule, std::string message) {
    fail(std::move(rule), std::move(message));
    return false;
  }

  Position position() const { return {line_, static_cast<int>(at_ - line_start_) + 1}; }
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }

  void skipSpace() {
    for (; !done(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  DocumentRoot value(int depth) {
    skipSpace();
    if (depth > limits_.max_depth) {
      return fail("too_deep",
                  "nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    if (++nodes_ > limits_.max_nodes) {
      return fail("too_large", "more than " + std::to_string(limits_.max_nodes) + " values");
    }
    auto node = std::make_shared<DocumentNode>();
    node->position = position();
    switch (peek()) {
      case '{':
        return map(std::move(node), depth);
      case '[':
        return list(std::move(node), depth);
      case '"':
        node->kind = Kind::Scalar;
        if (!string(&node->text)) return nullptr;
        return node;
      default:
        return plain(std::move(node));
    }
  }

  DocumentRoot map(std::shared_ptr<DocumentNode> node, int depth) {
    node->kind = Kind::Map;
    ++at_;
    skipSpace();
    std::unordered_set<std::string> keys;
    if (peek() == '}') return closed(std::move(node));
    for (;;) {
      skipSpace();
      DocumentEntry entry;
      entry.position = position();
      if (peek() != '"') return fail("syntax", "expected a key in double quotes");
      if (!string(&entry.key)) return nullptr;
      if (!keys.insert(entry.key).second) {
        at_ = line_start_ + entry.position.column - 1;
        return fail("duplicate", "the key \"" + entry.key + "\" is already in line " +
                                     std::to_string(node->find(entry.key)->position.line) +
                                     "; remove one");
      }
      skipSpace();
      if (peek() != ':') return fail("syntax", "expected ':' after the key");
      ++at_;
      entry.value = value(depth + 1);
      if (entry.value == nullptr) return nullptr;
      node->entries.push_back(std::move(entry));
      skipSpace();
      if (peek() == '}') return closed(std::move(node));
      if (peek() != ',') return fail("syntax", "expected ',' or '}'");
      ++at_;
    }
  }

  DocumentRoot list(std::shared_ptr<DocumentNode> node, int depth) {
    node->kind = Kind::List;
    ++at_;
    skipSpace();
    if (peek() == ']') return closed(std::move(node));
    for (;;) {
      DocumentRoot item = value(depth + 1);
      if (item == nullptr) return nullptr;
      node->items.push_back(std::move(item));
      skipSpace();
      if (peek() == ']') return closed(std::move(node));
      if (peek() != ',') return fail("syntax", "expected ',' or ']'");
      ++at_;
    }
  }

  DocumentRoot closed(std::shared_ptr<DocumentNode> node) {
    ++at_;
    return node;
  }

  DocumentRoot plain(std::shared_ptr<DocumentNode> node) {
    const std::string_view rest = text_.substr(at_);
    for (const std::string_view word : {"true", "false", "null"}) {
      if (rest.starts_with(word)) {
        at_ += word.size();
        if (word == "null") return node;
        node->kind = Kind::Scalar;
        node->plain = true;
        node->text = word;
        return node;
      }
    }
    const size_t length = numberLength(rest);
    if (length == 0) {
      return fail("syntax", done() ? "the text ends within a value" : "expected a value");
    }
    node->kind = Kind::Scalar;
    node->plain = true;
    node->text = rest.substr(0, length);
    at_ += length;
    return node;
  }

  // RFC 8259 section 6; 0 if the text does not begin with a number.
  static size_t numberLength(std::string_view text) {
    size_t i = 0;
    const auto digits = [&] {
      const size_t first = i;
      while (i < text.size() && isDigit(text[i])) ++i;
      return i - first;
    };
    if (i < text.size() && text[i] == '-') ++i;
    if (i < text.size() && text[i] == '0') {
      ++i;
    } else if (digits() == 0) {
      return 0;
    }
    if (i < text.size() && isDigit(text[i])) return 0;
    if (i < text.size() && text[i] == '.') {
      ++i;
      if (digits() == 0) return 0;
    }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
      ++i;
      if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
      if (digits() == 0) return 0;
    }
    return i;
  }

  bool string(std::string* out) {
    ++at_;
    for (;;) {
      if (done()) return reject("syntax", "the string has no end");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return reject("syntax", "a control character in a string must be escaped");
      }
      if (c == '\\') {
        if (!escape(out)) return false;
      } else {
        *out += c;
        ++at_;
      }
    }
  }

  bool escape(std::string* out) {
    constexpr char kFrom[] = "\"\\/bfnrt";
    constexpr char kTo[] = "\"\\/\b\f\n\r\t";
    ++at_;
    const char c = peek();
    if (c == 'u') return unicode(out);
    const char* found = c == '\0' ? nullptr : std::strchr(kFrom, c);
    if (found == nullptr) return reject("syntax", "unknown escape sequence");
    *out += kTo[found - kFrom];
    ++at_;
    return true;
  }

  bool unicode(std::string* out) {
    uint32_t code = 0;
    if (!hex4(&code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      uint32_t low = 0;
      if (text_.substr(at_, 2) != "\\u") {
        return reject("syntax", "half of a surrogate pair");
      }
      ++at_;
      if (!hex4(&low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return reject("syntax", "half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      return reject("syntax", "half of a surrogate pair");
    }
    appendUtf8(code, out);
    return true;
  }

  // Reads "uXXXX".
  bool hex4(uint32_t* code) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const char lower = static_cast<char>(c | 0x20);
      if (isDigit(c)) {
        *code = *code * 16 + static_cast<uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        *code = *code * 16 + static_cast<uint32_t>(lower - 'a' + 10);
      } else {
        return reject("syntax", "expected four hexadecimal digits");
      }
    }
    return true;
  }

  std::string_view text_;
  const DocumentLimits& limits_;
  size_t at_ = 0;
  int line_ = 1;
  size_t line_start_ = 0;
  size_t nodes_ = 0;
  std::optional<DocumentError> error_;
};

}  // namespace

DocumentResult parseJson(std::string_view text, const DocumentLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return DocumentError{
        {1, 1}, "too_large", "larger than " + std::to_string(limits.max_bytes) + " bytes"};
  }
  return Parser(text, limits).parse();
}

}  // namespace convoy::config
