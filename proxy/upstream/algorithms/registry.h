#pragma once

// Which policy serves which configured algorithm.

#include <cstddef>
#include <memory>

#include "proxy/upstream/hash_table.h"
#include "proxy/upstream/load_balancer.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream::algorithms {

// For worker `worker` of `workers`. Worker 0 follows the documented orders exactly; the others
// start elsewhere in the same order, so that they do not all begin with the same host.
std::unique_ptr<LoadBalancer> makeLoadBalancer(const BalancingSpec& spec, size_t worker,
                                               size_t workers);

// On main: what makes the table that the policy's host sets need; null: they need none.
MakeHashTable hashTableMaker(const BalancingSpec& spec);

}  // namespace convoy::upstream::algorithms
