#pragma once

// Envoy's two session states, compatible with its own: the client holds the host's address in
// base64. Whoever has the cookie or the header can read it and name any other host of the cluster.

#include "proxy/filter/stateful_session/session_state.h"

namespace convoy::filter::stateful_session {

// envoy.extensions.http.stateful_session.cookie.v3: a message of address (1) and end (2), or, as
// older versions wrote it, the address alone.
class AddressCookieState final : public SessionState {
 public:
  explicit AddressCookieState(const AddressCookie& spec) : spec_(spec) {}
  bool covers(const http::RequestHead& request) const override {
    return http::cookieCovers(spec_.cookie, request.path());
  }
  Session find(const Scope& scope) const override;
  void note(const Scope& scope, const Session& session, std::string_view host,
            http::ResponseHead& response, upstream::ClusterMetrics& metrics) const override;

 private:
  const AddressCookie spec_;
};

// envoy.extensions.http.stateful_session.header.v3
class AddressHeaderState final : public SessionState {
 public:
  explicit AddressHeaderState(const AddressHeader& spec) : spec_(spec) {}
  Session find(const Scope& scope) const override;
  void note(const Scope& scope, const Session& session, std::string_view host,
            http::ResponseHead& response, upstream::ClusterMetrics& metrics) const override;

 private:
  const AddressHeader spec_;
};

}  // namespace convoy::filter::stateful_session
