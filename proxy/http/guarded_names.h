#pragma once

// The names of a TLS listener that are served only to clients who show a certificate, as a filter
// chain without that demand sees them. Its connections must carry no request for one of those: the
// client picks the chain by the server name (SNI) that it says first, and the host by what it says
// later. RFC 9110 15.5.20, 421 Misdirected Request: an honest client, such as a browser that shares
// an HTTP/2 connection between names, asks again on a connection of its own.
//
// Any thread; reads only.

#include <memory>
#include <string_view>

#include "proxy/http/message.h"
#include "proxy/net/connection_addresses.h"
#include "proxy/net/spec.h"
#include "proxy/net/transport.h"

namespace convoy::http {

class GuardedNames {
 public:
  // Null: nothing to guard. `own` is one of the listener's chains.
  static std::shared_ptr<const GuardedNames> seenFrom(
      std::shared_ptr<const net::ListenerSpec> listener, const net::FilterChainSpec& own);

  // Whether a connection for the request's authority might have come to another chain, one that
  // requires a certificate. "Might": that chain takes the name and this one does not; protocol and
  // source, which decide between chains of one name, are the client's choice, too. Allocates only
  // where the authority is not the connection's server name.
  bool refuses(const RequestHead& head, const net::ConnectionAddresses& addresses,
               const net::Transport& transport) const;

 private:
  GuardedNames(std::shared_ptr<const net::ListenerSpec> listener, const net::FilterChainSpec& own)
      : listener_(std::move(listener)), own_(&own) {}
  bool isGuarded(const net::FilterChainSpec* chain) const;

  const std::shared_ptr<const net::ListenerSpec> listener_;
  const net::FilterChainSpec* const own_;  // of listener_
};

}  // namespace convoy::http
