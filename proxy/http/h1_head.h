#pragma once

// Parsers of an HTTP/1.x request head, response head and trailer section: RFC 9112 2 to 5, and
// refusal of everything that two implementations could read differently. They see whole lines in
// contiguous memory that somebody else keeps (h1_section.h); results are views into it.
//
// A line is judged when its LF has arrived (the first byte of a message at once), so what comes out
// does not depend on how the bytes were cut into reads. What must not reach the layer above is
// taken out on the way: Host, Content-Length, Transfer-Encoding and Expect become members of the
// head.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/http/h1_error.h"
#include "proxy/http/h1_facts.h"
#include "proxy/http/h1_limits.h"
#include "proxy/http/header_list.h"
#include "proxy/http/message.h"
#include "proxy/http/trailer_fields.h"

namespace convoy::http {

enum class H1Progress : uint8_t { Incomplete, Complete, Error };

// What the three parsers share: the loop over lines and its limits. Derived says which fields are
// special (kSpecial), what they mean (note()), and judges the whole (finish()). One with a start
// line has also startLine(), which returns the byte behind the line or null if the line is not
// complete or not right, and diagnoseStartLine(), which says what is wrong with a complete one.
template <typename Derived>
class H1SectionParser {
 public:
  // Parses the lines between `at` and `end` and moves `at` to the first byte of the first line that
  // is not complete, or behind the section. To be called again from there once there is more.
  H1Progress parse(const char*& at, const char* end);
  H1Error error() const { return error_; }
  // The bytes moved: points every view into `from` at the same place in `to`.
  void rebase(std::string_view from, const char* to);
  // How many more bytes, those of an incomplete line included, the section may have.
  size_t budget() const { return budget_; }

 protected:
  H1SectionParser(size_t max_bytes, size_t max_fields, H1Error too_large, H1Error too_many)
      : budget_(max_bytes), fields_left_(max_fields), too_large_(too_large), too_many_(too_many) {}

  H1Facts facts_;
  bool started_ = false;  // the start line is behind us

 private:
  Derived& derived() { return static_cast<Derived&>(*this); }
  H1Progress fail(H1Error error) {
    error_ = error;
    return H1Progress::Error;
  }
  H1Progress parseFields(const char*& at, const char* end);
  H1Error takeSpecial(const HeaderField& field);
  H1Progress judge(const char* line, const char* end, H1Error (*diagnose)(std::string_view));

  size_t budget_;
  size_t fields_left_;
  const H1Error too_large_;
  const H1Error too_many_;
  H1Error error_ = H1Error::None;
};

class H1RequestParser final : public H1SectionParser<H1RequestParser> {
 public:
  // `scheme` is that of requests whose target names none; it outlives the parser.
  // `after_empty_line`: one empty line before the request has been skipped already (RFC 9112 2.2).
  H1RequestParser(const H1Limits& limits, std::string_view scheme, bool after_empty_line);

  RequestHead head;
  // True if nothing but an empty line has been consumed: there is nothing to keep but this fact.
  bool onlyEmptyLine() const { return after_empty_line_ && !started_; }

 private:
  friend H1SectionParser<H1RequestParser>;
  static constexpr uint32_t kSpecial =
      nameMask(HeaderName::Host, HeaderName::ContentLength, HeaderName::TransferEncoding,
               HeaderName::Expect, HeaderName::Connection, HeaderName::Upgrade, HeaderName::Te);

  static H1Error checkFirstByte(char c);
  bool skipEmptyLine();
  const char* startLine(const char* line, const char* end);
  static H1Error diagnoseStartLine(std::string_view line);
  H1Error note(const HeaderField& field, bool& keep);
  H1Error finish(const char* end);
  H1Error checkHost() const;
  void rebaseViews(std::string_view from, const char* to);
  HeaderList& list() { return head.headers; }

  bool after_empty_line_;
  uint32_t hosts_ = 0;
  std::string_view host_;
  std::string composed_target_;
};

class H1ResponseParser final : public H1SectionParser<H1ResponseParser> {
 public:
  explicit H1ResponseParser(const H1Limits& limits);

  ResponseHead head;
  // The server will close the connection, or cannot keep it open.
  bool closes() const;
  bool chunked() const { return facts_.chunked; }
  bool hasContentLength() const { return facts_.has_content_length; }

 private:
  friend H1SectionParser<H1ResponseParser>;
  static constexpr uint32_t kSpecial =
      nameMask(HeaderName::ContentLength, HeaderName::TransferEncoding, HeaderName::Connection,
               HeaderName::Upgrade);

  static H1Error checkFirstByte(char c);
  bool skipEmptyLine() { return false; }
  const char* startLine(const char* line, const char* end);
  static H1Error diagnoseStartLine(std::string_view line);
  H1Error note(const HeaderField& field, bool& keep);
  H1Error finish(const char* end);
  void rebaseViews(std::string_view from, const char* to);
  HeaderList& list() { return head.headers; }
};

// Has no start line. Fields that frame a message are refused, those that route or authenticate it
// dropped: a trailer comes too late for them (RFC 9110 6.5.1).
class H1TrailerParser final : public H1SectionParser<H1TrailerParser> {
 public:
  explicit H1TrailerParser(const H1Limits& limits);

  HeaderList trailers;

 private:
  friend H1SectionParser<H1TrailerParser>;
  static constexpr uint32_t kSpecial = kNotInTrailers;

  H1Error note(const HeaderField& field, bool& keep) {
    keep = false;
    const bool frames =
        field.id == HeaderName::ContentLength || field.id == HeaderName::TransferEncoding;
    return frames ? H1Error::FramingInTrailers : H1Error::None;
  }
  H1Error finish(const char*) { return H1Error::None; }
  void rebaseViews(std::string_view, const char*) {}
  HeaderList& list() { return trailers; }
};

extern template class H1SectionParser<H1RequestParser>;
extern template class H1SectionParser<H1ResponseParser>;
extern template class H1SectionParser<H1TrailerParser>;

}  // namespace convoy::http
