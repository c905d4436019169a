#pragma once

// The host of the request's hash key, by the set's table (a ring, Maglev's, or a remainder). A
// request without a key goes to a random host, as in Envoy. A host that was tried already, or is
// full, is passed over for the one of the next hash in a sequence that the key alone determines:
// the keys of one host spread over all others, and each always in the same order.
//
// Bounded loads (Mirrokni, Thorup, Zadimoghaddam; Envoy's hash_balance_factor): with a percentage
// p, no host gets more than ceil(p/100 * m * weight / weights) of the m requests under way in the
// cluster, the new one included. Both counts are shared by all workers; taking a place is one
// atomic step. Since p is at least 100 there always is a host with room, but with p near 100 and a
// busy cluster finding it means a look at many.

#include "proxy/upstream/load_balancer.h"

namespace convoy::upstream::algorithms {

class Hashed final : public LoadBalancer {
 public:
  // balance_percent: 0 (no bound), or at least 100.
  explicit Hashed(uint32_t balance_percent) : balance_percent_(balance_percent) {}

  void setHosts(const HostSet& hosts) override { hosts_ = &hosts; }
  Pick pick(PickContext& context) override;
  Pick adopt(PickContext& context, Host& host) override;

 private:
  bool bounds(const PickContext& context) const {
    return balance_percent_ != 0 && context.cluster_active != nullptr;
  }
  // Null: no host of the sequence will do.
  Host* find(uint64_t hash, const PickContext& context, uint64_t total) const;
  Host* findAnywhere(size_t from, const PickContext& context, uint64_t total) const;
  bool take(const HostSet::Entry& entry, const PickContext& context, uint64_t total) const;

  const uint32_t balance_percent_;
  const HostSet* hosts_ = nullptr;
};

// The largest number of requests that a bound leaves to one host.
uint64_t boundedCapacity(uint32_t percent, uint64_t total, uint64_t weight, uint64_t weights);

}  // namespace convoy::upstream::algorithms
