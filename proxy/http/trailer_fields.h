#pragma once

// Which fields trailers may not have, on any version of HTTP. Constants only.

#include <cstdint>

#include "proxy/http/header_name.h"

namespace convoy::http {

// Fields that frame, route or authenticate a message come too late in trailers (RFC 9110 6.5.1).
// Content-Length and Transfer-Encoding are errors there, the others are dropped.
inline constexpr uint32_t kNotInTrailers =
    nameMask(HeaderName::Authorization, HeaderName::CacheControl, HeaderName::Connection,
             HeaderName::ContentLength, HeaderName::ContentType, HeaderName::Cookie,
             HeaderName::Expect, HeaderName::Forwarded, HeaderName::Host, HeaderName::KeepAlive,
             HeaderName::ProxyConnection, HeaderName::SetCookie, HeaderName::Te) |
    nameMask(HeaderName::Trailer, HeaderName::TransferEncoding, HeaderName::Upgrade,
             HeaderName::XForwardedClientCert, HeaderName::XForwardedFor,
             HeaderName::XForwardedHost, HeaderName::XForwardedProto, HeaderName::XRequestId);

}  // namespace convoy::http
