#pragma once

// HTTP/2 frames as bytes, written without nghttp2 so that tests can send what it would not, and
// read back as text, so that tests compare one string with another.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"

namespace convoy::http::h2 {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Flags.
inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;
inline constexpr uint8_t kPadded = 8;

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

inline std::string number(uint64_t value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
  return out;
}

inline std::string frame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload = {}) {
  std::string out = number(payload.size(), 3);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out.append(number(id, 4)).append(payload);
}

// RFC 7541 5.1, with a prefix of 7 bits.
inline std::string hpackLength(size_t length) {
  std::string out;
  if (length < 127) return out.append(1, static_cast<char>(length));
  out.push_back(127);
  for (length -= 127; length >= 128; length /= 128) {
    out.push_back(static_cast<char>(length % 128 + 128));
  }
  return out.append(1, static_cast<char>(length));
}

// Literals without indexing and without Huffman coding.
inline std::string hpack(const Fields& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    out.push_back(0);
    out.append(hpackLength(name.size())).append(name);
    out.append(hpackLength(value.size())).append(value);
  }
  return out;
}

inline std::string headers(uint32_t id, const Fields& fields, uint8_t flags) {
  return frame(NGHTTP2_HEADERS, flags | kEndHeaders, id, hpack(fields));
}
inline std::string data(uint32_t id, std::string_view bytes, uint8_t flags = 0) {
  return frame(NGHTTP2_DATA, flags, id, bytes);
}
inline std::string settings(const std::vector<std::pair<uint16_t, uint32_t>>& entries = {}) {
  std::string payload;
  for (const auto& [id, value] : entries) payload.append(number(id, 2)).append(number(value, 4));
  return frame(NGHTTP2_SETTINGS, 0, 0, payload);
}
inline std::string settingsAck() {
  return frame(NGHTTP2_SETTINGS, kAck, 0);
}
inline std::string windowUpdate(uint32_t id, uint32_t increment) {
  return frame(NGHTTP2_WINDOW_UPDATE, 0, id, number(increment, 4));
}
inline std::string rstStream(uint32_t id, uint32_t code) {
  return frame(NGHTTP2_RST_STREAM, 0, id, number(code, 4));
}
inline std::string goAway(uint32_t last_id, uint32_t code) {
  return frame(NGHTTP2_GOAWAY, 0, 0, number(last_id, 4) + number(code, 4));
}
inline std::string ping(std::string_view eight_bytes, uint8_t flags = 0) {
  return frame(NGHTTP2_PING, flags, 0, eight_bytes);
}

// What a client says first, and the acknowledgement of the server's SETTINGS.
inline std::string clientStart(const std::vector<std::pair<uint16_t, uint32_t>>& entries = {}) {
  return std::string(kPreface) + settings(entries) + settingsAck();
}

inline Fields requestFields(std::string_view method = "GET", std::string_view path = "/",
                            const Fields& more = {}) {
  Fields fields = {
      {":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "a.test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline std::string get(uint32_t id, const Fields& more = {}) {
  return headers(id, requestFields("GET", "/", more), kEndStream);
}
inline std::string post(uint32_t id, const Fields& more = {}) {
  return headers(id, requestFields("POST", "/", more), 0);
}

// Decodes whole header blocks. One per direction of a connection: HPACK has a state.
class HeaderBlocks {
 public:
  using Decoded = std::vector<std::pair<std::string, std::string>>;

  HeaderBlocks() { CONVOY_ASSERT(nghttp2_hd_inflate_new(&inflater_) == 0); }
  ~HeaderBlocks() { nghttp2_hd_inflate_del(inflater_); }
  HeaderBlocks(const HeaderBlocks&) = delete;
  HeaderBlocks& operator=(const HeaderBlocks&) = delete;

  Decoded read(std::string_view block) {
    Decoded fields;
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t taken =
          nghttp2_hd_inflate_hd2(inflater_, &field, &flags,
                                 reinterpret_cast<const uint8_t*>(block.data()), block.size(), 1);
      CONVOY_ASSERT(taken >= 0);
      block.remove_prefix(static_cast<size_t>(taken));
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        fields.emplace_back(
            std::string(reinterpret_cast<const char*>(field.name), field.namelen),
            std::string(reinterpret_cast<const char*>(field.value), field.valuelen));
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
        nghttp2_hd_inflate_end_headers(inflater_);
        return fields;
      }
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && block.empty()) return fields;
    }
  }

 private:
  nghttp2_hd_inflater* inflater_ = nullptr;
};

// Reads the frames that a codec wrote, and keeps what is not complete. One per connection.
class FrameReader {
 public:
  // One line per frame, such as "HEADERS 1 end :status=200 a=b" and "DATA 1 5 end"; SETTINGS,
  // their acknowledgements and connection windows are left out.
  std::string read(std::string_view bytes) {
    bytes_.append(bytes);
    if (bytes_.starts_with(kPreface)) bytes_.erase(0, kPreface.size());
    std::string out;
    while (bytes_.size() >= 9) {
      const size_t length = at(0, 3);
      if (bytes_.size() < 9 + length) break;
      const std::string payload = bytes_.substr(9, length);
      describe(static_cast<uint8_t>(at(3, 1)), static_cast<uint8_t>(at(4, 1)),
               static_cast<uint32_t>(at(5, 4)), payload, out);
      bytes_.erase(0, 9 + length);
    }
    return out;
  }
  // The bodies of all DATA frames so far.
  const std::string& body() const { return body_; }

 private:
  uint64_t at(size_t offset, size_t count) const { return numberAt(bytes_, offset, count); }
  static uint64_t numberAt(std::string_view bytes, size_t offset, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
    }
    return value;
  }

  void describe(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload,
                std::string& out) {
    const std::string stream = std::to_string(id);
    const std::string_view end = (flags & kEndStream) != 0 ? " end" : "";
    switch (type) {
      case NGHTTP2_DATA:
        body_.append(payload);
        out.append("DATA " + stream + " " + std::to_string(payload.size()));
        out.append(end).append("\n");
        break;
      case NGHTTP2_HEADERS:
        out.append("HEADERS " + stream).append(end).append(inflate(payload)).append("\n");
        break;
      case NGHTTP2_RST_STREAM:
        out.append("RST_STREAM " + stream + " ");
        out.append(nghttp2_http2_strerror(static_cast<uint32_t>(numberAt(payload, 0, 4))));
        out.append("\n");
        break;
      case NGHTTP2_GOAWAY:
        out.append("GOAWAY " + std::to_string(numberAt(payload, 0, 4)) + " ");
        out.append(nghttp2_http2_strerror(static_cast<uint32_t>(numberAt(payload, 4, 4))));
        // Ours; of errors nghttp2 has its own.
        if (numberAt(payload, 4, 4) == NGHTTP2_NO_ERROR && payload.size() > 8) {
          out.append(" ").append(payload.substr(8));
        }
        out.append("\n");
        break;
      case NGHTTP2_PING:
        out.append((flags & kAck) != 0 ? "PONG " : "PING ").append(payload).append("\n");
        break;
      case NGHTTP2_WINDOW_UPDATE:
        if (id == 0) break;
        out.append("WINDOW " + stream + " " + std::to_string(numberAt(payload, 0, 4)) + "\n");
        break;
      case NGHTTP2_SETTINGS:
        break;
      default:
        out.append("FRAME " + std::to_string(type) + "\n");
    }
  }

  std::string inflate(std::string_view block) {
    std::string out;
    for (const auto& [name, value] : blocks_.read(block)) {
      out.append(" ").append(name).append("=").append(value);
    }
    return out;
  }

  HeaderBlocks blocks_;
  std::string bytes_;
  std::string body_;
};

}  // namespace convoy::http::h2
