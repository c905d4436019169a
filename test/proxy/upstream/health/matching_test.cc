#include "proxy/upstream/health/matching.h"

#include <gtest/gtest.h>

namespace convoy::upstream {
namespace {

TEST(MatchingTest, PiecesInOrderWithAnythingBetween) {
  EXPECT_TRUE(containsInOrder("", {}));
  EXPECT_TRUE(containsInOrder("x+PONG\r\n", {"PONG"}));
  EXPECT_TRUE(containsInOrder("a--b--c", {"a", "b", "c"}));
  EXPECT_FALSE(containsInOrder("b--a", {"a", "b"}));
  EXPECT_FALSE(containsInOrder("aa", {"aa", "a"}));  // no byte serves twice
  EXPECT_FALSE(containsInOrder("", {"a"}));
  EXPECT_TRUE(containsInOrder(std::string_view("a\0b", 3), {std::string("\0b", 2)}));
}

TEST(MatchingTest, RangesAreHalfOpen) {
  const std::vector<StatusRange> ranges{{200, 300}, {404, 405}};
  for (const int status : {200, 299, 404}) EXPECT_TRUE(inRanges(status, ranges)) << status;
  for (const int status : {199, 300, 403, 405}) EXPECT_FALSE(inRanges(status, ranges)) << status;
}

TEST(MatchingTest, DeepReports) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"status": "healthy"})", ""},
      {R"({"status": "healthy", "checks": {}, "version": 3})", ""},
      {R"({"status": "healthy", "checks": {"db": "ok", "redis": "ok"}})", ""},
      {R"({"status": "healthy", "checks": {"redis": "down", "db": "slow"}})",
       "the body says that check db is not ok"},
      {R"({"status": "healthy", "checks": {"db": true}})", "the body says that check db is not ok"},
      {R"({"status": "healthy", "checks": ["db"]})", "\"checks\" of the body is no JSON object"},
      {R"({"status": "draining"})", "the body says status draining"},
      {R"({"status": "a\nb"})", "the body says status a?b"},
      {R"({"status": 1})", "the body has no \"status\""},
      {R"({})", "the body has no \"status\""},
      {R"(["healthy"])", "the body is no JSON object"},
      {"", "the body is no JSON object"},
      {"OK", "the body is no JSON object"},
      {R"({"status": "healthy")", "the body is no JSON object"},
  };
  for (const auto& [body, fault] : cases)
    EXPECT_EQ(faultInReport(body).value_or(""), fault) << body;
  // Depth is bounded.
  EXPECT_EQ(faultInReport(std::string(100'000, '[')), "the body is no JSON object");
}

TEST(MatchingTest, WhatIsShownIsShortAndPrintable) {
  EXPECT_EQ(shown("plain"), "plain");
  EXPECT_EQ(shown("a\x1b[31m\xff"), "a?[31m?");
  EXPECT_EQ(shown(std::string(100, 'x')), std::string(64, 'x') + "...");
}

TEST(MatchingTest, HealthMessagesOfGrpc) {
  EXPECT_EQ(encodeHealthRequest(""), "");
  EXPECT_EQ(encodeHealthRequest("shop"), "\x0a\x04shop");
  EXPECT_EQ(decodeServingStatus(""), 0u);  // UNKNOWN
  EXPECT_EQ(decodeServingStatus("\x08\x01"), 1u);
  EXPECT_EQ(decodeServingStatus("\x12\x01x\x08\x02"), 2u);  // fields of others are passed over
  EXPECT_EQ(decodeServingStatus("\x08"), std::nullopt);
  EXPECT_EQ(decodeServingStatus("\x12\x7fx"), std::nullopt);
  EXPECT_EQ(decodeServingStatus("\x0c"), std::nullopt);  // the end of a group that never began
}

}  // namespace
}  // namespace convoy::upstream
