#pragma once

// Access-log output. Workers format lines into a buffer of their own and hand whole buffers over;
// one thread of its own writes them, so a full or slow disk blocks no request: when the bounded
// queue is full, buffers are dropped and counted. SIGUSR1 reopens files (main calls reopenAll()).
//
// LogWriter is thread-safe. A LogSink belongs to one worker thread.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"

namespace convoy::observe {

struct LogMetrics {
  Counter lines_written;
  Counter lines_dropped;
  Counter write_errors;
  Counter reopened;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("write_completed", self.lines_written, "Access-log lines written");
    visitor("write_total_dropped", self.lines_dropped,
            "Access-log lines dropped because the writer's queue was full");
    visitor("write_failed", self.write_errors, "Failed writes to an access log");
    visitor("reopened", self.reopened, "Times an access log was reopened");
  }
};

class LogFile;  // one open path; shared by all sinks of that path

class LogWriter {
 public:
  static constexpr size_t kQueueLimitBytes = 8 * 1024 * 1024;

  explicit LogWriter(MetricRegistry& registry);
  ~LogWriter();  // writes what is queued, then joins the thread

  // Opens (appends to) the file; "/dev/stdout" and "/dev/stderr" work. The error names the path.
  absl::StatusOr<std::shared_ptr<LogFile>> open(const std::string& path);
  void reopenAll();
  // Blocks until everything handed over so far is written or dropped (tests, shutdown).
  void flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// A worker's buffer for one file: 64 KiB, handed over when full and at least once per second.
class LogSink {
 public:
  static constexpr size_t kBufferBytes = 64 * 1024;

  LogSink(std::shared_ptr<LogFile> file, event::Loop& loop);
  ~LogSink();  // hands over the rest

  // Space for one line of at most `bytes`; follow with commit(). Lines longer than the buffer are
  // cut by the caller.
  char* reserve(size_t bytes);
  void commit(size_t bytes);
  void append(std::string_view line);
  void handOver();

 private:
  std::shared_ptr<LogFile> file_;
  event::Loop& loop_;
  std::unique_ptr<std::string> buffer_;
  event::Timer flush_timer_;
};

}  // namespace convoy::observe
