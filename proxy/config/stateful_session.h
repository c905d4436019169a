#pragma once

// envoy.extensions.filters.http.stateful_session.v3 to specs: the filter's own configuration, that
// of a route, virtual host or route table, and the session states, Envoy's and ours. What goes into
// a Set-Cookie field is checked here; keys never get into an error.

#include <memory>
#include <optional>

#include "api/convoy/ext/stateful_session.pb.h"
#include "envoy/extensions/filters/http/stateful_session/v3/stateful_session.pb.h"
#include "envoy/extensions/http/stateful_session/cookie/v3/cookie.pb.h"
#include "envoy/extensions/http/stateful_session/header/v3/header.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/filter/stateful_session/spec.h"

namespace convoy::config {

std::shared_ptr<filter::stateful_session::StatefulSessionSpec> makeStatefulSession(
    const envoy::extensions::filters::http::stateful_session::v3::StatefulSession& proto,
    const Context& context, base::FieldReport& report);

std::shared_ptr<const filter::stateful_session::PerRouteSpec> makeStatefulSessionPerRoute(
    const envoy::extensions::filters::http::stateful_session::v3::StatefulSessionPerRoute& proto,
    const Context& context, base::FieldReport& report);

// The session states; nothing if it was refused.
using SessionState = std::optional<filter::stateful_session::SessionStateSpec>;
SessionState makeAddressCookie(
    const envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState& proto,
    const Context& context, base::FieldReport& report);
SessionState makeAddressHeader(
    const envoy::extensions::http::stateful_session::header::v3::HeaderBasedSessionState& proto,
    const Context& context, base::FieldReport& report);
SessionState makeSignedCookie(const ext::SignedCookie& proto, const Context& context,
                              base::FieldReport& report);
SessionState makeLearnedSession(const ext::LearnedSession& proto, const Context& context,
                                base::FieldReport& report);

}  // namespace convoy::config
