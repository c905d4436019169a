#include "proxy/upstream/outlier/recorder.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

using std::chrono::microseconds;

// One host and two workers, who tell main by writing it down here.
class RecorderTest : public testing::Test {
 protected:
  RecorderTest() {
    spec_.consecutive_5xx = 3;
    spec_.consecutive_gateway_failure = 2;
    spec_.consecutive_local_origin_failure = 2;
    spec_.on = true;
    configure();
  }
  void configure() {
    for (Recorder& worker : workers_) worker.configure(spec_);
  }
  void note(size_t worker, const Outcome& outcome, uint32_t probe = Streaks::kNoProbe) {
    workers_[worker].note(*host_, host_->metrics(worker), outcome, probe);
  }
  void answer(size_t worker, uint16_t status, uint32_t probe = Streaks::kNoProbe) {
    note(worker, Outcome::answered(status, {}), probe);
  }
  // "s": server errors, "g": gateway failures, "l": local failures; as told since the last call.
  std::string told() { return std::exchange(told_, {}); }
  int64_t sum(observe::Counter HostMetrics::*counter) { return host_->sum(counter); }

  RecordingSpec spec_;
  std::shared_ptr<Host> host_ = std::make_shared<Host>(test::hostAddress(1), 0, 2);
  std::string told_;
  TellStreak tell_ = [this](const std::shared_ptr<const Host>& host, Streak streak) {
    EXPECT_EQ(host, host_);
    told_ += "sglf"[static_cast<size_t>(streak)];
  };
  TellProbe tell_probe_ = [this](const std::shared_ptr<const Host>& host, bool passed) {
    EXPECT_EQ(host, host_);
    told_ += passed ? '+' : '-';
  };
  std::array<Recorder, 2> workers_{Recorder(tell_, tell_probe_), Recorder(tell_, tell_probe_)};
};

TEST_F(RecorderTest, FailuresInARowCountOverAllWorkers) {
  answer(0, 500);
  answer(1, 501);
  EXPECT_EQ(told(), "");
  answer(0, 599);
  EXPECT_EQ(told(), "s");
  answer(1, 500);
  EXPECT_EQ(told(), "") << "main knows";
  answer(1, 200);
  answer(0, 500);
  answer(0, 500);
  EXPECT_EQ(told(), "") << "the row was broken";
  answer(0, 500);
  EXPECT_EQ(told(), "s");
  EXPECT_EQ(sum(&HostMetrics::answers_ok), 1);
  EXPECT_EQ(sum(&HostMetrics::answers_failed), 7);
}

TEST_F(RecorderTest, GatewayFailuresHaveARowOfTheirOwn) {
  answer(0, 502);
  answer(0, 500);
  answer(0, 404);  // breaks both
  answer(0, 503);
  answer(0, 500);  // breaks one
  answer(1, 504);
  EXPECT_EQ(told(), "s");
  answer(1, 502);
  EXPECT_EQ(told(), "g");
}

TEST_F(RecorderTest, WhatIsNoResponseCountsAsOne) {
  note(0, Outcome::connected());
  note(0, Outcome::failed());
  note(1, Outcome::timedOut());
  EXPECT_EQ(told(), "g");
  EXPECT_EQ(sum(&HostMetrics::answers_failed), 2);
  EXPECT_EQ(sum(&HostMetrics::reached) + sum(&HostMetrics::unreached), 0);
}

TEST_F(RecorderTest, OrByItselfIfItIsToldApart) {
  spec_.split_local_errors = true;
  configure();
  note(0, Outcome::failed());
  note(0, Outcome::connected());
  note(0, Outcome::timedOut());
  EXPECT_EQ(told(), "");
  note(1, Outcome::failed());
  EXPECT_EQ(told(), "l");
  EXPECT_EQ(sum(&HostMetrics::reached), 1);
  EXPECT_EQ(sum(&HostMetrics::unreached), 3);
  EXPECT_EQ(sum(&HostMetrics::answers_failed), 0);
  answer(0, 500);
  EXPECT_EQ(host_->streaks().length(Streak::ServerErrors), 1u);
}

TEST_F(RecorderTest, ResponsesAreTimedWhereItMatters) {
  note(0, Outcome::answered(200, microseconds(500)));
  EXPECT_EQ(sum(&HostMetrics::timed_answers), 0);
  spec_.timed = true;
  configure();
  note(0, Outcome::answered(200, microseconds(500)));
  note(1, Outcome::answered(500, microseconds(700)));
  note(1, Outcome::timedOut());
  EXPECT_EQ(sum(&HostMetrics::timed_answers), 2);
  EXPECT_EQ(sum(&HostMetrics::answer_time_us), 1200);
}

TEST_F(RecorderTest, ForTheCircuitBreakerAllFailuresAreAlike) {
  spec_.breaker_failures = 3;
  spec_.consecutive_5xx = spec_.consecutive_gateway_failure = RecordingSpec::kNever;
  spec_.split_local_errors = true;
  spec_.consecutive_local_origin_failure = RecordingSpec::kNever;
  configure();
  answer(0, 500);
  note(1, Outcome::connected());
  note(1, Outcome::failed());
  answer(0, 200);  // breaks the row
  note(0, Outcome::timedOut());
  answer(1, 503);
  EXPECT_EQ(told(), "");
  note(1, Outcome::failed());
  EXPECT_EQ(told(), "f");
}

TEST_F(RecorderTest, OneProbeAtATimeAndOneVerdict) {
  spec_.breaker_failures = 3;
  configure();
  Streaks& streaks = host_->streaks();
  EXPECT_FALSE(streaks.takeProbe()) << "the breaker is not half-open";
  streaks.allowProbes();
  answer(0, 200);
  EXPECT_EQ(told(), "") << "of a request that is no probe";
  streaks.giveBackProbe(streaks.takeProbe());  // its client has gone
  const uint32_t probe = streaks.takeProbe();
  EXPECT_TRUE(probe);
  EXPECT_FALSE(streaks.takeProbe()) << "another worker";
  answer(0, 200);
  EXPECT_EQ(told(), "") << "of one that came before";
  note(1, Outcome::connected(), probe);
  EXPECT_EQ(told(), "");
  answer(1, 503, probe);
  answer(1, 200, probe);
  EXPECT_EQ(told(), "-");
  streaks.giveBackProbe(probe);
  EXPECT_FALSE(streaks.takeProbe()) << "main has not decided yet";
  streaks.allowProbes();
  const uint32_t next = streaks.takeProbe();
  EXPECT_TRUE(next);
  streaks.giveBackProbe(probe);
  EXPECT_FALSE(streaks.takeProbe()) << "another one's";
  answer(1, 503, probe);
  EXPECT_EQ(told(), "") << "the trailers of a former one";
  answer(0, 404, next);
  EXPECT_EQ(told(), "+");
}

TEST_F(RecorderTest, WhatIsRecordedFollowsFromTheCluster) {
  ClusterSpec cluster;
  EXPECT_FALSE(RecordingSpec::of(cluster).on);
  cluster.correlation.emplace();
  EXPECT_TRUE(RecordingSpec::of(cluster).on);
  EXPECT_EQ(RecordingSpec::of(cluster).consecutive_5xx, RecordingSpec::kNever);
  EXPECT_EQ(RecordingSpec::of(cluster).breaker_failures, RecordingSpec::kNever);
  cluster.host_breaker = HostBreakerSpec{.failures = 4};
  EXPECT_EQ(RecordingSpec::of(cluster).breaker_failures, 4u);
  auto outlier = std::make_shared<OutlierSpec>();
  outlier->consecutive_gateway_failure = 7;
  outlier->latency.emplace();
  cluster.outlier = outlier;
  const RecordingSpec spec = RecordingSpec::of(cluster);
  EXPECT_EQ(spec.consecutive_5xx, 5u);
  EXPECT_EQ(spec.consecutive_gateway_failure, 7u);
  EXPECT_TRUE(spec.timed);
  EXPECT_FALSE(spec.split_local_errors);
}

}  // namespace
}  // namespace convoy::upstream
