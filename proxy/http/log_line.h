#pragma once

// Where one line of an access log is put together: a fixed buffer, cut where it is full. Text that
// somebody else chose is escaped on the way in. Pure memory, any thread.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proxy/http/spec.h"

namespace convoy::http {

// A text of at most kMax bytes that is copied in whole, without a look at its length.
struct ShortText {
  static constexpr size_t kMax = 16;
  char bytes[kMax] = {};
  uint8_t size = 0;
};

// Appends to a fixed buffer and cuts what does not fit.
class LineBuffer {
 public:
  LineBuffer(char* begin, size_t size) : begin_(begin), at_(begin), end_(begin + size) {}
  // `text` points somewhere, be it empty. Inlined by force: the cursor stays in a register from one
  // piece to the next.
  [[gnu::always_inline]] void raw(std::string_view text) {
    const size_t fits = text.size() < room() ? text.size() : room();
    std::memcpy(at_, text.data(), fits);
    at_ += fits;
  }
  [[gnu::always_inline]] void raw(const ShortText& text) {
    if (room() < ShortText::kMax) return raw({text.bytes, text.size});
    std::memcpy(at_, text.bytes, ShortText::kMax);
    at_ += text.size;
  }
  void character(char c) {
    if (at_ < end_) *at_++ = c;
  }
  void number(uint64_t value);
  // Text from the network: control bytes, DEL, bytes above 0x7e, '"' and '\' as escapes of the
  // form.
  void escaped(std::string_view text, AccessLogSpec::Format form);
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

 private:
  void escapeEach(std::string_view text, AccessLogSpec::Format form);
  size_t room() const { return static_cast<size_t>(end_ - at_); }

  char* begin_;
  char* at_;
  char* end_;
};

}  // namespace convoy::http
