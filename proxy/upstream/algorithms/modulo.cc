#include "proxy/upstream/algorithms/modulo.h"

#include "proxy/base/xxhash.h"

namespace convoy::upstream::algorithms {

size_t Modulo::find(uint64_t hash) const {
  const size_t index = hash % hosts_;
  return shares_.empty() ? index : shares_.at(index, base::mixBits(hash) % shares_.total());
}

}  // namespace convoy::upstream::algorithms
