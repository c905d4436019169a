#include "proxy/http/h1_head.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/strings.h"
#include "proxy/http/authority.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/h1_target.h"
#include "proxy/http/hop_by_hop.h"

namespace convoy::http {

namespace {

using base::equalsIgnoreCase;

inline std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

inline bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

// White space or a control byte; one comparison where the latter cannot be or is looked at next.
inline bool isBlankOrLess(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

// "HTTP/1.1" or "HTTP/1.0" at 8 readable bytes; false if it is neither.
inline bool parseVersion(const char* at, Protocol& protocol) {
  if (std::memcmp(at, "HTTP/1.1", 8) == 0) {
    protocol = Protocol::Http11;
  } else if (std::memcmp(at, "HTTP/1.0", 8) == 0) {
    protocol = Protocol::Http10;
  } else {
    return false;
  }
  return true;
}

void rebaseView(std::string_view& view, std::string_view from, const char* to) {
  if (view.data() < from.data() || view.data() > from.data() + from.size()) return;
  view = {to + (view.data() - from.data()), view.size()};
}

// A complete line without its LF: checks and takes off the CR.
H1Error takeLineEnd(std::string_view& line) {
  if (line.empty() || line.back() != '\r') return H1Error::BareLf;
  line.remove_suffix(1);
  return line.find('\r') == std::string_view::npos ? H1Error::None : H1Error::BareCr;
}

// What is wrong with a field line that the fast loop did not take.
H1Error diagnoseField(std::string_view line) {
  if (const H1Error error = takeLineEnd(line); error != H1Error::None) return error;
  if (!line.empty() && isBlank(line[0])) return H1Error::ObsoleteFold;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return h1::all(h1::ValueChar, line) ? H1Error::MissingColon : H1Error::ControlByte;
  }
  if (colon == 0) return H1Error::EmptyFieldName;
  const std::string_view name = line.substr(0, colon);
  if (isBlank(name.back())) return H1Error::SpaceBeforeColon;
  if (!h1::all(h1::TokenChar, name)) return H1Error::InvalidFieldName;
  return H1Error::ControlByte;
}

bool looksLikeVersion(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 8 && text.substr(0, 5) == "HTTP/" && digit(text[5]) && text[6] == '.' &&
         digit(text[7]);
}

}  // namespace

template <typename Derived>
H1Progress H1SectionParser<Derived>::parse(const char*& at, const char* end) {
  if constexpr (requires { &Derived::diagnoseStartLine; }) {
    while (!started_) {
      if (at == end) return H1Progress::Incomplete;
      if (const H1Error error = Derived::checkFirstByte(*at); error != H1Error::None) {
        return fail(error);
      }
      const char* const next = derived().startLine(at, end);
      if (next != nullptr && static_cast<size_t>(next - at) <= budget_) {
        budget_ -= static_cast<size_t>(next - at);
        at = next;
        started_ = true;
      } else if (end - at >= 2 && at[0] == '\r' && at[1] == '\n' && derived().skipEmptyLine()) {
        at += 2;
      } else {
        return judge(at, end, Derived::diagnoseStartLine);
      }
    }
  }
  return parseFields(at, end);
}

// Takes right lines as fast as they can be; any other, an incomplete one, and one that is longer
// than what may still come are left to judge().
template <typename Derived>
H1Progress H1SectionParser<Derived>::parseFields(const char*& at, const char* end) {
  const char* line = at;
  if (static_cast<size_t>(end - line) > budget_) end = line + budget_;
  H1Error error = H1Error::None;
  while (true) {
    const char* const name_end = h1::nameStop(line, end);
    if (end - name_end < 3 || *name_end != ':') break;  // 3: colon and line end at least
    const std::string_view name = between(line, name_end);
    const HeaderName id = classify(name);
    // A known name has no byte that names may not have.
    if (id == HeaderName::Other && !h1::isToken(name)) break;

    const char* value = name_end + 1;
    if (*value == ' ') ++value;
    while (isBlankOrLess(*value) && isBlank(*value) && value < end - 1) ++value;
    const char* value_end = h1::valueEnd(value, end);
    if (end - value_end < 2 || !h1::isLineEnd(value_end)) break;
    line = value_end + 2;
    while (isBlankOrLess(value_end[-1]) && value_end > value) --value_end;
    if (fields_left_ == 0) {
      error = too_many_;
      break;
    }
    --fields_left_;
    if ((nameMask(id) & Derived::kSpecial) == 0) {
      derived().list().add({name, between(value, value_end), id});
    } else {
      error = takeSpecial({name, between(value, value_end), id});
      if (error != H1Error::None) break;
    }
  }
  budget_ -= static_cast<size_t>(line - at);
  at = line;
  if (error != H1Error::None) return fail(error);
  if (end - at >= 2 && h1::isLineEnd(at)) {
    at += 2;
    budget_ -= 2;
    error = derived().finish(at);
    return error == H1Error::None ? H1Progress::Complete : fail(error);
  }
  return judge(at, end, diagnoseField);
}

template <typename Derived>
H1Error H1SectionParser<Derived>::takeSpecial(const HeaderField& field) {
  bool keep = true;
  const H1Error error = derived().note(field, keep);
  if (keep) derived().list().add(field);
  return error;
}

// The line at `line` is incomplete, too long or wrong.
template <typename Derived>
H1Progress H1SectionParser<Derived>::judge(const char* line, const char* end,
                                           H1Error (*diagnose)(std::string_view)) {
  const auto given = static_cast<size_t>(end - line);
  const size_t visible = std::min(given, budget_);
  const void* const lf = visible == 0 ? nullptr : std::memchr(line, '\n', visible);
  if (lf == nullptr) return given >= budget_ ? fail(too_large_) : H1Progress::Incomplete;
  return fail(diagnose(between(line, static_cast<const char*>(lf))));
}

template <typename Derived>
void H1SectionParser<Derived>::rebase(std::string_view from, const char* to) {
  for (HeaderField& field : derived().list().fields()) {
    rebaseView(field.name, from, to);
    rebaseView(field.value, from, to);
  }
  rebaseView(facts_.upgrade_value, from, to);
  derived().rebaseViews(from, to);
}

// --- request ---

H1RequestParser::H1RequestParser(const H1Limits& limits, std::string_view scheme,
                                 bool after_empty_line)
    : H1SectionParser(limits.max_head_bytes, limits.max_fields, H1Error::HeadTooLarge,
                      H1Error::TooManyFields),
      after_empty_line_(after_empty_line) {
  head.scheme = scheme;
}

// Bytes of another protocol (TLS, say) need not wait for a line end that may never come.
H1Error H1RequestParser::checkFirstByte(char c) {
  if (h1::is(h1::TokenChar, c) || c == '\r') return H1Error::None;
  return c == '\n' ? H1Error::BareLf : H1Error::InvalidMethod;
}

bool H1RequestParser::skipEmptyLine() {
  if (after_empty_line_) return false;
  after_empty_line_ = true;
  return true;
}

const char* H1RequestParser::startLine(const char* line, const char* end) {
  const char* const method_end = h1::skip(h1::TokenChar, line, end);
  if (method_end == line || method_end == end || *method_end != ' ') return nullptr;
  const char* const target = method_end + 1;
  const char* const target_end = h1::targetEnd(target, end);
  constexpr std::string_view kRest = " HTTP/1.1\r\n";
  if (target_end == target || end - target_end < static_cast<ptrdiff_t>(kRest.size())) {
    return nullptr;
  }
  if (*target_end != ' ' || !parseVersion(target_end + 1, head.protocol)) return nullptr;
  if (!h1::isLineEnd(target_end + 9)) return nullptr;
  head.method = between(line, method_end);
  head.target = between(target, target_end);
  return target_end + kRest.size();
}

H1Error H1RequestParser::diagnoseStartLine(std::string_view line) {
  if (const H1Error error = takeLineEnd(line); error != H1Error::None) return error;
  if (line.empty()) return H1Error::EmptyRequestLine;
  const size_t method_end = std::min(line.find(' '), line.size());
  if (method_end == 0 || !h1::all(h1::TokenChar, line.substr(0, method_end))) {
    return H1Error::InvalidMethod;
  }
  line.remove_prefix(std::min(method_end + 1, line.size()));
  const size_t target_end = std::min(line.find(' '), line.size());
  if (!h1::all(h1::TargetChar, line.substr(0, target_end))) return H1Error::InvalidTarget;
  if (target_end == 0 || target_end == line.size()) return H1Error::InvalidRequestLine;
  line.remove_prefix(target_end + 1);
  if (line.find(' ') != std::string_view::npos) return H1Error::InvalidRequestLine;
  return looksLikeVersion(line) ? H1Error::UnsupportedVersion : H1Error::InvalidVersion;
}

H1Error H1RequestParser::note(const HeaderField& field, bool& keep) {
  switch (field.id) {
    case HeaderName::Host:
      keep = false;
      ++hosts_;
      host_ = field.value;
      return H1Error::None;
    case HeaderName::ContentLength:
      keep = false;
      return facts_.noteContentLength(field.value);
    case HeaderName::TransferEncoding:
      keep = false;
      return facts_.noteTransferEncoding(field.value);
    case HeaderName::Expect:
      if (equalsIgnoreCase(field.value, "100-continue")) {
        keep = false;
        head.expects_continue = true;
      }
      return H1Error::None;
    case HeaderName::Connection:
      facts_.noteConnection(field.value);
      return H1Error::None;
    case HeaderName::Upgrade:
      facts_.upgrade_value = field.value;
      return H1Error::None;
    default:  // TE
      forEachToken(field.value, [this](std::string_view token) {
        if (equalsIgnoreCase(token, "trailers")) head.te_trailers = true;
      });
      return H1Error::None;
  }
}

H1Error H1RequestParser::finish(const char* end) {
  if (const H1Error error = checkHost(); error != H1Error::None) return error;
  head.authority = host_;
  if (const H1Error error = resolveTarget(head, composed_target_); error != H1Error::None)
    return error;
  if (const H1Error error = facts_.checkFraming(head.protocol); error != H1Error::None) {
    return error;
  }
  head.body = facts_.bodyLength();
  const bool is_http11 = head.protocol == Protocol::Http11;
  head.wants_keep_alive = !facts_.close && (is_http11 || facts_.keep_alive);
  if (is_http11 && facts_.upgrade) head.upgrade = facts_.upgrade_value;
  // RFC 9110 10.1.1: an expectation of HTTP/1.0 is ignored, and one without a body is idle.
  const bool no_body = head.body.kind == BodyLength::Kind::None ||
                       (head.body.kind == BodyLength::Kind::Known && head.body.bytes == 0);
  if (!is_http11 || no_body) head.expects_continue = false;
  // An absolute-form's target may have become a text of ours.
  const bool as_received = head.target.data() == head.method.data() + head.method.size() + 1;
  if (as_received) head.wire = between(head.method.data(), end);
  return head.body.kind != BodyLength::Kind::None && base::equals(head.method, "CONNECT")
             ? H1Error::ConnectWithBody
             : H1Error::None;
}

// RFC 9112 3.2. An empty Host is right where the target has no authority.
H1Error H1RequestParser::checkHost() const {
  if (hosts_ > 1) return H1Error::DuplicateHost;
  if (hosts_ == 0) {
    return head.protocol == Protocol::Http11 ? H1Error::MissingHost : H1Error::None;
  }
  if (host_.empty() || isAuthority(host_, PortRule::Optional)) return H1Error::None;
  return H1Error::InvalidHost;
}

void H1RequestParser::rebaseViews(std::string_view from, const char* to) {
  rebaseView(head.method, from, to);
  rebaseView(head.target, from, to);
  rebaseView(host_, from, to);
}

// --- response ---

H1ResponseParser::H1ResponseParser(const H1Limits& limits)
    : H1SectionParser(limits.max_head_bytes, limits.max_fields, H1Error::HeadTooLarge,
                      H1Error::TooManyFields) {}

H1Error H1ResponseParser::checkFirstByte(char c) {
  return c == 'H' ? H1Error::None : H1Error::InvalidStatusLine;
}

const char* H1ResponseParser::startLine(const char* line, const char* end) {
  constexpr std::string_view kShortest = "HTTP/1.1 200\r\n";
  if (end - line < static_cast<ptrdiff_t>(kShortest.size())) return nullptr;
  if (!parseVersion(line, head.protocol) || line[8] != ' ') return nullptr;
  uint16_t status = 0;
  for (const char c : std::string_view(line + 9, 3)) {
    if (c < '0' || c > '9') return nullptr;
    status = static_cast<uint16_t>(status * 10 + (c - '0'));
  }
  if (status < 100) return nullptr;
  head.status = status;
  // The space before an empty reason is missing often enough to be forgiven.
  const char* reason = line + 12;
  const char* reason_end = reason;
  if (*reason == ' ') {
    ++reason;
    reason_end = h1::valueEnd(reason, end);
  }
  if (end - reason_end < 2 || !h1::isLineEnd(reason_end)) return nullptr;
  head.reason = between(reason, reason_end);
  return reason_end + 2;
}

H1Error H1ResponseParser::diagnoseStartLine(std::string_view line) {
  if (const H1Error error = takeLineEnd(line); error != H1Error::None) return error;
  if (line.size() > 13 && !h1::all(h1::ValueChar, line.substr(13))) return H1Error::ControlByte;
  if (looksLikeVersion(line.substr(0, 8)) && line.substr(0, 7) != "HTTP/1.") {
    return H1Error::UnsupportedVersion;
  }
  return H1Error::InvalidStatusLine;
}

H1Error H1ResponseParser::note(const HeaderField& field, bool& keep) {
  switch (field.id) {
    case HeaderName::ContentLength:
      keep = false;
      return facts_.noteContentLength(field.value);
    case HeaderName::TransferEncoding:
      keep = false;
      return facts_.noteTransferEncoding(field.value);
    case HeaderName::Connection:
      facts_.noteConnection(field.value);
      return H1Error::None;
    default:  // Upgrade
      facts_.upgrade_value = field.value;
      return H1Error::None;
  }
}

H1Error H1ResponseParser::finish(const char*) {
  if (const H1Error error = facts_.checkFraming(head.protocol); error != H1Error::None) {
    return error;
  }
  head.body = facts_.bodyLength();
  // Neither length nor chunks: the body ends with the connection (RFC 9112 6.3, rule 8), unless the
  // status or the request's method says that there is none.
  if (head.body.kind == BodyLength::Kind::None) head.body.kind = BodyLength::Kind::Unknown;
  if (facts_.upgrade) head.upgrade = facts_.upgrade_value;
  return H1Error::None;
}

bool H1ResponseParser::closes() const {
  return facts_.close || (head.protocol == Protocol::Http10 && !facts_.keep_alive);
}

void H1ResponseParser::rebaseViews(std::string_view from, const char* to) {
  rebaseView(head.reason, from, to);
}

// --- trailers ---

H1TrailerParser::H1TrailerParser(const H1Limits& limits)
    : H1SectionParser(limits.max_trailer_bytes, limits.max_trailer_fields,
                      H1Error::TrailersTooLarge, H1Error::TooManyTrailers) {
  started_ = true;
}

template class H1SectionParser<H1RequestParser>;
template class H1SectionParser<H1ResponseParser>;
template class H1SectionParser<H1TrailerParser>;

}  // namespace convoy::http
