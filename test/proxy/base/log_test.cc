#include "proxy/base/log.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::base {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override {
    setLogLevel(LogLevel::Info);
    setLogTimeSource(nullptr);
  }

  static std::string captured(LogLevel level, std::string_view text) {
    testing::internal::CaptureStderr();
    log(level, text);
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, ParsesEnvoysLevelNames) {
  const std::pair<std::string_view, LogLevel> cases[] = {
      {"trace", LogLevel::Trace},  {"debug", LogLevel::Debug},       {"info", LogLevel::Info},
      {"warn", LogLevel::Warning}, {"warning", LogLevel::Warning},   {"error", LogLevel::Error},
      {"off", LogLevel::Off},      {"critical", LogLevel::Critical},
  };
  for (const auto& [name, expected] : cases) {
    LogLevel level = LogLevel::Trace;
    EXPECT_TRUE(parseLogLevel(name, &level)) << name;
    EXPECT_EQ(level, expected) << name;
  }
  LogLevel untouched = LogLevel::Error;
  for (const std::string_view name : {"", "INFO", "verbose", "warnin"}) {
    EXPECT_FALSE(parseLogLevel(name, &untouched)) << name;
  }
  EXPECT_EQ(untouched, LogLevel::Error);
}

TEST_F(LogTest, WritesOneLineWithTimeAndLevel) {
  const std::pair<uint64_t, std::string> cases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {951'827'696'789'000, "2000-02-29T12:34:56.789Z"},
      {1'704'067'199'999'999, "2023-12-31T23:59:59.999Z"},
      {4'107'542'400'000'000, "2100-03-01T00:00:00.000Z"},
  };
  static uint64_t now;
  setLogTimeSource([] { return now; });
  for (const auto& [microseconds, expected] : cases) {
    now = microseconds;
    EXPECT_EQ(captured(LogLevel::Warning, "listener=web"), expected + " warning listener=web\n");
  }
}

TEST_F(LogTest, TextCannotForgeASecondLine) {
  EXPECT_EQ(captured(LogLevel::Error, "a\nb\r\nc"), "error a\\nb\\r\\nc\n");
}

TEST_F(LogTest, FiltersByLevel) {
  setLogLevel(LogLevel::Warning);
  EXPECT_EQ(logLevel(), LogLevel::Warning);
  EXPECT_EQ(captured(LogLevel::Info, "x"), "");
  EXPECT_EQ(captured(LogLevel::Warning, "x"), "warning x\n");
  setLogLevel(LogLevel::Off);
  EXPECT_EQ(captured(LogLevel::Critical, "x"), "");
  EXPECT_EQ(captured(LogLevel::Off, "x"), "");
}

TEST_F(LogTest, ShortFormsNameTheirLevel) {
  testing::internal::CaptureStderr();
  logInfo("a");
  logWarning("b");
  logError("c");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "info a\nwarning b\nerror c\n");
}

}  // namespace
}  // namespace convoy::base
