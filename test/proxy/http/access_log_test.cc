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
    return logger(spec);
  }
  AccessLogger logger(const AccessLogSpec& spec) {
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

TEST_F(AccessLoggerTest, ALongTextHidesNothingOfItsLine) {
  const std::string target(2 * AccessLogger::kMaxLineBytes, 'x');
  info_.status = 403;
  request_.target = target;
  {
    AccessLogger log = logger("%REQ(:PATH)% %RESPONSE_CODE% end\n");
    log.log(request_, response_, info_);
    request_.target = "/short";
    log.log(request_, response_, info_);
  }
  EXPECT_EQ(written(),
            std::string(AccessLogger::kMostOfValue, 'x') + "... 403 end\n" + "/short 403 end\n");
}

// Each byte becomes six.
TEST_F(AccessLoggerTest, ALineOfJsonIsWholeHoweverLongItsValuesAre) {
  const std::string agent(AccessLogger::kMaxLineBytes / 6 + 1, '\xe9');
  request_.headers.add("user-agent", agent);
  info_.status = 403;
  AccessLogSpec spec;
  spec.format = AccessLogSpec::Format::Json;
  std::string cut;
  for (size_t i = 0; i < AccessLogger::kMostOfValue; ++i) cut += "\\u00e9";
  std::string expected = "{";
  for (char key = 'a'; key < 'a' + 18; ++key) {
    spec.json_fields.emplace_back(std::string(1, key), "%REQ(USER-AGENT)%");
    expected.append("\"").append(1, key).append("\":\"").append(cut).append("...\",");
  }
  spec.json_fields.emplace_back("status", "%RESPONSE_CODE%");
  logger(spec).log(request_, response_, info_);
  EXPECT_EQ(written(), expected + "\"status\":403}\n");
}

// A number for which there was no room was left out, and what stood behind it was written.
TEST_F(AccessLoggerTest, NoLengthOfATextHidesANumber) {
  info_.bytes_sent = 1'234'567'890;
  const std::string cut = std::string(AccessLogger::kMostOfValue, 'x') + "...";
  const std::string rest = " 1234567890\n";
  std::string expected;
  {
    AccessLogger log = logger("%REQ(:PATH)% %BYTES_SENT%\n");
    for (size_t room = 0; room < 40; ++room) {
      const std::string target(AccessLogger::kMaxLineBytes - room, 'x');
      request_.target = target;
      log.log(request_, response_, info_);
      // A number may have twenty digits: so many stay free.
      expected += (room < rest.size() + 20 ? cut : target) + rest;
    }
  }
  EXPECT_EQ(written(), expected);
}

TEST_F(AccessLoggerTest, ALineOfTooManyLongTextsIsCutButStaysALine) {
  const std::string target(AccessLogger::kMaxLineBytes, 'x');
  request_.target = target;
  std::string format;
  for (size_t i = 0; i < AccessLogger::kMaxLineBytes / AccessLogger::kMostOfValue; ++i) {
    format += "%REQ(:PATH)%";
  }
  logger(format + "\n").log(request_, response_, info_);
  const std::string line = written();
  EXPECT_EQ(line.size(), AccessLogger::kMaxLineBytes);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
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
