#include "proxy/http/manager_metrics.h"

#include <algorithm>

namespace convoy::http {

namespace {

constexpr size_t kFailures = static_cast<size_t>(Failure::kCount);

template <class Error>
std::vector<FailureMetric> errorMetrics(const std::string& prefix, size_t count) {
  std::vector<FailureMetric> metrics;
  for (size_t i = 0; i < count; ++i) {
    const auto& error = info(static_cast<Error>(i));
    metrics.push_back({prefix + std::string(error.detail),
                       "Times that something of a client's was refused for a reason of the codec"});
  }
  return metrics;
}

}  // namespace

const std::vector<FailureMetric>& h1ErrorMetrics() {
  static const auto* const kMetrics = new std::vector<FailureMetric>(
      errorMetrics<H1Error>("downstream_http1_error.", kH1RequestErrors));
  return *kMetrics;
}

const std::vector<FailureMetric>& h2ErrorMetrics() {
  static const auto* const kMetrics = new std::vector<FailureMetric>(
      errorMetrics<H2Error>("downstream_http2_error.", kH2RequestErrors));
  return *kMetrics;
}

void ManagerMetrics::countError(Protocol protocol, std::string_view detail) {
  if (protocol == Protocol::Http2) {
    const auto error = static_cast<size_t>(h2ErrorOf(detail));
    if (error > 0 && error < kH2RequestErrors) h2_errors[error].add();
    return;
  }
  const auto error = static_cast<size_t>(h1ErrorOf(detail));
  if (error > 0 && error < kH1RequestErrors) h1_errors[error].add();
}

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
