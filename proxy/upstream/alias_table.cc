#include "proxy/upstream/alias_table.h"

namespace convoy::upstream {

AliasTable::AliasTable(std::span<const uint64_t> weights) {
  __extension__ using Wide = unsigned __int128;
  const size_t count = weights.size();
  for (const uint64_t weight : weights) total_ += weight;
  cells_.resize(count);
  // What each index has to give, in parts of total(); an equal share is total() of them.
  std::vector<Wide> rest(count);
  std::vector<uint32_t> poor;
  std::vector<uint32_t> rich;
  for (uint32_t i = 0; i < count; ++i) {
    rest[i] = Wide{weights[i]} * count;
    (rest[i] < total_ ? poor : rich).push_back(i);
  }
  while (!poor.empty()) {
    const uint32_t lender = rich.back();
    const uint32_t index = poor.back();
    poor.pop_back();
    const auto own = static_cast<uint64_t>(rest[index]);
    cells_[index] = {own, lender};
    rest[lender] -= total_ - own;
    if (rest[lender] >= total_) continue;
    rich.pop_back();
    poor.push_back(lender);
  }
  for (const uint32_t index : rich) cells_[index] = {total_, index};
}

}  // namespace convoy::upstream
