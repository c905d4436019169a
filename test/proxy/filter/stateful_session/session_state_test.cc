#include "proxy/filter/stateful_session/session_state.h"

#include <gtest/gtest.h>

#include "proxy/filter/stateful_session/address_state.h"
#include "proxy/filter/stateful_session/learned_state.h"
#include "proxy/filter/stateful_session/signed_cookie_state.h"
#include "test/proxy/filter/stateful_session/state_fixture.h"

namespace convoy::filter::stateful_session {
namespace {

class MakeSessionStateTest : public test::SessionStateTest {
 protected:
  template <class State>
  bool isA() const {
    return dynamic_cast<const State*>(state_.get()) != nullptr;
  }
};

TEST_F(MakeSessionStateTest, OneForEachSpec) {
  make(std::monostate());
  EXPECT_EQ(state_, nullptr);
  make(AddressCookie{{.name = "c"}});
  EXPECT_TRUE(isA<AddressCookieState>());
  make(AddressHeader{"h"});
  EXPECT_TRUE(isA<AddressHeaderState>());
  make(SignedCookie{{.name = "c"}, {std::string(32, 'k')}});
  EXPECT_TRUE(isA<SignedCookieState>());
  make(Learned{.table = "t", .name = {}});
  EXPECT_TRUE(isA<LearnedState>());
}

TEST_F(MakeSessionStateTest, ASpecIsPreparedOnce) {
  const SessionSpec spec;
  int made = 0;
  const auto make = [&made] {
    ++made;
    return std::make_shared<const int>(7);
  };
  const int* const first = spec.prepared.get<int>(make);
  EXPECT_EQ(*first, 7);
  EXPECT_EQ(spec.prepared.get<int>(make), first);
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace convoy::filter::stateful_session
