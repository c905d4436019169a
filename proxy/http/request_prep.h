#pragma once

// What the proxy changes in every request before filters and routes see it, and in every response
// before the client does: hop-by-hop fields, X-Forwarded-For and its kin, X-Request-ID,
// Server, Date, Via. Pure functions of heads and configuration.

#include "proxy/base/arena.h"
#include "proxy/http/manager_runtime.h"
#include "proxy/http/message.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// Removes what belongs to the client's connection, and adds what the next hop is told: of the
// client (forwarding.h, client_cert.h), X-Request-ID, Via.
void prepareRequest(RequestHead& head, ManagerRuntime& runtime, base::Arena& arena,
                    StreamInfo& info);

void prepareResponse(ResponseHead& head, ManagerRuntime& runtime, StreamInfo& info);

}  // namespace convoy::http
