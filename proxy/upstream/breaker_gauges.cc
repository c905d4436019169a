#include "proxy/upstream/breaker_gauges.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/upstream/retry_budget.h"

namespace convoy::upstream {

namespace {

constexpr double kNoBudget = -1;

}  // namespace

BreakerGauges::BreakerGauges(observe::MetricRegistry& registry, observe::Labels labels,
                             const Breakers& breakers, std::function<int64_t(Priority)> under_way)
    : registry_(registry),
      labels_(std::move(labels)),
      breakers_(breakers),
      under_way_(std::move(under_way)) {
  setLimits(ClusterSpec());
  registry_.add(this);
}

BreakerGauges::~BreakerGauges() {
  registry_.remove(this);
}

void BreakerGauges::setLimits(const ClusterSpec& spec) {
  for (const Priority priority : {Priority::Default, Priority::High}) {
    const CircuitBreakers& of = spec.breakersOf(priority);
    Limits& limits = limits_[static_cast<size_t>(priority)];
    limits.connections = of.max_connections;
    limits.pending = of.max_pending_requests;
    limits.requests = of.max_requests;
    limits.retries = of.max_retries;
    limits.budget_percent = of.retry_budget.has_value() ? of.retry_budget->percent : kNoBudget;
    limits.budget_least = of.retry_budget.has_value() ? of.retry_budget->min_concurrency : 0;
    limits.track_remaining = of.track_remaining;
  }
}

uint32_t BreakerGauges::retriesOf(Priority priority, const Limits& limits) const {
  const double percent = limits.budget_percent;
  if (percent < 0) return limits.retries;
  CircuitBreakers with;
  with.retry_budget = RetryBudget{.percent = percent, .min_concurrency = limits.budget_least};
  return mostRetries(with, under_way_(priority));
}

void BreakerGauges::read(observe::MetricReader& reader) const {
  readOf(Priority::Default, reader);
  readOf(Priority::High, reader);
}

void BreakerGauges::readOf(Priority priority, observe::MetricReader& reader) const {
  const std::string prefix =
      priority == Priority::High ? "circuit_breakers.high." : "circuit_breakers.default.";
  const PriorityBreakers& counts = breakers_.of(priority);
  const Limits& limits = limits_[static_cast<size_t>(priority)];
  struct Row {
    const char* open;
    const char* open_help;
    const char* remaining;  // null: not shown
    const char* remaining_help;
    uint32_t used;
    uint32_t most;
  };
  const bool has_budget = limits.budget_percent >= 0;
  const Row rows[] = {
      {"cx_open", "1 while there may be no more connections", "remaining_cx",
       "Connections until the limit", counts.connections.used(), limits.connections},
      {"rq_pending_open", "1 while no more requests may wait for a connection", "remaining_pending",
       "Waiting requests until the limit", counts.pending.used(), limits.pending},
      {"rq_open", "1 while there may be no more requests under way", "remaining_rq",
       "Requests until the limit", counts.requests.used(), limits.requests},
      {"rq_retry_open", "1 while there may be no more retries under way",
       has_budget ? nullptr : "remaining_retries", "Retries until the limit", counts.retries.used(),
       retriesOf(priority, limits)},
  };
  for (const Row& row : rows) {
    reader.gauge("cluster", labels_, prefix + row.open, row.open_help, row.used >= row.most);
    if (!limits.track_remaining || row.remaining == nullptr) continue;
    reader.gauge("cluster", labels_, prefix + row.remaining, row.remaining_help,
                 row.most - std::min(row.used, row.most));
  }
}

}  // namespace convoy::upstream
