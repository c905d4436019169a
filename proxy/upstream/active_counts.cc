#include "proxy/upstream/active_counts.h"

#include <algorithm>
#include <functional>

namespace convoy::upstream {

void ActiveCounts::Pool::grow() {
  auto& counts = chunks.emplace_back(std::make_unique<Chunk>())->counts;
  // The first of them is the next to be taken.
  for (size_t i = counts.size(); i > 0; i -= step) free.push_back(&counts[i - step]);
}

bool ActiveCounts::Pool::owns(const Count& count) const {
  return std::ranges::any_of(chunks, [&count](const std::unique_ptr<Chunk>& chunk) {
    const Count* const first = chunk->counts.data();
    return std::greater_equal<>()(&count, first) &&
           std::less<>()(&count, first + chunk->counts.size());
  });
}

ActiveCounts::Count& ActiveCounts::take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  constexpr size_t kApartChunks = kApart / (sizeof(Chunk) / 64);
  const bool apart = !apart_.free.empty() || apart_.chunks.size() < kApartChunks;
  Pool& pool = apart ? apart_ : dense_;
  if (pool.free.empty()) pool.grow();
  Count* const count = pool.free.back();
  pool.free.pop_back();
  return *count;
}

void ActiveCounts::giveBack(Count& count) {
  count.store(0, std::memory_order_relaxed);
  const std::lock_guard<std::mutex> lock(mutex_);
  (apart_.owns(count) ? apart_ : dense_).free.push_back(&count);
}

}  // namespace convoy::upstream
