#include "proxy/event/random.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>

#include "proxy/base/assert.h"

namespace convoy::event {

Random Random::fromKernel() {
  uint64_t seed = 0;
  ssize_t got = 0;
  do {
    got = ::getrandom(&seed, sizeof(seed), 0);
  } while (got < 0 && errno == EINTR);
  // A request of at most 256 bytes is never cut short, and the call exists since Linux 3.17.
  CONVOY_ASSERT(got == sizeof(seed));
  return Random(seed);
}

// splitmix64 spreads the seed over the state, which must not be all zero.
Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::next() {
  const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// The high half of next() * bound, with the few low halves that would favour some results
// redrawn: one multiplication, and almost never a division.
uint64_t Random::below(uint64_t bound) {
  CONVOY_ASSERT(bound > 0);
  using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t biased = -bound % bound;
    while (static_cast<uint64_t>(product) < biased) product = static_cast<Wide>(next()) * bound;
  }
  return static_cast<uint64_t>(product >> 64);
}

}  // namespace convoy::event
