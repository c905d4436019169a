#pragma once

// The names of header fields that the proxy itself acts on. classify() finds one in a few
// comparisons of whole words; it is inline because parsers call it for every field. Pure functions.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace convoy::http {

enum class HeaderName : uint8_t {
  Other,
  Accept,
  AcceptEncoding,
  Authorization,
  CacheControl,
  Connection,
  ContentLength,
  ContentType,
  Cookie,
  Date,
  Expect,
  Forwarded,
  Host,
  KeepAlive,
  Origin,
  ProxyConnection,
  Referer,
  Server,
  SetCookie,
  Te,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  Via,
  XForwardedClientCert,
  XForwardedFor,
  XForwardedHost,
  XForwardedProto,
  XRequestId,
  kCount
};

// Names as a set of bits.
template <typename... Names>
constexpr uint32_t nameMask(Names... names) {
  static_assert(static_cast<int>(HeaderName::kCount) <= 31);
  return ((uint32_t{1} << static_cast<uint8_t>(names)) | ...);
}

// The bit that such a set has left: of Other names that mayBeOfProxies().
inline constexpr uint32_t kOfProxies = uint32_t{1} << 31;

// Whether a name may be one that proxies tell each other, X-Envoy-* or X-Convoy-*: a cheap look,
// which may say yes to others.
inline bool mayBeOfProxies(std::string_view name) {
  constexpr char kLower = 0x20;
  return name.size() > 8 && (name[0] | kLower) == 'x' &&
         ((name[2] | kLower) == 'e' || (name[2] | kLower) == 'c');
}

namespace header_name {

inline constexpr size_t kNames = static_cast<size_t>(HeaderName::kCount);

inline constexpr std::string_view kCanonical[kNames] = {
    "",
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-connection",
    "referer",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
};

// A constant name as machine words. `fold` has 0x20 where the name has a letter and nothing
// elsewhere, so that (input | fold) == expected is exactly an ASCII-case-insensitive comparison: a
// control byte can never pass as '-' nor '@' as a backquote.
template <typename Word>
struct FoldedWord {
  Word expected = 0;
  Word fold = 0;
};

template <typename Word>
constexpr FoldedWord<Word> foldedWord(std::string_view name, size_t at) {
  FoldedWord<Word> out;
  for (size_t i = 0; i < sizeof(Word); ++i) {
    const auto c = static_cast<unsigned char>(name[at + i]);
    out.expected |= static_cast<Word>(static_cast<Word>(c) << (8 * i));
    if (c >= 'a' && c <= 'z') out.fold |= static_cast<Word>(Word{0x20} << (8 * i));
  }
  return out;
}

template <typename Word>
inline bool matches(const char* at, FoldedWord<Word> word) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "foldedWord() assumes it");
  Word input;
  std::memcpy(&input, at, sizeof(input));
  return static_cast<Word>(input | word.fold) == word.expected;
}

// Compares the first and the last word of the two texts, which overlap or touch; a text of more
// than two words needs the ones between as well.
template <HeaderName name, typename Word>
inline bool matchesWords(const char* at) {
  constexpr std::string_view kText = kCanonical[static_cast<size_t>(name)];
  constexpr size_t kLast = kText.size() - sizeof(Word);
  constexpr FoldedWord<Word> kHead = foldedWord<Word>(kText, 0);
  constexpr FoldedWord<Word> kTail = foldedWord<Word>(kText, kLast);
  if (!matches(at, kHead) || !matches(at + kLast, kTail)) return false;
  if constexpr (kText.size() > 2 * sizeof(Word)) {
    static_assert(kText.size() <= 3 * sizeof(Word));
    constexpr FoldedWord<Word> kMiddle = foldedWord<Word>(kText, sizeof(Word));
    return matches(at + sizeof(Word), kMiddle);
  }
  return true;
}

// True if the text at `at`, which is as long as the name, is that name.
template <HeaderName name>
inline bool is(const char* at) {
  constexpr size_t kLength = kCanonical[static_cast<size_t>(name)].size();
  static_assert(kLength >= 2);
  if constexpr (kLength >= 8) {
    return matchesWords<name, uint64_t>(at);
  } else if constexpr (kLength >= 4) {
    return matchesWords<name, uint32_t>(at);
  } else {
    return matchesWords<name, uint16_t>(at);
  }
}

template <HeaderName... candidates>
[[gnu::always_inline]] inline HeaderName firstOf(const char* at) {
  HeaderName found = HeaderName::Other;
  (void)((is<candidates>(at) && (found = candidates, true)) || ...);
  return found;
}

}  // namespace header_name

[[gnu::always_inline]] inline HeaderName classify(std::string_view name) {
  using header_name::firstOf;
  const char* const at = name.data();
  switch (name.size()) {
    case 2:
      return firstOf<HeaderName::Te>(at);
    case 3:
      return firstOf<HeaderName::Via>(at);
    case 4:
      return firstOf<HeaderName::Host, HeaderName::Date>(at);
    case 6:
      return firstOf<HeaderName::Accept, HeaderName::Cookie, HeaderName::Server, HeaderName::Origin,
                     HeaderName::Expect>(at);
    case 7:
      return firstOf<HeaderName::Referer, HeaderName::Upgrade, HeaderName::Trailer>(at);
    case 9:
      return firstOf<HeaderName::Forwarded>(at);
    case 10:
      return firstOf<HeaderName::Connection, HeaderName::UserAgent, HeaderName::SetCookie,
                     HeaderName::KeepAlive>(at);
    case 12:
      return firstOf<HeaderName::ContentType, HeaderName::XRequestId>(at);
    case 13:
      return firstOf<HeaderName::CacheControl, HeaderName::Authorization>(at);
    case 14:
      return firstOf<HeaderName::ContentLength>(at);
    case 15:
      return firstOf<HeaderName::AcceptEncoding, HeaderName::XForwardedFor>(at);
    case 16:
      return firstOf<HeaderName::XForwardedHost, HeaderName::ProxyConnection>(at);
    case 17:
      return firstOf<HeaderName::TransferEncoding, HeaderName::XForwardedProto>(at);
    case 23:
      return firstOf<HeaderName::XForwardedClientCert>(at);
    default:
      return HeaderName::Other;
  }
}

// Lower case; empty for Other.
inline std::string_view canonicalName(HeaderName name) {
  return header_name::kCanonical[static_cast<size_t>(name)];
}

}  // namespace convoy::http
