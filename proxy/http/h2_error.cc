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
    {None, "none", NGHTTP2_NO_ERROR, Failure::None, "nothing is wrong"},

    {ProtocolError, "h2_protocol_error", kProtocol, Failure::BadRequest,
     "the peer broke the rules of HTTP/2"},
    {FlowControlError, "h2_flow_control_error", NGHTTP2_FLOW_CONTROL_ERROR, Failure::BadRequest,
     "more data than the window, or a window that overflows"},
    {FrameSizeError, "h2_frame_size_error", NGHTTP2_FRAME_SIZE_ERROR, Failure::BadRequest,
     "a frame of a size that its type does not allow"},
    {CompressionError, "h2_compression_error", NGHTTP2_COMPRESSION_ERROR, Failure::BadRequest,
     "a header block that HPACK cannot decode"},
    {StreamClosed, "h2_stream_closed", NGHTTP2_STREAM_CLOSED, Failure::BadRequest,
     "a frame on a stream that is closed"},
    {InternalError, "h2_internal_error", NGHTTP2_INTERNAL_ERROR, Failure::InternalError,
     "the HTTP/2 session failed"},
    {BadPreface, "h2_bad_preface", kProtocol, Failure::BadRequest,
     "the connection does not begin as HTTP/2 does"},
    {StreamIdNotIncreasing, "h2_stream_id_not_increasing", kProtocol, Failure::BadRequest,
     "a new stream has a lower number than one before"},

    {FloodReset, "h2_flood_reset", kCalm, Failure::BadRequest,
     "too many streams are opened and reset at once"},
    {FloodSettings, "h2_flood_settings", kCalm, Failure::BadRequest, "too many SETTINGS frames"},
    {FloodPing, "h2_flood_ping", kCalm, Failure::BadRequest, "too many PING frames"},
    {FloodEmptyData, "h2_flood_empty_data", kCalm, Failure::BadRequest,
     "too many DATA frames without data"},
    {FloodWindowUpdate, "h2_flood_window_update", kCalm, Failure::BadRequest,
     "too many WINDOW_UPDATE frames"},
    {FloodContinuation, "h2_flood_continuation", kCalm, Failure::BadRequest,
     "too many CONTINUATION frames"},
    {FloodPriority, "h2_flood_priority", kCalm, Failure::BadRequest, "too many PRIORITY frames"},
    {FloodHeaderBytes, "h2_flood_header_bytes", kCalm, Failure::BadRequest,
     "header blocks that decode to far more than a head may have"},

    {MalformedMessage, "h2_malformed_message", kProtocol, Failure::BadRequest,
     "the message breaks the rules of HTTP/2"},
    {InvalidField, "h2_invalid_field", kProtocol, Failure::BadRequest,
     "a byte that is not allowed in the name or value of a field"},
    {HeadTooLarge, "h2_head_too_large", kProtocol, Failure::HeadTooLarge,
     "the head is longer than the limit"},
    {TooManyFields, "h2_too_many_fields", kProtocol, Failure::HeadTooLarge,
     "more header fields than the limit"},
    {CookiesTooLarge, "h2_cookies_too_large", kProtocol, Failure::HeadTooLarge,
     "the cookies are longer than the limit"},
    {TrailersTooLarge, "h2_trailers_too_large", kProtocol, Failure::BadBody,
     "the trailers are longer than the limit"},
    {TooManyTrailers, "h2_too_many_trailers", kProtocol, Failure::BadBody,
     "more trailers than the limit"},
    {MissingAuthority, "h2_missing_authority", kProtocol, Failure::BadRequest,
     "neither :authority nor Host"},
    {InvalidAuthority, "h2_invalid_authority", kProtocol, Failure::BadRequest,
     "the authority is not HOST or HOST:PORT"},
    {AuthorityMismatch, "h2_authority_mismatch", kProtocol, Failure::BadRequest,
     ":authority and Host differ"},
    {DuplicateHost, "h2_duplicate_host", kProtocol, Failure::BadRequest, "more than one Host"},
    {InvalidPath, "h2_invalid_path", kProtocol, Failure::BadRequest,
     ":path is no path, or has a byte that is not allowed in it"},
    {UnsupportedScheme, "h2_unsupported_scheme", kProtocol, Failure::BadRequest,
     ":scheme is neither http nor https"},
    {InvalidContentLength, "h2_invalid_content_length", kProtocol, Failure::BadRequest,
     "Content-Length is not one decimal number"},
    {InvalidStatus, "h2_invalid_status", kProtocol, Failure::BadRequest,
     ":status is no status that HTTP/2 has"},
    {TooManyInformational, "h2_too_many_informational", kProtocol, Failure::BadRequest,
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
