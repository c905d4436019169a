#include "proxy/filter/stateful_session/signed_cookie_state.h"

#include <gtest/gtest.h>

#include "test/proxy/filter/stateful_session/state_fixture.h"

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;

const std::string kFirst(32, 'a');
const std::string kSecond(32, 'b');

class SignedCookieStateTest : public test::SessionStateTest {
 protected:
  static SignedCookie spec(std::vector<std::string> keys = {kFirst}) {
    return {.cookie = {.name = "s", .path = "/", .ttl = 100s, .secure = std::nullopt},
            .keys = std::move(keys)};
  }
  // The cookie of a fresh session on this host, as the client sends it.
  std::string cookieOf(const std::string& host) {
    find("", "");
    const std::string field = answered(host);
    return field.substr(12, field.find(';') - 12);
  }
};

TEST_F(SignedCookieStateTest, ASessionComesBackToItsHost) {
  make(spec());
  EXPECT_EQ(find("", ""), "-");
  const std::string field = answered("10.0.0.1:80");
  EXPECT_EQ(field.substr(0, 15), "set-cookie: s=\"");
  EXPECT_EQ(field.substr(79), "\"; Max-Age=100; Path=/; HttpOnly");
  EXPECT_EQ(field.find("10.0"), std::string::npos);
  const std::string cookie = field.substr(12, 68);
  EXPECT_EQ(find("cookie", "a=b; " + cookie), "10.0.0.1:80");
  EXPECT_EQ(answered("10.0.0.1:80"), "");
  EXPECT_NE(answered("10.0.0.2:80"), "") << "the host was replaced: so is the cookie";
}

TEST_F(SignedCookieStateTest, AnotherNodeAndAnotherStartUnderstandIt) {
  make(spec());
  const std::string cookie = cookieOf("10.0.0.1:80");
  state_ = nullptr;
  make(spec());
  EXPECT_EQ(find("cookie", cookie), "10.0.0.1:80");
}

TEST_F(SignedCookieStateTest, WhatDoesNotVerifyIsNoSession) {
  make(spec());
  std::string cookie = cookieOf("10.0.0.1:80");
  cookie[10] = cookie[10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(find("cookie", cookie), "tampered");
  EXPECT_NE(answered("10.0.0.1:80"), "") << "it is replaced";
  EXPECT_EQ(find("cookie", "s="), "tampered");
  EXPECT_EQ(find("cookie", "s=10.0.0.1:80"), "tampered");
  make(spec({kSecond}));
  EXPECT_EQ(find("cookie", cookieOf("h")), "h");
}

TEST_F(SignedCookieStateTest, TheFirstOfSeveralThatVerifiesCounts) {
  make(spec());
  const std::string cookie = cookieOf("10.0.0.1:80");
  EXPECT_EQ(find("cookie", "s=x; s=y; s=z; " + cookie), "10.0.0.1:80");
  EXPECT_EQ(find("cookie", "s=w; s=x; s=y; s=z; " + cookie), "tampered")
      << "so many are looked at, and no more";
}

TEST_F(SignedCookieStateTest, AnOldKeysCookieIsMadeAnew) {
  make(spec());
  const std::string old = cookieOf("10.0.0.1:80");
  make(spec({kSecond, kFirst}));
  EXPECT_EQ(find("cookie", old), "10.0.0.1:80");
  const std::string field = answered("10.0.0.1:80");
  const std::string fresh = field.substr(12, field.find(';') - 12);
  make(spec({kSecond}));
  EXPECT_EQ(find("cookie", old), "tampered");
  EXPECT_EQ(find("cookie", fresh), "10.0.0.1:80");
}

TEST_F(SignedCookieStateTest, AUsedOneIsMadeAnewInTheSecondHalfOfItsTime) {
  make(spec());
  const std::string cookie = cookieOf("10.0.0.1:80");
  clock_.advance(50s);
  EXPECT_EQ(find("cookie", cookie), "10.0.0.1:80");
  EXPECT_EQ(answered("10.0.0.1:80"), "");
  clock_.advance(1s);
  EXPECT_EQ(find("cookie", cookie), "10.0.0.1:80");
  const std::string fresh = answered("10.0.0.1:80").substr(12, 68);
  EXPECT_NE(fresh, cookie);
  clock_.advance(49s);
  EXPECT_EQ(find("cookie", cookie), "expired") << "whatever the browser makes of Max-Age";
  EXPECT_EQ(find("cookie", fresh), "10.0.0.1:80");
}

TEST_F(SignedCookieStateTest, AnotherTtlTakesHold) {
  SignedCookie endless = spec();
  endless.cookie.ttl = 0s;
  make(endless);
  const std::string cookie = cookieOf("10.0.0.1:80");
  EXPECT_EQ(answered("10.0.0.2:80").find("Max-Age"), std::string::npos);
  clock_.advance(std::chrono::hours(24 * 365));
  EXPECT_EQ(find("cookie", cookie), "10.0.0.1:80");
  EXPECT_EQ(answered("10.0.0.1:80"), "");
  make(spec());
  EXPECT_EQ(find("cookie", cookie), "10.0.0.1:80");
  EXPECT_NE(answered("10.0.0.1:80").find("Max-Age=100"), std::string::npos);
}

TEST_F(SignedCookieStateTest, IsForThePathsOfTheCookie) {
  SignedCookie some = spec();
  some.cookie.path = "/app";
  make(some);
  request_.target = "/app/x";
  EXPECT_TRUE(state_->covers(request_));
  request_.target = "/apple";
  EXPECT_FALSE(state_->covers(request_));
}

}  // namespace
}  // namespace convoy::filter::stateful_session
