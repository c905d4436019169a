#include "proxy/filter/stateful_session/session_token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "proxy/base/base64.h"

namespace convoy::filter::stateful_session {
namespace {

const std::string kFirst(32, 'a');
const std::string kSecond(32, 'b');
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

class SessionTokenTest : public testing::Test {
 protected:
  std::string seal(const SessionTokens& tokens, std::string_view host, uint32_t end = 0) {
    return std::string(tokens.seal({.host = host, .end = end}, arena_));
  }
  // "host end first", or "none".
  std::string open(const SessionTokens& tokens, std::string_view token) {
    const auto content = tokens.open(token, arena_);
    if (!content.has_value()) return "none";
    return std::string(content->host) + " " + std::to_string(content->end) +
           (content->by_first_key ? " first" : "");
  }

  base::Arena arena_;
  const SessionTokens tokens_{{kFirst}, "c"};
};

TEST_F(SessionTokenTest, SaysWhatWasSealed) {
  EXPECT_EQ(open(tokens_, seal(tokens_, "10.0.0.1:80")), "10.0.0.1:80 0 first");
  EXPECT_EQ(open(tokens_, seal(tokens_, "10.0.0.1:80", 0xfedcba98)),
            "10.0.0.1:80 4275878552 first");
  const std::string path = "unix:" + std::string(108, 'p');
  EXPECT_EQ(open(tokens_, seal(tokens_, path, 7)), path + " 7 first");
  EXPECT_EQ(seal(tokens_, std::string(125, 'p')), "") << "longer than any address";
  EXPECT_EQ(open(tokens_, seal(tokens_, std::string(124, 'p'))),
            std::string(124, 'p') + " 0 first");
}

TEST_F(SessionTokenTest, IsTheSameOnEveryNodeAndAfterEveryStart) {
  const SessionTokens other({kFirst}, "c");
  EXPECT_EQ(seal(other, "10.0.0.1:80", 9), seal(tokens_, "10.0.0.1:80", 9));
  // What is out there must go on to open. By Python's hmac and hashlib.
  EXPECT_EQ(seal(tokens_, "10.0.0.1:80", 9),
            "Xe0as7byYmeg0qv7ivD4G-wNHq8FQgcQrd78-trL922OdS7fex-_ALu6SrYNCVy0");
}

TEST_F(SessionTokenTest, SaysNothingToOthers) {
  const std::string token = seal(tokens_, "10.0.0.1:80");
  std::string bytes(48, '\0');
  ASSERT_EQ(base::decodeBase64(token, base::Base64::Url, bytes), 48u);
  EXPECT_EQ(bytes.find("10.0"), std::string::npos);
  EXPECT_EQ(seal(tokens_, "10.255.255.255:65535").size(), token.size())
      << "the length is that of every IPv4 address";
  std::set<std::string> tails;
  for (int i = 0; i < 100; ++i) {
    tails.insert(seal(tokens_, "10.0.0.1:" + std::to_string(1000 + i)).substr(40));
  }
  EXPECT_EQ(tails.size(), 100u) << "one byte of an address changes all of its token";
}

TEST_F(SessionTokenTest, NoAlteredTokenOpens) {
  const std::string token = seal(tokens_, "10.0.0.1:80", 1'700'000'000);
  for (size_t at = 0; at < token.size(); ++at) {
    for (const char c : std::string_view(kAlphabet)) {
      if (c == token[at]) continue;
      std::string altered = token;
      altered[at] = c;
      ASSERT_EQ(open(tokens_, altered), "none") << at << c;
    }
    EXPECT_EQ(open(tokens_, token.substr(0, at)), "none") << at;
  }
  EXPECT_EQ(open(tokens_, token + "A"), "none");
  EXPECT_EQ(open(tokens_, token + token), "none");
  EXPECT_EQ(open(tokens_, token + "="), "none");
  EXPECT_EQ(open(tokens_, std::string(64, 'A')), "none");
  EXPECT_EQ(open(tokens_, std::string(100'000, 'A')), "none");
}

TEST_F(SessionTokenTest, TheFirstKeyMakesAllOpen) {
  const SessionTokens both({kSecond, kFirst}, "c");
  EXPECT_EQ(open(both, seal(tokens_, "h")), "h 0") << "of a key that is on its way out";
  EXPECT_EQ(open(both, seal(both, "h")), "h 0 first");
  EXPECT_EQ(open(tokens_, seal(both, "h")), "none");
  EXPECT_EQ(seal(SessionTokens({}, "c"), "h"), "");
  EXPECT_EQ(open(SessionTokens({}, "c"), seal(tokens_, "h")), "none");
}

TEST_F(SessionTokenTest, OneCookieIsNoOther) {
  const SessionTokens other({kFirst}, "d");
  EXPECT_EQ(open(other, seal(tokens_, "h")), "none");
}

}  // namespace
}  // namespace convoy::filter::stateful_session
