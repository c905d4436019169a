#pragma once

// What an HTTP/2 codec offers and accepts. Everything that a peer could make grow has a bound here.
// The defaults are Envoy's but for the windows: Envoy's 256 MiB per stream would let one slow
// reader make us hold as much.

#include <cstddef>
#include <cstdint>

namespace convoy::http {

struct H2Options {
  // Server: streams that a client may have open. Client: a bound on what the server allows.
  uint32_t max_concurrent_streams = 1024;
  // What a peer may send before it has to wait for the far side. A stream that is paused holds at
  // most one stream window; all streams of a connection paused_bytes and one connection window.
  uint32_t stream_window = 512 * 1024;
  uint32_t connection_window = 2 * 1024 * 1024;
  // What paused streams hold is withheld from their own windows; of the connection's only beyond
  // this, all streams together. Else four that wait would stop every other stream, also the one
  // that they wait for.
  size_t paused_bytes = 6 * 1024 * 1024;
  // HPACK: the most that a peer's table, and ours, may hold.
  uint32_t header_table = 4096;
  // Bytes of one stream that wait for the peer's window or for the socket: above this the far side
  // pauses, below half of it it goes on.
  size_t stream_send_buffer = 128 * 1024;
  // Server: output that is no DATA (heads, acknowledgements) has no window. A client that goes on
  // asking and reads nothing is not read any more when this much waits for it, or what the output's
  // high mark allows, if that is more; DATA alone never comes farther than the mark.
  size_t max_output = 4 * 1024 * 1024;

  // Decoded: name, value and 4 bytes for each field, as HTTP/1.1 would write it.
  size_t max_head_bytes = 60 * 1024;
  size_t max_fields = 100;  // Cookie does not count: clients cut it in pieces (RFC 9113 8.2.3)
  size_t max_cookie_bytes = 60 * 1024;
  size_t max_trailer_bytes = 8 * 1024;
  size_t max_trailer_fields = 50;
  int max_informational = 16;  // 1xx responses before the final one

  // RFC 8441 and CONNECT; where not allowed, the layer above answers.
  bool allow_extended_connect = false;

  // See h2_flood.h.
  uint32_t flood_budget = 4000;
  uint32_t flood_refill_per_second = 200;
};

}  // namespace convoy::http
