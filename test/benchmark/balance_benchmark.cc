// What choosing a host costs, by algorithm and number of hosts.
//   bazel run //test/benchmark:balance_benchmark

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/base/xxhash.h"
#include "proxy/config/assignment.h"
#include "proxy/config/builtins.h"
#include "proxy/event/random.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/host_set.h"
#include "proxy/upstream/membership.h"

namespace convoy::upstream {
namespace {

net::Address addressOf(size_t host) {
  return net::Address::fromIp("10." + std::to_string(host >> 16) + "." +
                                  std::to_string((host >> 8) & 255) + "." +
                                  std::to_string(host & 255),
                              80)
      .value();
}

struct Cluster {
  Cluster(size_t count, bool weighted, uint32_t active, const MakeHashTable& make_table) {
    const auto counts = std::make_shared<ActiveCounts>();
    std::vector<HostSet::Entry> entries;
    for (size_t i = 0; i < count; ++i) {
      hosts.push_back(std::make_unique<Host>(addressOf(i), static_cast<uint32_t>(i), 1, counts));
      hosts.back()->active() = active;
      entries.push_back({hosts.back().get(), weighted ? 1 + static_cast<uint32_t>(i % 5) : 1});
    }
    set = std::make_unique<HostSet>(std::move(entries), make_table);
  }
  std::vector<std::unique_ptr<Host>> hosts;
  std::unique_ptr<HostSet> set;
};

// Requests under way: each ends some picks after its own.
class UnderWay {
 public:
  // One for every ten hosts, so that most hosts have none.
  explicit UnderWay(size_t hosts) : picks_(std::clamp<size_t>(hosts / 10, 1, 64)) {}

  void add(const Pick& pick, std::atomic<uint32_t>& cluster_active) {
    // What a node does with the host next, which fetches it too.
    if (pick.counted) __builtin_prefetch(pick.host);
    const Pick ended = std::exchange(picks_[next_], pick);
    if (++next_ == picks_.size()) next_ = 0;
    if (ended.counted) ended.host->active().fetch_sub(1, std::memory_order_relaxed);
    if (ended.in_total) cluster_active.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  std::vector<Pick> picks_;
  size_t next_ = 0;
};

// weighted: weights 1 to 5. active: requests under way on each host before the first pick. Each
// pick has another hash key, and one in a thousand follows an update of the hosts, as a worker sees
// it.
void pick(benchmark::State& state, BalancingSpec spec, bool weighted, uint32_t active) {
  spec.maglev_table_size = 1'000'003;
  const Cluster cluster(static_cast<size_t>(state.range(0)), weighted, active,
                        algorithms::hashTableMaker(spec));
  const auto balancer = algorithms::makeLoadBalancer(spec, 0, 1);
  balancer->setHosts(*cluster.set);
  event::Random random(1);
  std::atomic<uint32_t> cluster_active{0};
  if (balancer->wantsResults()) {
    for (const auto& host : cluster.hosts) {
      balancer->onResult(*host, {.took = std::chrono::milliseconds(1 + random.below(50))});
    }
  }
  UnderWay under_way(cluster.hosts.size());
  uint64_t picks = 0;
  for (auto _ : state) {
    if (++picks % 1000 == 0) balancer->setHosts(*cluster.set);
    PickContext context{.random = random,
                        .tried = {},
                        .hash = base::mixBits(picks),
                        .cluster_active = &cluster_active};
    const Pick picked = balancer->pick(context);
    benchmark::DoNotOptimize(picked.host);
    under_way.add(picked, cluster_active);
  }
}

// What a response costs the policies that ask how it went.
void result(benchmark::State& state, Algorithm algorithm) {
  const Cluster cluster(static_cast<size_t>(state.range(0)), false, 0, nullptr);
  const auto balancer = algorithms::makeLoadBalancer({.algorithm = algorithm}, 0, 1);
  balancer->setHosts(*cluster.set);
  event::Random random(1);
  event::MonotonicTime now{};
  for (auto _ : state) {
    now += std::chrono::microseconds(1);
    const Host& host = *cluster.hosts[random.below(cluster.hosts.size())];
    balancer->onResult(host, {.took = std::chrono::microseconds(random.below(50'000)), .now = now});
  }
}

void sizes(benchmark::internal::Benchmark* b) {
  b->Arg(10)->Arg(32)->Arg(1'000)->Arg(100'000);
}

BalancingSpec of(Algorithm algorithm, uint32_t balance_percent = 0) {
  return {.algorithm = algorithm, .hash_balance_percent = balance_percent};
}

// As convoy.v1's consistent_hash.
BalancingSpec ring(uint32_t balance_percent = 0) {
  return {.algorithm = Algorithm::RingHash,
          .ring_max_size = 1'048'576,
          .ring_points_per_weight = 150,
          .hash_balance_percent = balance_percent};
}

BENCHMARK_CAPTURE(pick, round_robin, of(Algorithm::RoundRobin), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, round_robin_weighted, of(Algorithm::RoundRobin), true, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random, of(Algorithm::Random), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, random_weighted, of(Algorithm::Random), true, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, power_of_two, of(Algorithm::LeastRequest), false, 1)->Apply(sizes);
BENCHMARK_CAPTURE(pick, power_of_two_weighted, of(Algorithm::LeastRequest), true, 1)->Apply(sizes);
BENCHMARK_CAPTURE(pick, ip_hash, of(Algorithm::IpHash), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, ring, ring(), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, ring_bounded, ring(150), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, ring_of_envoy, of(Algorithm::RingHash), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, maglev, of(Algorithm::Maglev), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, maglev_bounded, of(Algorithm::Maglev, 150), false, 0)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_idle, of(Algorithm::WeightedLeastConnections), false, 0)
    ->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_weighted_idle, of(Algorithm::WeightedLeastConnections), true, 0)
    ->Apply(sizes);
// Every host has a request under way: nothing ends the look early.
BENCHMARK_CAPTURE(pick, least_busy, of(Algorithm::WeightedLeastConnections), true, 1)->Apply(sizes);
BENCHMARK_CAPTURE(pick, least_response_time, of(Algorithm::LeastResponseTime), true, 1)
    ->Apply(sizes);
BENCHMARK_CAPTURE(pick, peak_ewma, of(Algorithm::PeakEwma), true, 1)->Apply(sizes);
BENCHMARK_CAPTURE(pick, adaptive_score, of(Algorithm::AdaptiveScore), true, 1)->Apply(sizes);

BENCHMARK_CAPTURE(result, least_response_time, Algorithm::LeastResponseTime)->Apply(sizes);
BENCHMARK_CAPTURE(result, peak_ewma, Algorithm::PeakEwma)->Apply(sizes);
BENCHMARK_CAPTURE(result, adaptive_score, Algorithm::AdaptiveScore)->Apply(sizes);

// What main pays for a new set.
void build(benchmark::State& state, const BalancingSpec& spec, bool weighted) {
  const MakeHashTable make_table = algorithms::hashTableMaker(spec);
  const Cluster cluster(static_cast<size_t>(state.range(0)), weighted, 0, nullptr);
  const std::vector<HostSet::Entry> entries(cluster.set->entries().begin(),
                                            cluster.set->entries().end());
  for (auto _ : state) {
    const HostSet set(entries, make_table);
    benchmark::DoNotOptimize(set.size());
  }
}

// How hosts are divided: by as many priorities, and into subsets of 100 hosts.
struct Parts {
  size_t weights = 1;  // different ones
  size_t priorities = 1;
  bool subsets = false;
};

AssignmentSpec assignmentOf(size_t hosts, const Parts& parts) {
  AssignmentSpec assignment;
  assignment.localities.resize(parts.priorities);
  for (size_t i = 0; i < hosts; ++i) {
    const size_t priority = i * parts.priorities / hosts;
    assignment.localities[priority].priority = static_cast<uint32_t>(priority);
    EndpointSpec& endpoint = assignment.localities[priority].endpoints.emplace_back();
    endpoint.address = addressOf(i);
    endpoint.weight = 1 + static_cast<uint32_t>(i % parts.weights);
    if (parts.subsets) endpoint.subset_labels = {{"version", std::to_string(i / 100)}};
  }
  return assignment;
}

Grouping groupingOf(const Parts& parts) {
  Grouping grouping;
  if (!parts.subsets) return grouping;
  auto subsets = std::make_shared<SubsetSpec>();
  subsets->selectors.push_back({.names = {"version"}});
  grouping.spec.subsets = std::move(subsets);
  return grouping;
}

// What main pays to have an assignment from EDS, before anybody looks at its hosts.
void decode(benchmark::State& state) {
  envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
  assignment.set_cluster_name("web");
  auto& locality = *assignment.add_endpoints();
  for (size_t i = 0; i < static_cast<size_t>(state.range(0)); ++i) {
    auto& address = *locality.add_lb_endpoints()->mutable_endpoint()->mutable_address();
    address.mutable_socket_address()->set_address(addressOf(i).ipText());
    address.mutable_socket_address()->set_port_value(80);
  }
  const std::string bytes = assignment.SerializeAsString();
  config::Context context;
  context.registry = &config::builtins();
  for (auto _ : state) {
    envoy::config::endpoint::v3::ClusterLoadAssignment parsed;
    benchmark::DoNotOptimize(parsed.ParseFromString(bytes));
    base::FieldReport report;
    benchmark::DoNotOptimize(config::toAssignment(parsed, context, report));
  }
}
BENCHMARK(decode)->Name("decode/eds")->Apply(sizes);

// What main pays for an assignment of which one endpoint is another than before: it comes whole.
void assign(benchmark::State& state, const Parts& parts) {
  const auto hosts = static_cast<size_t>(state.range(0));
  AssignmentSpec assignments[2];
  for (size_t n = 0; n < 2; ++n) {
    assignments[n] = assignmentOf(hosts, parts);
    assignments[n].localities.back().endpoints.back().address = addressOf(hosts + n);
  }
  const Grouping grouping = groupingOf(parts);
  Membership membership(1);
  membership.update(assignments[0], nullptr, {}, grouping);
  uint32_t next = 1;
  for (auto _ : state) {
    benchmark::DoNotOptimize(membership.update(assignments[next], nullptr, {}, grouping).changed);
    next = 1 - next;
  }
}
BENCHMARK_CAPTURE(assign, one_group, Parts{})->Apply(sizes);
BENCHMARK_CAPTURE(assign, weighted, Parts{.weights = 5})->Apply(sizes);
BENCHMARK_CAPTURE(assign, weights_all_different, Parts{.weights = 1'000'000})->Apply(sizes);
BENCHMARK_CAPTURE(assign, priorities, Parts{.priorities = 8})->Apply(sizes);
BENCHMARK_CAPTURE(assign, subsets, Parts{.subsets = true})->Apply(sizes);

// What main pays for a check of one host that fails, and passes again.
void verdict(benchmark::State& state, const Parts& parts) {
  const auto hosts = static_cast<size_t>(state.range(0));
  const AssignmentSpec assignment = assignmentOf(hosts, parts);
  const Grouping grouping = groupingOf(parts);
  const std::vector<net::Address> flapping{addressOf(hosts / 2)};
  bool fails = false;
  const Membership::ActiveHealthOf active = [&](const EndpointSpec& endpoint) {
    const bool out = fails && endpoint.address == flapping[0];
    return out ? ActiveHealth::Unhealthy : ActiveHealth::Healthy;
  };
  Membership membership(1);
  membership.update(assignment, active, {}, grouping);
  for (auto _ : state) {
    fails = !fails;
    benchmark::DoNotOptimize(membership.refresh(active, {}, grouping, &flapping).changed);
  }
}
BENCHMARK_CAPTURE(verdict, one_group, Parts{})->Apply(sizes);
BENCHMARK_CAPTURE(verdict, weighted, Parts{.weights = 5})->Apply(sizes);
BENCHMARK_CAPTURE(verdict, weights_all_different, Parts{.weights = 1'000'000})->Apply(sizes);
BENCHMARK_CAPTURE(verdict, priorities, Parts{.priorities = 8})->Apply(sizes);
BENCHMARK_CAPTURE(verdict, subsets, Parts{.subsets = true})->Apply(sizes);

// What a worker pays for a new set and its first pick, whatever has changed in it.
void adopt(benchmark::State& state, const BalancingSpec& spec, bool weighted) {
  const Cluster cluster(static_cast<size_t>(state.range(0)), weighted, 1,
                        algorithms::hashTableMaker(spec));
  std::vector<HostSet::Entry> entries(cluster.set->entries().begin(), cluster.set->entries().end());
  entries.pop_back();
  const HostSet other(entries, algorithms::hashTableMaker(spec));
  const auto balancer = algorithms::makeLoadBalancer(spec, /*worker=*/1, /*workers=*/2);
  event::Random random(1);
  PickContext context{.random = random, .tried = {}, .hash = 1};
  bool which = false;
  for (auto _ : state) {
    which = !which;
    balancer->setHosts(which ? *cluster.set : other);
    benchmark::DoNotOptimize(balancer->pick(context).host);
  }
}
BENCHMARK_CAPTURE(adopt, round_robin, of(Algorithm::RoundRobin), false)->Apply(sizes);
BENCHMARK_CAPTURE(adopt, round_robin_weighted, of(Algorithm::RoundRobin), true)->Apply(sizes);
BENCHMARK_CAPTURE(adopt, least_response_time, of(Algorithm::LeastResponseTime), true)->Apply(sizes);
BENCHMARK_CAPTURE(adopt, ring, ring(), true)->Apply(sizes);

BENCHMARK_CAPTURE(build, equal, of(Algorithm::RoundRobin), false)->Apply(sizes);
BENCHMARK_CAPTURE(build, weighted, of(Algorithm::RoundRobin), true)->Apply(sizes);
BENCHMARK_CAPTURE(build, ring, ring(), false)->Apply(sizes);
BENCHMARK_CAPTURE(build, ring_of_envoy, of(Algorithm::RingHash), false)->Apply(sizes);
BENCHMARK_CAPTURE(build, maglev, of(Algorithm::Maglev), false)->Apply(sizes);

}  // namespace
}  // namespace convoy::upstream

BENCHMARK_MAIN();
