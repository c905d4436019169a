#pragma once

// Power of two choices, Envoy's LEAST_REQUEST: some hosts drawn by weight (with replacement, so
// that of two hosts the busier one is still taken in a quarter of the picks), and of them the one
// with the fewest requests under way in proportion to its weight, active^bias / weight; the one
// drawn first on ties. An idle pool is used as its weights say, a busy one evenly.
//
// The first two of a pick are drawn some picks before: of very many hosts no cache holds their
// entries, and they are fetched meanwhile. What they have under way is read when it is compared.
//
// Envoy's active_request_bias has a meaning only if weights differ: 0 leaves the load out, so that
// the weights alone decide; larger ones make it count for more. Envoy itself schedules hosts of
// different weights one by one then; this draws them, at the same cost in a pool of any size.

#include <array>

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class LeastRequest final : public LoadBalancer {
 public:
  // REQUIRES: choices >= 2, bias >= 0.
  LeastRequest(uint32_t choices, double bias) : choices_(choices), bias_(bias) {}

  void setHosts(const HostSet& hosts) override {
    hosts_ = &hosts;
    drawn_ = false;
  }
  Pick pick(PickContext& context) override;
  Pick adopt(PickContext& context, Host& host) override;

 private:
  using Pair = std::array<const HostSet::Entry*, 2>;

  // Null: all that were drawn were tried already.
  const HostSet::Entry* best(const Pair& pair, const PickContext& context) const;
  Pair draw(event::Random& random) const;
  Pair nextPair(event::Random& random);
  bool lighter(const HostSet::Entry& a, const HostSet::Entry& b) const;

  const uint32_t choices_;
  const double bias_;
  const HostSet* hosts_ = nullptr;
  // Of the picks to come, of hosts_: a cache line, so that an entry has three picks' time to come.
  std::array<Pair, 4> ahead_{};
  uint32_t next_ = 0;   // in ahead_
  bool drawn_ = false;  // ahead_ is
};

}  // namespace convoy::upstream::algorithms
