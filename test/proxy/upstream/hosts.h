#pragma once

// Hosts named A, B, C, ... for tests of load balancing: a snapshot of them, and a policy's picks
// written as text ("AABACB").

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/upstream/host_set.h"
#include "proxy/upstream/load_balancer.h"

namespace convoy::test {

inline net::Address hostAddress(size_t index) {
  return net::Address::fromIp("10." + std::to_string(index >> 16) + "." +
                                  std::to_string((index >> 8) & 255) + "." +
                                  std::to_string(index & 255),
                              80)
      .value();
}

class Hosts {
 public:
  explicit Hosts(const std::vector<uint32_t>& weights, size_t workers = 1) {
    for (size_t i = 0; i < weights.size(); ++i) {
      hosts_.push_back(std::make_unique<upstream::Host>(hostAddress(i), i, workers));
    }
    set_ = snapshot(weights);
  }

  upstream::Host& operator[](size_t index) const { return *hosts_[index]; }
  const upstream::HostSet& set() const { return *set_; }
  // The same hosts with other weights; 0 leaves one out.
  std::unique_ptr<const upstream::HostSet> snapshot(
      const std::vector<uint32_t>& weights,
      const upstream::MakeHashTable& make_table = nullptr) const {
    std::vector<upstream::HostSet::Entry> entries;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) entries.push_back({hosts_[i].get(), weights[i]});
    }
    return std::make_unique<const upstream::HostSet>(std::move(entries), make_table);
  }
  void setActive(const std::vector<uint32_t>& active) const {
    for (size_t i = 0; i < active.size(); ++i) hosts_[i]->active() = active[i];
  }

 private:
  std::vector<std::unique_ptr<upstream::Host>> hosts_;
  std::unique_ptr<const upstream::HostSet> set_;
};

// Picks that are never given back.
class Picks {
 public:
  event::MonotonicTime now{};
  std::atomic<uint32_t> cluster_active{0};

  explicit Picks(upstream::LoadBalancer& policy, uint64_t seed = 1)
      : policy_(policy), random_(seed) {}

  upstream::Pick one(std::vector<const upstream::Host*> tried = {},
                     std::optional<uint64_t> hash = std::nullopt) {
    upstream::PickContext context{.random = random_,
                                  .tried = tried,
                                  .hash = hash,
                                  .now = now,
                                  .cluster_active = &cluster_active};
    return policy_.pick(context);
  }
  // The host of a hash, as a letter.
  char of(uint64_t hash) { return static_cast<char>('A' + one({}, hash).host->slot()); }
  // Hosts in the order of their slots: A is slot 0. "-" for none.
  std::string text(int count, const std::vector<const upstream::Host*>& tried = {}) {
    std::string out;
    for (int i = 0; i < count; ++i) {
      const upstream::Pick pick = one(tried);
      out += pick.host == nullptr ? '-' : static_cast<char>('A' + pick.host->slot());
    }
    return out;
  }
  std::vector<uint64_t> counts(size_t hosts, int picks) {
    std::vector<uint64_t> counts(hosts);
    for (int i = 0; i < picks; ++i) ++counts[one().host->slot()];
    return counts;
  }

 private:
  upstream::LoadBalancer& policy_;
  event::Random random_;
};

}  // namespace convoy::test
