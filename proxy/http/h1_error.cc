#include "proxy/http/h1_error.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "proxy/base/assert.h"

namespace convoy::http {

namespace {

using enum H1Error;

constexpr size_t kErrors = static_cast<size_t>(kCount);

constexpr H1ErrorInfo kTable[kErrors] = {
    {None, "none", Failure::None, "nothing is wrong"},

    {BareLf, "bare_lf", Failure::BadRequest, "a line ends in LF without CR"},
    {BareCr, "bare_cr", Failure::BadRequest, "CR inside a line"},
    {ControlByte, "control_byte", Failure::BadRequest, "a control byte in a value"},
    {HeadTooLarge, "head_too_large", Failure::HeadTooLarge, "the head is longer than the limit"},
    {TooManyFields, "too_many_fields", Failure::HeadTooLarge, "more header fields than the limit"},
    {ObsoleteFold, "obsolete_line_folding", Failure::BadRequest,
     "a header line begins with white space"},
    {MissingColon, "missing_colon", Failure::BadRequest, "a header line without a colon"},
    {EmptyFieldName, "empty_field_name", Failure::BadRequest, "a header field without a name"},
    {SpaceBeforeColon, "space_before_colon", Failure::BadRequest,
     "white space between a header's name and its colon"},
    {InvalidFieldName, "invalid_field_name", Failure::BadRequest,
     "a header's name has a byte that is not allowed in names"},

    {EmptyRequestLine, "empty_request_line", Failure::BadRequest,
     "more than one empty line before the request"},
    {InvalidRequestLine, "invalid_request_line", Failure::BadRequest,
     "the request line is not \"METHOD TARGET HTTP/1.1\""},
    {InvalidMethod, "invalid_method", Failure::BadRequest, "the method is no token"},
    {InvalidTarget, "invalid_target", Failure::BadRequest,
     "the request target has a byte that is not allowed in it"},
    {TargetForm, "target_form", Failure::BadRequest,
     "the request target has a form that this method does not allow"},
    {UnsupportedScheme, "unsupported_scheme", Failure::BadRequest,
     "the request target's scheme is neither http nor https"},
    {InvalidVersion, "invalid_version", Failure::BadRequest, "the HTTP version is malformed"},
    {UnsupportedVersion, "unsupported_version", Failure::UnsupportedVersion,
     "the HTTP version is neither 1.0 nor 1.1"},
    {MissingHost, "missing_host", Failure::BadRequest, "an HTTP/1.1 request without Host"},
    {DuplicateHost, "duplicate_host", Failure::BadRequest, "more than one Host"},
    {InvalidHost, "invalid_host", Failure::BadRequest, "the host is not HOST or HOST:PORT"},

    {InvalidContentLength, "invalid_content_length", Failure::BadRequest,
     "Content-Length is not one decimal number"},
    {ConflictingContentLength, "conflicting_content_length", Failure::BadRequest,
     "several Content-Length fields differ"},
    {DuplicateContentLength, "duplicate_content_length", Failure::BadRequest,
     "more than one Content-Length"},
    {ContentLengthAndTransferEncoding, "content_length_and_transfer_encoding", Failure::BadRequest,
     "both Content-Length and Transfer-Encoding"},
    {TransferEncodingRepeated, "transfer_encoding_repeated", Failure::BadRequest,
     "Transfer-Encoding is repeated, or chunked is not its last coding"},
    {TransferEncodingUnknown, "transfer_encoding_unknown", Failure::UnsupportedEncoding,
     "Transfer-Encoding has another coding than chunked"},
    {TransferEncodingInHttp10, "transfer_encoding_in_http10", Failure::BadRequest,
     "Transfer-Encoding in an HTTP/1.0 message"},
    {ConnectWithBody, "connect_with_body", Failure::BadRequest, "CONNECT announces a body"},

    {InvalidChunkSize, "invalid_chunk_size", Failure::BadBody, "a chunk's size is malformed"},
    {ChunkSizeOverflow, "chunk_size_overflow", Failure::BadBody, "a chunk's size is too large"},
    {ChunkExtension, "chunk_extension", Failure::BadBody, "a control byte in a chunk extension"},
    {ChunkExtensionSize, "chunk_extension_size", Failure::BadBody,
     "a chunk extension is longer than the limit"},
    {BodyExtensionSize, "body_extension_size", Failure::BadBody,
     "the chunk extensions of a body are longer than the limit"},
    {ChunkNotTerminated, "chunk_not_terminated", Failure::BadBody,
     "no CRLF behind the data of a chunk"},
    {TrailersTooLarge, "trailers_too_large", Failure::BadBody,
     "the trailers are longer than the limit"},
    {TooManyTrailers, "too_many_trailers", Failure::BadBody, "more trailers than the limit"},
    {FramingInTrailers, "framing_in_trailers", Failure::BadBody,
     "Content-Length or Transfer-Encoding in the trailers"},

    {InvalidStatusLine, "invalid_status_line", Failure::BadRequest,
     "the status line is not \"HTTP/1.1 CODE REASON\""},
    {UnexpectedUpgrade, "unexpected_upgrade", Failure::BadRequest,
     "a 101 response to a request that asked for no upgrade"},
    {TooManyInformational, "too_many_informational", Failure::BadRequest,
     "more 1xx responses than the limit"},
    {UnsolicitedResponse, "unsolicited_response", Failure::BadRequest,
     "bytes of a response to no request"},
};

constexpr bool tableIsInOrder() {
  for (size_t i = 0; i < kErrors; ++i) {
    if (static_cast<size_t>(kTable[i].error) != i) return false;
  }
  return true;
}
static_assert(tableIsInOrder(), "one row per H1Error, in the order of the enum");

}  // namespace

const H1ErrorInfo& info(H1Error error) {
  CONVOY_ASSERT(error < H1Error::kCount);
  return kTable[static_cast<size_t>(error)];
}

H1Error h1ErrorOf(std::string_view detail) {
  const H1ErrorInfo* const row =
      std::find_if(std::begin(kTable), std::end(kTable),
                   [detail](const H1ErrorInfo& candidate) { return candidate.detail == detail; });
  return row == std::end(kTable) ? None : row->error;
}

}  // namespace convoy::http
