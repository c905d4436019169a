#pragma once

// Draws indices with the probabilities of their weights, in constant time: each index keeps a part
// of an equal share for itself and lends the rest to one other (Walker's and Vose's alias method).
// Whole numbers, so the probabilities are exact. Immutable; built in one pass over the weights.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convoy::upstream {

class AliasTable {
 public:
  AliasTable() = default;
  // REQUIRES: each weight is at least 1; fewer than 2^32 of them, whose sum fits 2^63.
  explicit AliasTable(std::span<const uint64_t> weights);

  bool empty() const { return cells_.empty(); }
  size_t size() const { return cells_.size(); }
  // Of all weights.
  uint64_t total() const { return total_; }
  // The index for one of size() * total() equally likely pairs. REQUIRES: index < size(), part <
  // total().
  size_t at(size_t index, uint64_t part) const {
    const Cell& cell = cells_[index];
    return part < cell.own ? index : cell.other;
  }

 private:
  struct Cell {
    uint64_t own;  // of total(): below it the index stands for itself
    uint32_t other;
  };

  std::vector<Cell> cells_;
  uint64_t total_ = 0;
};

}  // namespace convoy::upstream
