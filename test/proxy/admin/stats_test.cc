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
  observe::MetricGroup<Metrics> group_{registry_, "cluster", {{"envoy_cluster_name", "we\"b"}}, 2};
};

TEST_F(StatsTest, WritesEnvoysLines) {
  const std::string text = renderStats(registry_, "");
  EXPECT_NE(text.find("cluster.we\"b.hits: 5\n"), std::string::npos) << text;
  EXPECT_NE(text.find("cluster.we\"b.open: 7\n"), std::string::npos) << text;
  EXPECT_EQ(renderStats(registry_, "open"), "cluster.we\"b.open: 7\n");
}

TEST_F(StatsTest, ShowsWhatIsChosen) {
  observe::MetricGroup<Metrics> unused(registry_, "cluster", {{"envoy_cluster_name", "idle"}}, 1);
  const RE2 name("^cluster.idle.*n$");
  EXPECT_EQ(renderStats(registry_, {.name = &name}), "cluster.idle.open: 0\n");
  EXPECT_EQ(renderStats(registry_, {.name = &name, .used_only = true}), "");
  const std::string used = renderPrometheus(registry_, {.name = nullptr, .used_only = true});
  EXPECT_NE(used.find("we\\\"b"), std::string::npos) << used;
  EXPECT_EQ(used.find("idle"), std::string::npos) << used;
  EXPECT_NE(renderStats(registry_, "").find("cluster.idle.took: No recorded values\n"),
            std::string::npos);
}

TEST_F(StatsTest, WritesPrometheusText) {
  const std::string text = renderPrometheus(registry_);
  EXPECT_NE(text.find("# HELP envoy_cluster_hits How often\n# TYPE envoy_cluster_hits counter\n"
                      "envoy_cluster_hits{envoy_cluster_name=\"we\\\"b\"} 5\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("# TYPE envoy_cluster_open gauge\n"), std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_bucket{envoy_cluster_name=\"we\\\"b\",le=\"1\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("envoy_cluster_took_bucket{envoy_cluster_name=\"we\\\"b\",le=\"+Inf\"} 2\n"),
            std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_count{envoy_cluster_name=\"we\\\"b\"} 2\n"),
            std::string::npos);
  EXPECT_NE(text.find("envoy_cluster_took_sum{envoy_cluster_name=\"we\\\"b\"} 40.9\n"),
            std::string::npos)
      << text;
}

struct Classes {
  observe::Counter ok, failed, other, flagged, refused;
  template <class Self, class Visitor>
  static void visit(Self& m, Visitor&& v) {
    v("upstream_rq_2xx", m.ok, "By class");
    v("upstream_rq_5xx", m.failed, "By class");
    v("upstream_rq_6xx", m.other, "No class");
    v("downstream_rq_response_flag.UF", m.flagged, "By flag");
    v("downstream_http1_error.bare_lf", m.refused, "By reason");
  }
};

// As Envoy's tags: dashboards made for it ask for these names and labels.
TEST(StatsLabelTest, WhatANameEndsInIsALabel) {
  observe::MetricRegistry registry;
  observe::MetricGroup<Classes> group(registry, "cluster", {{"envoy_cluster_name", "web"}}, 1);
  group.slot(0).failed.add(3);
  group.slot(0).flagged.add(4);
  group.slot(0).refused.add(5);
  EXPECT_EQ(renderPrometheus(registry),
            "# HELP envoy_cluster_downstream_http1_error By reason\n"
            "# TYPE envoy_cluster_downstream_http1_error counter\n"
            "envoy_cluster_downstream_http1_error{envoy_cluster_name=\"web\","
            "reason=\"bare_lf\"} 5\n"
            "# HELP envoy_cluster_downstream_rq_response_flag By flag\n"
            "# TYPE envoy_cluster_downstream_rq_response_flag counter\n"
            "envoy_cluster_downstream_rq_response_flag{envoy_cluster_name=\"web\","
            "response_flag=\"UF\"} 4\n"
            "# HELP envoy_cluster_upstream_rq_6xx No class\n"
            "# TYPE envoy_cluster_upstream_rq_6xx counter\n"
            "envoy_cluster_upstream_rq_6xx{envoy_cluster_name=\"web\"} 0\n"
            "# HELP envoy_cluster_upstream_rq_xx By class\n"
            "# TYPE envoy_cluster_upstream_rq_xx counter\n"
            "envoy_cluster_upstream_rq_xx{envoy_cluster_name=\"web\","
            "envoy_response_code_class=\"2\"} 0\n"
            "envoy_cluster_upstream_rq_xx{envoy_cluster_name=\"web\","
            "envoy_response_code_class=\"5\"} 3\n");
  EXPECT_EQ(renderStats(registry, "5xx"), "cluster.web.upstream_rq_5xx: 3\n");
}

}  // namespace
}  // namespace convoy::admin
