#pragma once

// The counts of requests under way of one cluster's hosts (Host::active()), apart from the hosts,
// so that a policy which compares a few of very many hosts finds their counts in a cache. Those of
// the first kApart hosts have a cache line each: workers that use few hosts meet at each of them
// all the time. Those of further hosts lie side by side, 16 on a line: with so many hosts the line
// that a request writes was last another worker's in either case.
//
// A count does not move, and is a host's until the host gives it back. Any thread may do that,
// since hosts end where they are last used; main takes counts. Counting takes no lock.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace convoy::upstream {

class ActiveCounts {
 public:
  using Count = std::atomic<uint32_t>;
  static constexpr size_t kApart = 1024;

  ActiveCounts() = default;
  ActiveCounts(const ActiveCounts&) = delete;
  ActiveCounts& operator=(const ActiveCounts&) = delete;

  // 0.
  Count& take();
  void giveBack(Count& count);

 private:
  static constexpr size_t kLine = 64 / sizeof(Count);
  // 1 KB: small clusters are many.
  struct alignas(64) Chunk {
    std::array<Count, 16 * kLine> counts{};
  };
  // Those of which one count in `step` is used.
  struct Pool {
    const size_t step;
    std::vector<std::unique_ptr<Chunk>> chunks = {};
    std::vector<Count*> free = {};

    void grow();
    bool owns(const Count& count) const;
  };

  std::mutex mutex_;  // protects the pools, not the counts
  Pool apart_{.step = kLine};
  Pool dense_{.step = 1};
};

}  // namespace convoy::upstream
