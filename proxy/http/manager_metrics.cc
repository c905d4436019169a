#include "proxy/http/manager_metrics.h"

#include <algorithm>

namespace convoy::http {

namespace {

constexpr size_t kFailures = static_cast<size_t>(Failure::kCount);

}  // namespace

const FailureMetric& failureMetric(Failure failure) {
  static const auto* const kMetrics = [] {
    auto* metrics = new std::array<FailureMetric, kFailures>;
    for (size_t i = 0; i < kFailures; ++i) {
      const std::string code(info(static_cast<Failure>(i)).code);
      (*metrics)[i] = {"downstream_rq_failed_" + code, "Requests with the reason code " + code};
    }
    return metrics;
  }();
  return (*kMetrics)[static_cast<size_t>(failure)];
}

const std::vector<FlagMetric>& flagMetrics() {
  static const auto* const kMetrics = [] {
    auto* metrics = new std::vector<FlagMetric>;
    for (size_t i = 0; i < kFailures; ++i) {
      const FailureInfo& failure = info(static_cast<Failure>(i));
      if (failure.flag.empty()) continue;
      const std::string name = "downstream_rq_response_flag." + std::string(failure.flag);
      auto same = std::find_if(metrics->begin(), metrics->end(),
                               [&](const FlagMetric& metric) { return metric.name == name; });
      if (same == metrics->end()) same = metrics->insert(same, FlagMetric{name, {}});
      same->failures.push_back(failure.failure);
    }
    return metrics;
  }();
  return *kMetrics;
}

}  // namespace convoy::http
