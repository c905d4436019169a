#pragma once

// The budget of one HTTP/2 connection for frames that cost us work and ask for nothing (RFC 9113
// 10.5): rapid resets, SETTINGS, GOAWAY, PING, DATA without data, WINDOW_UPDATE, CONTINUATION,
// PRIORITY, unknown types, header blocks that blow up. All are paid from one purse, so that an
// attack cannot be spread over several kinds.
//
// The purse is filled in two ways, because each alone would trip a legitimate client. By work: a
// stream that ran to its end, and DATA that the peer took, earn more than the frames that go with
// them cost; so a busy client never comes near the end, however fast it is. By time: an idle
// connection that sends a PING every few seconds for days earns nothing by work. DATA frames that
// are small because the peer's window is earn nothing: else a window opened byte by byte would pay
// for itself.
//
// The clock is read only when the purse is empty, to see what has come in since the last time.

#include <cstddef>
#include <cstdint>

#include "proxy/event/clock.h"
#include "proxy/http/h2_error.h"

namespace convoy::http {

class H2Flood {
 public:
  // Prices. With the default budget of 4,000 and 200 per second: 500 rapid resets at once and 25
  // per second, or 4,000 PINGs at once and 200 per second.
  // Of a stream that is younger than kRapid, by the client or by what it makes us do.
  static constexpr int64_t kReset = 8;
  // SETTINGS and GOAWAY: nghttp2 looks at every stream for each.
  static constexpr int64_t kEveryStream = 8;
  static constexpr int64_t kFrame = 1;
  // DATA of fewer bytes than this on a stream that we have reset costs kFrame.
  static constexpr size_t kSmallData = 64;
  // Earnings.
  static constexpr int64_t kStreamEnded = 4;
  static constexpr int64_t kDataFrame = 3;
  // A reset is an attack only if it comes soon: a stream that held its place among the concurrent
  // ones for longer has limited the rate by itself. Clients whose requests time out do that.
  static constexpr event::Duration kRapid = std::chrono::seconds(1);

  H2Flood(const event::Clock& clock, uint32_t budget, uint32_t refill_per_second)
      : clock_(clock),
        budget_(budget),
        refill_per_second_(refill_per_second),
        left_(budget),
        filled_at_(clock.monotonicNow()) {}

  // False when the budget is spent.
  [[nodiscard]] bool pay(int64_t price) {
    left_ -= price;
    return left_ >= 0 || refill();
  }
  void earn(int64_t credit) {
    left_ += credit;
    if (left_ > budget_) left_ = budget_;
  }
  int64_t left() const { return left_; }

 private:
  bool refill();

  const event::Clock& clock_;
  const int64_t budget_;
  const int64_t refill_per_second_;
  int64_t left_;
  event::MonotonicTime filled_at_;
};

}  // namespace convoy::http
