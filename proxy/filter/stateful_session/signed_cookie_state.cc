#include "proxy/filter/stateful_session/signed_cookie_state.h"

#include <chrono>

namespace convoy::filter::stateful_session {

namespace {

using Found = Session::Found;

int64_t wallSeconds(const Scope& scope) {
  return std::chrono::floor<std::chrono::seconds>(scope.loop.wallNow().time_since_epoch()).count();
}

}  // namespace

SignedCookieState::SignedCookieState(const SignedCookie& spec)
    : cookie_(spec.cookie), tokens_(spec.keys, spec.cookie.name) {}

Session SignedCookieState::find(const Scope& scope) const {
  http::CookieReader cookies(scope.request.headers);
  Session session;
  for (int i = 0; i < kMostTries; ++i) {
    const auto value = cookies.next(cookie_.name);
    if (!value.has_value()) break;
    const auto content = tokens_.open(*value, scope.arena);
    if (content.has_value()) return judge(*content, scope);
    session.found = Found::Tampered;
  }
  return session;
}

Session SignedCookieState::judge(const SessionTokens::Content& content, const Scope& scope) const {
  const int64_t ttl = cookie_.ttl.count();
  bool renew = !content.by_first_key || (content.end == 0) != (ttl == 0);
  if (content.end != 0) {
    const int64_t left = int64_t{content.end} - wallSeconds(scope);
    if (left <= 0) return {.found = Found::Expired, .host = {}};
    renew |= left < ttl / 2;
  }
  return {.found = Found::Host, .host = content.host, .renew = renew};
}

void SignedCookieState::note(const Scope& scope, const Session& session, std::string_view host,
                             http::ResponseHead& response, upstream::ClusterMetrics&) const {
  if (session.host == host && !session.renew) return;
  const int64_t ttl = cookie_.ttl.count();
  const auto end = ttl == 0 ? 0 : static_cast<uint32_t>(wallSeconds(scope) + ttl);
  const std::string_view token = tokens_.seal({.host = host, .end = end}, scope.arena);
  if (token.empty()) return;
  response.headers.add(http::HeaderName::SetCookie,
                       http::setCookie(cookie_, token, scope.overTls(), scope.arena));
}

}  // namespace convoy::filter::stateful_session
