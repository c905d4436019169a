#pragma once

// Puts one header block together, field by field as HPACK decodes it, and makes a head or trailers
// of it: pseudo-fields become members (RFC 9113 8.3), pieces of Cookie are joined (8.2.3), framing
// fields are taken out as the HTTP/1.x parsers do. Its text is kept in the form of HTTP/1.1's wire,
// so that whoever copies or forwards it does so in one piece. A connection receives one block at a
// time and so has one of these. What nghttp2 has checked (order, repetition and presence of
// pseudo-fields, lower case, connection-specific fields) is not checked again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/h2_error.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/message.h"

namespace convoy::http {

class H2Section {
 public:
  explicit H2Section(const H2Options& options) : options_(options) {}

  void startHead();
  void startTrailers();
  bool started() const { return started_; }
  // One decoded field. Once the block is refused, further fields are counted and dropped.
  void add(std::string_view name, std::string_view value);
  // A field that nghttp2 found malformed.
  void refuse(H2Error error) {
    if (error_ == H2Error::None) error_ = error;
  }
  // Of a head, as far as it was read; also of one that is refused, if it is a method.
  std::string_view method() const { return view(method_); }
  // Decoded so far; beyond the limits too.
  size_t decodedBytes() const { return decoded_bytes_; }

  // The block is complete. Views in the head are good until the next start. Errors leave the head
  // as it is. `end_of_stream`: no body follows.
  H2Error finishRequest(RequestHead& head, bool end_of_stream);
  H2Error finishResponse(ResponseHead& head, bool end_of_stream, bool answers_head);
  H2Error finishTrailers(HeaderList& trailers);
  // Frees what it holds.
  void release();

 private:
  struct Span {
    size_t at = 0;
    size_t size = 0;
  };

  void start();
  void addPseudo(std::string_view name, std::string_view value);
  void addCookie(std::string_view value);
  void addField(HeaderName id, std::string_view name, std::string_view value);
  Span store(std::string_view text);
  void ensure(size_t bytes);
  bool noteContentLength(std::string_view value);
  void joinCookies();
  H2Error checkAuthority(RequestHead& head);
  H2Error checkTarget(const RequestHead& head);
  BodyLength bodyLength(BodyLength::Kind otherwise) const;
  std::string_view view(Span span) const { return {bytes_.data() + span.at, span.size}; }

  const H2Options& options_;
  std::string bytes_;  // its capacity only grows while a block is put together
  HeaderList fields_;  // views into bytes_
  std::vector<Span> cookies_;
  H2Error error_ = H2Error::None;
  bool started_ = false;
  bool trailers_ = false;
  bool has_host_ = false;
  bool has_length_ = false;
  bool expects_continue_ = false;
  bool te_trailers_ = false;
  uint16_t status_ = 0;
  uint64_t length_ = 0;
  size_t decoded_bytes_ = 0;
  size_t field_bytes_ = 0;
  size_t field_count_ = 0;
  size_t cookie_bytes_ = 0;
  Span method_, path_, authority_, scheme_, protocol_, host_;
};

}  // namespace convoy::http
