#include "proxy/filter/stateful_session/session_token.h"

#include <array>
#include <cstring>
#include <utility>

#include "proxy/base/base64.h"

namespace convoy::filter::stateful_session {

namespace {

using tls::bytesOf;
using tls::KeyedMac;

constexpr size_t kTag = 16;
constexpr size_t kBlock = KeyedMac::kBytes;
constexpr size_t kMostBlocks = 4;  // the longest unix path
constexpr size_t kEnd = 4;
constexpr size_t kMostHost = kMostBlocks * kBlock - kEnd;
constexpr std::string_view kSeparator("\0", 1);

KeyedMac derived(const std::string& key, std::string_view use) {
  return KeyedMac(bytesOf(KeyedMac(key).of({"convoy session token: ", use})));
}

// Encrypts and decrypts.
void crypt(const KeyedMac& stream, std::string_view tag, char* content, size_t size) {
  for (size_t block = 0; block * kBlock < size; ++block) {
    const auto number = static_cast<char>(block);
    const KeyedMac::Digest key = stream.of({tag, {&number, 1}});
    for (size_t i = 0; i < kBlock; ++i) {
      content[block * kBlock + i] = static_cast<char>(content[block * kBlock + i] ^ key[i]);
    }
  }
}

uint32_t endOf(const char* content) {
  uint32_t end = 0;
  for (size_t i = 0; i < kEnd; ++i) end = end << 8 | static_cast<unsigned char>(content[i]);
  return end;
}

}  // namespace

SessionTokens::SessionTokens(const std::vector<std::string>& keys, std::string purpose)
    : purpose_(std::move(purpose)) {
  keys_.reserve(keys.size());
  for (const std::string& key : keys) {
    keys_.push_back({derived(key, "mac"), derived(key, "stream")});
  }
}

std::string_view SessionTokens::tagOf(const Key& key, std::string_view content,
                                      KeyedMac::Digest* digest) const {
  *digest = key.mac.of({purpose_, kSeparator, content});
  return bytesOf(*digest).substr(0, kTag);
}

std::string_view SessionTokens::seal(const Content& content, base::Arena& arena) const {
  if (keys_.empty() || content.host.size() > kMostHost) return {};
  std::array<char, kTag + kMostBlocks * kBlock> bytes{};
  char* const text = bytes.data() + kTag;
  for (size_t i = 0; i < kEnd; ++i) text[i] = static_cast<char>(content.end >> (24 - 8 * i));
  std::memcpy(text + kEnd, content.host.data(), content.host.size());
  const size_t size = (kEnd + content.host.size() + kBlock - 1) / kBlock * kBlock;
  KeyedMac::Digest digest;
  const std::string_view tag = tagOf(keys_.front(), {text, size}, &digest);
  std::memcpy(bytes.data(), tag.data(), kTag);
  crypt(keys_.front().stream, tag, text, size);
  const size_t length = base::base64Size(kTag + size, base::Base64::Url);
  char* const token = arena.allocate(length);
  base::encodeBase64({bytes.data(), kTag + size}, base::Base64::Url, token);
  return {token, length};
}

std::optional<SessionTokens::Content> SessionTokens::open(std::string_view token,
                                                          base::Arena& arena) const {
  std::array<char, kTag + kMostBlocks * kBlock> bytes;
  const auto size = base::decodeBase64(token, base::Base64::Url, bytes);
  if (!size.has_value() || *size <= kTag || (*size - kTag) % kBlock != 0) return std::nullopt;
  const std::string_view tag(bytes.data(), kTag);
  const size_t content_size = *size - kTag;
  for (const Key& key : keys_) {
    std::array<char, kMostBlocks * kBlock> content;
    std::memcpy(content.data(), bytes.data() + kTag, content_size);
    crypt(key.stream, tag, content.data(), content_size);
    KeyedMac::Digest digest;
    if (!KeyedMac::same(tagOf(key, {content.data(), content_size}, &digest), tag)) continue;
    const std::string_view host(content.data() + kEnd, content_size - kEnd);
    return Content{.host = arena.copy(host.substr(0, host.find('\0'))),
                   .end = endOf(content.data()),
                   .by_first_key = &key == &keys_.front()};
  }
  return std::nullopt;
}

}  // namespace convoy::filter::stateful_session
