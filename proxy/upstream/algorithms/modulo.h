#pragma once

// A hash's remainder by the number of hosts: no table, the most even spread, and nearly every key
// moves when a host comes or goes (three in four from 3 hosts to 4). Of different weights the hash
// also decides within a host's share.

#include <span>

#include "proxy/upstream/host_set.h"

namespace convoy::upstream::algorithms {

class Modulo final : public HashTable {
 public:
  explicit Modulo(const HostSet& hosts) : hosts_(hosts.size()), shares_(hosts.shares()) {}
  size_t find(uint64_t hash) const override;

 private:
  const size_t hosts_;
  const AliasTable shares_;  // empty: equal weights
};

}  // namespace convoy::upstream::algorithms
