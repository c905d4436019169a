#include "proxy/http/timer_origin.h"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

using base::Timer;

class TimerOriginTest : public testing::Test {
 protected:
  TimerOriginTest() {
    manager_ = base::TimerOrigins("m");
    route_ = base::TimerOrigins("r");
    // Each timer on a line of its own.
    for (uint32_t i = 0; i < static_cast<uint32_t>(Timer::kCount); ++i) {
      manager_.setInFile(static_cast<Timer>(i), 1 + i);
      route_.setInFile(static_cast<Timer>(i), 1 + i);
    }
  }
  static std::string line(const char* file, Timer timer) {
    return std::string(file) + ':' + std::to_string(1 + static_cast<int>(timer));
  }
  std::string_view of(Failure failure, DurationSource source = DurationSource::Manager,
                      bool routed = true) {
    return timerOrigin(failure, manager_, routed ? &route_ : nullptr, source, arena_);
  }

  base::TimerOrigins manager_;
  base::TimerOrigins route_;
  base::Arena arena_;
};

TEST_F(TimerOriginTest, EachFailureHasItsTimer) {
  EXPECT_EQ(of(Failure::RequestHeaderTimeout), line("m", Timer::RequestHeaders));
  EXPECT_EQ(of(Failure::RequestTimeout), line("m", Timer::Request));
  EXPECT_EQ(of(Failure::StreamIdleTimeout), line("m", Timer::StreamIdle));
  EXPECT_EQ(of(Failure::RouteIdleTimeout), line("r", Timer::RouteIdle));
  EXPECT_EQ(of(Failure::TunnelIdleTimeout), line("r", Timer::TunnelIdle));
  EXPECT_EQ(of(Failure::UpstreamFirstByteTimeout), line("r", Timer::FirstByte));
  EXPECT_EQ(of(Failure::UpstreamResponseTimeout), line("r", Timer::Response));
}

TEST_F(TimerOriginTest, AStreamsDurationHasThreeSources) {
  const Failure failure = Failure::MaxStreamDuration;
  EXPECT_EQ(of(failure, DurationSource::Manager), line("m", Timer::ManagerStreamDuration));
  EXPECT_EQ(of(failure, DurationSource::Route), line("r", Timer::RouteStreamDuration));
  EXPECT_EQ(of(failure, DurationSource::Client), "grpc-timeout");
}

TEST_F(TimerOriginTest, OthersHaveNone) {
  EXPECT_EQ(of(Failure::UpstreamReset), "");
  EXPECT_EQ(of(Failure::UpstreamConnectTimeout), "") << "the cluster's, which is not known here";
  EXPECT_EQ(of(Failure::UpstreamResponseTimeout, DurationSource::Manager, false), "");
}

TEST_F(TimerOriginTest, AConnectionsTimeHasItsName) {
  EXPECT_EQ(connectionTimer(Timer::ConnectionIdle, manager_),
            "idle_timeout{" + line("m", Timer::ConnectionIdle) + "}");
  EXPECT_EQ(connectionTimer(Timer::ConnectionAge, manager_),
            "max_connection_duration{" + line("m", Timer::ConnectionAge) + "}");
}

TEST_F(TimerOriginTest, DetailsAreTheCodeAndTheOrigin) {
  EXPECT_EQ(detailsOfTimer(Failure::RequestTimeout, "envoy.yaml:31", arena_),
            "request_timeout{envoy.yaml:31}");
}

}  // namespace
}  // namespace convoy::http
