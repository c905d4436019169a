#include "proxy/upstream/health/check_state.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

using Kind = ProbeResult::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

HealthCheckSpec spec() {
  HealthCheckSpec spec;
  spec.interval = seconds(2);
  spec.no_traffic_interval = seconds(60);
  spec.no_traffic_healthy_interval = seconds(50);
  spec.unhealthy_interval = seconds(3);
  spec.unhealthy_edge_interval = seconds(4);
  spec.healthy_edge_interval = seconds(5);
  return spec;
}

// + a pass, d a degraded one, - a failure, ! one that counts at once, n no network, s skipped; each
// comes 2 s after the one before it, or w ten minutes later.
// Verdicts: ? unknown, H healthy, D degraded, U unhealthy, R relapsed.
std::string verdicts(const std::string& results) {
  CheckState state;
  event::MonotonicTime now{seconds(1000)};
  std::string out;
  for (const char c : results) {
    if (c == 'w') now += CheckState::kForget;
    if (c == '|') state.onCheckChanged();
    if (c == 'w' || c == '|') continue;
    now += seconds(2);
    const Kind kind = c == '+'   ? Kind::Pass
                      : c == 'd' ? Kind::Degraded
                      : c == '-' ? Kind::Fail
                      : c == '!' ? Kind::FailAtOnce
                      : c == 'n' ? Kind::Network
                                 : Kind::Skipped;
    const ActiveHealth before = state.health();
    const bool changed = state.onResult(kind, spec(), now);
    EXPECT_EQ(changed, state.health() != before);
    out += "-?HDUR"[static_cast<size_t>(state.health())];
  }
  return out;
}

TEST(CheckStateTest, VerdictsOfResults) {
  const std::pair<const char*, const char*> cases[] = {
      {"+", "H"},                  // the first pass suffices
      {"-+", "?H"},                // also behind failures
      {"---", "??U"},              // unhealthy_threshold 3
      {"n--", "??U"},              // of either kind
      {"+--+", "HHHH"},            // no single failure flips
      {"+--+--+", "HHHHHHH"},      // a pass starts the count anew
      {"+---+", "HHHUU"},          // no single pass flips back
      {"+---+-++", "HHHUUUUH"},    // a failure starts it anew
      {"+!", "HU"},                // a failure that counts at once
      {"!++", "UUH"},              // also of a new host; healthy_threshold 2
      {"d+d", "DHD"},              // degraded at once, and well again
      {"+---dd", "HHHUUD"},        // degraded passes count as passes
      {"s+ss--s-", "?HHHHHHU"},    // skipped checks say nothing
      {"+--|--|---", "HHHHHHHU"},  // another check: counts anew, verdict kept
      {"+---|+|++", "HHHUUUH"},
  };
  for (const auto& [results, expected] : cases) EXPECT_EQ(verdicts(results), expected) << results;
}

// Out is after three failures, back after two passes; soon out again, it takes four, then eight.
TEST(CheckStateTest, AHostThatRelapsesNeedsMorePasses) {
  const std::pair<const char*, const char*> cases[] = {
      {"---++", "??UUH"},                // the first return is like any
      {"---++---++++", "??UUHHHUURRH"},  // the next one takes twice as many
      {"---++---++++---", "??UUHHHUURRHHHU"},
      {"---++---++++---++++++++", "??UUHHHUURRHHHUURRRRRRH"},
      {"---++---+++-++++", "??UUHHHUURRRRRRH"},      // a failure starts the count anew
      {"---++---+++---++++", "??UUHHHUURRRRUURRH"},  // which is no relapse of its own
      {"---++---++dd", "??UUHHHUURRD"},
      {"---++---++w+", "??UUHHHUURH"},  // the longest time without a failure
      {"---++w---++", "??UUHHHUUH"},    // one that was long well begins anew
      {"---++---++++w---++", "??UUHHHUURRHHHUUH"},
      {"---++|---++", "??UUHHHUUH"},  // as does one with another check
  };
  for (const auto& [results, expected] : cases) EXPECT_EQ(verdicts(results), expected) << results;
}

TEST(CheckStateTest, NobodyIsOutForEver) {
  CheckState state;
  const HealthCheckSpec spec = upstream::spec();
  event::MonotonicTime now{seconds(1000)};
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 3; ++i) state.onResult(Kind::Fail, spec, now);
    ASSERT_EQ(state.health(), ActiveHealth::Unhealthy);
    const event::MonotonicTime out_at = now;
    while (state.health() != ActiveHealth::Healthy)
      state.onResult(Kind::Pass, spec, now += seconds(3));
    ASSERT_LE(now - out_at, CheckState::kLongest + seconds(3));
  }
  EXPECT_GE(state.passesNeeded(spec), 100u);
}

TEST(CheckStateTest, TheNextCheckComesAsEnvoyHasIt) {
  const HealthCheckSpec spec = upstream::spec();
  event::Random random(1);
  const auto next = [&](const CheckState& state, bool traffic) {
    return std::chrono::duration_cast<seconds>(state.untilNext(spec, traffic, random)).count();
  };
  CheckState state;
  const event::MonotonicTime now{seconds(1000)};
  EXPECT_EQ(next(state, true), 2);
  EXPECT_EQ(next(state, false), 60);
  state.onResult(Kind::Pass, spec, now);
  EXPECT_EQ(next(state, true), 5);  // healthy edge
  EXPECT_EQ(next(state, false), 50);
  state.onResult(Kind::Pass, spec, now);
  EXPECT_EQ(next(state, true), 2);
  for (int i = 0; i < 3; ++i) state.onResult(Kind::Fail, spec, now);
  EXPECT_EQ(next(state, true), 4);  // unhealthy edge
  EXPECT_EQ(next(state, false), 60);
  state.onResult(Kind::Fail, spec, now);
  EXPECT_EQ(next(state, true), 3);
}

TEST(CheckStateTest, JitterIsAddedWithinItsBounds) {
  HealthCheckSpec spec = upstream::spec();
  spec.interval_jitter = milliseconds(100);
  spec.interval_jitter_percent = 10;  // of 2 s: 200 ms
  event::Random random(1);
  const CheckState state;
  event::Duration least = seconds(9);
  event::Duration most{};
  for (int i = 0; i < 1000; ++i) {
    const event::Duration next = state.untilNext(spec, true, random);
    least = std::min(least, next);
    most = std::max(most, next);
  }
  EXPECT_GE(least, seconds(2));
  EXPECT_LT(least, milliseconds(2030));
  EXPECT_LT(most, milliseconds(2300));
  EXPECT_GT(most, milliseconds(2270));
}

}  // namespace
}  // namespace convoy::upstream
