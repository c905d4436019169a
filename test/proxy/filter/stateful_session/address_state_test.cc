#include "proxy/filter/stateful_session/address_state.h"

#include <gtest/gtest.h>

#include "test/proxy/filter/stateful_session/state_fixture.h"

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;

class AddressStateTest : public test::SessionStateTest {};

// "MS4yLjMuNDo4MA==" is "1.2.3.4:80", as in Envoy's own documentation.
TEST_F(AddressStateTest, TheHeader) {
  make(AddressHeader{"session-header"});
  EXPECT_EQ(find("", ""), "-");
  EXPECT_EQ(answered("1.2.3.4:80"), "session-header: MS4yLjMuNDo4MA==");
  EXPECT_EQ(find("Session-Header", "MS4yLjMuNDo4MA=="), "1.2.3.4:80");
  EXPECT_EQ(answered("1.2.3.4:80"), "") << "the client knows";
  EXPECT_EQ(answered("1.2.3.5:80"), "session-header: MS4yLjMuNTo4MA==");
  EXPECT_EQ(find("session-header", "no base64!"), "tampered");
  EXPECT_EQ(find("session-header", ""), "tampered");
  EXPECT_EQ(find("session-header", std::string(1000, 'A')), "tampered");
}

TEST_F(AddressStateTest, TheCookieAsEnvoyWritesIt) {
  make(AddressCookie{{.name = "s", .path = "/p"}});
  find("", "");
  // The message {address: "1.2.3.4:80"}.
  EXPECT_EQ(answered("1.2.3.4:80"), "set-cookie: s=\"CgoxLjIuMy40Ojgw\"; Path=/p; HttpOnly");
  EXPECT_EQ(find("cookie", "a=b; s=\"CgoxLjIuMy40Ojgw\""), "1.2.3.4:80");
  EXPECT_EQ(answered("1.2.3.4:80"), "");
  EXPECT_EQ(find("cookie", "s=MS4yLjMuNDo4MA=="), "1.2.3.4:80") << "as older versions did";
  EXPECT_EQ(find("cookie", "s=EAc="), "tampered") << "an end without an address";
  EXPECT_EQ(find("cookie", "s=!"), "tampered");
  EXPECT_EQ(find("cookie", "t=CgoxLjIuMy40Ojgw"), "-");
}

TEST_F(AddressStateTest, ACookieThatEnds) {
  make(AddressCookie{{.name = "s", .ttl = 60s}});
  find("", "");
  const std::string field = answered("1.2.3.4:80");
  EXPECT_NE(field.find("; Max-Age=60; HttpOnly"), std::string::npos) << field;
  const std::string cookie = field.substr(12, field.find(';') - 12);
  EXPECT_EQ(find("cookie", cookie), "1.2.3.4:80");
  clock_.advance(60s);
  EXPECT_EQ(find("cookie", cookie), "1.2.3.4:80");
  clock_.advance(1s);
  EXPECT_EQ(find("cookie", cookie), "expired");
  EXPECT_EQ(answered("1.2.3.4:80").substr(0, 11), "set-cookie:");
  // {address: "1.2.3.4:80", expires: 1000}: seconds since that Envoy's machine was started.
  EXPECT_EQ(find("cookie", "s=CgoxLjIuMy40OjgwEOgH"), "1.2.3.4:80");
}

TEST_F(AddressStateTest, IsForThePathsOfTheCookie) {
  make(AddressCookie{{.name = "s", .path = "/p"}});
  request_.target = "/p/q?x";
  EXPECT_TRUE(state_->covers(request_));
  request_.target = "/q";
  EXPECT_FALSE(state_->covers(request_));
}

}  // namespace
}  // namespace convoy::filter::stateful_session
