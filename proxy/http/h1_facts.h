#pragma once

// What the fields of a message say about its framing and its connection (RFC 9112 6 and 9.3),
// gathered field by field. Framing that two implementations could read differently is refused:
// that is how requests are smuggled (RFC 9112 11.2).

#include <cstdint>
#include <string_view>

#include "proxy/http/h1_error.h"
#include "proxy/http/message.h"

namespace convoy::http {

// What the fields seen so far say about framing and connection.
struct H1Facts {
  uint64_t content_length = 0;
  bool has_content_length = false;
  bool chunked = false;
  bool close = false;       // Connection: close
  bool keep_alive = false;  // Connection: keep-alive
  bool upgrade = false;     // Connection: upgrade
  std::string_view upgrade_value;

  H1Error noteContentLength(std::string_view value);
  H1Error noteTransferEncoding(std::string_view value);
  void noteConnection(std::string_view value);
  // The rules over all of them, once the section is complete.
  H1Error checkFraming(Protocol protocol) const;
  BodyLength bodyLength() const;
};

}  // namespace convoy::http
