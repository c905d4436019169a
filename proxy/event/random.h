#pragma once

// Randomness for balancing, jitter and request ids: fast, seeded once from the kernel, not for
// secrets. One instance per thread (xoshiro256++); tests seed it with a constant.

#include <cstdint>

namespace convoy::event {

class Random {
 public:
  static Random fromKernel();
  explicit Random(uint64_t seed);

  uint64_t next();
  // Uniform in [0, bound), without modulo bias; bound > 0.
  uint64_t below(uint64_t bound);

 private:
  uint64_t state_[4];
};

}  // namespace convoy::event
