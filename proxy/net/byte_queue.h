#pragma once

// A queue of bytes in blocks from a per-thread pool, with watermarks. Every place where bytes can
// pile up is one of these: crossing the high mark tells the owner to pause the far side, falling to
// the low mark to resume it. A limit of 0 means none. Belongs to one thread. Empty, it holds no
// block.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"

namespace convoy::net {

class ByteQueue {
 public:
  static constexpr size_t kBlockBytes = 16 * 1024;

  // Called when the level crosses a mark; either may be null. The level is high when there are more
  // bytes than the limit, and low again at half of it. They may append, but not destroy the queue.
  struct Watermarks {
    void (*above_high)(void* context) = nullptr;
    void (*below_low)(void* context) = nullptr;
    void* context = nullptr;
  };

  ByteQueue() = default;
  ~ByteQueue() { freeBlocks(); }
  ByteQueue(const ByteQueue&) = delete;
  ByteQueue& operator=(const ByteQueue&) = delete;
  // Takes the bytes; marks stay behind, with the queue that they were set on.
  ByteQueue(ByteQueue&& other) noexcept { moveFrom(other); }

  // Takes effect at once: a callback may be made from inside. high is at most 4 GiB.
  void setWatermarks(size_t high, Watermarks callbacks);
  bool aboveHigh() const { return above_high_; }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Contiguous space of n <= kBlockBytes bytes at the tail, then commit of how many were written:
  // how codecs serialise without a copy. A reservation ends with the next call of anything else.
  char* reserve(size_t n) {
    if (tail_ == nullptr || kBlockBytes - tail_->end < n) addBlock(n);
    return tail_->data + tail_->end;
  }
  void commit(size_t n) {
    if (n == 0) return;
    CONVOY_ASSERT(tail_ != nullptr && n <= kBlockBytes - tail_->end);
    tail_->end += static_cast<uint32_t>(n);
    size_ += n;
    if (high_ != 0) checkWatermarks();
  }
  void append(std::string_view bytes);

  // The oldest contiguous bytes; empty when the queue is.
  std::string_view front() const;
  // At most max vectors over the oldest bytes; returns how many were filled.
  int peek(iovec* vectors, int max) const;
  // Drops n <= size() bytes from the front.
  void consume(size_t n);
  void clear() { consume(size_); }
  // Moves all bytes of other to this tail, without copying.
  void moveFrom(ByteQueue& other);
  std::string toString() const;  // for tests and local use

 private:
  struct Block {
    Block* next;
    uint32_t begin;
    uint32_t end;
    char data[kBlockBytes];
  };
  struct Pool;

  static Pool& pool();
  void addBlock(size_t n);
  void freeBlocks();
  void checkWatermarks();

  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  size_t size_ = 0;
  uint32_t high_ = 0;
  bool above_high_ = false;
  Watermarks callbacks_;
};

}  // namespace convoy::net
