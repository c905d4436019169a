#pragma once

// Every reason for which an HTTP/1.x message is refused, in one table. `detail` is stable: metrics
// and access logs carry it, docs are made from it. RFC numbers name the rule.

#include <cstdint>
#include <string_view>

#include "proxy/http/failure.h"

namespace convoy::http {

enum class H1Error : uint8_t {
  None,
  // Lines (RFC 9112 2.2, 5; RFC 9110 5.5).
  BareLf,            // a line ends in LF without CR
  BareCr,            // CR inside a line
  ControlByte,       // a control byte, NUL included, in a value or a reason phrase
  HeadTooLarge,      // more bytes than max_head_bytes
  TooManyFields,     // more fields than max_fields
  ObsoleteFold,      // a field line begins with white space
  MissingColon,      // a field line without a colon
  EmptyFieldName,    // a field line begins with a colon
  SpaceBeforeColon,  // white space between name and colon
  InvalidFieldName,  // a name that is no token
  // Request line and authority (RFC 9112 3, RFC 9110 4.2, 7.2).
  EmptyRequestLine,    // more than one empty line before the request
  InvalidRequestLine,  // not three parts with one space between each
  InvalidMethod,       // no token
  InvalidTarget,       // white space, control, non-ASCII bytes or '#' in it
  TargetForm,          // a form that this method may not have, or none of the four
  UnsupportedScheme,   // absolute-form of another scheme than http and https
  InvalidVersion,      // not "HTTP/" digit "." digit
  UnsupportedVersion,  // neither 1.0 nor 1.1
  MissingHost,         // HTTP/1.1 without Host
  DuplicateHost,       // more than one Host
  InvalidHost,         // not host [":" port], or user information in it
  // Framing (RFC 9112 6).
  InvalidContentLength,      // not one decimal number below 2^63; lists are refused
  ConflictingContentLength,  // several that differ
  DuplicateContentLength,    // several that are equal
  ContentLengthAndTransferEncoding,
  TransferEncodingRepeated,  // more than one field, or chunked more than once or not last
  TransferEncodingUnknown,   // a coding other than chunked
  TransferEncodingInHttp10,
  ConnectWithBody,  // CONNECT that announces a body
  // Chunked bodies (RFC 9112 7).
  InvalidChunkSize,    // no hexadecimal number, or something odd behind it
  ChunkSizeOverflow,   // 2^63 or more, or more than 16 digits
  ChunkExtension,      // a control byte in an extension
  ChunkExtensionSize,  // longer than max_chunk_extension_bytes
  BodyExtensionSize,   // of all chunks, longer than max_body_extension_bytes
  ChunkNotTerminated,  // no CRLF behind the data of a chunk
  TrailersTooLarge,    // more bytes than max_trailer_bytes
  TooManyTrailers,     // more fields than max_trailer_fields
  FramingInTrailers,   // Content-Length or Transfer-Encoding among them
  // Responses (RFC 9112 4, RFC 9110 15).
  InvalidStatusLine,     // not "HTTP/1.x" SP 3 digits [SP reason]
  UnexpectedUpgrade,     // 101 without having been asked
  TooManyInformational,  // more 1xx responses than max_informational
  UnsolicitedResponse,   // bytes without a request
  kCount
};

struct H1ErrorInfo {
  H1Error error;
  std::string_view detail;
  Failure request_failure;  // of a request; a response is always UpstreamProtocolError
  std::string_view text;    // what is wrong, for people
};

const H1ErrorInfo& info(H1Error error);
// The row with this detail, or None's.
H1Error h1ErrorOf(std::string_view detail);

}  // namespace convoy::http
