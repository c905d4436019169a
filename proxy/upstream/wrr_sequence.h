#pragma once

// Smooth weighted round robin, nginx's exact order, computed ahead for one whole cycle: at each
// step every host's current value grows by its weight; the first host with the largest value is
// chosen, and its value falls by the sum of all weights. Weights 5, 3, 2 give A B C A A B A C B A.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace convoy::upstream {

// Above either limit the order is not computed: it costs hosts x cycle steps on main (these limits:
// a quarter of a millisecond) and two bytes per step of the cycle.
inline constexpr size_t kSmoothMaxHosts = 128;
inline constexpr uint64_t kSmoothMaxCycle = 2048;

// Indices of weights, one cycle (the sum of the weights over their greatest common divisor). Empty
// above the limits, and of no weights. REQUIRES: every weight is at least 1.
std::vector<uint16_t> smoothWeightedOrder(std::span<const uint32_t> weights);

}  // namespace convoy::upstream
