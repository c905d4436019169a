#include "proxy/observe/log_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::observe {
namespace {

class Counters final : public MetricReader {
 public:
  void counter(std::string_view prefix, const Labels&, std::string_view name, std::string_view,
               uint64_t value) override {
    values[std::string(prefix) + "." + std::string(name)] = value;
  }
  void gauge(std::string_view, const Labels&, std::string_view, std::string_view,
             int64_t) override {}
  void histogram(std::string_view, const Labels&, std::string_view, std::string_view,
                 const HistogramSnapshot&) override {}
  std::map<std::string, uint64_t> values;
};

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() {
    clock_.attach(test_loop_.loop());
    std::string pattern = testing::TempDir() + "/log_writer_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LogWriterTest() override { std::filesystem::remove_all(directory_); }

  std::shared_ptr<LogFile> open(const std::string& path) {
    absl::StatusOr<std::shared_ptr<LogFile>> file = writer_->open(path);
    EXPECT_TRUE(file.ok()) << file.status();
    return *file;
  }
  // A FIFO and its reading end, which does not block.
  int makeFifo(const std::string& path) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  static std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  uint64_t count(const std::string& name) {
    Counters counters;
    registry_.read(counters);
    return counters.values.at("filesystem." + name);
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  event::Loop& loop_ = test_loop_.loop();
  std::string directory_;
  MetricRegistry registry_;
  std::unique_ptr<LogWriter> writer_ = std::make_unique<LogWriter>(registry_, 20);
};

TEST_F(LogWriterTest, WritesWholeLinesOfSeveralSinks) {
  const std::string path = directory_ + "/access.log";
  {
    LogSink a(open(path), loop_);
    LogSink b(open(path), loop_);
    a.append("a1\n");
    b.append("b1\n");
    char* const at = a.reserve(100);
    std::copy_n("a2\n", 3, at);
    a.commit(3);
  }
  writer_->flush();
  EXPECT_EQ(contents(path), "b1\na1\na2\n");  // the last made is destroyed first
}

TEST_F(LogWriterTest, HandsOverAfterASecondAndWhenFull) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  sink.append("waits\n");
  clock_.advance(std::chrono::milliseconds(999));
  writer_->flush();
  EXPECT_EQ(contents(path), "");
  clock_.advance(std::chrono::milliseconds(1));
  writer_->flush();
  EXPECT_EQ(contents(path), "waits\n");

  const std::string line(1023, 'x');
  for (int i = 0; i < 65; ++i) sink.append(line + "\n");
  writer_->flush();
  EXPECT_EQ(contents(path).size(), 6 + LogSink::kBufferBytes);
  sink.handOver();
  sink.handOver();
  writer_->flush();
  EXPECT_EQ(contents(path).size(), 6 + 65u * 1024u);
  EXPECT_EQ(count("write_completed"), 66u);
  EXPECT_EQ(count("write_total_dropped"), 0u);
}

TEST_F(LogWriterTest, ALineAsLongAsTheBufferFitsAndLongerOnesAreCut) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  sink.append("x\n");
  sink.append(std::string(LogSink::kBufferBytes + 10, 'y'));
  sink.handOver();
  writer_->flush();
  EXPECT_EQ(contents(path).size(), 2 + LogSink::kBufferBytes);
}

TEST_F(LogWriterTest, AppendsToWhatIsThere) {
  const std::string path = directory_ + "/access.log";
  std::ofstream(path) << "old\n";
  LogSink(open(path), loop_).append("new\n");
  writer_->flush();
  EXPECT_EQ(contents(path), "old\nnew\n");
}

TEST_F(LogWriterTest, OnePathIsOneFile) {
  const std::shared_ptr<LogFile> file = open(directory_ + "/a");
  EXPECT_EQ(open(directory_ + "/a"), file);
  EXPECT_NE(open(directory_ + "/b"), file);
}

// Nobody reads the FIFO: the writer's thread is stuck, its queue fills up, and the thread that
// logs goes on all the same. Every line is either read in the end or counted as dropped.
TEST_F(LogWriterTest, AFullQueueDropsAndBlocksNobody) {
  const std::string path = directory_ + "/fifo";
  const int reader = makeFifo(path);
  LogSink sink(open(path), loop_);
  const std::string line = std::string(1023, 'l') + "\n";
  const uint64_t lines = 3 * LogWriter::kQueueLimitBytes / line.size();
  for (uint64_t i = 0; i < lines; ++i) sink.append(line);
  sink.handOver();
  const uint64_t dropped = count("write_total_dropped");
  EXPECT_GE(dropped, lines / 2);
  EXPECT_LT(dropped, lines);

  uint64_t bytes = 0;
  ::fcntl(reader, F_SETFL, 0);  // from here on reading waits for the writer
  std::string chunk(256 * 1024, '\0');
  while (bytes < (lines - dropped) * line.size()) {
    const ssize_t got = ::read(reader, chunk.data(), chunk.size());
    ASSERT_GT(got, 0);
    bytes += static_cast<uint64_t>(got);
  }
  writer_->flush();
  EXPECT_EQ(bytes, (lines - dropped) * line.size());
  EXPECT_EQ(count("write_completed") + count("write_total_dropped"), lines);
  ::close(reader);
}

TEST_F(LogWriterTest, EndingGivesUpAReaderThatTakesNothing) {
  const std::string path = directory_ + "/fifo";
  const int reader = makeFifo(path);
  auto sink = std::make_unique<LogSink>(open(path), loop_);
  const std::string line = std::string(1023, 'l') + "\n";
  for (int i = 0; i < 1000; ++i) sink->append(line);
  writer_.reset();
  sink->append("after the end\n");
  sink.reset();
  ::fcntl(reader, F_SETFL, O_NONBLOCK);
  std::string chunk(1024 * 1024, '\0');
  const ssize_t got = ::read(reader, chunk.data(), chunk.size());
  EXPECT_GT(got, 0);
  EXPECT_LT(got, 1000 * 1024);
  ::close(reader);
}

TEST_F(LogWriterTest, EndingWritesWhatIsQueued) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  sink.append("last\n");
  sink.handOver();
  writer_.reset();
  EXPECT_EQ(contents(path), "last\n");
}

TEST_F(LogWriterTest, ReopeningFollowsARenamedFile) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  sink.append("before\n");
  sink.handOver();
  writer_->flush();
  std::filesystem::rename(path, path + ".1");
  sink.append("still the old one\n");
  sink.handOver();
  writer_->reopenAll();
  sink.append("after\n");
  sink.handOver();
  writer_->flush();
  EXPECT_EQ(contents(path + ".1"), "before\nstill the old one\n");
  EXPECT_EQ(contents(path), "after\n");
  EXPECT_EQ(count("reopened"), 1u);
}

TEST_F(LogWriterTest, ReopeningThatFailsKeepsTheOldFile) {
  const std::string below = directory_ + "/d";
  std::filesystem::create_directory(below);
  LogSink sink(open(below + "/access.log"), loop_);
  std::filesystem::rename(below, below + ".moved");
  writer_->reopenAll();
  sink.append("kept\n");
  sink.handOver();
  writer_->flush();
  EXPECT_EQ(contents(below + ".moved/access.log"), "kept\n");
  EXPECT_EQ(count("write_failed"), 1u);
  EXPECT_EQ(count("reopened"), 0u);
}

TEST_F(LogWriterTest, AFullDiskAndABrokenPipeAreCounted) {
  LogSink full(open("/dev/full"), loop_);
  full.append("one\n");
  full.append("two\n");
  full.handOver();
  writer_->flush();
  EXPECT_EQ(count("write_failed"), 1u);
  EXPECT_EQ(count("write_total_dropped"), 2u);

  const std::string path = directory_ + "/fifo";
  const int reader = makeFifo(path);
  LogSink pipe(open(path), loop_);
  ::close(reader);
  pipe.append("three\n");
  pipe.handOver();
  writer_->flush();
  EXPECT_EQ(count("write_failed"), 2u);
  EXPECT_EQ(count("write_total_dropped"), 3u);
}

// Files that this process writes may not grow beyond so many bytes, as on a disk that is full.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    resize(bytes);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }
  void resize(rlim_t bytes) {
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

 private:
  sighandler_t handler_;
  rlimit before_{};
};

TEST_F(LogWriterTest, ALineThatAFullDiskCutOffIsCompletedFirst) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  const auto write = [&](const std::string& lines) {
    for (size_t at = 0; at < lines.size(); at += 4) sink.append(lines.substr(at, 4));
    sink.handOver();
    writer_->flush();
  };
  {
    SmallDisk disk(6);
    write("aaa\nbbb\nccc\nddd\n");
    EXPECT_EQ(contents(path), "aaa\nbb");
    EXPECT_EQ(count("write_completed"), 1u);
    EXPECT_EQ(count("write_total_dropped"), 2u);
    EXPECT_EQ(count("write_failed"), 1u);
    write("eee\n");
    disk.resize(7);
    write("fff\n");
    EXPECT_EQ(contents(path), "aaa\nbbb");
    EXPECT_EQ(count("write_completed"), 1u);
    EXPECT_EQ(count("write_total_dropped"), 4u);
  }
  write("ggg\n");
  EXPECT_EQ(contents(path), "aaa\nbbb\nggg\n");
  EXPECT_EQ(count("write_completed"), 3u);
  EXPECT_EQ(count("write_total_dropped"), 4u);
}

TEST_F(LogWriterTest, WhatAFullDiskCutOffDoesNotBeginAnotherFile) {
  const std::string path = directory_ + "/access.log";
  LogSink sink(open(path), loop_);
  {
    const SmallDisk disk(2);
    sink.append("aaa\n");
    sink.handOver();
    writer_->flush();
  }
  std::filesystem::rename(path, path + ".1");
  writer_->reopenAll();
  sink.append("bbb\n");
  sink.handOver();
  writer_->flush();
  EXPECT_EQ(contents(path + ".1"), "aa");
  EXPECT_EQ(contents(path), "bbb\n");
  EXPECT_EQ(count("write_completed"), 1u);
  EXPECT_EQ(count("write_total_dropped"), 1u);
}

TEST_F(LogWriterTest, OpenErrorsNameThePath) {
  ASSERT_EQ(::mkfifo((directory_ + "/fifo").c_str(), 0600), 0);
  for (const std::string& path :
       {directory_ + "/missing/access.log", directory_, directory_ + "/fifo"}) {
    const absl::Status status = writer_->open(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("\"" + path + "\""), std::string::npos) << status;
  }
}

TEST_F(LogWriterTest, StandardStreamsWork) {
  const std::pair<std::string, int> streams[] = {{"/dev/stdout", STDOUT_FILENO},
                                                 {"/dev/stderr", STDERR_FILENO}};
  for (const auto& [path, fd] : streams) {
    const int saved = ::dup(fd);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::dup2(ends[1], fd);
    LogSink(open(path), loop_).append("line\n");
    writer_->flush();
    ::dup2(saved, fd);
    char text[16];
    EXPECT_EQ(::read(ends[0], text, sizeof(text)), 5) << path;
    for (const int end : {saved, ends[0], ends[1]}) ::close(end);
  }
}

}  // namespace
}  // namespace convoy::observe
