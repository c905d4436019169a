#include "proxy/upstream/outlier/correlation.h"

namespace convoy::upstream {

FailureWay wayOf(Detection detection) {
  switch (detection) {
    case Detection::ConsecutiveLocalOriginFailure:
    case Detection::LocalOriginSuccessRate:
    case Detection::LocalOriginFailurePercentage:
      return FailureWay::Unreachable;
    case Detection::Latency:
      return FailureWay::Slow;
    default:
      return FailureWay::Errors;
  }
}

void Correlation::note(FailureWay way, const net::Address& host, event::MonotonicTime now) {
  Row& row = of(way);
  row.failing[host] = now;
  if (row.alarm || !tooMany(row.failing.size())) return;
  size_t together = 0;
  for (const auto& [address, since] : row.failing) together += now - since <= spec_.window;
  row.alarm = tooMany(together);
}

void Correlation::clear(FailureWay way, const net::Address& host) {
  Row& row = of(way);
  if (row.failing.erase(host) > 0) settle(row);
}

void Correlation::forgetOld(FailureWay way, event::MonotonicTime now) {
  Row& row = of(way);
  absl::erase_if(row.failing, [&](const auto& entry) { return now - entry.second > spec_.window; });
  settle(row);
}

void Correlation::settle(Row& row) const {
  row.alarm = row.alarm && !fewEnough(row.failing.size());
}

}  // namespace convoy::upstream
