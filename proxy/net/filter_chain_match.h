#pragma once

// Which filter chain serves a connection, by the rule of Envoy's FilterChainMatch: the criteria are
// taken one after the other (destination port, destination address, server name, transport
// protocol, application protocols, source address, source port); after each only the chains that
// match it most specifically are left. There is no way back: a chain that lost by its port is not
// tried again when the address fails. Source and destination are the original ones.
//
// Any thread; reads only what it is given.

#include <span>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "proxy/net/connection_addresses.h"
#include "proxy/net/spec.h"

namespace convoy::net {

// What is known about a connection when its chain is chosen.
struct FilterChainQuery {
  const ConnectionAddresses& addresses;
  std::string_view server_name = {};                             // SNI, lower case; empty if none
  std::string_view transport_protocol = "raw_buffer";            // or "tls"
  std::span<const std::string_view> application_protocols = {};  // ALPN, in the client's order
};

using FilterChains = absl::InlinedVector<const FilterChainSpec*, 16>;

// The listener's chains for connections to this destination for this server name: the criteria
// behind the name, of which the client chooses some, decide between them. Without the default one.
FilterChains filterChainsOfName(const ListenerSpec& listener, const FilterChainQuery& query);

// Which of those it is, or the listener's default one.
const FilterChainSpec* chooseFilterChain(const ListenerSpec& listener, FilterChains of_name,
                                         const FilterChainQuery& query);

// Both: the listener's chain for this connection, or its default one; null if there is neither.
// Lives as long as the listener's spec.
const FilterChainSpec* matchFilterChain(const ListenerSpec& listener,
                                        const FilterChainQuery& query);

}  // namespace convoy::net
