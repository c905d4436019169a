#include "proxy/filter/stateful_session/learned_state.h"

#include <cstring>
#include <utility>

namespace convoy::filter::stateful_session {

LearnedState::LearnedState(const Learned& spec, std::shared_ptr<SessionTable> table)
    : spec_(spec), table_(std::move(table)), hash_(spec.table) {
  if (spec_.shared.has_value()) shared_.emplace(*spec_.shared, spec_.ttl, table_);
}

SessionTable::Key LearnedState::keyOf(std::string_view client) const {
  const tls::KeyedMac::Digest digest = hash_.of({client});
  SessionTable::Key key;
  std::memcpy(key.data(), digest.data(), sizeof(key));
  return key;
}

std::string_view LearnedState::clientOf(const Scope& scope) const {
  switch (spec_.key) {
    case Learned::Key::Cookie:
      return http::CookieReader(scope.request.headers).next(spec_.name).value_or("");
    case Learned::Key::Header: {
      const http::HeaderField* const field = scope.request.headers.find(spec_.name);
      return field == nullptr ? std::string_view() : field->value;
    }
    case Learned::Key::SourceIp:
      break;
  }
  return scope.info.downstream_ip;
}

Session LearnedState::find(const Scope& scope) const {
  const std::string_view client = clientOf(scope);
  if (client.empty()) return {};
  Session session{.host = {}, .client = keyOf(client), .has_client = true};
  session.host = table_->find(session.client, scope.loop.now(), scope.arena,
                              shared_ ? &session.check : nullptr);
  if (!session.host.empty()) session.found = Session::Found::Host;
  return session;
}

void LearnedState::note(const Scope& scope, const Session& session, std::string_view host,
                        http::ResponseHead& response, upstream::ClusterMetrics& metrics) const {
  // A cookie that the table does not know may be anybody's invention: only its host's word begins a
  // session.
  const bool by_host = spec_.key == Learned::Key::Cookie;
  const bool known = session.found == Session::Found::Host;
  const bool moves = session.host != host;
  if (session.has_client && (known || !by_host) && (moves || session.of_others)) {
    remember(session.client, host, scope, metrics);
    if (moves) tell(session.client, host, scope);
  }
  if (!by_host || !response.headers.mayHave(http::HeaderName::SetCookie)) return;
  for (const http::HeaderField& field : response.headers) {
    if (field.id != http::HeaderName::SetCookie) continue;
    const auto cookie = http::setCookiePair(field.value);
    if (cookie.name != spec_.name || cookie.value.empty()) continue;
    const SessionTable::Key client = keyOf(cookie.value);
    remember(client, host, scope, metrics);
    tell(client, host, scope);
  }
}

void LearnedState::remember(const SessionTable::Key& client, std::string_view host,
                            const Scope& scope, upstream::ClusterMetrics& metrics) const {
  const SessionTable::Change change = table_->put(client, host, scope.loop.now());
  metrics.sticky_entries.add(change.entries);
  metrics.sticky_evicted.add(change.evicted);
}

void LearnedState::tell(const SessionTable::Key& client, std::string_view host,
                        const Scope& scope) const {
  if (!shared_ || scope.store == nullptr) return;
  // Not sent: this node knows, and tells the others when it checks.
  (void)shared_->tell(*scope.store, client, host, scope.stored);
}

}  // namespace convoy::filter::stateful_session
