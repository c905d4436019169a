#pragma once

// What one worker remembers of each host of a cluster, by the host's slot. A host that takes over
// another's slot starts anew. Worker's thread only.

#include <cstdint>
#include <vector>

#include "proxy/upstream/host.h"

namespace convoy::upstream::algorithms {

template <class T>
class PerHost {
 public:
  // Null: nothing is known of this host.
  const T* find(const Host& host) const {
    if (host.slot() >= cells_.size()) return nullptr;
    const Cell& cell = cells_[host.slot()];
    return cell.serial == host.serial() ? &cell.value : nullptr;
  }
  // Made if there is none.
  T& of(const Host& host) {
    if (host.slot() >= cells_.size()) cells_.resize(host.slot() + 1);
    Cell& cell = cells_[host.slot()];
    if (cell.serial != host.serial()) cell = {.serial = host.serial(), .value = T()};
    return cell.value;
  }

 private:
  struct Cell {
    uint64_t serial = 0;  // of the host that it is about
    T value = T();
  };
  std::vector<Cell> cells_;
};

}  // namespace convoy::upstream::algorithms
