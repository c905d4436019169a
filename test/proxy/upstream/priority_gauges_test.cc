#include "proxy/upstream/priority_gauges.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace convoy::upstream {
namespace {

// Gauges that are read by name, as the admin endpoint does: "CLUSTER.PRIORITY.NAME".
class Reader final : public observe::MetricReader {
 public:
  void counter(std::string_view, const observe::Labels&, std::string_view, std::string_view,
               uint64_t) override {}
  void gauge(std::string_view, const observe::Labels& labels, std::string_view name,
             std::string_view, int64_t value) override {
    gauges[labels.at(0).second + "." + labels.at(1).second + "." + std::string(name)] = value;
  }
  void histogram(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                 const observe::HistogramSnapshot&) override {}

  std::map<std::string, int64_t> gauges;
};

class PriorityGaugesTest : public testing::Test {
 protected:
  using Gauges = std::map<std::string, int64_t>;
  using Priorities = std::map<uint32_t, Membership::PriorityCounts>;

  Gauges shown(const Priorities& priorities) {
    Membership::Counts counts;
    counts.by_priority = priorities;
    gauges_.show(counts);
    Reader reader;
    registry_.read(reader);
    return reader.gauges;
  }

  observe::MetricRegistry registry_;
  PriorityGauges gauges_{registry_, "web"};
};

TEST_F(PriorityGaugesTest, OnlyWhereThereAreSeveral) {
  EXPECT_TRUE(shown({}).empty());
  EXPECT_TRUE(shown({{0, {.total = 3, .healthy = 2, .degraded = 1}}}).empty());
  EXPECT_EQ(shown({{0, {.total = 3, .healthy = 1, .degraded = 1}}, {1, {.total = 2}}}),
            (Gauges{{"web.0.priority_total", 3},
                    {"web.0.priority_healthy", 1},
                    {"web.0.priority_degraded", 1},
                    {"web.1.priority_total", 2},
                    {"web.1.priority_healthy", 0},
                    {"web.1.priority_degraded", 0}}));
}

TEST_F(PriorityGaugesTest, PrioritiesComeAndGo) {
  shown({{0, {.total = 3, .healthy = 3}}, {1, {.total = 2, .healthy = 2}}});
  const Gauges now = shown({{1, {.total = 2, .healthy = 1}}, {2, {.total = 4, .healthy = 4}}});
  EXPECT_FALSE(now.contains("web.0.priority_total"));
  EXPECT_EQ(now.at("web.1.priority_healthy"), 1);
  EXPECT_EQ(now.at("web.2.priority_total"), 4);
  EXPECT_TRUE(shown({{1, {.total = 2, .healthy = 2}}}).empty());
}

}  // namespace
}  // namespace convoy::upstream
