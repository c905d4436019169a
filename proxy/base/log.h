#pragma once

// The process's own diagnostics (not the access log): one line each to stderr, level-filtered.
// For start-up, configuration and rare events; never once per request.
// Thread-safe. Lines carry UTC time, level, and key=value pairs that the caller wrote into the
// text.

#include <string_view>

namespace convoy::base {

enum class LogLevel { Trace, Debug, Info, Warning, Error, Critical, Off };

// Understands Envoy's names: trace, debug, info, warning|warn, error, critical, off. False if
// unknown.
bool parseLogLevel(std::string_view name, LogLevel* level);
void setLogLevel(LogLevel level);
LogLevel logLevel();
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
