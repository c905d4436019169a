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

// Of two characters. Of others than digits it is some number.
int readTwo(const char* in) {
  return (in[0] - '0') * 10 + (in[1] - '0');
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

std::optional<int64_t> parseHttpDate(std::string_view text) {
  constexpr unsigned kMonthsOfAYear = 12;
  if (text.size() != kHttpDateBytes) return std::nullopt;
  const char* const in = text.data();
  unsigned month = 0;
  while (month < kMonthsOfAYear && text.substr(8, 3) != std::string_view(kMonths + 3 * month, 3)) {
    ++month;
  }
  const std::chrono::year_month_day date(
      std::chrono::year(readTwo(in + 12) * 100 + readTwo(in + 14)), std::chrono::month(month + 1),
      std::chrono::day(static_cast<unsigned>(readTwo(in + 5))));
  if (!date.ok()) return std::nullopt;
  const std::chrono::sys_seconds time =
      std::chrono::sys_days(date) + std::chrono::hours(readTwo(in + 17)) +
      std::chrono::minutes(readTwo(in + 20)) + std::chrono::seconds(readTwo(in + 23));
  // Whatever else is wrong with it makes a difference here.
  char written[kHttpDateBytes];
  writeHttpDate(time.time_since_epoch().count(), written);
  if (text != std::string_view(written, kHttpDateBytes)) return std::nullopt;
  return time.time_since_epoch().count();
}

void HttpDateCache::refresh(int64_t unix_seconds) {
  second_ = unix_seconds;
  writeHttpDate(unix_seconds, text_);
}

}  // namespace convoy::http
