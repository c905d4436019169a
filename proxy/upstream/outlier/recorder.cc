#include "proxy/upstream/outlier/recorder.h"

#include <chrono>

namespace convoy::upstream {

namespace {

// Where failures without a response are not told apart, they count as these.
constexpr uint16_t kFailed = 503;
constexpr uint16_t kTimedOut = 504;

}  // namespace

RecordingSpec RecordingSpec::of(const ClusterSpec& cluster) {
  RecordingSpec spec;
  spec.on = cluster.outlier != nullptr || cluster.correlation.has_value() ||
            cluster.host_breaker.has_value();
  if (cluster.host_breaker.has_value()) spec.breaker_failures = cluster.host_breaker->failures;
  if (cluster.outlier == nullptr) return spec;
  const OutlierSpec& outlier = *cluster.outlier;
  spec.split_local_errors = outlier.split_local_errors;
  spec.timed = outlier.latency.has_value();
  spec.consecutive_5xx = outlier.consecutive_5xx;
  spec.consecutive_gateway_failure = outlier.consecutive_gateway_failure;
  spec.consecutive_local_origin_failure = outlier.consecutive_local_origin_failure;
  return spec;
}

void Recorder::note(const Host& host, HostMetrics& mine, const Outcome& outcome, uint32_t probe) {
  using Kind = Outcome::Kind;
  const bool failed = outcome.kind >= Kind::Failed || outcome.status >= 500;
  if (outcome.kind != Kind::Connected) noteForBreaker(host, failed, probe);
  switch (outcome.kind) {
    case Kind::Connected:
      if (!spec_.split_local_errors) return;
      mine.reached.add();
      return host.streaks().end(Streak::LocalFailures);
    case Kind::Answered:
      if (spec_.timed) {
        mine.timed_answers.add();
        mine.answer_time_us.add(static_cast<uint64_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(outcome.took).count()));
      }
      return noteStatus(host, mine, outcome.status);
    case Kind::Failed:
    case Kind::TimedOut:
      break;
  }
  if (!spec_.split_local_errors) {
    return noteStatus(host, mine, outcome.kind == Kind::Failed ? kFailed : kTimedOut);
  }
  mine.unreached.add();
  extend(host, Streak::LocalFailures, spec_.consecutive_local_origin_failure);
}

void Recorder::noteStatus(const Host& host, HostMetrics& mine, uint16_t status) {
  if (status < 500 || status > 599) {
    mine.answers_ok.add();
    host.streaks().end(Streak::ServerErrors);
    return host.streaks().end(Streak::GatewayFailures);
  }
  mine.answers_failed.add();
  if (status >= 502 && status <= 504) {
    extend(host, Streak::GatewayFailures, spec_.consecutive_gateway_failure);
  } else {
    host.streaks().end(Streak::GatewayFailures);
  }
  extend(host, Streak::ServerErrors, spec_.consecutive_5xx);
}

void Recorder::noteForBreaker(const Host& host, bool failed, uint32_t probe) {
  if (spec_.breaker_failures == RecordingSpec::kNever) return;
  Streaks& streaks = host.streaks();
  if (streaks.endProbe(probe)) tell_probe_(host.shared_from_this(), !failed);
  failed ? extend(host, Streak::Failures, spec_.breaker_failures) : streaks.end(Streak::Failures);
}

void Recorder::extend(const Host& host, Streak streak, uint32_t threshold) {
  if (host.streaks().extend(streak, threshold)) tell_(host.shared_from_this(), streak);
}

}  // namespace convoy::upstream
