#pragma once

// convoy.ext.LearnedSession: the node remembers the host of each client (session_table.h), whom it
// knows by a cookie that the host has given it, a header, or its address. May be shared with other
// nodes (shared_sessions.h).

#include <memory>
#include <optional>

#include "proxy/filter/stateful_session/session_state.h"
#include "proxy/filter/stateful_session/shared_sessions.h"
#include "proxy/tls/keyed_mac.h"

namespace convoy::filter::stateful_session {

class LearnedState final : public SessionState {
 public:
  LearnedState(const Learned& spec, std::shared_ptr<SessionTable> table);
  const SharedSessions* shared() const override { return shared_ ? &*shared_ : nullptr; }
  Session find(const Scope& scope) const override;
  void note(const Scope& scope, const Session& session, std::string_view host,
            http::ResponseHead& response, upstream::ClusterMetrics& metrics) const override;

 private:
  SessionTable::Key keyOf(std::string_view client) const;
  std::string_view clientOf(const Scope& scope) const;
  void remember(const SessionTable::Key& client, std::string_view host, const Scope& scope,
                upstream::ClusterMetrics& metrics) const;
  void tell(const SessionTable::Key& client, std::string_view host, const Scope& scope) const;

  const Learned spec_;
  const std::shared_ptr<SessionTable> table_;
  const tls::KeyedMac hash_;
  std::optional<SharedSessions> shared_;
};

}  // namespace convoy::filter::stateful_session
