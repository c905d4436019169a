#include "proxy/http/access_log.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

TEST(WallTimeCacheTest, FollowsTheClockWithOneReadingASecond) {
  test::SimulatedClock clock;
  WallTimeCache cache(clock);
  const event::MonotonicTime begin = clock.monotonicNow();
  const event::WallTime wall = clock.wallNow();
  EXPECT_EQ(cache.at(begin), wall);
  EXPECT_EQ(cache.at(begin + 999ms), wall + 999ms);
  clock.advance(1h);
  EXPECT_EQ(cache.at(clock.monotonicNow()), clock.wallNow());
  EXPECT_EQ(cache.at(clock.monotonicNow() - 5s), clock.wallNow() - 5s) << "of an old stream";
}

class AccessLoggerTest : public testing::Test {
 protected:
  AccessLoggerTest() : loop_(clock_) {
    request_.method = "GET";
    info_.started = clock_.monotonicNow();
  }
  ~AccessLoggerTest() override { std::remove(path_.c_str()); }

  AccessLogger logger(std::string format) {
    AccessLogSpec spec;
    spec.text_format = std::move(format);
    auto compiled = LogFormat::compile(spec);
    EXPECT_TRUE(compiled.ok()) << compiled.status();
    auto file = writer_->open(path_);
    EXPECT_TRUE(file.ok()) << file.status();
    return {std::make_shared<const LogFormat>(*std::move(compiled)),
            std::make_unique<observe::LogSink>(*file, loop_.loop()), clock_};
  }
  // What the log holds after its logger has gone.
  std::string written() {
    writer_->flush();
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_;
  observe::MetricRegistry registry_;
  const std::string path_ = testing::TempDir() + "/access_log_test.log";
  std::unique_ptr<observe::LogWriter> writer_ = std::make_unique<observe::LogWriter>(registry_);
  RequestHead request_;
  ResponseHead response_;
  StreamInfo info_;
};

TEST_F(AccessLoggerTest, WritesALineForEachRequest) {
  {
    AccessLogger log = logger("%REQ(:METHOD)% %BYTES_SENT%\n");
    log.log(request_, response_, info_);
    info_.bytes_sent = 7;
    log.log(request_, response_, info_);
  }
  EXPECT_EQ(written(), "GET 0\nGET 7\n");
}

TEST_F(AccessLoggerTest, ATooLongLineIsCutButStaysALine) {
  const std::string target(2 * AccessLogger::kMaxLineBytes, 'x');
  request_.target = target;
  {
    AccessLogger log = logger("%REQ(:PATH)% end\n");
    log.log(request_, response_, info_);
    request_.target = "/short";
    log.log(request_, response_, info_);
  }
  EXPECT_EQ(written(), std::string(AccessLogger::kMaxLineBytes - 1, 'x') + "\n" + "/short end\n");
}

TEST_F(AccessLoggerTest, TheTimeIsWhenTheRequestBegan) {
  clock_.advance(90s);
  {
    AccessLogger log = logger("%START_TIME(%s)%\n");
    log.log(request_, response_, info_);
  }
  const auto began = clock_.wallNow() - 90s;
  EXPECT_EQ(
      written(),
      std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(began.time_since_epoch()).count()) +
          "\n");
}

TEST_F(AccessLoggerTest, SaysWhetherItNeedsTheResponsesHead) {
  EXPECT_FALSE(logger("%REQ(A)% %RESPONSE_CODE%\n").usesResponseHeaders());
  EXPECT_TRUE(logger("%RESP(A)%\n").usesResponseHeaders());
}

}  // namespace
}  // namespace convoy::http
