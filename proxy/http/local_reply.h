#pragma once

// Builds the proxy's own answers: a status, one line of text for people, and Content-Type
// text/plain; for a request of gRPC (grpc_semantics.h), as Envoy, status 200, the status mapped
// into grpc-status, and the text as grpc-message.

#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/filter.h"
#include "proxy/http/message.h"

namespace convoy::http {

// Fills `head` (views into arena or static text) and returns the body, which may be empty.
// Content-Length is that of the body even for HEAD, whose body the caller does not send.
// `timer_origin`: StreamInfo's.
std::string_view buildLocalReply(const LocalReply& reply, const RequestHead& request,
                                 std::string_view timer_origin, base::Arena& arena,
                                 ResponseHead& head);

}  // namespace convoy::http
