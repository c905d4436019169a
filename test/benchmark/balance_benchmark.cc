// What choosing a host costs, by algorithm and number of hosts.
//   bazel run //test/benchmark:balance_benchmark

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/event/random.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/host_set.h"

namespace convoy::upstream {
namespace {

struct Cluster {
  Cluster(size_t count, bool weighted, uint32_t active) {
    std::vector<HostSet::Entry> entries;
    for (size_t i = 0; i < count; ++i) {
      const std::string ip = "10." + std::to_string(i >> 16) + "." +
                             std::to_string((i >> 8) & 255) + "." + std::to_string(i & 255);
      hosts.push_back(std::make_unique<Host>(net::Address::fromIp(ip, 80).value(),
                                             static_cast<uint32_t>(i), 1));
      hosts.back()->active() = active;
      entries.push_back({hosts.back().get(), weighted ? 1 + static_cast<uint32_t>(i % 5) : 1});
    }
    set = std::make_unique<HostSet>(std::move(entries));
  }
  std::vector<std::unique_ptr<Host>> hosts;
  std::unique_ptr<HostSet> set;
};

// weighted: weights 1 to 5. active: requests under way on each host before the first pick.
void pick(benchmark::State& state, Algorithm algorithm, bool weighted, uint32_t active) {
  const Cluster cluster(static_cast<size_t>(state.range(0)), weighted, active);
  const auto balancer = algorithms::makeLoadBalancer(algorithm, 0, 1);
  balancer->setHosts(*cluster.set);
  event::Random random(1);
  for (auto _ : state) {
    PickContext context{.random = random, .tried = {}};
    const Pick picked = balancer->pick(context);
    benchmark::DoNotOptimize(picked.host);
    if (picked.counted) picked.host->active().fetch_sub(1, std::memory_order_relaxed);
  }
}

void sizes(benchmark::internal::Benchmark* b) {
  b->Arg(10)->Arg(1'000)->Arg(100'000);
}

BENCHMARK_CAPTURE(pick, round_robin, Algorithm::RoundRobin, false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, round_robin_weighted, Algorithm::RoundRobin, true, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_idle, Algorithm::WeightedLeastConnections, false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_weighted_idle, Algorithm::WeightedLeastConnections, true, 0)
    ->Apply(sizes);
// Every host has a request under way: nothing ends the look early.
BENCHMARK_CAPTURE(pick, least_busy, Algorithm::WeightedLeastConnections, true, 1)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random, Algorithm::Random, false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random_weighted, Algorithm::Random, true, 0)->Apply(sizes);

// What main pays for a new set.
void build(benchmark::State& state, bool weighted) {
  const Cluster cluster(static_cast<size_t>(state.range(0)), weighted, 0);
  const std::vector<HostSet::Entry> entries(cluster.set->entries().begin(),
                                            cluster.set->entries().end());
  for (auto _ : state) {
    const HostSet set(entries);
    benchmark::DoNotOptimize(set.size());
  }
}
BENCHMARK_CAPTURE(build, equal, false)->Apply(sizes);
BENCHMARK_CAPTURE(build, weighted, true)->Apply(sizes);

}  // namespace
}  // namespace convoy::upstream

BENCHMARK_MAIN();
