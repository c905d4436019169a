#include "proxy/base/arena.h"

#include <algorithm>

namespace convoy::base {

namespace {

constexpr size_t kExtraBlockBytes = 8 * 1024;

}  // namespace

char* Arena::allocateSlow(size_t bytes, size_t alignment) {
  const size_t block = std::max(bytes + alignment - 1, kExtraBlockBytes);
  extra_blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
  extra_bytes_ += block;
  char* const begin = extra_blocks_.back().get();
  const auto at = (reinterpret_cast<uintptr_t>(begin) + alignment - 1) & ~(alignment - 1);
  // Whichever block has more room left serves the small allocations that follow.
  const uintptr_t room_in_new = reinterpret_cast<uintptr_t>(begin) + block - (at + bytes);
  if (room_in_new >= static_cast<uintptr_t>(end_ - next_)) {
    next_ = reinterpret_cast<char*>(at + bytes);
    end_ = begin + block;
  }
  return reinterpret_cast<char*>(at);
}

void Arena::reset() {
  while (cleanups_ != nullptr) {
    Cleanup* const cleanup = cleanups_;
    cleanups_ = cleanup->next;
    cleanup->destroy(cleanup->object);
  }
  extra_blocks_.clear();
  extra_bytes_ = 0;
  next_ = inline_;
  end_ = inline_ + kInlineBytes;
}

}  // namespace convoy::base
