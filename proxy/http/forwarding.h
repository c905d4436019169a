#pragma once

// Who the client is, as far as the hops before this one are trusted, and what the next hop is told
// of it: X-Forwarded-For, X-Forwarded-Proto, Forwarded (RFC 7239). Pure functions of a head and of
// configuration.

#include "proxy/base/arena.h"
#include "proxy/http/message.h"
#include "proxy/http/spec.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// Sets info.downstream_ip, the scheme and the three fields. X-Forwarded-For as Envoy: with
// use_remote_address the socket's peer is the client and is appended; without it the header is
// trusted, xff_num_trusted_hops entries from the right. With trusted_proxies the peer is appended,
// and the client is the first address from the right, the peer being the rightmost, that is in none
// of the ranges. X-Forwarded-Proto and the scheme are what the connection is, unless a trusted hop
// said otherwise. X-Envoy-Internal is removed. So are, unless the client is inside, the X-Envoy-*
// that Envoy takes as orders (retries, time-outs), and with use_remote_address all X-Envoy-* of a
// peer that is not trusted, and of others those that say who the sender is.
void prepareForwarding(RequestHead& head, const ConnectionManagerSpec& spec, base::Arena& arena,
                       StreamInfo& info);

// In spec.internal_ranges; by default those of RFC 1918, RFC 4193 and loopback.
bool isInternalAddress(const net::Address& address, const ConnectionManagerSpec& spec);

// Whether the client is inside, by what was received: nobody said X-Forwarded-For and the peer's
// address is internal, or, without use_remote_address, the field is
// exactly one address, and that is internal. Edits of the field change nothing. After
// prepareForwarding().
bool isInternal(const StreamInfo& info, const ConnectionManagerSpec& spec);

}  // namespace convoy::http
