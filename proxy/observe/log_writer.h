#pragma once

// Access-log output. Workers format lines into a buffer of their own and hand whole buffers over;
// one thread of its own writes them, so a full or slow disk blocks no request: when the bounded
// queue is full, buffers are dropped and counted. SIGUSR1 reopens files (main calls reopenAll()).
// A line that a full disk has cut off is completed before anything else is written there. The
// process's own log says when a file begins to fail, and when it works again.
//
// LogWriter is thread-safe. A LogSink belongs to one worker thread, and may outlive the writer:
// what it hands over then is lost.

#include <cstddef>
#include <cstdint>
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

class LogFile;     // one open path; shared by all sinks of that path
struct LogBuffer;  // a block of whole lines

class LogWriter {
 public:
  static constexpr size_t kQueueLimitBytes = 8 * 1024 * 1024;
  // At the end, a reader that takes nothing for so long (milliseconds) is given up.
  static constexpr int kExitPatience = 2000;

  explicit LogWriter(MetricRegistry& registry, int exit_patience = kExitPatience);
  // Writes what is queued, then joins the thread.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Opens (appends to) the file; "/dev/stdout" and "/dev/stderr" work, and so does a FIFO that has
  // a reader. The error names the path.
  absl::StatusOr<std::shared_ptr<LogFile>> open(const std::string& path);
  // Returns at once; what was handed over before goes to the old file. A file that cannot be
  // opened again stays open as it is, which counts as a failed write.
  void reopenAll();
  // Blocks until everything handed over so far is written or dropped (tests, shutdown).
  void flush();

 private:
  friend class LogFile;
  friend class LogSink;
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

// A worker's buffer for one file: 64 KiB, handed over when full and at least once per second.
class LogSink {
 public:
  static constexpr size_t kBufferBytes = 64 * 1024;

  LogSink(std::shared_ptr<LogFile> file, event::Loop& loop);
  ~LogSink();  // hands over the rest
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  // Space for one line of at most `bytes` <= kBufferBytes; follow with commit() of how many were
  // written, the line break among them. Longer lines are cut by the caller.
  char* reserve(size_t bytes);
  void commit(size_t bytes);
  // One line with its line break; cut to kBufferBytes.
  void append(std::string_view line);
  void handOver();

 private:
  const std::shared_ptr<LogFile> file_;
  std::unique_ptr<LogBuffer> buffer_;  // null while there is nothing to hand over
  event::Timer flush_timer_;
};

}  // namespace convoy::observe
