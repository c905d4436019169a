#pragma once

// Cookies (RFC 6265): those of a request, and one for a response. Pure; what is written is in the
// caller's arena.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/header_list.h"

namespace convoy::http {

// One "name=value" after the other, of all Cookie fields in order: HTTP/2 may split them (RFC 9113
// 8.2.3). Quotes around a value are no part of it.
class CookieReader {
 public:
  struct Cookie {
    std::string_view name;
    std::string_view value;
  };

  explicit CookieReader(const HeaderList& headers) : headers_(headers) {}
  // None: there are no more.
  std::optional<Cookie> next();
  // The next one of this name (which minds case): its value.
  std::optional<std::string_view> next(std::string_view name);

 private:
  const HeaderList& headers_;
  size_t field_ = 0;       // the next one to look at
  std::string_view rest_;  // of the one before
};

// "a=b; Path=/; ..." of a Set-Cookie field: the cookie without its attributes.
CookieReader::Cookie setCookiePair(std::string_view field);

// What a cookie of the proxy's own is like. The name is a token, path, domain and each attribute
// have no control characters and no ";": config/ sees to it.
struct CookieSpec {
  enum class SameSite : uint8_t { Unset, Lax, Strict, None };

  std::string name = {};
  std::string path = {};        // empty: none is sent
  std::string domain = {};      // empty: the host that was asked
  std::chrono::seconds ttl{0};  // 0: as long as the browser runs
  SameSite same_site = SameSite::Unset;
  std::optional<bool> secure = false;  // unset: over TLS
  std::string attributes = {};         // others, as they are sent: "; Partitioned"
  bool http_only = true;
};

// Whether a client that has the cookie sends it with a request for this path (RFC 6265 5.1.4).
bool cookieCovers(const CookieSpec& cookie, std::string_view path);

// A value for Set-Cookie.
std::string_view setCookie(const CookieSpec& cookie, std::string_view value, bool over_tls,
                           base::Arena& arena);

}  // namespace convoy::http
