#include "proxy/http/http_date.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace convoy::http {

namespace {

constexpr char kWeekdays[] = "SunMonTueWedThuFriSat";
constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

void twoDigits(char* out, unsigned value) {
  out[0] = static_cast<char>('0' + value / 10 % 10);
  out[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

void writeHttpDate(int64_t unix_seconds, char* out) {
  using std::chrono::floor;
  const std::chrono::sys_seconds time{std::chrono::seconds(unix_seconds)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::weekday weekday(day);
  const std::chrono::hh_mm_ss<std::chrono::seconds> clock(time - day);

  std::memcpy(out, "___, __ ___ ____ __:__:__ GMT", kHttpDateBytes);
  std::memcpy(out, kWeekdays + 3 * weekday.c_encoding(), 3);
  twoDigits(out + 5, static_cast<unsigned>(date.day()));
  std::memcpy(out + 8, kMonths + 3 * (static_cast<unsigned>(date.month()) - 1), 3);
  const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));
  twoDigits(out + 12, year / 100);
  twoDigits(out + 14, year % 100);
  twoDigits(out + 17, static_cast<unsigned>(clock.hours().count()));
  twoDigits(out + 20, static_cast<unsigned>(clock.minutes().count()));
  twoDigits(out + 23, static_cast<unsigned>(clock.seconds().count()));
}

void HttpDateCache::refresh(int64_t unix_seconds) {
  second_ = unix_seconds;
  writeHttpDate(unix_seconds, text_);
}

}  // namespace convoy::http
