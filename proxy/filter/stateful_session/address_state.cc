#include "proxy/filter/stateful_session/address_state.h"

#include <chrono>
#include <cstring>
#include <optional>

#include "proxy/base/base64.h"

namespace convoy::filter::stateful_session {

namespace {

// An address is at most a unix path of 108 bytes.
constexpr size_t kMostAddress = 124;
constexpr size_t kMostDecoded = 160;
constexpr uint8_t kAddressTag = 1 << 3 | 2;  // field 1, bytes
constexpr uint8_t kEndTag = 2 << 3;          // field 2, varint
// Envoy counts the end from its machine's start, which other machines cannot make sense of: what is
// earlier than this (2001) is such an end. The browser's own then decides.
constexpr uint64_t kLeastWallSeconds = 1'000'000'000;

using Found = Session::Found;

std::string_view base64Text(std::string_view bytes, base::Arena& arena) {
  const size_t size = base::base64Size(bytes.size(), base::Base64::Standard);
  char* const text = arena.allocate(size);
  base::encodeBase64(bytes, base::Base64::Standard, text);
  return {text, size};
}

std::optional<std::string_view> decoded(std::string_view text, base::Arena& arena) {
  if (text.size() > base::base64Size(kMostDecoded, base::Base64::Standard)) return std::nullopt;
  const size_t room = text.size();
  char* const bytes = arena.allocate(room);
  const auto size = base::decodeBase64(text, base::Base64::Standard, {bytes, room});
  if (!size.has_value() || *size == 0) return std::nullopt;
  return std::string_view(bytes, *size);
}

struct Message {
  std::string_view address;
  uint64_t end = 0;  // 0: none
};

std::optional<uint64_t> takeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// Two fields of protobuf's wire format, as whoever writes them has them.
std::optional<Message> parsed(std::string_view bytes) {
  Message message;
  while (!bytes.empty()) {
    const auto tag = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    const auto value = takeVarint(bytes);
    if (!value.has_value()) return std::nullopt;
    if (tag == kEndTag) {
      message.end = *value;
    } else if (tag == kAddressTag && *value <= bytes.size()) {
      message.address = bytes.substr(0, *value);
      bytes.remove_prefix(*value);
    } else {
      return std::nullopt;
    }
  }
  return message;
}

uint64_t wallSeconds(const Scope& scope) {
  return static_cast<uint64_t>(
      std::chrono::floor<std::chrono::seconds>(scope.loop.wallNow().time_since_epoch()).count());
}

std::string_view messageOf(std::string_view host, uint64_t end, base::Arena& arena) {
  constexpr size_t kRest = 2 + 1 + 10;  // tag and length, tag and varint
  char* const bytes = arena.allocate(host.size() + kRest);
  char* at = bytes;
  *at++ = kAddressTag;
  *at++ = static_cast<char>(host.size());
  std::memcpy(at, host.data(), host.size());
  at += host.size();
  if (end != 0) *at++ = kEndTag;
  for (; end != 0; end >>= 7) *at++ = static_cast<char>((end & 0x7f) | (end > 0x7f ? 0x80 : 0));
  return {bytes, static_cast<size_t>(at - bytes)};
}

}  // namespace

Session AddressCookieState::find(const Scope& scope) const {
  const auto value = http::CookieReader(scope.request.headers).next(spec_.cookie.name);
  if (!value.has_value()) return {};
  const auto bytes = decoded(*value, scope.arena);
  if (!bytes.has_value()) return {.found = Found::Tampered, .host = {}};
  const auto message = parsed(*bytes);
  if (!message.has_value()) return {.found = Found::Host, .host = *bytes};
  if (message->address.empty()) return {.found = Found::Tampered, .host = {}};
  if (message->end >= kLeastWallSeconds && message->end < wallSeconds(scope)) {
    return {.found = Found::Expired, .host = {}};
  }
  return {.found = Found::Host, .host = message->address};
}

void AddressCookieState::note(const Scope& scope, const Session& session, std::string_view host,
                              http::ResponseHead& response, upstream::ClusterMetrics&) const {
  if (session.host == host || host.size() > kMostAddress) return;
  const auto ttl = static_cast<uint64_t>(spec_.cookie.ttl.count());
  const uint64_t end = ttl == 0 ? 0 : wallSeconds(scope) + ttl;
  const std::string_view value = base64Text(messageOf(host, end, scope.arena), scope.arena);
  response.headers.add(http::HeaderName::SetCookie,
                       http::setCookie(spec_.cookie, value, scope.overTls(), scope.arena));
}

Session AddressHeaderState::find(const Scope& scope) const {
  const http::HeaderField* const field = scope.request.headers.find(spec_.name);
  if (field == nullptr) return {};
  const auto address = decoded(field->value, scope.arena);
  if (!address.has_value()) return {.found = Found::Tampered, .host = {}};
  return {.found = Found::Host, .host = *address};
}

void AddressHeaderState::note(const Scope& scope, const Session& session, std::string_view host,
                              http::ResponseHead& response, upstream::ClusterMetrics&) const {
  if (session.host == host) return;
  response.headers.set(spec_.name, base64Text(host, scope.arena));
}

}  // namespace convoy::filter::stateful_session
