#pragma once

// Request and response heads as the proxy sees them, whatever the protocol: HTTP/1.1's Host becomes
// authority and is not kept among the headers; framing headers (Content-Length, Transfer-Encoding)
// are folded into BodyLength and written again by the codec that sends. Views as in header_list.h.

#include <cstdint>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/base/strings.h"
#include "proxy/http/header_list.h"

namespace convoy::http {

enum class Protocol : uint8_t { Http10, Http11, Http2 };

// What is known about the body before it is read.
struct BodyLength {
  enum class Kind : uint8_t {
    None,     // no body
    Known,    // exactly `bytes`
    Unknown,  // chunked, HTTP/2 without content-length, or (responses) until close
  };
  Kind kind = Kind::None;
  uint64_t bytes = 0;
};

struct RequestHead {
  std::string_view method;
  std::string_view
      target;  // path and query as received: "/a?b=c", or "*" (OPTIONS), or authority (CONNECT)
  std::string_view authority;  // Host, or the absolute-form's authority; as received
  std::string_view scheme;     // "http" or "https"
  Protocol protocol = Protocol::Http11;
  HeaderList headers;
  BodyLength body;
  bool expects_continue = false;  // "Expect: 100-continue", removed from headers
  bool wants_keep_alive = true;   // HTTP/1.x: what the client asked for
  // Value of Upgrade when Connection names it. Both fields stay among the headers until
  // removeHopByHop() (hop_by_hop.h). Codecs that send take the upgrade from here only.
  std::string_view upgrade;
  bool te_trailers = false;  // "TE: trailers" was sent; the field stays among the headers
  // CONNECT that ends here: the upstream gets the bytes of the tunnel and nothing else.
  bool raw_tunnel = false;
  // From a codec to copyInto(): the bytes that all views but the scheme lie in, so that they can be
  // copied as one; empty if they are scattered.
  std::string_view wire;

  std::string_view path() const { return target.substr(0, target.find('?')); }
  void copyInto(base::Arena& arena);
  void clear();
};

struct ResponseHead {
  uint16_t status = 0;
  std::string_view reason;  // HTTP/1.x only; empty: the standard phrase
  Protocol protocol = Protocol::Http11;
  HeaderList headers;
  // Of a response to HEAD and of a 304 it tells what a GET would have brought; Unknown if unsaid.
  BodyLength body;
  std::string_view upgrade;  // of a 101

  void copyInto(base::Arena& arena);
  void clear();
};

// An offer that a server is free to ignore (RFC 9110 7.8) and this one does: "h2c" (RFC 9113 3.1
// made it obsolete), "TLS/1.2" and the like, or a list of such.
bool isOfferOnly(std::string_view upgrade);
// By CONNECT, or by an upgrade that changes what the bytes mean.
inline bool asksForTunnel(const RequestHead& head) {
  return !head.upgrade.empty() || base::equals(head.method, "CONNECT");
}
// Whether a response with this status opens the tunnel that the request has asked for.
inline bool opensTunnel(const RequestHead& request, uint16_t status) {
  if (!request.upgrade.empty()) return status == 101;
  return base::equals(request.method, "CONNECT") && status / 100 == 2;
}

// Whether a client would take a response with this status for the open tunnel that it asked for: by
// CONNECT every 2xx says so (RFC 9110 9.3.6), of HTTP/2 also to an upgrade (RFC 8441 4).
inline bool looksLikeTunnel(const RequestHead& request, uint16_t status) {
  if (status / 100 != 2) return opensTunnel(request, status);
  return base::equals(request.method, "CONNECT") ||
         (!request.upgrade.empty() && request.protocol == Protocol::Http2);
}

std::string_view reasonPhrase(uint16_t status);  // empty if unknown
std::string_view text(Protocol protocol);        // "HTTP/1.1"

}  // namespace convoy::http
