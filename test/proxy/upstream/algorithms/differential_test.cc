// Every policy against a model that does the same in the simplest way, over random operations:
// hosts come, go and change weights, requests start, end and fail, time passes.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proxy/base/xxhash.h"
#include "proxy/upstream/algorithms/candidates.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/algorithms/ring.h"
#include "proxy/upstream/algorithms/scored.h"
#include "test/proxy/upstream/algorithms/odds.h"
#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream::algorithms {
namespace {

using std::chrono::milliseconds;
using test::Hosts;
using test::Picks;

constexpr size_t kHosts = 12;
constexpr int kSteps = 20'000;

// What the world looks like when a model is asked.
struct World {
  explicit World(size_t hosts) : weights(hosts, 1), active(hosts, 0) {}

  std::vector<uint32_t> weights;  // 0: not in the set
  std::vector<uint32_t> active;
  event::MonotonicTime now{std::chrono::seconds(1)};
  uint64_t hash = 0;

  std::vector<size_t> present() const {
    std::vector<size_t> hosts;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) hosts.push_back(i);
    }
    return hosts;
  }
};

struct Result {
  double seconds;
  bool failed;
  bool abandoned;
};

class Model {
 public:
  virtual ~Model() = default;
  virtual void onHosts(const World&) {}
  virtual void onResult(const World&, size_t /*host*/, const Result&) {}
  // Checks a pick, which is not counted in the world yet.
  virtual void check(const World& world, size_t picked) = 0;
  // Checks what only all picks together tell.
  virtual void finish() {}
};

using MakeModel = std::function<std::unique_ptr<Model>()>;

class Run {
 public:
  Run(const BalancingSpec& spec, Model& model, uint64_t seed, size_t hosts)
      : model_(model),
        random_(seed),
        make_table_(hashTableMaker(spec)),
        world_(hosts),
        hosts_(world_.weights),
        policy_(makeLoadBalancer(spec, 0, 1)),
        picks_(*policy_, seed) {
    publish();
  }

  void step() {
    world_.now += milliseconds(random_.below(20));
    switch (random_.below(20)) {
      case 0: {
        const size_t host = random_.below(world_.weights.size());
        // Weights that keep the smooth order short; often equal ones.
        world_.weights[host] = static_cast<uint32_t>(random_.below(4));
        if (random_.below(3) == 0) std::fill(world_.weights.begin(), world_.weights.end(), 1);
        publish();
        break;
      }
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
        if (!under_way_.empty()) return end();
        break;
      default:
        return begin();
    }
  }

 private:
  void publish() {
    set_.swap(retired_);
    set_ = hosts_.snapshot(world_.weights, make_table_);
    policy_->setHosts(*set_);
    model_.onHosts(world_);
  }

  void begin() {
    world_.hash = random_.next();
    picks_.now = world_.now;
    const Pick pick = picks_.one({}, world_.hash);
    if (world_.present().empty()) {
      ASSERT_EQ(pick.kind, Pick::Kind::None);
      return;
    }
    ASSERT_EQ(pick.kind, Pick::Kind::Host);
    const size_t host = pick.host->slot();
    ASSERT_GT(world_.weights[host], 0u) << "a host that has left";
    model_.check(world_, host);
    if (!pick.counted) return;
    ++world_.active[host];
    ASSERT_EQ(hosts_[host].active(), world_.active[host]);
    under_way_.push_back(host);
    in_total_ = pick.in_total;
    ASSERT_EQ(picks_.cluster_active, in_total_ ? under_way_.size() : 0);
  }

  void end() {
    const size_t at = random_.below(under_way_.size());
    const size_t host = under_way_[at];
    under_way_.erase(under_way_.begin() + static_cast<ptrdiff_t>(at));
    --world_.active[host];
    hosts_[host].active() -= 1;
    if (in_total_) picks_.cluster_active -= 1;
    const uint64_t fate = random_.below(20);
    // Each host has a speed of its own.
    const auto took = milliseconds(1 + random_.below(20 * (host + 1)));
    policy_->onResult(
        hosts_[host],
        {.failed = fate == 0, .abandoned = fate == 1, .took = took, .now = world_.now});
    model_.onResult(world_, host,
                    {std::chrono::duration<double>(took).count(), fate == 0, fate == 1});
  }

  Model& model_;
  event::Random random_;
  const MakeHashTable make_table_;
  World world_;
  const Hosts hosts_;
  std::unique_ptr<const HostSet> retired_;
  std::unique_ptr<const HostSet> set_;
  const std::unique_ptr<LoadBalancer> policy_;
  Picks picks_;
  std::vector<size_t> under_way_;
  bool in_total_ = false;  // the policy counts them against a bound
};

void run(const BalancingSpec& spec, const MakeModel& make, uint64_t seeds = 3,
         size_t hosts = kHosts) {
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto model = make();
    Run run(spec, *model, seed, hosts);
    for (int i = 0; i < kSteps; ++i) {
      run.step();
      ASSERT_FALSE(::testing::Test::HasFatalFailure()) << "step " << i << " of seed " << seed;
    }
    model->finish();
  }
}

// --- whatever the policy ---

// A request that failed on some hosts: others are asked, while there are any.
void avoidsTried(const BalancingSpec& spec, size_t count) {
  const MakeHashTable make_table = hashTableMaker(spec);
  event::Random random(count);
  std::vector<uint32_t> weights(count);
  for (uint32_t& weight : weights) weight = 1 + static_cast<uint32_t>(random.below(5));
  const Hosts hosts(weights);
  const auto set = hosts.snapshot(weights, make_table);
  const auto policy = makeLoadBalancer(spec, 0, 1);
  policy->setHosts(*set);
  Picks picks(*policy, count);
  for (int i = 0; i < 2000; ++i) {
    picks.now += milliseconds(random.below(200));
    std::vector<const Host*> tried;
    const uint64_t share = random.below(11);  // in ten
    for (size_t host = 0; host < count; ++host) {
      if (random.below(10) < share) tried.push_back(&hosts[host]);
    }
    const Pick pick = picks.one(tried, random.next());
    ASSERT_EQ(pick.kind, Pick::Kind::Host);
    const bool again = std::count(tried.begin(), tried.end(), pick.host) > 0;
    ASSERT_EQ(again, tried.size() == count) << static_cast<int>(spec.algorithm);
    if (random.below(3) > 0) continue;
    policy->onResult(
        *pick.host,
        {.failed = random.below(2) == 0, .took = milliseconds(random.below(50)), .now = picks.now});
  }
}

TEST(DifferentialTest, EveryPolicyPassesOverTriedHosts) {
  for (int algorithm = 0; algorithm <= static_cast<int>(Algorithm::Maglev); ++algorithm) {
    BalancingSpec spec{.algorithm = static_cast<Algorithm>(algorithm)};
    for (const size_t count : {1u, 3u, 12u, 100u}) avoidsTried(spec, count);
    if (!picksByHash(spec.algorithm)) continue;
    spec.hash_balance_percent = 120;
    for (const size_t count : {1u, 3u, 12u, 100u}) avoidsTried(spec, count);
  }
  for (const uint32_t choices : {0u, 5u}) {
    avoidsTried({.algorithm = Algorithm::LeastRequest, .choices = choices}, 12);
  }
}

// Nodes share nothing. Each keeps its own counts within one of each other, so all of them together
// stay within one for each node, however many requests there are.
TEST(DifferentialTest, NodesThatCountByThemselvesStayTogether) {
  constexpr size_t kNodes = 8;
  for (const Algorithm algorithm :
       {Algorithm::RoundRobin, Algorithm::LeastConnections, Algorithm::WeightedLeastConnections}) {
    std::vector<uint64_t> totals(5);
    event::Random random(3);
    for (size_t node = 0; node < kNodes; ++node) {
      const Hosts hosts(std::vector<uint32_t>(totals.size(), 1));
      const auto policy = makeLoadBalancer({.algorithm = algorithm}, 0, 1);
      policy->setHosts(hosts.set());
      const int requests = 100 + static_cast<int>(random.below(1000));
      const auto counts = Picks(*policy).counts(totals.size(), requests);
      for (size_t host = 0; host < totals.size(); ++host) totals[host] += counts[host];
    }
    const auto [least, most] = std::minmax_element(totals.begin(), totals.end());
    EXPECT_LE(*most - *least, kNodes) << static_cast<int>(algorithm);
  }
}

// What is under way at a time, when requests end: in turn, and each after the same time, a host of
// one node never has two more than another, so nowhere is there more than one for each node.
TEST(DifferentialTest, NodesThatTakeTurnsStayTogetherWhenRequestsEnd) {
  constexpr size_t kNodes = 8;
  struct Node {
    Hosts hosts{std::vector<uint32_t>(5, 1)};
    std::unique_ptr<LoadBalancer> policy = makeLoadBalancer({}, 0, 1);
    Picks picks{*policy};
    std::deque<size_t> under_way;
  } nodes[kNodes];
  for (Node& node : nodes) node.policy->setHosts(node.hosts.set());
  std::vector<uint64_t> active(5);
  event::Random random(3);
  uint64_t widest = 0;
  for (int step = 0; step < kSteps; ++step) {
    Node& node = nodes[random.below(kNodes)];
    if (node.under_way.empty() || random.below(2) == 0) {
      node.under_way.push_back(node.picks.one().host->slot());
      ++active[node.under_way.back()];
    } else {
      --active[node.under_way.front()];
      node.under_way.pop_front();
    }
    const auto [least, most] = std::minmax_element(active.begin(), active.end());
    widest = std::max(widest, *most - *least);
  }
  EXPECT_LE(widest, kNodes);
  EXPECT_GT(widest, 1u) << "they do not know of each other";
}

// Nobody can bound it for least_connections, whose requests end in an order of their own; what it
// costs to count alone is how much the fullest host has beyond its share, next to nothing if the
// nodes counted together.
TEST(DifferentialTest, NodesThatCountByThemselvesAreNotFarFromOneThatCountsAll) {
  constexpr size_t kNodes = 8;
  constexpr size_t kBackends = 5;
  constexpr size_t kRequests = 400;  // under way, of all nodes
  // Mean over time of what the fullest host has more than a fifth.
  const auto excess = [&](size_t nodes) {
    std::vector<std::unique_ptr<Hosts>> hosts;
    std::vector<std::unique_ptr<LoadBalancer>> policies;
    for (size_t i = 0; i < nodes; ++i) {
      hosts.push_back(std::make_unique<Hosts>(std::vector<uint32_t>(kBackends, 1)));
      policies.push_back(makeLoadBalancer({.algorithm = Algorithm::LeastConnections}, 0, 1));
      policies.back()->setHosts(hosts.back()->set());
    }
    event::Random random(9);
    std::vector<std::pair<size_t, size_t>> under_way;  // node and host
    std::vector<double> active(kBackends);
    double sum = 0;
    for (int step = 0; step < kSteps; ++step) {
      if (under_way.size() == kRequests) {
        std::swap(under_way[random.below(kRequests)], under_way.back());
        const auto [node, host] = under_way.back();
        (*hosts[node])[host].active() -= 1;
        --active[host];
        under_way.pop_back();
      }
      const size_t node = random.below(nodes);
      const size_t host = Picks(*policies[node]).one().host->slot();
      under_way.emplace_back(node, host);
      ++active[host];
      sum += *std::max_element(active.begin(), active.end()) -
             static_cast<double>(under_way.size()) / kBackends;
    }
    return sum / kSteps;
  };
  EXPECT_LT(excess(1), 1);
  EXPECT_LT(excess(kNodes), kNodes) << "one for each node, as when nothing ends";
}

// --- orders ---

class TurnsModel final : public Model {
 public:
  void onHosts(const World& world) override {
    const auto hosts = world.present();
    order_.clear();
    bool equal = true;
    uint32_t divisor = 0;
    int sum = 0;
    for (const size_t host : hosts) {
      equal = equal && world.weights[host] == world.weights[hosts.front()];
      divisor = std::gcd(divisor, world.weights[host]);
      sum += static_cast<int>(world.weights[host]);
    }
    if (equal) {
      order_ = hosts;
    } else {
      std::vector<int> current(kHosts);
      for (int i = 0; i < sum / static_cast<int>(divisor); ++i) {
        size_t best = hosts.front();
        for (const size_t host : hosts) {
          current[host] += static_cast<int>(world.weights[host]);
          if (current[host] > current[best]) best = host;
        }
        current[best] -= sum;
        order_.push_back(best);
      }
    }
    if (!order_.empty()) position_ %= order_.size();
  }
  void check(const World&, size_t picked) override {
    ASSERT_EQ(picked, order_[position_]);
    position_ = (position_ + 1) % order_.size();
  }

 private:
  std::vector<size_t> order_;
  size_t position_ = 0;
};

TEST(DifferentialTest, RoundRobin) {
  run({.algorithm = Algorithm::RoundRobin}, [] { return std::make_unique<TurnsModel>(); });
}

// --- the least of something ---

class LeastModel final : public Model {
 public:
  explicit LeastModel(bool weighted) : weighted_(weighted) {}
  void check(const World& world, size_t picked) override {
    size_t best = kHosts;
    double least = 0;
    for (const size_t host : world.present()) {
      const double load = (world.active[host] + 1.0) / (weighted_ ? world.weights[host] : 1);
      if (best != kHosts && load > least - 1e-9) continue;
      best = host;
      least = load;
    }
    ASSERT_EQ(picked, best);
  }

 private:
  const bool weighted_;
};

TEST(DifferentialTest, LeastConnections) {
  run({.algorithm = Algorithm::LeastConnections},
      [] { return std::make_unique<LeastModel>(false); });
}

TEST(DifferentialTest, WeightedLeastConnections) {
  run({.algorithm = Algorithm::WeightedLeastConnections},
      [] { return std::make_unique<LeastModel>(true); });
}

// --- response times ---

class TimesModel : public Model {
 public:
  static constexpr double kMemory = 10;

  void onHosts(const World& world) override { world_hosts_ = world.present(); }
  void onResult(const World& world, size_t host, const Result& result) override {
    const double now = std::chrono::duration<double>(world.now.time_since_epoch()).count();
    const bool first = costs_.count(host) == 0;
    costs_[host] = next(host, now, now - last_[host], result, first);
    last_[host] = now;
    ++results_;
    if (results_ < kLookEvery || results_ % kLookEvery == 0) findMedian();
  }
  void check(const World& world, size_t picked) override {
    const double now = std::chrono::duration<double>(world.now.time_since_epoch()).count();
    const bool sampled = world.present().size() > kScannedHosts;
    if (++picks_ % kLookEvery == 0) {
      // A host that was long forgotten, if there is one among the next; else the best.
      const bool forgotten = costs_.count(picked) == 0 || now - last_[picked] >= kMemory - 1e-6;
      if (sampled || (forgotten && world.active[picked] == 0)) return;
    }
    if (sampled) return checkSample(world, picked);
    double least = HUGE_VAL;
    for (const size_t host : world.present()) {
      if (!capped(world, host) || everyoneCapped(world))
        least = std::min(least, score(world, host));
    }
    ASSERT_LE(score(world, picked), least * 1.001 + 1e-6);
    ASSERT_TRUE(!capped(world, picked) || everyoneCapped(world));
  }
  void finish() override { odds_.expectKept(); }

 protected:
  virtual double next(size_t host, double now, double pause, const Result& result, bool first) = 0;
  virtual double scoreOf(double cost, double active) const { return cost * active; }

  static double counted(const Result& result, double expected) {
    if (result.failed) return std::max(result.seconds, std::min(2 * expected, 60.0));
    return result.abandoned ? std::max(result.seconds, expected) : result.seconds;
  }
  double median_ = 0;
  std::map<size_t, double> costs_;

 private:
  bool capped(const World& world, size_t host) const {
    return costs_.count(host) == 0 && world.active[host] >= kColdRequests;
  }
  bool everyoneCapped(const World& world) const {
    for (const size_t host : world.present()) {
      if (!capped(world, host)) return false;
    }
    return true;
  }
  double score(const World& world, size_t host) const {
    const auto found = costs_.find(host);
    const double cost = found != costs_.end() ? found->second : (median_ > 0 ? median_ : 1);
    return scoreOf(cost, world.active[host] + 1.0) / world.weights[host];
  }
  // Cold hosts that have what they may have come last; of equal scores a cold one is first. The
  // policy counts in floats: what is as good as equal is equal.
  void checkSample(const World& world, size_t picked) {
    std::vector<std::tuple<bool, int64_t, bool>> ranks(world.weights.size());
    for (const size_t host : world.present()) {
      ranks[host] = {capped(world, host), std::llround(std::log(score(world, host)) * 1e5),
                     costs_.count(host) > 0};
    }
    odds_.add(test::oddsOfBest(kSampledHosts, world.weights, ranks), picked);
  }
  void findMedian() {
    std::vector<double> costs;
    for (const size_t host : world_hosts_) {
      if (costs_.count(host) > 0) costs.push_back(costs_[host]);
    }
    if (costs.empty()) return;
    std::sort(costs.begin(), costs.end());
    median_ = costs[costs.size() / 2];
  }

  test::Odds odds_;  // of large pools
  std::map<size_t, double> last_;
  std::vector<size_t> world_hosts_;
  uint64_t results_ = 0;
  uint64_t picks_ = 0;
};

class MeanModel final : public TimesModel {
  double next(size_t host, double /*now*/, double pause, const Result& result,
              bool first) override {
    const double before = first ? 0 : costs_[host];
    const double value = counted(result, first ? median_ : before);
    const double count = std::min(++counts_[host], 10);
    return before + (value - before) * std::max(1 / count, 1 - std::exp(-pause / kMemory));
  }
  std::map<size_t, int> counts_;
};

TEST(DifferentialTest, LeastResponseTime) {
  run({.algorithm = Algorithm::LeastResponseTime}, [] { return std::make_unique<MeanModel>(); });
}

class PeakModel final : public TimesModel {
  double next(size_t host, double /*now*/, double pause, const Result& result,
              bool first) override {
    const double before = first ? 0 : costs_[host];
    const double value = counted(result, first ? median_ : before);
    if (value >= before) return value;
    return value + (before - value) * std::exp(-pause / kMemory);
  }
};

TEST(DifferentialTest, PeakEwma) {
  run({.algorithm = Algorithm::PeakEwma}, [] { return std::make_unique<PeakModel>(); });
}

class WindowModel final : public TimesModel {
  double next(size_t host, double now, double /*pause*/, const Result& result,
              bool /*first*/) override {
    std::vector<Sample>& samples = samples_[host];
    const double ms = result.seconds * 1000;
    samples.push_back({now, result.abandoned ? std::max(ms, p99_[host]) : ms, result.failed});
    if (samples.size() > 100) samples.erase(samples.begin());
    while (now - samples.front().at > kMemory + 1e-9) samples.erase(samples.begin());
    std::vector<double> times;
    double failures = 0;
    for (const Sample& sample : samples) {
      times.push_back(sample.ms);
      failures += sample.failed ? 1 : 0;
    }
    std::sort(times.begin(), times.end());
    const auto rank =
        static_cast<size_t>(std::ceil(0.99 * static_cast<double>(times.size()) - 1e-9));
    p99_[host] = times[rank - 1];
    return .4 * p99_[host] + 30 * failures / static_cast<double>(times.size());
  }
  double scoreOf(double cost, double active) const override { return cost + .3 * active; }

  struct Sample {
    double at;
    double ms;
    bool failed;
  };
  std::map<size_t, std::vector<Sample>> samples_;
  std::map<size_t, double> p99_;
};

TEST(DifferentialTest, AdaptiveScore) {
  run({.algorithm = Algorithm::AdaptiveScore}, [] { return std::make_unique<WindowModel>(); });
}

// More than are looked through: the best of a sample. All of them still count for the median.
TEST(DifferentialTest, ScoresOfLargePools) {
  constexpr size_t kMany = 48;
  static_assert(kMany > kScannedHosts && kMany <= 2 * kScannedHosts);
  run(
      {.algorithm = Algorithm::LeastResponseTime}, [] { return std::make_unique<MeanModel>(); }, 1,
      kMany);
  run(
      {.algorithm = Algorithm::PeakEwma}, [] { return std::make_unique<PeakModel>(); }, 1, kMany);
  run(
      {.algorithm = Algorithm::AdaptiveScore}, [] { return std::make_unique<WindowModel>(); }, 1,
      kMany);
}

// --- chance ---

class OddsModel : public Model {
 public:
  void check(const World& world, size_t picked) override { odds_.add(odds(world), picked); }
  void finish() override { odds_.expectKept(); }

 protected:
  virtual std::vector<double> odds(const World& world) const = 0;
  static std::vector<double> byWeight(const World& world) {
    const double total = std::accumulate(world.weights.begin(), world.weights.end(), 0.0);
    std::vector<double> chances;
    for (const uint32_t weight : world.weights) chances.push_back(weight / total);
    return chances;
  }

 private:
  test::Odds odds_;
};

class RandomModel final : public OddsModel {
  std::vector<double> odds(const World& world) const override { return byWeight(world); }
};

TEST(DifferentialTest, Random) {
  run({.algorithm = Algorithm::Random}, [] { return std::make_unique<RandomModel>(); });
}

// Every pair of draws, and who wins it.
class TwoChoicesModel final : public OddsModel {
  std::vector<double> odds(const World& world) const override {
    const std::vector<double> drawn = byWeight(world);
    const auto hosts = world.present();
    std::vector<double> chances(kHosts);
    for (const size_t first : hosts) {
      for (const size_t second : hosts) {
        const bool second_wins = world.active[second] * world.weights[first] <
                                 world.active[first] * world.weights[second];
        chances[second_wins ? second : first] += drawn[first] * drawn[second];
      }
    }
    return chances;
  }
};

TEST(DifferentialTest, PowerOfTwo) {
  run({.algorithm = Algorithm::LeastRequest}, [] { return std::make_unique<TwoChoicesModel>(); });
}

// Any number of draws, and loads that count for more or less than the weights.
class ChoicesModel final : public OddsModel {
 public:
  ChoicesModel(size_t choices, double bias) : choices_(choices), bias_(bias) {}

 private:
  std::vector<double> odds(const World& world) const override {
    const std::vector<double> drawn = byWeight(world);
    const auto hosts = world.present();
    std::array<std::array<size_t, kHosts>, kHosts> better{};
    for (const size_t first : hosts) {
      for (const size_t second : hosts) {
        better[first][second] = lighter(world, second, first) ? second : first;
      }
    }
    // Who is the best so far, and how likely.
    std::vector<double> best = drawn;
    for (size_t draw = 1; draw < std::max<size_t>(2, std::min(choices_, hosts.size())); ++draw) {
      std::vector<double> next(kHosts);
      for (const size_t first : hosts) {
        for (const size_t second : hosts) {
          next[better[first][second]] += best[first] * drawn[second];
        }
      }
      best = next;
    }
    return best;
  }
  bool lighter(const World& world, size_t a, size_t b) const {
    if (world.weights[a] == world.weights[b]) {
      // Without a bias a load says nothing, but in a pool where all weigh the same.
      return (bias_ > 0 || equal(world)) && world.active[a] < world.active[b];
    }
    if (bias_ == 0) return false;
    return std::pow(world.active[a], bias_) * world.weights[b] <
           std::pow(world.active[b], bias_) * world.weights[a];
  }
  static bool equal(const World& world) {
    const auto hosts = world.present();
    return std::all_of(hosts.begin(), hosts.end(), [&](size_t host) {
      return world.weights[host] == world.weights[hosts.front()];
    });
  }

  const size_t choices_;
  const double bias_;
};

TEST(DifferentialTest, MoreChoicesAndOtherBiases) {
  for (const auto& [choices, bias] :
       {std::pair{2u, 0.5}, std::pair{3u, 2.0}, std::pair{6u, 1.0}, std::pair{100u, 0.0}}) {
    run({.algorithm = Algorithm::LeastRequest, .choices = choices, .active_request_bias = bias},
        [choices = choices, bias = bias] { return std::make_unique<ChoicesModel>(choices, bias); });
  }
  // 0: all are looked at.
  run({.algorithm = Algorithm::LeastRequest, .choices = 0},
      [] { return std::make_unique<LeastModel>(true); });
}

// --- hashes ---

std::string keyOf(size_t host) {
  return test::hostAddress(host).text();
}

class RingModel : public Model {
 public:
  static constexpr uint64_t kRingSize = 64;

  void onHosts(const World& world) override {
    ring_.clear();
    const auto hosts = world.present();
    double total = 0;
    double least = HUGE_VAL;
    for (const size_t host : hosts) {
      total += world.weights[host];
      least = std::min<double>(least, world.weights[host]);
    }
    const double scale = std::ceil(least / total * kRingSize) / (least / total);
    double target = 0;
    for (const size_t host : hosts) {
      target += scale * (world.weights[host] / total);
      for (int i = 0; static_cast<double>(ring_.size()) < target; ++i) {
        ring_.emplace(base::xxHash64(keyOf(host) + "_" + std::to_string(i)), host);
      }
    }
  }
  void check(const World& world, size_t picked) override { ASSERT_EQ(picked, ownerOf(world.hash)); }

 protected:
  size_t ownerOf(uint64_t hash) const {
    const auto next = ring_.lower_bound(hash);
    return next == ring_.end() ? ring_.begin()->second : next->second;
  }

  std::map<uint64_t, size_t> ring_;
};

class WeightRingModel final : public RingModel {
 public:
  static constexpr uint32_t kPoints = 7;

  void onHosts(const World& world) override {
    ring_.clear();
    for (const size_t host : world.present()) {
      for (uint32_t i = 0; i < kPoints * world.weights[host]; ++i) {
        ring_.emplace(base::xxHash64(keyOf(host) + "_" + std::to_string(i)), host);
      }
    }
  }
};

TEST(DifferentialTest, RingHash) {
  run({.algorithm = Algorithm::RingHash, .ring_min_size = RingModel::kRingSize},
      [] { return std::make_unique<RingModel>(); });
  run({.algorithm = Algorithm::RingHash, .ring_points_per_weight = WeightRingModel::kPoints},
      [] { return std::make_unique<WeightRingModel>(); });
}

class MaglevModel : public Model {
 public:
  static constexpr uint64_t kSize = 251;

  void onHosts(const World& world) override {
    const auto hosts = world.present();
    if (hosts.empty()) return;
    std::map<std::string, size_t> by_key;
    uint32_t heaviest = 0;
    for (const size_t host : hosts) {
      by_key[keyOf(host)] = host;
      heaviest = std::max(heaviest, world.weights[host]);
    }
    table_.assign(kSize, kHosts);
    std::map<size_t, uint64_t> step;
    std::map<size_t, uint32_t> turns;
    size_t filled = 0;
    for (uint32_t round = 1; filled < kSize; ++round) {
      for (const auto& [key, host] : by_key) {
        if (turns[host] >= round * world.weights[host] / heaviest || filled == kSize) continue;
        ++turns[host];
        uint64_t place = 0;
        do {
          place = (base::xxHash64(key) % kSize +
                   step[host]++ * (base::xxHash64(key, 1) % (kSize - 1) + 1)) %
                  kSize;
        } while (table_[place] != kHosts);
        table_[place] = host;
        ++filled;
      }
    }
  }
  void check(const World& world, size_t picked) override { ASSERT_EQ(picked, ownerOf(world.hash)); }

 protected:
  size_t ownerOf(uint64_t hash) const { return table_[hash % kSize]; }

 private:
  std::vector<size_t> table_;
};

TEST(DifferentialTest, Maglev) {
  run({.algorithm = Algorithm::Maglev, .maglev_table_size = MaglevModel::kSize},
      [] { return std::make_unique<MaglevModel>(); });
}

// The first host with room in the key's sequence; if there is none in its first sixteen, the first
// one behind the key's own.
template <class Table>
class Bounded final : public Table {
 public:
  explicit Bounded(uint64_t percent) : percent_(percent) {}

  void check(const World& world, size_t picked) override { ASSERT_EQ(picked, expected(world)); }

 private:
  size_t expected(const World& world) const {
    for (uint64_t probe = 0; probe < 16; ++probe) {
      const size_t host =
          this->ownerOf(probe == 0 ? world.hash : base::mixBits(world.hash + probe));
      if (hasRoom(world, host)) return host;
    }
    auto hosts = world.present();
    const auto own = std::find(hosts.begin(), hosts.end(), this->ownerOf(world.hash));
    std::rotate(hosts.begin(), own + 1, hosts.end());
    return *std::find_if(hosts.begin(), hosts.end(),
                         [&](size_t host) { return hasRoom(world, host); });
  }
  // Of all requests, this one included, a host's share times the percentage, rounded up.
  bool hasRoom(const World& world, size_t host) const {
    const auto total = std::accumulate(world.active.begin(), world.active.end(), uint64_t{1});
    const auto weights = std::accumulate(world.weights.begin(), world.weights.end(), uint64_t{0});
    const uint64_t share = percent_ * total * world.weights[host];
    return world.active[host] < (share + 100 * weights - 1) / (100 * weights);
  }

  const uint64_t percent_;
};

TEST(DifferentialTest, BoundedLoad) {
  for (const uint32_t percent : {100u, 125u, 200u}) {
    run({.algorithm = Algorithm::RingHash,
         .ring_min_size = RingModel::kRingSize,
         .hash_balance_percent = percent},
        [percent] { return std::make_unique<Bounded<RingModel>>(percent); });
    run({.algorithm = Algorithm::Maglev,
         .maglev_table_size = MaglevModel::kSize,
         .hash_balance_percent = percent},
        [percent] { return std::make_unique<Bounded<MaglevModel>>(percent); });
  }
}

// Hosts of equal weight: the remainder is the host. Else the hash is as good as a draw by weight,
// and always the same one.
class ModuloModel final : public OddsModel {
  std::vector<double> odds(const World& world) const override { return byWeight(world); }

 public:
  void check(const World& world, size_t picked) override {
    const auto hosts = world.present();
    const bool equal = std::all_of(hosts.begin(), hosts.end(), [&](size_t host) {
      return world.weights[host] == world.weights[hosts.front()];
    });
    if (!equal) return OddsModel::check(world, picked);
    ASSERT_EQ(picked, hosts[world.hash % hosts.size()]);
  }
};

TEST(DifferentialTest, IpHash) {
  run({.algorithm = Algorithm::IpHash}, [] { return std::make_unique<ModuloModel>(); });
}

}  // namespace
}  // namespace convoy::upstream::algorithms
