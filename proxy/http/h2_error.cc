#include "proxy/http/h2_error.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "proxy/base/assert.h"

namespace convoy::http {

namespace {

using enum H2Error;

constexpr size_t kErrors = static_cast<size_t>(kCount);
constexpr uint32_t kCalm = NGHTTP2_ENHANCE_YOUR_CALM;
constexpr uint32_t kProtocol = NGHTTP2_PROTOCOL_ERROR;

constexpr H2ErrorInfo kTable[kErrors] = {
    {None, Failure::None, NGHTTP2_NO_ERROR, "none", "nothing is wrong"},

    {ProtocolError, Failure::BadRequest, kProtocol, "h2_protocol_error",
     "the peer broke the rules of HTTP/2"},
    {FlowControlError, Failure::BadRequest, NGHTTP2_FLOW_CONTROL_ERROR, "h2_flow_control_error",
     "more data than the window, or a window that overflows"},
    {FrameSizeError, Failure::BadRequest, NGHTTP2_FRAME_SIZE_ERROR, "h2_frame_size_error",
     "a frame of a size that its type does not allow"},
    {CompressionError, Failure::BadRequest, NGHTTP2_COMPRESSION_ERROR, "h2_compression_error",
     "a header block that HPACK cannot decode"},
    {StreamClosed, Failure::BadRequest, NGHTTP2_STREAM_CLOSED, "h2_stream_closed",
     "a frame on a stream that is closed"},
    {InternalError, Failure::InternalError, NGHTTP2_INTERNAL_ERROR, "h2_internal_error",
     "the HTTP/2 session failed"},
    {BadPreface, Failure::BadRequest, kProtocol, "h2_bad_preface",
     "the connection does not begin as HTTP/2 does"},
    {StreamIdNotIncreasing, Failure::BadRequest, kProtocol, "h2_stream_id_not_increasing",
     "a new stream has a lower number than one before"},

    {FloodReset, Failure::BadRequest, kCalm, "h2_flood_reset",
     "too many streams are opened and reset at once"},
    {FloodSettings, Failure::BadRequest, kCalm, "h2_flood_settings", "too many SETTINGS frames"},
    {FloodGoAway, Failure::BadRequest, kCalm, "h2_flood_goaway", "too many GOAWAY frames"},
    {FloodPing, Failure::BadRequest, kCalm, "h2_flood_ping", "too many PING frames"},
    {FloodEmptyData, Failure::BadRequest, kCalm, "h2_flood_empty_data",
     "too many DATA frames without data"},
    {FloodWindowUpdate, Failure::BadRequest, kCalm, "h2_flood_window_update",
     "too many WINDOW_UPDATE frames"},
    {FloodContinuation, Failure::BadRequest, kCalm, "h2_flood_continuation",
     "too many CONTINUATION frames"},
    {FloodPriority, Failure::BadRequest, kCalm, "h2_flood_priority", "too many PRIORITY frames"},
    {FloodUnknown, Failure::BadRequest, kCalm, "h2_flood_unknown",
     "too many frames of unknown types"},
    {FloodHeaderBytes, Failure::BadRequest, kCalm, "h2_flood_header_bytes",
     "header blocks that decode to far more than a head may have"},

    {MalformedMessage, Failure::BadRequest, kProtocol, "h2_malformed_message",
     "the message breaks the rules of HTTP/2"},
    {InvalidField, Failure::BadRequest, kProtocol, "h2_invalid_field",
     "a byte that is not allowed in the name or value of a field"},
    {HeadTooLarge, Failure::HeadTooLarge, kProtocol, "h2_head_too_large",
     "the head is longer than the limit"},
    {TooManyFields, Failure::HeadTooLarge, kProtocol, "h2_too_many_fields",
     "more header fields than the limit"},
    {CookiesTooLarge, Failure::HeadTooLarge, kProtocol, "h2_cookies_too_large",
     "the cookies are longer than the limit"},
    {TrailersTooLarge, Failure::BadBody, kProtocol, "h2_trailers_too_large",
     "the trailers are longer than the limit"},
    {TooManyTrailers, Failure::BadBody, kProtocol, "h2_too_many_trailers",
     "more trailers than the limit"},
    {MissingAuthority, Failure::BadRequest, kProtocol, "h2_missing_authority",
     "neither :authority nor Host"},
    {InvalidAuthority, Failure::BadRequest, kProtocol, "h2_invalid_authority",
     "the authority is not HOST or HOST:PORT"},
    {AuthorityMismatch, Failure::BadRequest, kProtocol, "h2_authority_mismatch",
     ":authority and Host differ"},
    {DuplicateHost, Failure::BadRequest, kProtocol, "h2_duplicate_host", "more than one Host"},
    {InvalidPath, Failure::BadRequest, kProtocol, "h2_invalid_path",
     ":path is no path, or has a byte that is not allowed in it"},
    {UnsupportedScheme, Failure::BadRequest, kProtocol, "h2_unsupported_scheme",
     ":scheme is neither http nor https"},
    {InvalidContentLength, Failure::BadRequest, kProtocol, "h2_invalid_content_length",
     "Content-Length is not one decimal number"},
    {InvalidStatus, Failure::BadRequest, kProtocol, "h2_invalid_status",
     ":status is no status that HTTP/2 has"},
    {TooManyInformational, Failure::BadRequest, kProtocol, "h2_too_many_informational",
     "more 1xx responses than the limit"},
};

constexpr bool tableIsInOrder() {
  for (size_t i = 0; i < kErrors; ++i) {
    if (static_cast<size_t>(kTable[i].error) != i) return false;
  }
  return true;
}
static_assert(tableIsInOrder(), "one row per H2Error, in the order of the enum");

}  // namespace

const H2ErrorInfo& info(H2Error error) {
  CONVOY_ASSERT(error < H2Error::kCount);
  return kTable[static_cast<size_t>(error)];
}

H2Error h2ErrorOf(std::string_view detail) {
  const H2ErrorInfo* const row =
      std::find_if(std::begin(kTable), std::end(kTable),
                   [detail](const H2ErrorInfo& candidate) { return candidate.detail == detail; });
  return row == std::end(kTable) ? None : row->error;
}

H2Error h2ErrorOfCode(uint32_t code) {
  const H2ErrorInfo* const row =
      std::find_if(std::begin(kTable) + 1, std::end(kTable),
                   [code](const H2ErrorInfo& candidate) { return candidate.code == code; });
  return row == std::end(kTable) ? ProtocolError : row->error;
}

}  // namespace convoy::http
