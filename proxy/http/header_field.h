#pragma once

// One header field, and a vector of them that holds as many as a usual message has without
// allocating. Fields are plain views: copying a vector copies no text.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

#include "proxy/http/header_name.h"

namespace convoy::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;  // without surrounding white space
  HeaderName id = HeaderName::Other;
};

// True if name and value lie in memory as on the wire: "name: value".
inline bool liesAsOnTheWire(const HeaderField& field) {
  const char* const end = field.name.data() + field.name.size();
  return field.value.data() == end + 2 && end[0] == ':' && end[1] == ' ';
}
// True if `field` lies as on the wire too and begins where the CRLF behind `previous`, which does,
// ends: the two can be copied as one.
inline bool continuesOnTheWire(const HeaderField& previous, const HeaderField& field) {
  const char* const end = previous.value.data() + previous.value.size();
  return field.name.data() == end + 2 && end[0] == '\r' && end[1] == '\n' && liesAsOnTheWire(field);
}

class FieldVector {
 public:
  static constexpr size_t kInline = 24;

  FieldVector() noexcept : data_(inlined()) {}
  FieldVector(const FieldVector& other) : FieldVector() { *this = other; }
  FieldVector(FieldVector&& other) noexcept : FieldVector() { *this = std::move(other); }
  FieldVector& operator=(const FieldVector& other);
  FieldVector& operator=(FieldVector&& other) noexcept;
  ~FieldVector() = default;

  [[gnu::always_inline]] void add(const HeaderField& field) {
    if (size_ == capacity_) grow();
    new (data_ + size_) HeaderField(field);
    ++size_;
    names_ |= nameMask(field.id);
    if (field.id == HeaderName::Other && mayBeOfProxies(field.name)) names_ |= kOfProxies;
  }
  // nameMask() of every name that a field was added with since clear(), and kOfProxies: a name that
  // is not in it has no field. A name that is changed in place must be one that was added.
  uint32_t names() const { return names_; }
  // Drops all but the first `size` fields.
  void truncate(size_t size) {
    if (size < size_) size_ = static_cast<uint32_t>(size);
  }
  void clear() { size_ = names_ = 0; }

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  HeaderField* data() { return data_; }
  const HeaderField* data() const { return data_; }
  HeaderField& operator[](size_t i) { return data_[i]; }
  const HeaderField& operator[](size_t i) const { return data_[i]; }
  HeaderField* begin() { return data_; }
  HeaderField* end() { return data_ + size_; }
  const HeaderField* begin() const { return data_; }
  const HeaderField* end() const { return data_ + size_; }

 private:
  static_assert(std::is_trivially_copyable_v<HeaderField>);
  static_assert(std::is_trivially_destructible_v<HeaderField>);

  HeaderField* inlined() { return reinterpret_cast<HeaderField*>(inline_); }
  void grow();

  HeaderField* data_;
  uint32_t size_ = 0;
  uint32_t names_ = 0;
  size_t capacity_ = kInline;
  std::unique_ptr<std::byte[]> heap_;  // null while the inline storage suffices
  alignas(HeaderField) std::byte inline_[kInline * sizeof(HeaderField)];
};

}  // namespace convoy::http
