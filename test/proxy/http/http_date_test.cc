#include "proxy/http/http_date.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

std::string format(int64_t seconds) {
  char text[kHttpDateBytes];
  writeHttpDate(seconds, text);
  return std::string(text, sizeof(text));
}

TEST(HttpDateTest, Formats) {
  EXPECT_EQ(format(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format(951827696), "Tue, 29 Feb 2000 12:34:56 GMT");
  EXPECT_EQ(format(1735689599), "Tue, 31 Dec 2024 23:59:59 GMT");
  EXPECT_EQ(format(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(HttpDateTest, ReadsWhatItWrites) {
  for (const int64_t seconds :
       {int64_t{0}, int64_t{784111777}, int64_t{951827696}, int64_t{1735689599},
        int64_t{253402300799}, int64_t{-62167219200}}) {
    EXPECT_EQ(parseHttpDate(format(seconds)), seconds);
  }
}

TEST(HttpDateTest, AndNothingElse) {
  for (const char* text : {"",
                           "0",
                           "Sun, 06 Nov 1994 08:49:37 GM",
                           "Sun, 06 Nov 1994 08:49:37 GMT ",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Mon, 06 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 Nof 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 31 Nov 1994 08:49:37 GMT",
                           "Mon, 29 Feb 2100 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:60 GMT",
                           "Sun, 06 Nov 1994 08.49.37 GMT",
                           "Sun, +6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 19~4 08:49:37 GMT",
                           "Sun,  6 Nov 1994 08:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GM",
                           "Sun Nov  6 08:49:37 1994     "}) {
    EXPECT_EQ(parseHttpDate(text), std::nullopt) << text;
  }
}

TEST(HttpDateTest, CacheFollowsTheSecond) {
  HttpDateCache cache;
  EXPECT_EQ(cache.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  const char* const storage = cache.at(784111777).data();
  EXPECT_EQ(cache.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(cache.at(784111778).data(), storage);
  EXPECT_EQ(cache.at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace convoy::http
