#pragma once

// What the proxy changes in every request before filters and routes see it, and in every response
// before the client does: hop-by-hop fields, X-Forwarded-For and -Proto, X-Request-ID, Server,
// Date, Via. Pure functions of heads and configuration.

#include "proxy/base/arena.h"
#include "proxy/http/manager_runtime.h"
#include "proxy/http/message.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// X-Forwarded-For as Envoy: with use_remote_address the socket's peer is the client and is
// appended; without it the header is trusted, xff_num_trusted_hops entries from the right.
// X-Forwarded-Proto is set unless a trusted hop did.
void prepareRequest(RequestHead& head, ManagerRuntime& runtime, base::Arena& arena,
                    StreamInfo& info);

// Whether the request asks for a tunnel: by CONNECT, or by an upgrade that changes what the bytes
// mean. Offers that a server is free to ignore (RFC 9110 7.8), h2c and TLS, are taken out of the
// head.
bool asksForTunnel(RequestHead& head);

void prepareResponse(ResponseHead& head, ManagerRuntime& runtime, StreamInfo& info);

}  // namespace convoy::http
