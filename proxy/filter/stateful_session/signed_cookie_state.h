#pragma once

// convoy.ext.SignedCookie: the client holds the host's address in a cookie that it can neither read
// nor change (session_token.h). What comes from the client has these bounds: kMostTries cookies of
// the name are looked at, each with every key; what does not have a token's length costs no hash.

#include "proxy/filter/stateful_session/session_state.h"
#include "proxy/filter/stateful_session/session_token.h"

namespace convoy::filter::stateful_session {

class SignedCookieState final : public SessionState {
 public:
  static constexpr int kMostTries = 4;

  explicit SignedCookieState(const SignedCookie& spec);
  bool covers(const http::RequestHead& request) const override {
    return http::cookieCovers(cookie_, request.path());
  }
  Session find(const Scope& scope) const override;
  void note(const Scope& scope, const Session& session, std::string_view host,
            http::ResponseHead& response, upstream::ClusterMetrics& metrics) const override;

 private:
  Session judge(const SessionTokens::Content& content, const Scope& scope) const;

  const http::CookieSpec cookie_;
  const SessionTokens tokens_;
};

}  // namespace convoy::filter::stateful_session
