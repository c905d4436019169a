#include "controlplane/validate/sticky.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"
#include "controlplane/validate/tls.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kMostTtlMs = int64_t{9600} * 3600 * 1000;
constexpr uint32_t kMostClients = 10'000'000;
constexpr int64_t kMostRedisTimeoutMs = 1000;
constexpr size_t kMostText = 64;
constexpr uint32_t kMostDatabase = 1'000'000;

// Of a cookie or a header.
void checkKeyName(const std::string& name, const Place& place) {
  if (isToken(name)) return;
  place.refuse(name.empty() ? "required" : "syntax", name,
               "a name is needed, of letters, digits and !#$%&'*+-.^_`|~");
}

void checkSameSite(const v1::Sticky::Cookie& cookie, const Place& place) {
  if (!v1::Sticky::SameSite_IsValid(cookie.same_site())) {
    place.field("same_site")
        .refuse("enum", absl::StrCat(static_cast<int>(cookie.same_site())),
                "there are SAME_SITE_LAX, SAME_SITE_STRICT and SAME_SITE_NONE");
  }
  if (cookie.same_site() == v1::Sticky::SAME_SITE_NONE && !cookie.secure()) {
    place.field("same_site")
        .refuse("conflict", "SAME_SITE_NONE", "browsers take it with secure: true only");
  }
}

// What browsers do not take would be a session that never sticks.
void checkPrefix(const v1::Sticky::Cookie& cookie, const Place& place) {
  const bool host = absl::StartsWith(cookie.name(), "__Host-");
  if ((host || absl::StartsWith(cookie.name(), "__Secure-")) && !cookie.secure()) {
    place.field("name").refuse("conflict", cookie.name(),
                               "browsers take this prefix with secure: true only");
  }
  const bool everywhere = cookie.path().empty() || cookie.path() == "/";
  if (host && (!cookie.domain().empty() || !everywhere)) {
    place.field("name").refuse("conflict", cookie.name(),
                               "browsers take this prefix without domain and path only");
  }
}

void checkCookie(const v1::Sticky::Cookie& cookie, const Place& place) {
  if (!cookie.name().empty()) checkKeyName(cookie.name(), place.field("name"));
  if (!cookie.path().empty()) checkPath(cookie.path(), place.field("path"));
  if (absl::StrContains(cookie.path(), ';')) {
    place.field("path").refuse("syntax", cookie.path(), "a cookie's path has no \";\"");
  }
  if (!cookie.domain().empty()) checkHost(cookie.domain(), place.field("domain"));
  if (absl::StartsWith(cookie.domain(), "*")) {
    place.field("domain").refuse("syntax", cookie.domain(),
                                 "what is below a domain is meant anyway: leave out \"*.\"");
  }
  checkSameSite(cookie, place);
  checkPrefix(cookie, place);
}

void checkTtl(const v1::Sticky& sticky, const Place& place) {
  if (!sticky.has_ttl()) return;
  const int64_t least = sticky.has_cookie() ? 0 : 1000;
  checkDuration(sticky.ttl(), least, kMostTtlMs,
                least == 0 ? "0 (until the browser ends) to 9600 h" : "1 s to 9600 h", place);
  if (sticky.ttl().nanos() != 0) place.refuse("range", "", "must be whole seconds");
}

bool isPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

void checkRedis(const v1::Sticky::Redis& redis, const Place& place) {
  checkAddress(redis.address(), AddressUse::Connect, place.field("address"));
  if (redis.has_tls()) checkPoolTls(redis.tls(), place.field("tls"));
  if (redis.has_timeout()) {
    checkDuration(redis.timeout(), 1, kMostRedisTimeoutMs, "1 ms to 1 s", place.field("timeout"));
  }
  if (redis.key_prefix().size() > kMostText || !isPrintable(redis.key_prefix())) {
    place.field("key_prefix")
        .refuse("syntax", redis.key_prefix(),
                "must be at most 64 printable ASCII characters without blanks");
  }
  if (!redis.password_file().empty() && redis.password_file().front() != '/') {
    place.field("password_file")
        .refuse("syntax", redis.password_file(), "must be a path of each node, from \"/\" on");
  }
  if (!redis.username().empty() && redis.password_file().empty()) {
    place.field("username")
        .refuse("conflict", redis.username(), "a user needs a password: add password_file");
  }
  if (redis.database() > kMostDatabase) {
    checkRange(redis.database(), 0, kMostDatabase, place.field("database"));
  }
}

}  // namespace

void checkSticky(const v1::Sticky& sticky, const Place& place) {
  switch (sticky.by_case()) {
    case v1::Sticky::kCookie:
      checkCookie(sticky.cookie(), place.field("cookie"));
      break;
    case v1::Sticky::kAppCookie:
      checkKeyName(sticky.app_cookie().name(), place.field("app_cookie").field("name"));
      break;
    case v1::Sticky::kHeader:
      checkKeyName(sticky.header().name(), place.field("header").field("name"));
      break;
    case v1::Sticky::kSourceIp:
      break;
    case v1::Sticky::BY_NOT_SET:
      place.refuse("required", "", "write cookie, app_cookie, header or source_ip into it");
      return;
  }
  checkTtl(sticky, place.field("ttl"));
  if (sticky.has_redis() && sticky.has_cookie()) {
    place.field("redis").refuse("conflict", "",
                                "all nodes understand the cookie, nothing is learned; remove it");
  } else if (sticky.has_redis()) {
    checkRedis(sticky.redis(), place.field("redis"));
  }
  if (!sticky.has_max_clients()) return;
  if (sticky.has_cookie()) {
    place.field("max_clients")
        .refuse("conflict", absl::StrCat(sticky.max_clients()),
                "no client is remembered with cookie; remove it");
  } else {
    checkRange(sticky.max_clients(), 1, kMostClients, place.field("max_clients"));
  }
}

}  // namespace convoy::controlplane::validate
