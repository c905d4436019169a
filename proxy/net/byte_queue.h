#pragma once

// A queue of bytes in blocks from a per-thread pool, with watermarks. Every place where bytes can
// pile up is one of these: crossing the high mark tells the owner to pause the far side, falling to
// the low mark to resume it. A limit of 0 means none. Belongs to one thread.

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace convoy::net {

class ByteQueue {
 public:
  static constexpr size_t kBlockBytes = 16 * 1024;

  // Called when the level crosses a mark; either may be null. Low mark = high / 2.
  struct Watermarks {
    void (*above_high)(void* context) = nullptr;
    void (*below_low)(void* context) = nullptr;
    void* context = nullptr;
  };

  ByteQueue() = default;
  ~ByteQueue() { clear(); }
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  ByteQueue(ByteQueue&& other) noexcept;

  void setWatermarks(size_t high, Watermarks callbacks);
  bool aboveHigh() const { return above_high_; }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Contiguous space of n <= kBlockBytes bytes at the tail, then commit of how many were written:
  // how codecs serialise without a copy.
  char* reserve(size_t n);
  void commit(size_t n);
  void append(std::string_view bytes);

  // The oldest contiguous bytes; empty when the queue is.
  std::string_view front() const;
  // At most max vectors over the oldest bytes; returns how many were filled.
  int peek(iovec* vectors, int max) const;
  // Drops n <= size() bytes from the front.
  void consume(size_t n);
  void clear();
  // Moves all bytes of other to this tail, without copying.
  void moveFrom(ByteQueue& other);
  std::string toString() const;  // for tests and local use

 private:
  struct Block;
  void checkWatermarks();

  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  size_t size_ = 0;
  size_t high_ = 0;
  bool above_high_ = false;
  Watermarks callbacks_;
};

}  // namespace convoy::net
