#include "proxy/http/cookies.h"

#include <charconv>
#include <cstring>
#include <initializer_list>
#include <iterator>

#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

CookieReader::Cookie pairOf(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {base::trimmed(text), {}};
  std::string_view value = base::trimmed(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return {base::trimmed(text.substr(0, equals)), value};
}

std::string_view joined(std::initializer_list<std::string_view> parts, base::Arena& arena) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  char* const text = arena.allocate(size);
  char* at = text;
  for (const std::string_view part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return {text, size};
}

std::string_view sameSiteText(CookieSpec::SameSite same_site) {
  switch (same_site) {
    case CookieSpec::SameSite::Unset:
      break;
    case CookieSpec::SameSite::Lax:
      return "; SameSite=Lax";
    case CookieSpec::SameSite::Strict:
      return "; SameSite=Strict";
    case CookieSpec::SameSite::None:
      return "; SameSite=None";
  }
  return "";
}

}  // namespace

std::optional<CookieReader::Cookie> CookieReader::next() {
  while (true) {
    while (rest_.empty()) {
      if (field_ == headers_.size()) return std::nullopt;
      const HeaderField& field = *(headers_.begin() + static_cast<ptrdiff_t>(field_++));
      if (field.id == HeaderName::Cookie) rest_ = field.value;
    }
    const size_t end = rest_.find(';');
    const std::string_view text = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    const Cookie cookie = pairOf(text);
    if (!cookie.name.empty()) return cookie;
  }
}

std::optional<std::string_view> CookieReader::next(std::string_view name) {
  if (!headers_.mayHave(HeaderName::Cookie)) return std::nullopt;
  while (const auto cookie = next()) {
    if (cookie->name == name) return cookie->value;
  }
  return std::nullopt;
}

CookieReader::Cookie setCookiePair(std::string_view field) {
  return pairOf(field.substr(0, field.find(';')));
}

bool cookieCovers(const CookieSpec& cookie, std::string_view path) {
  const std::string_view prefix = cookie.path;
  if (prefix.empty() || prefix == "/") return true;
  if (path.substr(0, prefix.size()) != prefix) return false;
  return path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/';
}

std::string_view setCookie(const CookieSpec& cookie, std::string_view value, bool over_tls,
                           base::Arena& arena) {
  char seconds[24];
  std::string_view age;
  if (cookie.ttl.count() > 0) {
    const auto end = std::to_chars(seconds, std::end(seconds), cookie.ttl.count()).ptr;
    age = {seconds, static_cast<size_t>(end - seconds)};
  }
  return joined({cookie.name, "=\"", value, "\"", age.empty() ? "" : "; Max-Age=", age,
                 cookie.path.empty() ? "" : "; Path=", cookie.path,
                 cookie.domain.empty() ? "" : "; Domain=", cookie.domain,
                 cookie.secure.value_or(over_tls) ? "; Secure" : "", cookie.attributes,
                 cookie.http_only ? "; HttpOnly" : "", sameSiteText(cookie.same_site)},
                arena);
}

}  // namespace convoy::http
