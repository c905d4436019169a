#pragma once

// Bump allocator for what lives exactly as long as one request: copied heads, filters, edited
// header values. The first block is inside the arena, so a usual request allocates nothing. reset()
// runs the destructors of what make() built, in reverse order, and keeps the first block for the
// next request. Belongs to one thread.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace convoy::base {

class Arena {
 public:
  Arena() = default;
  ~Arena() { reset(); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised bytes; alignment is a power of two.
  char* allocate(size_t bytes, size_t alignment = 1) {
    const auto at = (reinterpret_cast<uintptr_t>(next_) + alignment - 1) & ~(alignment - 1);
    if (at + bytes > reinterpret_cast<uintptr_t>(end_)) return allocateSlow(bytes, alignment);
    next_ = reinterpret_cast<char*>(at + bytes);
    return reinterpret_cast<char*>(at);
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* at = allocate(text.size());
    std::memcpy(at, text.data(), text.size());
    return {at, text.size()};
  }

  template <class T, class... Args>
  T* make(Args&&... args) {
    T* object = new (allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...);
    if constexpr (!std::is_trivially_destructible_v<T>) {
      auto* cleanup = reinterpret_cast<Cleanup*>(allocate(sizeof(Cleanup), alignof(Cleanup)));
      *cleanup = {cleanups_, [](void* o) { static_cast<T*>(o)->~T(); }, object};
      cleanups_ = cleanup;
    }
    return object;
  }

  void reset();
  size_t bytesInExtraBlocks() const { return extra_bytes_; }

 private:
  // A head with 600 B of browser headers, twice, and the filters.
  static constexpr size_t kInlineBytes = 3072;
  struct Cleanup {
    Cleanup* next;
    void (*destroy)(void*);
    void* object;
  };

  char* allocateSlow(size_t bytes, size_t alignment);

  char* next_ = inline_;
  char* end_ = inline_ + kInlineBytes;
  Cleanup* cleanups_ = nullptr;
  size_t extra_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> extra_blocks_;
  alignas(std::max_align_t) char inline_[kInlineBytes];
};

}  // namespace convoy::base
