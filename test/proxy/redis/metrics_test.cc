#include "proxy/redis/metrics.h"

#include <gtest/gtest.h>

namespace convoy::redis {
namespace {

TEST(RedisMetricsTest, ClientsOfOneClusterShareAGroupAsLongAsThereAreAny) {
  observe::MetricRegistry registry;
  ClientMetricGroups groups(registry, 2);
  auto first = groups.of("a");
  EXPECT_EQ(groups.of("a"), first);
  EXPECT_NE(groups.of("b"), first);
  EXPECT_EQ(first->labels(), (observe::Labels{{"envoy_cluster_name", "a"}}));
  first->slot(0).hits.add();
  first->slot(1).hits.add();
  EXPECT_EQ(groups.of("a")->slot(1).hits.value(), 1u);
  first.reset();
  EXPECT_EQ(groups.of("a")->slot(1).hits.value(), 0u) << "nobody held it";
}

}  // namespace
}  // namespace convoy::redis
