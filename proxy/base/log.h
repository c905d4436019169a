#pragma once

// The process's own diagnostics (not the access log): one line each to stderr, level-filtered.
// For start-up, configuration and rare events; never once per request.
// Thread-safe. Lines carry UTC time, level, and key=value pairs that the caller wrote into the
// text. A line break inside the text is written as \n, so nobody can forge a line.

#include <cstdint>
#include <string_view>

namespace convoy::base {

enum class LogLevel { Trace, Debug, Info, Warning, Error, Critical, Off };

// Understands Envoy's names: trace, debug, info, warning|warn, error, critical, off. False if
// unknown.
bool parseLogLevel(std::string_view name, LogLevel* level);
std::string_view text(LogLevel level);
void setLogLevel(LogLevel level);
LogLevel logLevel();
// Where the lines' time comes from: microseconds since 1970. Without one, lines carry no time.
// main() hands over event::wallMicroseconds, since only proxy/event reads the system's clocks.
using LogTimeSource = uint64_t (*)();
void setLogTimeSource(LogTimeSource source);
void log(LogLevel level, std::string_view text);

inline void logInfo(std::string_view text) {
  log(LogLevel::Info, text);
}
inline void logWarning(std::string_view text) {
  log(LogLevel::Warning, text);
}
inline void logError(std::string_view text) {
  log(LogLevel::Error, text);
}

}  // namespace convoy::base
