#pragma once

// One configured access log on one worker: a compiled format, and the sink that its lines go into.
// Worker's thread only; log() allocates nothing. A value that does not exist is written as "-"
// (JSON: null), and text from the network is escaped so that a client cannot forge a line.

#include <memory>

#include "proxy/event/clock.h"
#include "proxy/http/log_format.h"
#include "proxy/observe/log_writer.h"

namespace convoy::http {

// Turns loop time into wall time: one reading of both clocks a second.
class WallTimeCache {
 public:
  explicit WallTimeCache(const event::Clock& clock) : clock_(clock) {}
  event::WallTime at(event::MonotonicTime time);

 private:
  const event::Clock& clock_;
  event::MonotonicTime read_at_{};
  event::WallTime wall_{};
};

class AccessLogger {
 public:
  // Longer lines are cut; the end of the line is kept.
  static constexpr size_t kMaxLineBytes = 16 * 1024;

  AccessLogger(std::shared_ptr<const LogFormat> format, std::unique_ptr<observe::LogSink> sink,
               const event::Clock& clock)
      : format_(std::move(format)), sink_(std::move(sink)), wall_(clock) {}

  void log(const RequestHead& request, const ResponseHead& response, const StreamInfo& info);
  bool usesResponseHeaders() const { return format_->usesResponseHeaders(); }

 private:
  const std::shared_ptr<const LogFormat> format_;
  const std::unique_ptr<observe::LogSink> sink_;
  WallTimeCache wall_;
};

}  // namespace convoy::http
