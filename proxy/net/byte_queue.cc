#include "proxy/net/byte_queue.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace convoy::net {

// Free blocks of this thread. Most turns use one block, for the time between serialising and
// writing, so a few suffice; beyond them a burst gives its memory back.
struct ByteQueue::Pool {
#ifdef __SANITIZE_ADDRESS__
  static constexpr int kLimit = 0;  // so that use after free is seen
#else
  static constexpr int kLimit = 128;  // 2 MiB
#endif

  ~Pool() {
    while (free != nullptr) delete std::exchange(free, free->next);
  }
  Block* take() {
    if (free == nullptr) return new Block;
    --count;
    return std::exchange(free, free->next);
  }
  void give(Block* block) {
    if (count >= kLimit) {
      delete block;
      return;
    }
    ++count;
    block->next = std::exchange(free, block);
  }

  Block* free = nullptr;
  int count = 0;
};

ByteQueue::Pool& ByteQueue::pool() {
  static thread_local Pool pool;
  return pool;
}

void ByteQueue::addBlock(size_t n) {
  CONVOY_ASSERT(n <= kBlockBytes);
  Block* const block = pool().take();
  block->next = nullptr;
  block->begin = block->end = 0;
  (tail_ == nullptr ? head_ : tail_->next) = block;
  tail_ = block;
}

void ByteQueue::freeBlocks() {
  while (head_ != nullptr) pool().give(std::exchange(head_, head_->next));
  tail_ = nullptr;
}

void ByteQueue::setWatermarks(size_t high, Watermarks callbacks) {
  high_ = static_cast<uint32_t>(std::min<size_t>(high, std::numeric_limits<uint32_t>::max()));
  callbacks_ = callbacks;
  checkWatermarks();
}

// The callbacks come last: they may append or consume.
void ByteQueue::checkWatermarks() {
  if (!above_high_ && high_ != 0 && size_ > high_) {
    above_high_ = true;
    if (callbacks_.above_high != nullptr) callbacks_.above_high(callbacks_.context);
  } else if (above_high_ && (high_ == 0 || size_ <= high_ / 2)) {
    above_high_ = false;
    if (callbacks_.below_low != nullptr) callbacks_.below_low(callbacks_.context);
  }
}

void ByteQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (tail_ == nullptr || tail_->end == kBlockBytes) addBlock(1);
    const size_t part = std::min(bytes.size(), kBlockBytes - tail_->end);
    std::memcpy(tail_->data + tail_->end, bytes.data(), part);
    tail_->end += static_cast<uint32_t>(part);
    bytes.remove_prefix(part);
  }
  if (high_ != 0) checkWatermarks();
}

std::string_view ByteQueue::front() const {
  // A block may be empty after a reservation that nothing was committed to.
  for (const Block* block = head_; block != nullptr; block = block->next) {
    if (block->begin != block->end) return {block->data + block->begin, block->end - block->begin};
  }
  return {};
}

int ByteQueue::peek(iovec* vectors, int max) const {
  int filled = 0;
  for (Block* block = head_; block != nullptr && filled < max; block = block->next) {
    if (block->begin == block->end) continue;
    vectors[filled++] = {block->data + block->begin, block->end - block->begin};
  }
  return filled;
}

void ByteQueue::consume(size_t n) {
  CONVOY_ASSERT(n <= size_);
  size_ -= n;
  if (size_ == 0) {
    freeBlocks();
  } else {
    while (n > 0) {
      const size_t part = std::min<size_t>(n, head_->end - head_->begin);
      head_->begin += static_cast<uint32_t>(part);
      n -= part;
      // There are more bytes behind, so this is not the tail.
      if (head_->begin == head_->end) pool().give(std::exchange(head_, head_->next));
    }
  }
  if (above_high_) checkWatermarks();
}

void ByteQueue::moveFrom(ByteQueue& other) {
  if (other.size_ == 0) return;
  if (size_ == 0) freeBlocks();
  (tail_ == nullptr ? head_ : tail_->next) = std::exchange(other.head_, nullptr);
  tail_ = std::exchange(other.tail_, nullptr);
  size_ += std::exchange(other.size_, 0);
  if (other.above_high_) other.checkWatermarks();
  if (high_ != 0) checkWatermarks();
}

std::string ByteQueue::toString() const {
  std::string result;
  result.reserve(size_);
  for (const Block* block = head_; block != nullptr; block = block->next) {
    result.append(block->data + block->begin, block->end - block->begin);
  }
  return result;
}

}  // namespace convoy::net
