// How long requests take under each load-balancing policy, by a simulation of the real policies on
// simulated time: one worker, backends that serve some requests at a time and let others queue,
// clients that give up after a second.
//   bazel run //tools/benchmark:balancing_simulation | python3 -m tools.benchmark.balancing
// Prints a JSON object: scenario -> policy -> {p50, p99, p999, failed} in milliseconds and per
// cent. The same seed gives the same figures.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/xxhash.h"
#include "proxy/event/random.h"
#include "proxy/upstream/algorithms/registry.h"
#include "proxy/upstream/host_set.h"

namespace convoy::upstream {
namespace {

constexpr size_t kBackends = 10;
constexpr size_t kSlots = 8;        // requests that a backend serves at a time
constexpr double kUsual = 0.01;     // mean seconds of service
constexpr double kPatience = 1;     // seconds until a client gives up
constexpr double kLoad = 0.6;       // of what ten usual backends can do
constexpr double kChangeAt = 20;    // when something happens
constexpr uint64_t kKeys = 10'000;  // of clients, equally busy

struct Scenario {
  const char* name;
  // Mean seconds of service of a backend, at a time since the start.
  double (*service)(size_t backend, double now);
  bool (*present)(size_t backend, double now);
  double (*failing)(size_t backend);  // share of requests that fail at once
  double until;                       // requests count from kChangeAt to here
};

double even(size_t, double) {
  return kUsual;
}
// All together as fast as ten usual ones.
double heterogeneous(size_t backend, double) {
  return backend < kBackends / 2 ? kUsual * 2 / 3 : kUsual * 2;
}
double oneSlow(size_t backend, double now) {
  return backend == 0 && now >= kChangeAt ? 10 * kUsual : kUsual;
}
// The last backend has empty caches for five seconds.
double oneCold(size_t backend, double now) {
  return backend == kBackends - 1 && now < kChangeAt + 5 ? 5 * kUsual : kUsual;
}
bool always(size_t, double) {
  return true;
}
bool lastLater(size_t backend, double now) {
  return backend != kBackends - 1 || now >= kChangeAt;
}
double never(size_t) {
  return 0;
}
double firstOften(size_t backend) {
  return backend == 0 ? 0.5 : 0;
}

constexpr Scenario kScenarios[] = {
    {"even", even, always, never, 50},
    {"heterogeneous", heterogeneous, always, never, 50},
    {"one slow", oneSlow, always, never, 50},
    {"one cold", oneCold, lastLater, never, kChangeAt + 10},
    {"one failing", even, always, firstOften, 50},
};

struct Policy {
  const char* name;
  BalancingSpec spec;
  // In "heterogeneous" the weights say how fast the backends are.
  bool weighted = false;
};

const Policy kPolicies[] = {
    {"random", {.algorithm = Algorithm::Random}},
    {"round_robin", {.algorithm = Algorithm::RoundRobin}},
    {"weighted_round_robin", {.algorithm = Algorithm::RoundRobin}, true},
    {"power_of_two", {.algorithm = Algorithm::LeastRequest}},
    {"least_connections", {.algorithm = Algorithm::LeastConnections}},
    {"weighted_least_connections", {.algorithm = Algorithm::WeightedLeastConnections}, true},
    {"least_response_time", {.algorithm = Algorithm::LeastResponseTime}},
    {"peak_ewma", {.algorithm = Algorithm::PeakEwma}},
    {"adaptive", {.algorithm = Algorithm::AdaptiveScore}},
    {"ip_hash", {.algorithm = Algorithm::IpHash}},
    {"consistent_hash", {.algorithm = Algorithm::RingHash, .ring_points_per_weight = 150}},
    {"maglev", {.algorithm = Algorithm::Maglev}},
    {"maglev, at most 125 %", {.algorithm = Algorithm::Maglev, .hash_balance_percent = 125}},
};

struct Request {
  double arrived = 0;
  size_t backend = 0;
  bool in_total = false;
  bool counted = false;
  bool answered = false;  // or given up
};

class Simulation {
 public:
  Simulation(const Scenario& scenario, const Policy& policy)
      : scenario_(scenario),
        weighted_(policy.weighted),
        make_table_(algorithms::hashTableMaker(policy.spec)),
        policy_(algorithms::makeLoadBalancer(policy.spec, 0, 1)) {
    for (uint32_t i = 0; i < kBackends; ++i) {
      const auto address = net::Address::fromIp("10.0.0." + std::to_string(i + 1), 80).value();
      hosts_.push_back(std::make_shared<Host>(address, i, 1));
    }
  }

  void run() {
    constexpr double kRate = kLoad * kBackends * kSlots / kUsual;
    publish(0);
    bool changed = false;
    double next = pause(1 / kRate);
    while (next < scenario_.until) {
      if (!events_.empty() && events_.top().at <= next) {
        const Event event = events_.top();
        events_.pop();
        handle(event);
        continue;
      }
      if (!changed && next >= kChangeAt) {
        publish(next);
        changed = true;
      }
      begin(next);
      next += pause(1 / kRate);
    }
  }

  double quantile(double q) {
    const size_t rank = static_cast<size_t>(std::ceil(q * static_cast<double>(times_.size()))) - 1;
    std::nth_element(times_.begin(), times_.begin() + static_cast<ptrdiff_t>(rank), times_.end());
    return times_[rank] * 1000;
  }
  double failedPercent() const {
    return 100 * static_cast<double>(failed_) / static_cast<double>(times_.size());
  }

 private:
  struct Event {
    enum class Kind : uint8_t { Served, FailedAtOnce, GivenUp };
    double at;
    size_t request;
    Kind kind;
    bool operator>(const Event& other) const { return at > other.at; }
  };

  static event::MonotonicTime timeOf(double seconds) {
    return event::MonotonicTime(
        std::chrono::duration_cast<event::Duration>(std::chrono::duration<double>(seconds + 1000)));
  }
  double uniform() { return static_cast<double>(random_.next() >> 11) * 0x1p-53; }
  double pause(double mean) { return -mean * std::log(1 - uniform()); }

  void publish(double now) {
    std::vector<HostSet::Entry> entries;
    for (size_t i = 0; i < kBackends; ++i) {
      if (!scenario_.present(i, now)) continue;
      const bool fast = weighted_ && scenario_.service(i, 0) < kUsual;
      entries.push_back({hosts_[i].get(), fast ? 3U : 1U});
    }
    auto set = std::make_unique<const HostSet>(std::move(entries), make_table_);
    policy_->setHosts(*set);
    set_ = std::move(set);
  }

  void begin(double now) {
    PickContext context{.random = random_,
                        .tried = {},
                        .hash = base::mixBits(random_.below(kKeys) + 1),
                        .now = timeOf(now),
                        .cluster_active = &cluster_active_};
    const Pick pick = policy_->pick(context);
    const size_t backend = pick.host->slot();
    const size_t request = requests_.size();
    requests_.push_back(
        {.arrived = now, .backend = backend, .in_total = pick.in_total, .counted = pick.counted});
    if (uniform() < scenario_.failing(backend)) {
      events_.push({now + 0.001, request, Event::Kind::FailedAtOnce});
      return;
    }
    events_.push({now + kPatience, request, Event::Kind::GivenUp});
    if (busy_[backend] < kSlots) {
      ++busy_[backend];
      serve(request, now);
    } else {
      queues_[backend].push_back(request);
    }
  }

  void serve(size_t request, double now) {
    const double mean = scenario_.service(requests_[request].backend, now);
    events_.push({now + pause(mean), request, Event::Kind::Served});
  }

  void handle(const Event& event) {
    if (!requests_[event.request].answered) answer(event);
    if (event.kind == Event::Kind::Served) takeNext(requests_[event.request].backend, event.at);
  }

  void answer(const Event& event) {
    Request& request = requests_[event.request];
    request.answered = true;
    const bool failed = event.kind != Event::Kind::Served;
    if (request.counted) hosts_[request.backend]->active() -= 1;
    if (request.in_total) cluster_active_ -= 1;
    policy_->onResult(*hosts_[request.backend], {.failed = failed,
                                                 .took = timeOf(event.at) - timeOf(request.arrived),
                                                 .now = timeOf(event.at)});
    if (request.arrived < kChangeAt) return;
    times_.push_back(event.at - request.arrived);
    failed_ += failed ? 1 : 0;
  }

  // Of those whose clients still wait.
  void takeNext(size_t backend, double now) {
    auto& queue = queues_[backend];
    while (!queue.empty() && requests_[queue.front()].answered) queue.pop_front();
    if (queue.empty()) {
      --busy_[backend];
      return;
    }
    serve(queue.front(), now);
    queue.pop_front();
  }

  const Scenario& scenario_;
  const bool weighted_;
  const MakeHashTable make_table_;
  const std::unique_ptr<LoadBalancer> policy_;
  event::Random random_{1};
  std::vector<std::shared_ptr<Host>> hosts_;
  std::unique_ptr<const HostSet> set_;
  std::atomic<uint32_t> cluster_active_{0};
  std::vector<Request> requests_;
  size_t busy_[kBackends] = {};
  std::deque<size_t> queues_[kBackends];
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<double> times_;
  size_t failed_ = 0;
};

void report() {
  std::printf("{");
  const char* scenario_comma = "\n";
  for (const Scenario& scenario : kScenarios) {
    std::printf("%s \"%s\": {", scenario_comma, scenario.name);
    scenario_comma = ",\n";
    const char* comma = "\n";
    for (const Policy& policy : kPolicies) {
      Simulation simulation(scenario, policy);
      simulation.run();
      std::printf("%s  \"%s\": {\"p50\": %.2f, \"p99\": %.2f, \"p999\": %.2f, \"failed\": %.2f}",
                  comma, policy.name, simulation.quantile(.5), simulation.quantile(.99),
                  simulation.quantile(.999), simulation.failedPercent());
      comma = ",\n";
    }
    std::printf("}");
  }
  std::printf("\n}\n");
}

}  // namespace
}  // namespace convoy::upstream

int main() {
  convoy::upstream::report();
}
