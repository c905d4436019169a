#include "proxy/http/h2_section.h"

#include <algorithm>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/http/authority.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/trailer_fields.h"

namespace convoy::http {

namespace {

constexpr size_t kFirstBytes = 1024;
constexpr size_t kFieldOverhead = 4;  // ": " and CRLF

}  // namespace

void H2Section::start() {
  bytes_.clear();
  fields_.clear();
  cookies_.clear();
  error_ = H2Error::None;
  started_ = true;
  has_host_ = has_length_ = expects_continue_ = te_trailers_ = false;
  status_ = 0;
  length_ = 0;
  decoded_bytes_ = field_bytes_ = field_count_ = cookie_bytes_ = 0;
  method_ = path_ = authority_ = scheme_ = protocol_ = host_ = {};
}

void H2Section::startHead() {
  start();
  trailers_ = false;
}

void H2Section::startTrailers() {
  start();
  trailers_ = true;
}

void H2Section::release() {
  started_ = false;
  std::exchange(bytes_, std::string());
  std::exchange(cookies_, {});
}

// Room for `bytes` more; views move with the text.
void H2Section::ensure(size_t bytes) {
  const size_t wanted = bytes_.size() + bytes;
  if (wanted <= bytes_.capacity()) return;
  std::string larger;
  larger.reserve(std::max({wanted, 2 * bytes_.capacity(), kFirstBytes}));
  larger.append(bytes_);
  fields_.shift(bytes_, larger.data());
  bytes_ = std::move(larger);
}

H2Section::Span H2Section::store(std::string_view text) {
  ensure(text.size());
  const Span span{bytes_.size(), text.size()};
  bytes_.append(text);
  return span;
}

void H2Section::add(std::string_view name, std::string_view value) {
  const size_t size = name.size() + value.size() + kFieldOverhead;
  decoded_bytes_ += size;
  if (error_ != H2Error::None) {
    // Whoever answers must know whether a body may follow.
    if (method_.size == 0 && name == ":method" && value == "HEAD") method_ = store(value);
    return;
  }
  if (name.empty()) return refuse(H2Error::InvalidField);
  const HeaderName id = classify(name);
  if (id == HeaderName::Cookie && !trailers_) {
    cookie_bytes_ += size;
    if (cookie_bytes_ > options_.max_cookie_bytes) return refuse(H2Error::CookiesTooLarge);
    return addCookie(value);
  }
  field_bytes_ += size;
  if (field_bytes_ > (trailers_ ? options_.max_trailer_bytes : options_.max_head_bytes)) {
    return refuse(trailers_ ? H2Error::TrailersTooLarge : H2Error::HeadTooLarge);
  }
  if (name[0] == ':') return addPseudo(name, value);
  if (++field_count_ > (trailers_ ? options_.max_trailer_fields : options_.max_fields)) {
    return refuse(trailers_ ? H2Error::TooManyTrailers : H2Error::TooManyFields);
  }
  // nghttp2 has looked, too; what is written to HTTP/1.1 must not depend on that.
  if (!h1::isToken(name) || !h1::all(h1::ValueChar, value)) return refuse(H2Error::InvalidField);
  addField(id, name, value);
}

void H2Section::addPseudo(std::string_view name, std::string_view value) {
  if (!h1::all(h1::ValueChar, value)) return refuse(H2Error::InvalidField);
  if (name == ":method") {
    method_ = store(value);
  } else if (name == ":path") {
    path_ = store(value);
  } else if (name == ":authority") {
    authority_ = store(value);
  } else if (name == ":scheme") {
    scheme_ = store(value);
  } else if (name == ":protocol") {
    protocol_ = store(value);
  } else if (name == ":status") {
    if (value.size() != 3 || value.find_first_not_of("0123456789") != std::string_view::npos) {
      return refuse(H2Error::InvalidStatus);
    }
    status_ =
        static_cast<uint16_t>((value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0'));
    if (status_ < 100 || status_ == 101) refuse(H2Error::InvalidStatus);
  }
}

void H2Section::addCookie(std::string_view value) {
  if (!h1::all(h1::ValueChar, value)) return refuse(H2Error::InvalidField);
  cookies_.push_back(store(value));
}

void H2Section::addField(HeaderName id, std::string_view name, std::string_view value) {
  if (trailers_) {
    if (id == HeaderName::ContentLength) return refuse(H2Error::MalformedMessage);
    if ((nameMask(id) & kNotInTrailers) != 0 && id != HeaderName::Other) return;
  } else if (id == HeaderName::Host) {
    if (std::exchange(has_host_, true)) return refuse(H2Error::DuplicateHost);
    host_ = store(value);
    return;
  } else if (id == HeaderName::ContentLength) {
    if (!noteContentLength(value)) refuse(H2Error::InvalidContentLength);
    return;
  } else if (id == HeaderName::Expect && base::equalsIgnoreCase(value, "100-continue")) {
    expects_continue_ = true;
    return;
  } else if (id == HeaderName::Te) {
    te_trailers_ = base::equalsIgnoreCase(value, "trailers");
  }
  ensure(name.size() + value.size() + kFieldOverhead);
  const Span stored_name = store(name);
  bytes_.append(": ");
  const Span stored_value = store(value);
  bytes_.append("\r\n");
  fields_.add({view(stored_name), view(stored_value), id});
}

bool H2Section::noteContentLength(std::string_view value) {
  // 19 digits cannot overflow 64 bits.
  if (value.empty() || value.size() > 19) return false;
  uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return false;
    length = length * 10 + static_cast<uint64_t>(c - '0');
  }
  if (length > INT64_MAX || has_length_) return false;
  has_length_ = true;
  length_ = length;
  return true;
}

void H2Section::joinCookies() {
  if (cookies_.empty()) return;
  size_t total = 0;
  for (const Span& crumb : cookies_) total += crumb.size + 2;
  constexpr std::string_view kName = "cookie: ";
  ensure(kName.size() + total + 2);  // so that nothing moves below
  const size_t name = bytes_.size();
  bytes_.append(kName);
  const size_t value = bytes_.size();
  for (const Span& crumb : cookies_) {
    if (crumb.size == 0) continue;  // the value must not end with a space (8.2.1)
    if (bytes_.size() != value) bytes_.append("; ");
    bytes_.append(view(crumb));
  }
  const Span joined{value, bytes_.size() - value};
  bytes_.append("\r\n");
  fields_.add({view({name, 6}), view(joined), HeaderName::Cookie});
}

H2Error H2Section::checkAuthority(RequestHead& head) {
  const std::string_view host = view(host_);
  head.authority = view(authority_);
  const bool connect = head.method == "CONNECT";
  if (head.authority.empty()) {
    if (!has_host_ || connect) return H2Error::MissingAuthority;
    head.authority = host;
  } else if (has_host_ && !base::equalsIgnoreCase(host, head.authority)) {
    return H2Error::AuthorityMismatch;
  }
  const bool tunnel = connect && protocol_.size == 0;
  return isAuthority(head.authority, tunnel ? PortRule::Required : PortRule::Optional)
             ? H2Error::None
             : H2Error::InvalidAuthority;
}

H2Error H2Section::checkTarget(const RequestHead& head) {
  if (head.method == "CONNECT" && protocol_.size == 0) return H2Error::None;
  if (head.scheme.empty()) return H2Error::UnsupportedScheme;
  if (head.target == "*") {
    return head.method == "OPTIONS" ? H2Error::None : H2Error::InvalidPath;
  }
  const bool path = !head.target.empty() && head.target[0] == '/';
  return path && h1::all(h1::TargetChar, head.target) ? H2Error::None : H2Error::InvalidPath;
}

BodyLength H2Section::bodyLength(BodyLength::Kind otherwise) const {
  if (has_length_) return {BodyLength::Kind::Known, length_};
  return {otherwise, 0};
}

H2Error H2Section::finishRequest(RequestHead& head, bool end_of_stream) {
  started_ = false;
  if (error_ != H2Error::None) return error_;
  joinCookies();
  head.clear();
  head.method = view(method_);
  head.target = view(path_);
  const std::string_view scheme = view(scheme_);
  if (base::equalsIgnoreCase(scheme, "http")) head.scheme = "http";
  if (base::equalsIgnoreCase(scheme, "https")) head.scheme = "https";
  if (!h1::isToken(head.method)) return H2Error::MalformedMessage;
  if (const H2Error error = checkAuthority(head); error != H2Error::None) return error;
  if (const H2Error error = checkTarget(head); error != H2Error::None) return error;
  if (head.method == "CONNECT" && protocol_.size == 0) {
    head.target = head.authority;
    head.scheme = "http";  // of what is asked of us; it has none
    if (has_length_) return H2Error::MalformedMessage;
  }
  head.upgrade = view(protocol_);
  head.protocol = Protocol::Http2;
  head.body = bodyLength(end_of_stream ? BodyLength::Kind::None : BodyLength::Kind::Unknown);
  head.expects_continue = expects_continue_;
  head.te_trailers = te_trailers_;
  head.headers = fields_;
  head.wire = bytes_;
  return H2Error::None;
}

H2Error H2Section::finishResponse(ResponseHead& head, bool end_of_stream, bool answers_head) {
  started_ = false;
  if (error_ != H2Error::None) return error_;
  if (status_ == 0) return H2Error::InvalidStatus;
  joinCookies();
  head.clear();
  head.status = status_;
  head.protocol = Protocol::Http2;
  // Of a response to HEAD and of a 304 it is unknown what a GET would have brought.
  const bool none = (end_of_stream && !answers_head && status_ != 304) || status_ < 200;
  head.body = bodyLength(none ? BodyLength::Kind::None : BodyLength::Kind::Unknown);
  if (status_ == 204 || status_ < 200) head.body = {};
  head.headers = fields_;
  return H2Error::None;
}

H2Error H2Section::finishTrailers(HeaderList& trailers) {
  started_ = false;
  if (error_ != H2Error::None) return error_;
  trailers = fields_;
  return H2Error::None;
}

}  // namespace convoy::http
