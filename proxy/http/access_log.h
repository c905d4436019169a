#pragma once

// One configured access log on one worker: a compiled format, and the sink that its lines go into.
// Worker's thread only; log() allocates nothing. A value that does not exist is written as "-"
// (JSON: null), and text from the network is escaped so that a client cannot forge a line. Nor can
// it hide what stands behind its own text: where a line would be too long each text is cut.

#include <cstddef>
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
  // A longer line is written with at most kMostOfValue bytes of each text, and "..." behind what is
  // cut: 18 texts fit, though each byte of them may need an escape of six. If that is too long as
  // well, it is cut where it is full; the line break is kept.
  static constexpr size_t kMaxLineBytes = 16 * 1024;
  static constexpr size_t kMostOfValue = 128;

  AccessLogger(std::shared_ptr<const LogFormat> format, std::unique_ptr<observe::LogSink> sink,
               const event::Clock& clock)
      : format_(std::move(format)), sink_(std::move(sink)), wall_(clock) {}

  void log(const RequestHead& request, const ResponseHead& response, const StreamInfo& info);
  bool usesResponseHeaders() const { return format_->usesResponseHeaders(); }

 private:
  // A line that leaves less room may lack a number: one that does not fit is left out.
  static constexpr size_t kMaxWholeBytes = kMaxLineBytes - 20;

  const std::shared_ptr<const LogFormat> format_;
  const std::unique_ptr<observe::LogSink> sink_;
  WallTimeCache wall_;
};

}  // namespace convoy::http
