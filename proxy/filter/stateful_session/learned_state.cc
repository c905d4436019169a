#include "proxy/filter/stateful_session/learned_state.h"

#include <cstring>
#include <utility>

namespace convoy::filter::stateful_session {

LearnedState::LearnedState(const Learned& spec, std::shared_ptr<SessionTable> table)
    : spec_(spec), table_(std::move(table)), hash_(spec.table) {}

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
  session.host = table_->find(session.client, scope.loop.now(), scope.arena);
  if (!session.host.empty()) session.found = Session::Found::Host;
  return session;
}

void LearnedState::note(const Scope& scope, const Session& session, std::string_view host,
                        http::ResponseHead& response, upstream::ClusterMetrics& metrics) const {
  // A cookie that the table does not know may be anybody's invention: only its host's word begins a
  // session.
  const bool by_host = spec_.key == Learned::Key::Cookie;
  const bool known = session.found == Session::Found::Host;
  if (session.has_client && session.host != host && (known || !by_host)) {
    remember(session.client, host, scope, metrics);
  }
  if (!by_host || !response.headers.mayHave(http::HeaderName::SetCookie)) return;
  for (const http::HeaderField& field : response.headers) {
    if (field.id != http::HeaderName::SetCookie) continue;
    const auto cookie = http::setCookiePair(field.value);
    if (cookie.name != spec_.name || cookie.value.empty()) continue;
    remember(keyOf(cookie.value), host, scope, metrics);
  }
}

void LearnedState::remember(const SessionTable::Key& client, std::string_view host,
                            const Scope& scope, upstream::ClusterMetrics& metrics) const {
  const SessionTable::Change change = table_->put(client, host, scope.loop.now());
  metrics.sticky_entries.add(change.entries);
  metrics.sticky_evicted.add(change.evicted);
}

}  // namespace convoy::filter::stateful_session
