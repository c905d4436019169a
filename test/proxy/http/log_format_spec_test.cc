#include "proxy/http/log_format_spec.h"

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

std::string errorOf(std::string_view format) {
  const auto pieces = parseLogFormat(format);
  return pieces.ok() ? "ok" : std::string(pieces.status().message());
}

TEST(LogFormatSpec, Pieces) {
  const auto pieces = parseLogFormat("a %% %REQ(X-A?:PATH):10%[%START_TIME(%Y/%m)%]%DURATION%");
  ASSERT_TRUE(pieces.ok()) << pieces.status();
  ASSERT_EQ(pieces->size(), 6u);
  EXPECT_EQ((*pieces)[0].op, LogOperator::Literal);
  EXPECT_EQ((*pieces)[0].text, "a % ");
  EXPECT_EQ((*pieces)[1].op, LogOperator::Req);
  EXPECT_EQ((*pieces)[1].text, "X-A");
  ASSERT_EQ((*pieces)[1].alternative.size(), 1u);
  EXPECT_EQ((*pieces)[1].alternative[0].op, LogOperator::Target);
  EXPECT_EQ((*pieces)[1].max_length, 10u);
  EXPECT_EQ((*pieces)[2].text, "[");
  EXPECT_EQ((*pieces)[3].op, LogOperator::StartTime);
  EXPECT_EQ((*pieces)[3].text, "%Y/%m");
  EXPECT_EQ((*pieces)[4].text, "]");
  EXPECT_EQ((*pieces)[5].op, LogOperator::Duration);
}

TEST(LogFormatSpec, TheDefaultParses) {
  EXPECT_EQ(errorOf(kDefaultLogFormat), "ok");
  EXPECT_EQ(errorOf(""), "ok");
}

TEST(LogFormatSpec, Errors) {
  const std::pair<std::string, std::string> cases[] = {
      {"%DURATION",
       "access log format: \"%DURATION\" at byte 0: no closing \"%\"; a literal per cent is "
       "\"%%\""},
      {"x%REQ(a%",
       "access log format: \"%REQ(a%\" at byte 1: no closing \"%\"; a literal per cent "
       "is \"%%\""},
      {"%REQ%", "access log format: \"%REQ\" at byte 0: needs a header name in parentheses"},
      {"%RESP()%", "access log format: \"%RESP()\" at byte 0: needs a header name in parentheses"},
      {"%REQ(a?b?c)%",
       "access log format: \"%REQ(a?b?c)\" at byte 0: takes a header name and at "
       "most one alternative"},
      {"%DURATION(x)%",
       "access log format: \"%DURATION(x)\" at byte 0: takes nothing in parentheses"},
      {"%REQ(a):0%",
       "access log format: \"%REQ(a):0\" at byte 0: what follows the name must be "
       "\":\" and a length of at least 1"},
      {"%REQ(a)x%",
       "access log format: \"%REQ(a)x\" at byte 0: what follows the name must be "
       "\":\" and a length of at least 1"},
      {"%START_TIME(%s.%3f)%",
       "access log format: \"%START_TIME(%s.%3f)\" at byte 0: fractions of a second are not "
       "supported in a time format; %START_TIME% alone has milliseconds"},
  };
  for (const auto& [format, error] : cases) EXPECT_EQ(errorOf(format), error) << format;
  EXPECT_TRUE(errorOf("%NOPE%").starts_with(
      "access log format: \"%NOPE\" at byte 0: unknown operator; known are START_TIME, REQ, "));
}

TEST(LogFormatSpec, APerCentBeforeFIsNoFraction) {
  EXPECT_EQ(errorOf("%START_TIME(%%f)%"), "ok");
  EXPECT_EQ(errorOf("%START_TIME(%F)%"), "ok");
}

}  // namespace
}  // namespace convoy::http
