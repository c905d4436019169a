#include "proxy/observe/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"

namespace convoy::observe {

namespace {

constexpr std::chrono::seconds kFlushInterval{1};
constexpr size_t kSpareBuffers = 16;

// The group's slots, each with one writer at a time.
constexpr int kWriterSlot = 0;  // the thread's
constexpr int kQueueSlot = 1;   // under the mutex

int openPath(const std::string& path) {
  if (path == "/dev/stdout") return ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  if (path == "/dev/stderr") return ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  // Non-blocking matters for FIFOs only: without a reader, opening one would wait for it.
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
}

bool isRegular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

struct LogBuffer {
  size_t used = 0;
  uint64_t lines = 0;
  char data[LogSink::kBufferBytes];

  std::string_view text() const { return {data, used}; }
};

class LogFile {
 public:
  LogFile(std::shared_ptr<LogWriter::Impl> writer, std::string path, int fd)
      : writer_(std::move(writer)), path_(std::move(path)), fd_(fd), regular_(isRegular(fd)) {}
  ~LogFile() { ::close(fd_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  LogWriter::Impl& writer() { return *writer_; }
  const std::string& path() const { return path_; }

  // The writer's thread only.
  int fd() const { return fd_; }
  bool regular() const { return regular_; }
  bool reopen() {
    const int fd = openPath(path_);
    if (fd < 0) return false;
    ::close(std::exchange(fd_, fd));
    regular_ = isRegular(fd);
    return true;
  }
  std::string torn;  // what is missing of the last line there, with its line break
  bool fails = false;

 private:
  const std::shared_ptr<LogWriter::Impl> writer_;
  const std::string path_;
  int fd_;
  bool regular_;
};

class LogWriter::Impl {
 public:
  Impl(MetricRegistry& registry, int exit_patience)
      : exit_patience_(exit_patience),
        stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        metrics_(std::make_unique<MetricGroup<LogMetrics>>(registry, "filesystem", Labels(), 2)) {
    CONVOY_ASSERT(stop_event_ >= 0);
    // The thread takes no signals: they are main's, and a broken pipe is an error like others.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Impl() { ::close(stop_event_); }

  absl::StatusOr<std::shared_ptr<LogFile>> open(const std::shared_ptr<Impl>& self,
                                                const std::string& path) {
    const std::lock_guard lock(mutex_);
    std::erase_if(files_, [](const std::weak_ptr<LogFile>& file) { return file.expired(); });
    for (const std::weak_ptr<LogFile>& known : files_) {
      std::shared_ptr<LogFile> file = known.lock();
      if (file != nullptr && file->path() == path) return file;
    }
    const int fd = openPath(path);
    if (fd < 0) {
      const std::string why = std::generic_category().message(errno);
      return absl::InvalidArgumentError(
          "cannot open the access log \"" + path + "\": " + why +
          (errno == ENXIO ? " (a FIFO needs a reader first)" : "") +
          "; name a file in a directory that the proxy may write to, or /dev/stdout");
    }
    auto file = std::make_shared<LogFile>(self, path, fd);
    files_.push_back(file);
    return file;
  }

  // Takes a full buffer.
  void handOver(const std::shared_ptr<LogFile>& file, std::unique_ptr<LogBuffer> buffer) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || queued_bytes_ + buffer->used > kQueueLimitBytes) {
        if (metrics_ != nullptr) metrics_->slot(kQueueSlot).lines_dropped.add(buffer->lines);
        recycle(std::move(buffer));
        return;
      }
      queued_bytes_ += buffer->used;
      queue_.push_back({file, std::move(buffer)});
      ++handed_over_;
    }
    work_.notify_one();
  }
  std::unique_ptr<LogBuffer> takeBuffer() {
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        std::unique_ptr<LogBuffer> buffer = std::move(spare_.back());
        spare_.pop_back();
        return buffer;
      }
    }
    return std::make_unique_for_overwrite<LogBuffer>();
  }

  void reopenAll() {
    {
      const std::lock_guard lock(mutex_);
      for (const std::weak_ptr<LogFile>& known : files_) {
        if (std::shared_ptr<LogFile> file = known.lock()) {
          queue_.push_back({std::move(file), nullptr});
          ++handed_over_;
        }
      }
    }
    work_.notify_one();
  }

  void flush() {
    std::unique_lock lock(mutex_);
    const uint64_t until = handed_over_;
    done_.wait(lock, [&] { return finished_ >= until; });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    const uint64_t one = 1;
    CONVOY_ASSERT(::write(stop_event_, &one, sizeof(one)) == sizeof(one));
    work_.notify_one();
    thread_.join();
    const std::lock_guard lock(mutex_);
    metrics_.reset();  // the registry may go now
    spare_.clear();
  }

 private:
  struct Item {
    std::shared_ptr<LogFile> file;
    std::unique_ptr<LogBuffer> buffer;  // null: reopen the file
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Item item = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      if (item.buffer != nullptr) {
        writeOut(*item.file, *item.buffer);
      } else {
        reopen(*item.file);
      }
      item.file.reset();  // may close it: not under the lock
      lock.lock();
      ++finished_;
      if (item.buffer != nullptr) {
        queued_bytes_ -= item.buffer->used;
        recycle(std::move(item.buffer));
      }
      done_.notify_all();
    }
  }

  void writeOut(LogFile& file, const LogBuffer& buffer) {
    LogMetrics& metrics = metrics_->slot(kWriterSlot);
    const std::string_view text = buffer.text();
    std::string_view rest = text;
    uint64_t torn_lines = 0;
    if (completeTornLine(file)) {
      rest = write(file, text);
      const size_t written = text.size() - rest.size();
      const size_t line_break = rest.find('\n');
      const bool torn = written > 0 && text[written - 1] != '\n';
      if (torn && line_break != std::string_view::npos) {
        file.torn = rest.substr(0, line_break + 1);
        rest.remove_prefix(line_break + 1);
        torn_lines = 1;
      }
    }
    const auto lost = static_cast<uint64_t>(std::count(rest.begin(), rest.end(), '\n'));
    metrics.lines_written.add(buffer.lines - std::min(buffer.lines, lost + torn_lines));
    metrics.lines_dropped.add(lost);
  }

  // False: the last line there is not whole yet.
  bool completeTornLine(LogFile& file) {
    if (file.torn.empty()) return true;
    const size_t missing = write(file, file.torn).size();
    file.torn.erase(0, file.torn.size() - missing);
    if (missing > 0) return false;
    metrics_->slot(kWriterSlot).lines_written.add();
    return true;
  }

  // Returns what could not be written.
  std::string_view write(LogFile& file, std::string_view rest) {
    while (!rest.empty()) {
      // A pipe, socket or terminal may have no room: wait where stop() can interrupt, and write no
      // more than a pipe that is ready takes at once.
      if (!file.regular() && !waitForRoom(file.fd())) return rest;
      const size_t part = file.regular() ? rest.size() : std::min<size_t>(rest.size(), PIPE_BUF);
      const ssize_t written = ::write(file.fd(), rest.data(), part);
      if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (written <= 0) {
        onWriteError(file, errno);
        return rest;
      }
      rest.remove_prefix(static_cast<size_t>(written));
    }
    if (std::exchange(file.fails, false)) {
      base::logInfo("the access log " + file.path() + " is written again");
    }
    return rest;
  }

  void onWriteError(LogFile& file, int error) {
    metrics_->slot(kWriterSlot).write_errors.add();
    if (std::exchange(file.fails, true)) return;
    base::logWarning("the access log " + file.path() +
                     " cannot be written: " + std::generic_category().message(error) +
                     "; its lines are dropped and counted (filesystem.write_total_dropped) until "
                     "it can");
  }

  // False: stopping, and nobody takes anything.
  bool waitForRoom(int fd) {
    if (gave_up_) return false;
    while (true) {
      pollfd wanted[2] = {{.fd = fd, .events = POLLOUT, .revents = 0},
                          {.fd = stop_event_, .events = POLLIN, .revents = 0}};
      const int watched = stop_seen_ ? 1 : 2;
      const int ready =
          ::poll(wanted, static_cast<nfds_t>(watched), stop_seen_ ? exit_patience_ : -1);
      if (ready < 0 && errno == EINTR) continue;
      if (wanted[0].revents != 0) return true;
      if (stop_seen_ || ready < 0) {
        gave_up_ = true;
        return false;
      }
      stop_seen_ = wanted[1].revents != 0;
    }
  }

  void reopen(LogFile& file) {
    LogMetrics& metrics = metrics_->slot(kWriterSlot);
    if (!file.reopen()) {
      metrics.write_errors.add();
      base::logWarning("the access log " + file.path() + " cannot be opened again: " +
                       std::generic_category().message(errno) + "; the old file stays open");
      return;
    }
    metrics.reopened.add();
    // Its beginning is in the other file.
    if (!file.torn.empty()) metrics.lines_dropped.add();
    file.torn.clear();
  }

  void recycle(std::unique_ptr<LogBuffer> buffer) {
    buffer->used = 0;
    buffer->lines = 0;
    if (spare_.size() < kSpareBuffers) spare_.push_back(std::move(buffer));
  }

  const int exit_patience_;  // milliseconds
  const int stop_event_;     // readable once stopping, to interrupt a poll
  std::thread thread_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  // Guarded by mutex_:
  std::unique_ptr<MetricGroup<LogMetrics>> metrics_;
  std::vector<std::weak_ptr<LogFile>> files_;
  std::deque<Item> queue_;
  std::vector<std::unique_ptr<LogBuffer>> spare_;
  size_t queued_bytes_ = 0;  // the buffer being written included
  uint64_t handed_over_ = 0;
  uint64_t finished_ = 0;
  bool stopping_ = false;

  // The thread's own:
  bool stop_seen_ = false;
  bool gave_up_ = false;
};

LogWriter::LogWriter(MetricRegistry& registry, int exit_patience)
    : impl_(std::make_shared<Impl>(registry, exit_patience)) {}

LogWriter::~LogWriter() {
  impl_->stop();
}

absl::StatusOr<std::shared_ptr<LogFile>> LogWriter::open(const std::string& path) {
  return impl_->open(impl_, path);
}

void LogWriter::reopenAll() {
  impl_->reopenAll();
}

void LogWriter::flush() {
  impl_->flush();
}

LogSink::LogSink(std::shared_ptr<LogFile> file, event::Loop& loop)
    : file_(std::move(file)), flush_timer_(loop, [this] { handOver(); }) {}

LogSink::~LogSink() {
  handOver();
}

char* LogSink::reserve(size_t bytes) {
  CONVOY_ASSERT(bytes <= kBufferBytes);
  if (buffer_ != nullptr && kBufferBytes - buffer_->used < bytes) handOver();
  if (buffer_ == nullptr) buffer_ = file_->writer().takeBuffer();
  return buffer_->data + buffer_->used;
}

void LogSink::commit(size_t bytes) {
  CONVOY_ASSERT(buffer_ != nullptr && bytes <= kBufferBytes - buffer_->used);
  if (buffer_->lines == 0) flush_timer_.armAfter(kFlushInterval);
  buffer_->used += bytes;
  ++buffer_->lines;
}

void LogSink::append(std::string_view line) {
  line = line.substr(0, kBufferBytes);
  std::memcpy(reserve(line.size()), line.data(), line.size());
  commit(line.size());
}

void LogSink::handOver() {
  flush_timer_.cancel();
  if (buffer_ == nullptr || buffer_->used == 0) return;
  file_->writer().handOver(file_, std::move(buffer_));
}

}  // namespace convoy::observe
