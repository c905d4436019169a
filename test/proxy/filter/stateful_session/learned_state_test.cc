#include "proxy/filter/stateful_session/learned_state.h"

#include <gtest/gtest.h>

#include "test/proxy/filter/stateful_session/state_fixture.h"

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;

class LearnedStateTest : public test::SessionStateTest {
 protected:
  void learn(Learned::Key key, const std::string& name, uint32_t max_entries = 1000) {
    make(
        Learned{.table = "web", .key = key, .name = name, .ttl = 100s, .max_entries = max_entries});
  }
};

TEST_F(LearnedStateTest, ACookieOfTheHosts) {
  learn(Learned::Key::Cookie, "JSESSIONID");
  EXPECT_EQ(find("", ""), "-");
  EXPECT_EQ(answered("a:1", "JSESSIONID=s1; Path=/; HttpOnly"), "")
      << "the client gets it as it is";
  EXPECT_EQ(metrics_.sticky_entries.value(), 1);
  EXPECT_EQ(find("cookie", "x=y; JSESSIONID=s1"), "a:1");
  EXPECT_EQ(find("cookie", "JSESSIONID=s2"), "-");
  answered("b:1", "other=s3");
  EXPECT_EQ(find("cookie", "JSESSIONID=s2"), "-") << "a client's invention begins no session";
  answered("b:1", "JSESSIONID=\"s2\"");
  EXPECT_EQ(find("cookie", "JSESSIONID=s2"), "b:1");
  EXPECT_EQ(find("cookie", "JSESSIONID=s1"), "a:1");
  EXPECT_EQ(metrics_.sticky_entries.value(), 2);
}

TEST_F(LearnedStateTest, ASessionWhoseHostIsGoneMoves) {
  learn(Learned::Key::Cookie, "JSESSIONID");
  find("", "");
  answered("a:1", "JSESSIONID=s1");
  EXPECT_EQ(find("cookie", "JSESSIONID=s1"), "a:1");
  answered("b:1");
  EXPECT_EQ(find("cookie", "JSESSIONID=s1"), "b:1");
  EXPECT_EQ(metrics_.sticky_entries.value(), 1);
}

TEST_F(LearnedStateTest, AnEmptyCookieIsNone) {
  learn(Learned::Key::Cookie, "JSESSIONID");
  find("", "");
  answered("a:1", "JSESSIONID=; Max-Age=0");
  EXPECT_EQ(find("cookie", "JSESSIONID="), "-");
  EXPECT_EQ(metrics_.sticky_entries.value(), 0);
}

TEST_F(LearnedStateTest, AHeader) {
  learn(Learned::Key::Header, "X-Tenant");
  EXPECT_EQ(find("x-tenant", "t1"), "-");
  answered("a:1");
  EXPECT_EQ(find("X-Tenant", "t1"), "a:1");
  EXPECT_EQ(find("X-Tenant", "t2"), "-");
  EXPECT_EQ(find("", ""), "-");
  answered("b:1");
  EXPECT_EQ(metrics_.sticky_entries.value(), 1) << "without the header nothing is learned";
}

TEST_F(LearnedStateTest, AnAddress) {
  learn(Learned::Key::SourceIp, "");
  info_.downstream_ip = "192.0.2.1";
  EXPECT_EQ(find("", ""), "-");
  answered("a:1");
  EXPECT_EQ(find("", ""), "a:1");
  info_.downstream_ip = "192.0.2.2";
  EXPECT_EQ(find("", ""), "-");
}

TEST_F(LearnedStateTest, IsForgottenWhenNotUsed) {
  learn(Learned::Key::Header, "t");
  find("t", "1");
  answered("a:1");
  clock_.advance(99s);
  EXPECT_EQ(find("t", "1"), "a:1");
  clock_.advance(99s);
  EXPECT_EQ(find("t", "1"), "a:1");
  clock_.advance(100s);
  EXPECT_EQ(find("t", "1"), "-");
}

TEST_F(LearnedStateTest, NewConfigurationKeepsWhatWasLearned) {
  learn(Learned::Key::Header, "t");
  find("t", "1");
  answered("a:1");
  state_ = nullptr;
  learn(Learned::Key::Header, "t", 2000);
  EXPECT_EQ(find("t", "1"), "a:1");
}

TEST_F(LearnedStateTest, StrangersCannotFillTheMemory) {
  learn(Learned::Key::Header, "t", 64);
  for (int i = 0; i < 1000; ++i) {
    find("t", std::string(1000, 'x') + std::to_string(i));
    answered("a:1");
  }
  EXPECT_LE(metrics_.sticky_entries.value(), 64);
  EXPECT_EQ(metrics_.sticky_evicted.value(),
            1000u - static_cast<uint64_t>(metrics_.sticky_entries.value()));
}

}  // namespace
}  // namespace convoy::filter::stateful_session
