#pragma once

// Gives a section parser (h1_head.h) whole lines in contiguous memory. While a section arrives in
// one read it is parsed where it lies and nothing is kept. Otherwise its bytes, and the parser with
// what it has understood, move into a buffer; from then on only what is new is looked at, and not
// one byte behind the section is copied. Owned by a codec.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "proxy/http/h1_head.h"

namespace convoy::http {

template <typename Parser>
class H1SectionReader {
 public:
  // True while a section has begun and not ended.
  bool partial() const { return held_ != nullptr; }

  // Takes bytes from the front of `input`, all of them on Incomplete. `fresh` is a new parser, used
  // unless a section is under way. On Complete and Error the result is in `*done`: `fresh`, or one
  // that lives until clear().
  H1Progress read(Parser& fresh, std::string_view& input, Parser** done) {
    if (held_ != nullptr) return readMore(input, done);
    *done = &fresh;
    const char* at = input.data();
    const char* const end = at + input.size();
    const H1Progress progress = fresh.parse(at, end);
    const auto parsed = static_cast<size_t>(at - input.data());
    if (progress == H1Progress::Incomplete) {
      if (!nothingToKeep(fresh, at == end)) held_ = std::make_unique<Held>(fresh, input, parsed);
      input = {};
    } else {
      input.remove_prefix(parsed);
    }
    return progress;
  }

  void clear() { held_.reset(); }

 private:
  struct Held {
    Held(Parser& fresh, std::string_view begun, size_t parsed_bytes)
        : parser(std::move(fresh)), parsed(parsed_bytes) {
      moveTo(begun, begun.size());
    }

    void append(std::string_view more) {
      if (size + more.size() > capacity) moveTo({bytes.get(), size}, more.size());
      std::memcpy(bytes.get() + size, more.data(), more.size());
      size += more.size();
    }

    // Copies `from` into a larger buffer, with room for `more`; the parser's views follow.
    void moveTo(std::string_view from, size_t more) {
      constexpr size_t kSmallest = 512;
      capacity = std::max(kSmallest, 2 * (from.size() + more));
      auto larger = std::make_unique_for_overwrite<char[]>(capacity);
      std::memcpy(larger.get(), from.data(), from.size());
      parser.rebase(from, larger.get());
      bytes = std::move(larger);
      size = from.size();
    }

    Parser parser;
    std::unique_ptr<char[]> bytes;
    size_t size = 0;
    size_t capacity = 0;
    size_t parsed;  // the first line that is not complete begins here
  };

  // An empty line before a request leaves the connection idle.
  static bool nothingToKeep(const Parser& parser, bool at_end) {
    if constexpr (requires { parser.onlyEmptyLine(); }) return at_end && parser.onlyEmptyLine();
    return false;
  }

  H1Progress readMore(std::string_view& input, Parser** done) {
    *done = &held_->parser;
    while (!input.empty()) {
      const void* const lf = std::memchr(input.data(), '\n', input.size());
      const char* const line_end =
          lf == nullptr ? input.data() + input.size() : static_cast<const char*>(lf) + 1;
      const auto length = static_cast<size_t>(line_end - input.data());
      const bool line_begins = held_->parsed == held_->size;
      held_->append(input.substr(0, length));
      input.remove_prefix(length);
      // Without an LF there is nothing to parse, unless the line has become too long, or begins
      // here: a message's first byte may be wrong by itself.
      const bool too_long = held_->size - held_->parsed >= held_->parser.budget();
      if (lf == nullptr && !too_long && !line_begins) return H1Progress::Incomplete;
      const char* at = held_->bytes.get() + held_->parsed;
      const H1Progress progress = held_->parser.parse(at, held_->bytes.get() + held_->size);
      held_->parsed = static_cast<size_t>(at - held_->bytes.get());
      if (progress != H1Progress::Incomplete) return progress;
    }
    if (nothingToKeep(held_->parser, held_->parsed == held_->size)) clear();
    return H1Progress::Incomplete;
  }

  std::unique_ptr<Held> held_;
};

}  // namespace convoy::http
