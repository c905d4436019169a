#pragma once

// What an HTTP/1.x codec accepts from a peer. Everything that a peer could make grow has a bound
// here; the defaults are Envoy's where Envoy has one.

#include <cstddef>

namespace convoy::http {

struct H1Limits {
  // Start line, fields and the closing empty line, with every CRLF. There is no limit of its own
  // for the request's target: it counts as part of the head.
  size_t max_head_bytes = 60 * 1024;
  size_t max_fields = 100;
  // From behind the size to the end of the line, of each chunk. Extensions are not forwarded.
  size_t max_chunk_extension_bytes = 1024;
  // Of all chunks of a body together, beyond the bytes of their data: small extensions of large
  // chunks (checksums, signatures) may go on for ever.
  size_t max_body_extension_bytes = 16 * 1024;
  size_t max_trailer_bytes = 8 * 1024;
  size_t max_trailer_fields = 50;
  // 1xx responses before the final one.
  int max_informational = 16;
};

}  // namespace convoy::http
