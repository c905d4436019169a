#pragma once

// Every reason for which an HTTP/2 connection, or a message on one, is refused, in one table.
// `detail` is stable: metrics and access logs carry it. RFC numbers are RFC 9113's.

#include <cstdint>
#include <string_view>

#include "proxy/http/failure.h"

namespace convoy::http {

enum class H2Error : uint8_t {
  None,
  // The connection ends (5.4.1). The first ones are found by nghttp2.
  ProtocolError,
  FlowControlError,
  FrameSizeError,
  CompressionError,
  StreamClosed,
  InternalError,
  BadPreface,             // 3.4: the first bytes are not the connection preface
  StreamIdNotIncreasing,  // 5.1.1: a new stream with a lower number than one before
  // The budget of the connection is spent (10.5), by these frames last.
  FloodReset,         // streams that are opened and reset at once
  FloodSettings,      // SETTINGS
  FloodGoAway,        // GOAWAY
  FloodPing,          // PING
  FloodEmptyData,     // DATA without data
  FloodWindowUpdate,  // WINDOW_UPDATE
  FloodContinuation,  // CONTINUATION
  FloodPriority,      // PRIORITY
  FloodUnknown,       // frames of types that are not known, or not asked for
  FloodHeaderBytes,   // header blocks that decode to much more than a head may have
  // A message is refused, the connection goes on (8.1.1).
  MalformedMessage,      // what nghttp2 refuses: fields, pseudo-fields, order, length
  InvalidField,          // 8.2.1: a byte that is not allowed in a name or a value
  HeadTooLarge,          // more decoded bytes than max_head_bytes
  TooManyFields,         // more fields than max_fields
  CookiesTooLarge,       // more decoded bytes of Cookie than max_cookie_bytes
  TrailersTooLarge,      // more decoded bytes than max_trailer_bytes
  TooManyTrailers,       // more fields than max_trailer_fields
  MissingAuthority,      // 8.3.1: neither :authority nor Host
  InvalidAuthority,      // not host [":" port], or user information in it
  AuthorityMismatch,     // 8.3.1: :authority and Host differ
  DuplicateHost,         // more than one Host
  InvalidPath,           // 8.3.1: not "/...", nor "*" of OPTIONS, or a byte not allowed in it
  UnsupportedScheme,     // neither http nor https
  InvalidContentLength,  // not one decimal number below 2^63, or more than one field
  InvalidStatus,         // 8.3.2: not three digits, or 101
  TooManyInformational,  // more 1xx responses than max_informational
  kCount
};

struct H2ErrorInfo {
  H2Error error;
  Failure request_failure;  // of a request; a response is always UpstreamProtocolError
  uint32_t code;            // of the GOAWAY or RST_STREAM frame
  std::string_view detail;
  std::string_view text;  // what is wrong, for people
};

const H2ErrorInfo& info(H2Error error);
// The row with this detail, or None's.
H2Error h2ErrorOf(std::string_view detail);
// For a connection error that nghttp2 found: the first row with this code.
H2Error h2ErrorOfCode(uint32_t code);

}  // namespace convoy::http
