#include "proxy/route/hash_key.h"

#include <bit>
#include <charconv>
#include <chrono>
#include <string>

#include "proxy/base/xxhash.h"
#include "proxy/http/cookies.h"
#include "proxy/route/request_values.h"

namespace convoy::route {

namespace {

std::string_view textOf(uint64_t value, base::Arena& arena) {
  constexpr size_t kMost = 2 * sizeof value;
  char* const text = arena.allocate(kMost);
  const auto end = std::to_chars(text, text + kMost, value, 16).ptr;
  return {text, static_cast<size_t>(end - text)};
}

std::string_view newCookie(const http::StreamInfo& info, base::Arena& arena) {
  uint64_t hash = 0;
  for (const net::Address* address : {info.downstream_remote, info.downstream_local}) {
    if (address != nullptr) hash = base::xxHash64(address->text(), hash);
  }
  return textOf(hash, arena);
}

std::string_view setCookie(const HashPolicy& policy, std::string_view value, base::Arena& arena) {
  http::CookieSpec cookie = {.name = policy.name,
                             .path = policy.cookie_path,
                             .ttl = std::chrono::ceil<std::chrono::seconds>(*policy.cookie_ttl)};
  for (const auto& [name, attribute] : policy.cookie_attributes) {
    cookie.attributes += "; " + name;
    if (!attribute.empty()) cookie.attributes += "=" + attribute;
  }
  return http::setCookie(cookie, value, /*over_tls=*/false, arena);
}

// Unset: the request does not have this part.
std::optional<uint64_t> partOf(const HashPolicy& policy, const http::RequestHead& head,
                               const http::StreamInfo& info, base::Arena& arena, HashKey* key) {
  std::string joined;
  std::optional<std::string_view> text;
  switch (policy.kind) {
    case HashPolicy::Kind::Header:
      text = headerValue(head, policy.name, http::classify(policy.name), joined);
      break;
    case HashPolicy::Kind::Cookie:
      text = http::CookieReader(head.headers).next(policy.name);
      if (!text.has_value() && policy.cookie_ttl.has_value()) {
        text = newCookie(info, arena);
        key->set_cookie = setCookie(policy, *text, arena);
      }
      break;
    case HashPolicy::Kind::SourceIp:
      if (!info.downstream_ip.empty()) text = info.downstream_ip;
      break;
    case HashPolicy::Kind::QueryParameter:
      text = queryValue(head.target, policy.name);
      break;
  }
  return text.has_value() ? std::optional(base::xxHash64(*text)) : std::nullopt;
}

}  // namespace

HashKey hashKeyOf(const std::vector<HashPolicy>& policies, const http::RequestHead& head,
                  const http::StreamInfo& info, base::Arena& arena) {
  HashKey key;
  for (const HashPolicy& policy : policies) {
    if (const auto part = partOf(policy, head, info, arena, &key); part.has_value()) {
      key.hash = std::rotl(key.hash.value_or(0), 1) ^ *part;
    }
    if (policy.terminal && key.hash.has_value()) break;
  }
  return key;
}

}  // namespace convoy::route
