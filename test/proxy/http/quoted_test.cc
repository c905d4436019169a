#include "proxy/http/quoted.h"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

TEST(Quoted, ListWithoutQuotesIsBalanced) {
  EXPECT_TRUE(quotesAreBalanced(""));
  EXPECT_TRUE(quotesAreBalanced("for=192.0.2.1, for=192.0.2.2"));
}

TEST(Quoted, EachQuoteThatOpensHasToClose) {
  EXPECT_TRUE(quotesAreBalanced(R"(for="[2001:db8::1]:80", by="x")"));
  EXPECT_FALSE(quotesAreBalanced(R"(for=")"));
  EXPECT_FALSE(quotesAreBalanced(R"(for="a", by="b)"));
}

TEST(Quoted, BackslashInQuotesEscapesTheQuoteBehindIt) {
  EXPECT_TRUE(quotesAreBalanced(R"("a\"b")"));
  EXPECT_FALSE(quotesAreBalanced(R"("a\")"));
  EXPECT_TRUE(quotesAreBalanced(R"("a\\")"));
  EXPECT_FALSE(quotesAreBalanced(R"("a\)"));
}

TEST(Quoted, BackslashOutsideOfQuotesEscapesNothing) {
  EXPECT_FALSE(quotesAreBalanced(R"(a\"b)"));
  EXPECT_TRUE(quotesAreBalanced(R"(a\"b")"));
}

}  // namespace
}  // namespace convoy::http
