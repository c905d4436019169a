#include "proxy/http/h1_facts.h"

#include "proxy/base/strings.h"
#include "proxy/http/hop_by_hop.h"

namespace convoy::http {

using base::equalsIgnoreCase;

H1Error H1Facts::noteContentLength(std::string_view value) {
  // 19 digits cannot overflow 64 bits.
  if (value.empty() || value.size() > 19) return H1Error::InvalidContentLength;
  uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return H1Error::InvalidContentLength;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  if (length > INT64_MAX) return H1Error::InvalidContentLength;
  // RFC 9112 6.3 lets one take equal ones for one; nobody sends them who means well.
  if (has_content_length) {
    return length == content_length ? H1Error::DuplicateContentLength
                                    : H1Error::ConflictingContentLength;
  }
  has_content_length = true;
  content_length = length;
  return H1Error::None;
}

H1Error H1Facts::noteTransferEncoding(std::string_view value) {
  if (chunked) return H1Error::TransferEncodingRepeated;
  chunked = true;
  if (equalsIgnoreCase(value, "chunked")) return H1Error::None;
  int chunked_codings = 0;
  bool chunked_last = false;
  forEachToken(value, [&](std::string_view token) {
    chunked_last = equalsIgnoreCase(token, "chunked");
    chunked_codings += chunked_last ? 1 : 0;
  });
  const bool misplaced = chunked_codings > (chunked_last ? 1 : 0);
  return misplaced ? H1Error::TransferEncodingRepeated : H1Error::TransferEncodingUnknown;
}

void H1Facts::noteConnection(std::string_view value) {
  forEachToken(value, [this](std::string_view token) {
    if (equalsIgnoreCase(token, "keep-alive")) {
      keep_alive = true;
    } else if (equalsIgnoreCase(token, "close")) {
      close = true;
    } else if (equalsIgnoreCase(token, "upgrade")) {
      upgrade = true;
    }
  });
}

H1Error H1Facts::checkFraming(Protocol protocol) const {
  if (!chunked) return H1Error::None;
  if (has_content_length) return H1Error::ContentLengthAndTransferEncoding;
  return protocol == Protocol::Http10 ? H1Error::TransferEncodingInHttp10 : H1Error::None;
}

BodyLength H1Facts::bodyLength() const {
  if (chunked) return {BodyLength::Kind::Unknown, 0};
  if (has_content_length) return {BodyLength::Kind::Known, content_length};
  return {};
}

}  // namespace convoy::http
