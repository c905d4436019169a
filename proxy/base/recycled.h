#pragma once

// Gives the objects of a class memory that earlier ones of this thread left behind, so that making
// one for each request costs no trip to the allocator. For classes that are final: all objects have
// one size. At most kKept blocks a thread are kept. Any thread; each has a store of its own, and
// memory may be freed on another thread than it came from.

#include <cstddef>
#include <new>
#include <utility>

namespace convoy::base {

template <class T>
class Recycled {
 public:
  static void* operator new(size_t bytes) {
    Store& store = Recycled::store();
    if (store.first == nullptr) return ::operator new(bytes);
    --store.count;
    return std::exchange(store.first, store.first->next);
  }
  static void operator delete(void* memory) noexcept {
    Store& store = Recycled::store();
    if (store.count >= kKept) return ::operator delete(memory);
    static_assert(sizeof(T) >= sizeof(Block));
    ++store.count;
    store.first = new (memory) Block{store.first};
  }

 protected:
  Recycled() = default;
  ~Recycled() = default;

 private:
#ifdef __SANITIZE_ADDRESS__
  static constexpr size_t kKept = 0;  // so that use after free is seen
#else
  static constexpr size_t kKept = 64;
#endif
  struct Block {
    Block* next;
  };
  struct Store {
    ~Store() {
      while (first != nullptr) ::operator delete(std::exchange(first, first->next));
    }
    Block* first = nullptr;
    size_t count = 0;
  };

  static Store& store() {
    static thread_local Store store;
    return store;
  }
};

}  // namespace convoy::base
