#include "proxy/admin/stats.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::admin {
namespace {

struct Metrics {
  observe::Counter hits;
  observe::Gauge open;
  observe::Histogram took;
  template <class Self, class Visitor>
  static void visit(Self& m, Visitor&& v) {
    v("hits", m.hits, "How often");
    v("open", m.open, "How many");
    v("took", m.took, "How long");
  }
};

class StatsTest : public testing::Test {
 protected:
  StatsTest() {
    group_.slot(0).hits.add(2);
    group_.slot(1).hits.add(3);
    group_.slot(0).open.add(7);
    group_.slot(0).took.record(900);
    group_.slot(1).took.record(40'000);
  }
  observe::MetricRegistry registry_;
  observe::MetricGroup<Metrics> group_{registry_, "cluster", {{"name", "we\"b"}}, 2};
};

TEST_F(StatsTest, WritesEnvoysLines) {
  const std::string text = renderStats(registry_, "");
  EXPECT_NE(text.find("cluster.we\"b.hits: 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("cluster.we\"b.open: 7\n"), std::string::npos) << text;
  EXPECT_EQ(renderStats(registry_, "open"), "cluster.we\"b.open: 7\n");
}

TEST_F(StatsTest, WritesPrometheusText) {
  const std::string text = renderPrometheus(registry_);
  EXPECT_NE(text.find("# HELP envoy_cluster_hits How often\n# TYPE envoy_cluster_hits counter\n"
                      "envoy_cluster_hits{name=\"we\\\"b\"} 5\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE envoy_cluster_open gauge\n"), std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_bucket{name=\"we\\\"b\",le=\"1\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("envoy_cluster_took_bucket{name=\"we\\\"b\",le=\"+Inf\"} 2\n"),
            std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_count{name=\"we\\\"b\"} 2\n"), std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_sum{name=\"we\\\"b\"} 40.9\n"), std::string::npos)
      << text;
}

}  // namespace
}  // namespace convoy::admin
