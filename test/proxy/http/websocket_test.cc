#include "proxy/http/websocket.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace convoy::http {
namespace {

TEST(WebSocketTest, AnswersTheKeyOfTheRfc) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ==").text(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketTest, MakesKeysThatDiffer) {
  event::Random random(7);
  base::Arena arena;
  std::set<std::string> keys;
  for (int i = 0; i < 100; ++i) {
    const std::string_view key = makeWebSocketKey(random, arena);
    ASSERT_EQ(key.size(), 24U);
    EXPECT_EQ(key.substr(22), "==");
    EXPECT_EQ(key.find('='), 22U);
    keys.emplace(key);
  }
  EXPECT_EQ(keys.size(), 100U);
}

TEST(WebSocketTest, TheNameIgnoresCase) {
  EXPECT_TRUE(isWebSocket("WebSocket"));
  EXPECT_FALSE(isWebSocket("websocket2"));
  EXPECT_FALSE(isWebSocket(""));
}

}  // namespace
}  // namespace convoy::http
