#include "proxy/http/manager_metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <type_traits>

namespace convoy::http {
namespace {

TEST(ManagerMetricsTest, NamesAFailureByItsReasonCode) {
  EXPECT_EQ(failureMetric(Failure::BadRequest).name, "downstream_rq_failed_bad_request");
  EXPECT_EQ(failureMetric(Failure::BadRequest).help, "Requests with the reason code bad_request");
  for (size_t i = 0; i < static_cast<size_t>(Failure::kCount); ++i) {
    const auto failure = static_cast<Failure>(i);
    EXPECT_EQ(failureMetric(failure).name,
              std::string("downstream_rq_failed_").append(info(failure).code));
  }
}

TEST(ManagerMetricsTest, AReasonOfTheCodecIsCountedUnderItsDetail) {
  ManagerMetrics metrics;
  metrics.countError(Protocol::Http11, "missing_host");
  metrics.countError(Protocol::Http10, "missing_host");
  metrics.countError(Protocol::Http2, info(H2Error::FloodPing).detail);
  metrics.countError(Protocol::Http2, info(H2Error::TooManyInformational).detail);
  for (const std::string_view other : {"", "none", "evil"}) {
    metrics.countError(Protocol::Http11, other);
    metrics.countError(Protocol::Http2, other);
  }
  std::map<std::string, uint64_t> counted;
  ManagerMetrics::visit(metrics, [&](std::string_view name, auto& metric, std::string_view) {
    if constexpr (std::is_same_v<decltype(metric), observe::Counter&>) {
      if (metric.value() != 0) counted.emplace(name, metric.value());
    }
  });
  EXPECT_EQ(counted,
            (std::map<std::string, uint64_t>{
                {"downstream_http1_error.missing_host", 2},
                {"downstream_http2_error." + std::string(info(H2Error::FloodPing).detail), 1}}));
}

std::map<std::string, uint64_t> flagsOf(const ManagerMetrics& metrics) {
  constexpr std::string_view kPrefix = "downstream_rq_response_flag.";
  std::map<std::string, uint64_t> flags;
  ManagerMetrics::visit(metrics, [&](std::string_view name, auto& metric, std::string_view) {
    if constexpr (std::is_same_v<decltype(metric), const observe::Counter&> ||
                  std::is_same_v<decltype(metric), observe::Counter&>) {
      if (name.starts_with(kPrefix)) flags.emplace(name.substr(kPrefix.size()), metric.value());
    }
  });
  return flags;
}

TEST(ManagerMetricsTest, AFlagCountsWhatItsFailuresCount) {
  ManagerMetrics metrics;
  for (size_t i = 1; i < metrics.failures.size(); ++i) metrics.failures[i].add(uint64_t{1} << i);
  metrics.retries_exhausted.add(5);
  std::map<std::string, uint64_t> expected{{"URX", 5}};
  for (size_t i = 1; i < metrics.failures.size(); ++i) {
    const std::string flag(info(static_cast<Failure>(i)).flag);
    if (!flag.empty()) expected[flag] += uint64_t{1} << i;
  }
  EXPECT_EQ(flagsOf(metrics), expected);
  EXPECT_EQ(expected.at("UF"),
            (uint64_t{1} << static_cast<size_t>(Failure::UpstreamConnectFailure)) +
                (uint64_t{1} << static_cast<size_t>(Failure::UpstreamConnectTimeout)) +
                (uint64_t{1} << static_cast<size_t>(Failure::UpstreamTransportFailure)));
  for (const auto& [flag, count] : flagsOf(ManagerMetrics())) EXPECT_EQ(count, 0U) << flag;
}

TEST(ManagerMetricsTest, VisitsEachMetricOnceUnderANameOfItsOwn) {
  ManagerMetrics metrics;
  std::map<std::string, const void*> names;
  std::set<const void*> places;
  size_t visited = 0;
  ManagerMetrics::visit(metrics, [&](std::string_view name, auto& metric, std::string_view help) {
    ++visited;
    names.emplace(name, &metric);
    // A flag's counter is made for the visit.
    if (!name.starts_with("downstream_rq_response_flag.")) places.insert(&metric);
    EXPECT_FALSE(help.empty()) << name;
  });
  EXPECT_EQ(names.size(), visited);
  EXPECT_EQ(places.size() + flagMetrics().size() + /*URX*/ 1, visited);
  // "None" is no failure.
  EXPECT_FALSE(names.contains("downstream_rq_failed_none"));
  EXPECT_EQ(names["downstream_rq_failed_bad_request"],
            &metrics.failures[static_cast<size_t>(Failure::BadRequest)]);
  EXPECT_EQ(names["downstream_rq_response_flag.URX"], &metrics.retries_exhausted);
  EXPECT_EQ(names["downstream_rq_1xx"], &metrics.downstream_rq_class[0]);
  EXPECT_EQ(names["downstream_rq_5xx"], &metrics.downstream_rq_class[4]);
  EXPECT_EQ(names["downstream_cx_total"], &metrics.downstream_cx_total);
}

}  // namespace
}  // namespace convoy::http
