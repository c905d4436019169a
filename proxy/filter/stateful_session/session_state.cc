#include "proxy/filter/stateful_session/session_state.h"

#include "proxy/filter/stateful_session/address_state.h"
#include "proxy/filter/stateful_session/learned_state.h"
#include "proxy/filter/stateful_session/signed_cookie_state.h"

namespace convoy::filter::stateful_session {

namespace {

struct Maker {
  using Made = std::shared_ptr<const SessionState>;
  SessionTables& tables;
  event::MonotonicTime now;

  Made operator()(const std::monostate&) const { return nullptr; }
  Made operator()(const AddressCookie& spec) const {
    return std::make_shared<const AddressCookieState>(spec);
  }
  Made operator()(const AddressHeader& spec) const {
    return std::make_shared<const AddressHeaderState>(spec);
  }
  Made operator()(const SignedCookie& spec) const {
    return std::make_shared<const SignedCookieState>(spec);
  }
  Made operator()(const Learned& spec) const {
    return std::make_shared<const LearnedState>(spec, tables.get(spec, now));
  }
};

}  // namespace

std::shared_ptr<const SessionState> makeSessionState(const SessionStateSpec& spec,
                                                     SessionTables& tables,
                                                     event::MonotonicTime now) {
  return std::visit(Maker{tables, now}, spec);
}

}  // namespace convoy::filter::stateful_session
