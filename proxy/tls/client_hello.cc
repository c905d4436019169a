#include "proxy/tls/client_hello.h"

#include <algorithm>
#include <utility>

#include "proxy/base/strings.h"

namespace convoy::tls {

namespace {

using Verdict = ClientHello::Verdict;

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kClientHelloMessage = 1;
constexpr size_t kRecordHeader = 5;
constexpr size_t kMaxRecord = 16 * 1024;
constexpr uint16_t kServerName = 0;
constexpr uint16_t kApplicationProtocols = 16;

// Takes numbers and length-prefixed vectors off the front; false once something is missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool number(size_t bytes, size_t* value) {
    if (bytes_.size() < bytes) return false;
    *value = 0;
    for (size_t i = 0; i < bytes; ++i) *value = *value << 8 | static_cast<uint8_t>(bytes_[i]);
    bytes_.remove_prefix(bytes);
    return true;
  }
  bool skip(size_t bytes) {
    if (bytes_.size() < bytes) return false;
    bytes_.remove_prefix(bytes);
    return true;
  }
  // A vector whose length takes this many bytes.
  bool vector(size_t length_bytes, std::string_view* value) {
    size_t length = 0;
    if (!number(length_bytes, &length) || bytes_.size() < length) return false;
    *value = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return true;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

// RFC 6066 3. A trailing dot is not sent; names are compared without case.
bool readServerName(std::string_view extension, std::string* name) {
  Reader outer(extension);
  std::string_view list;
  if (!outer.vector(2, &list) || !outer.empty() || list.empty()) return false;
  Reader names(list);
  size_t type = 0;
  std::string_view host;
  if (!names.number(1, &type) || !names.vector(2, &host) || !names.empty()) return false;
  if (type != 0 || host.empty() || host.size() > 255) return false;
  if (host.find('\0') != std::string_view::npos) return false;
  name->assign(host);
  for (char& c : *name) c = base::asciiLower(c);
  return true;
}

// RFC 7301 3.1
bool readProtocols(std::string_view extension, std::vector<std::string>* protocols) {
  Reader outer(extension);
  std::string_view list;
  if (!outer.vector(2, &list) || !outer.empty() || list.empty()) return false;
  Reader names(list);
  while (!names.empty()) {
    std::string_view name;
    if (!names.vector(1, &name) || name.empty()) return false;
    protocols->emplace_back(name);
  }
  return true;
}

bool readExtensions(std::string_view bytes, ClientHello* hello) {
  Reader reader(bytes);
  bool has_name = false;
  bool has_protocols = false;
  while (!reader.empty()) {
    size_t type = 0;
    std::string_view content;
    if (!reader.number(2, &type) || !reader.vector(2, &content)) return false;
    if (type == kServerName) {
      if (std::exchange(has_name, true) || !readServerName(content, &hello->server_name)) {
        return false;
      }
    } else if (type == kApplicationProtocols) {
      if (std::exchange(has_protocols, true) ||
          !readProtocols(content, &hello->application_protocols)) {
        return false;
      }
    }
  }
  return true;
}

bool readBody(std::string_view body, ClientHello* hello) {
  Reader reader(body);
  std::string_view session_id, ciphers, compressions, extensions;
  if (!reader.skip(2 + 32) || !reader.vector(1, &session_id) || session_id.size() > 32 ||
      !reader.vector(2, &ciphers) || ciphers.empty() || ciphers.size() % 2 != 0 ||
      !reader.vector(1, &compressions) || compressions.empty()) {
    return false;
  }
  if (reader.empty()) return true;  // TLS 1.2 without extensions
  return reader.vector(2, &extensions) && reader.empty() && readExtensions(extensions, hello);
}

// The handshake message, put together from its records.
Verdict joinRecords(std::string_view bytes, std::string* message) {
  size_t wanted = 4;
  while (true) {
    if (message->size() >= 4) {
      Reader header(*message);
      size_t type = 0, length = 0;
      header.number(1, &type);
      header.number(3, &length);
      if (type != kClientHelloMessage) return Verdict::Invalid;
      wanted = 4 + length;
      if (wanted > ClientHello::kMaxBytes) return Verdict::Invalid;
      if (message->size() >= wanted) {
        message->resize(wanted);
        return Verdict::Complete;
      }
    }
    if (bytes.empty()) return Verdict::Incomplete;
    if (static_cast<uint8_t>(bytes[0]) != kHandshakeRecord) {
      return message->empty() ? Verdict::NotTls : Verdict::Invalid;
    }
    if (bytes.size() > 1 && bytes[1] != 3) {
      return message->empty() ? Verdict::NotTls : Verdict::Invalid;
    }
    if (bytes.size() < kRecordHeader) return Verdict::Incomplete;
    Reader record(bytes.substr(3));
    size_t length = 0;
    record.number(2, &length);
    if (length == 0 || length > kMaxRecord) return Verdict::Invalid;
    bytes.remove_prefix(kRecordHeader);
    const size_t here = std::min(length, bytes.size());
    message->append(bytes.substr(0, here));
    bytes.remove_prefix(here);
  }
}

}  // namespace

ClientHello readClientHello(std::string_view bytes) {
  ClientHello hello;
  std::string message;
  hello.verdict = joinRecords(bytes.substr(0, ClientHello::kMaxBytes), &message);
  if (hello.verdict == Verdict::Incomplete && bytes.size() >= ClientHello::kMaxBytes) {
    hello.verdict = Verdict::Invalid;
  }
  if (hello.verdict != Verdict::Complete) return hello;
  if (!readBody(std::string_view(message).substr(4), &hello)) {
    hello = {};
    hello.verdict = Verdict::Invalid;
  }
  return hello;
}

}  // namespace convoy::tls
