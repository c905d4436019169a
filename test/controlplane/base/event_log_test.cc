#include "controlplane/base/event_log.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::controlplane {
namespace {

TEST(EventLogTest, QuotesWhatWouldBreakTheLine) {
  struct Case {
    std::string value;
    std::string written;
  };
  const Case cases[] = {
      {"plain", "plain"},
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a=b", "\"a=b\""},
      {"say \"x\"", "\"say \\\"x\\\"\""},
      {"line\nforged", "\"line\\nforged\""},
      {"größe", "größe"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(eventText("tested", {{"key", c.value}}), "event=tested key=" + c.written);
  }
}

TEST(EventLogTest, KeepsTheOrderOfTheFields) {
  EXPECT_EQ(eventText("e", {{"b", "1"}, {"a", "2"}}), "event=e b=1 a=2");
  EXPECT_EQ(eventText("e", {}), "event=e");
}

}  // namespace
}  // namespace convoy::controlplane
