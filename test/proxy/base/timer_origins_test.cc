#include "proxy/base/timer_origins.h"

#include <gtest/gtest.h>

#include <set>

namespace convoy::base {
namespace {

class TimerOriginsTest : public testing::Test {
 protected:
  Arena arena_;
};

TEST_F(TimerOriginsTest, NamesFileAndLine) {
  TimerOrigins origins("envoy.yaml");
  origins.setInFile(Timer::Response, 31);
  EXPECT_EQ(origins.text(Timer::Response, arena_), "envoy.yaml:31");
  EXPECT_EQ(origins.text(Timer::RouteIdle, arena_), "default");
}

TEST_F(TimerOriginsTest, NamesResourceAndField) {
  TimerOrigins route("RouteConfiguration/web:virtual_hosts[0].routes[3]");
  route.setInResource(Timer::Response);
  EXPECT_EQ(route.text(Timer::Response, arena_),
            "RouteConfiguration/web:virtual_hosts[0].routes[3].route.timeout");
  TimerOrigins cluster("Cluster/web:");
  cluster.setInResource(Timer::Connect);
  EXPECT_EQ(cluster.text(Timer::Connect, arena_), "Cluster/web:connect_timeout");
}

TEST_F(TimerOriginsTest, NamesWhatAPersonWrote) {
  TimerOrigins route("listener/public:routes[2]");
  route.setInSource(Timer::RouteStreamDuration);
  EXPECT_EQ(route.text(Timer::RouteStreamDuration, arena_),
            "listener/public:routes[2].max_stream_duration");
  EXPECT_EQ(route.text(Timer::Response, arena_), "default");
}

TEST_F(TimerOriginsTest, IsDefaultWhereNothingIsSet) {
  EXPECT_EQ(TimerOrigins().text(Timer::Response, arena_), "default");
}

TEST_F(TimerOriginsTest, NamesCannotSplitALine) {
  TimerOrigins origins("Cluster/a b\n\x7f:");
  origins.setInResource(Timer::Connect);
  EXPECT_EQ(origins.text(Timer::Connect, arena_), "Cluster/a_b__:connect_timeout");
}

TEST_F(TimerOriginsTest, EachTimerHasAFieldOfItsOwn) {
  std::set<std::string_view> fields;
  const auto count = static_cast<size_t>(Timer::kCount);
  for (size_t i = 0; i < count; ++i) fields.insert(fieldOf(static_cast<Timer>(i)));
  EXPECT_EQ(fields.size(), count);
  EXPECT_EQ(fields.count(""), 0u);
}

}  // namespace
}  // namespace convoy::base
