#include "proxy/http/manager_metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace convoy::http {
namespace {

TEST(ManagerMetricsTest, NamesAFailureByItsReasonCode) {
  EXPECT_EQ(failureMetricName(Failure::BadRequest), "downstream_rq_failed_bad_request");
  for (size_t i = 0; i < static_cast<size_t>(Failure::kCount); ++i) {
    const auto failure = static_cast<Failure>(i);
    EXPECT_EQ(failureMetricName(failure),
              std::string("downstream_rq_failed_").append(info(failure).code));
  }
}

TEST(ManagerMetricsTest, VisitsEachMetricOnceUnderANameOfItsOwn) {
  ManagerMetrics metrics;
  std::map<std::string, const void*> names;
  std::set<const void*> places;
  size_t visited = 0;
  ManagerMetrics::visit(metrics, [&](std::string_view name, auto& metric, std::string_view help) {
    ++visited;
    names.emplace(name, &metric);
    places.insert(&metric);
    EXPECT_FALSE(help.empty()) << name;
  });
  EXPECT_EQ(names.size(), visited);
  EXPECT_EQ(places.size(), visited);
  // "None" is no failure.
  EXPECT_FALSE(names.contains("downstream_rq_failed_none"));
  EXPECT_EQ(names["downstream_rq_failed_bad_request"],
            &metrics.failures[static_cast<size_t>(Failure::BadRequest)]);
  EXPECT_EQ(names["downstream_rq_1xx"], &metrics.downstream_rq_class[0]);
  EXPECT_EQ(names["downstream_rq_5xx"], &metrics.downstream_rq_class[4]);
  EXPECT_EQ(names["downstream_cx_total"], &metrics.downstream_cx_total);
}

}  // namespace
}  // namespace convoy::http
