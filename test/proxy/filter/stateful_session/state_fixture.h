#pragma once

// A session state, and requests to it at times that a test chooses.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proxy/filter/stateful_session/session_state.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::test {

class SessionStateTest : public testing::Test {
 protected:
  using Found = http::SessionBinding::Found;

  SessionStateTest() : loop_(clock_) { clock_.attach(loop_.loop()); }
  ~SessionStateTest() override { clock_.detach(loop_.loop()); }

  void make(const filter::stateful_session::SessionStateSpec& spec) {
    state_ = makeSessionState(spec, tables_, loop_.loop().now());
  }
  // The host of this request's session; "-", "expired" or "tampered" without.
  std::string find(const std::string& field, const std::string& value) {
    request_.headers.clear();
    if (!field.empty()) request_.headers.add(arena_.copy(field), arena_.copy(value));
    session_ = state_->find(scope());
    switch (session_.found) {
      case Found::Nothing:
        return "-";
      case Found::Host:
        return std::string(session_.host);
      case Found::Expired:
        return "expired";
      case Found::Tampered:
        break;
    }
    return "tampered";
  }
  // What a host's answer to that request becomes: the fields that were added.
  std::string answered(const std::string& host, const std::string& set_cookie = "") {
    http::ResponseHead response;
    if (!set_cookie.empty()) response.headers.add(http::HeaderName::SetCookie, set_cookie);
    const size_t before = response.headers.size();
    state_->note(scope(), session_, host, response, metrics_);
    std::string added;
    for (size_t i = before; i < response.headers.size(); ++i) {
      const http::HeaderField& field = response.headers.fields().begin()[i];
      added += std::string(field.name) + ": " + std::string(field.value);
    }
    return added;
  }
  filter::stateful_session::Scope scope() { return {request_, info_, loop_.loop(), arena_}; }

  SimulatedClock clock_;
  TestLoop loop_;
  base::Arena arena_;
  http::RequestHead request_;
  http::StreamInfo info_;
  filter::stateful_session::SessionTables tables_;
  std::shared_ptr<const filter::stateful_session::SessionState> state_;
  filter::stateful_session::Session session_;
  upstream::ClusterMetrics metrics_;
};

}  // namespace convoy::test
