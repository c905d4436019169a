#include "proxy/http/header_field.h"

namespace convoy::http {

FieldVector& FieldVector::operator=(const FieldVector& other) {
  if (this == &other) return *this;
  size_ = 0;
  while (capacity_ < other.size_) grow();
  size_ = other.size_;
  names_ = other.names_;
  std::uninitialized_copy_n(other.data_, size_, data_);
  return *this;
}

// Takes over the heap's block, if there is one; inline fields have to be copied.
FieldVector& FieldVector::operator=(FieldVector&& other) noexcept {
  if (this == &other) return *this;
  size_ = std::exchange(other.size_, 0);
  names_ = std::exchange(other.names_, 0);
  if (other.heap_ != nullptr) {
    heap_ = std::move(other.heap_);
    data_ = std::exchange(other.data_, other.inlined());
    capacity_ = std::exchange(other.capacity_, kInline);
  } else {
    // They fit wherever they go: no vector has room for fewer than kInline.
    std::uninitialized_copy_n(other.data_, size_, data_);
  }
  return *this;
}

void FieldVector::grow() {
  const size_t larger = 2 * capacity_;
  auto heap = std::make_unique<std::byte[]>(larger * sizeof(HeaderField));
  auto* const moved = reinterpret_cast<HeaderField*>(heap.get());
  std::uninitialized_copy_n(data_, size_, moved);
  heap_ = std::move(heap);
  data_ = moved;
  capacity_ = larger;
}

}  // namespace convoy::http
