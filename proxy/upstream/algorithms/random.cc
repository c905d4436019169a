#include "proxy/upstream/algorithms/random.h"

#include "proxy/upstream/algorithms/candidates.h"

namespace convoy::upstream::algorithms {

Pick Random::pick(PickContext& context) {
  if (hosts_ == nullptr || hosts_->empty()) return {};
  return {.kind = Pick::Kind::Host, .host = drawUntried(*hosts_, context)};
}

}  // namespace convoy::upstream::algorithms
