#pragma once

// Single values of a request's head, as conditions and hash keys ask for them: headers by any name
// that Envoy knows (":path" and "host" too), and query parameters; cookies are in http/cookies.h.
// Views into the head.

#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/header_name.h"
#include "proxy/http/message.h"

namespace convoy::route {

// The value of a header as one text. A field that occurs several times is joined by commas (RFC
// 9110 5.3) in `joined`, the only case that allocates. id: classify(name).
std::optional<std::string_view> headerValue(const http::RequestHead& head, std::string_view name,
                                            http::HeaderName id, std::string& joined);

// The first parameter of that name, as it stands (not percent-decoded), as in Envoy; empty if it
// has no value.
std::optional<std::string_view> queryValue(std::string_view target, std::string_view name);

}  // namespace convoy::route
