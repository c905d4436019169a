#include "proxy/base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

namespace convoy::base {

namespace {

constexpr std::array<std::string_view, 7> kNames = {"trace", "debug",    "info", "warning",
                                                    "error", "critical", "off"};

std::atomic<LogLevel> current_level{LogLevel::Info};
std::atomic<LogTimeSource> time_source{nullptr};

// Civil date from days since 1970-01-01 (proleptic Gregorian), so that no time-zone code runs here.
struct Date {
  int64_t year;
  unsigned month;
  unsigned day;
};

Date dateFromDays(int64_t days) {
  int64_t year = 1970;
  const auto isLeap = [](int64_t y) { return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0; };
  while (days >= (isLeap(year) ? 366 : 365)) days -= isLeap(year++) ? 366 : 365;
  static constexpr unsigned kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  unsigned month = 0;
  for (;; ++month) {
    const unsigned length = kLengths[month] + (month == 1 && isLeap(year) ? 1 : 0);
    if (days < length) break;
    days -= length;
  }
  return {year, month + 1, static_cast<unsigned>(days) + 1};
}

void appendTime(std::string& line) {
  const LogTimeSource source = time_source.load(std::memory_order_relaxed);
  if (source == nullptr) return;
  const uint64_t microseconds = source();
  const uint64_t seconds = microseconds / 1'000'000;
  const Date date = dateFromDays(static_cast<int64_t>(seconds / 86'400));
  const unsigned in_day = static_cast<unsigned>(seconds % 86'400);
  char text[64];
  const int length = std::snprintf(text, sizeof(text), "%04lld-%02u-%02uT%02u:%02u:%02u.%03uZ ",
                                   static_cast<long long>(date.year), date.month, date.day,
                                   in_day / 3600, in_day / 60 % 60, in_day % 60,
                                   static_cast<unsigned>(microseconds / 1000 % 1000));
  line.append(text, static_cast<size_t>(length));
}

// Text may carry bytes from a peer: it must not be able to forge a second line.
void appendOnOneLine(std::string& line, std::string_view text) {
  for (const char c : text) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\r') {
      line += "\\r";
    } else {
      line += c;
    }
  }
}

}  // namespace

bool parseLogLevel(std::string_view name, LogLevel* level) {
  if (name == "warn") name = "warning";
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != name) continue;
    *level = static_cast<LogLevel>(i);
    return true;
  }
  return false;
}

std::string_view text(LogLevel level) {
  return kNames[static_cast<size_t>(level)];
}

void setLogLevel(LogLevel level) {
  current_level.store(level, std::memory_order_relaxed);
}

LogLevel logLevel() {
  return current_level.load(std::memory_order_relaxed);
}

void setLogTimeSource(LogTimeSource source) {
  time_source.store(source, std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view text) {
  if (level < logLevel() || level == LogLevel::Off) return;
  std::string line;
  line.reserve(text.size() + 48);
  appendTime(line);
  line += base::text(level);
  line += ' ';
  appendOnOneLine(line, text);
  line += '\n';
  // One write per line: lines of several threads do not mix. A broken stderr stops nobody.
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace convoy::base
