#include "test/integration/wire_h2.h"

#include <charconv>
#include <set>

#include "proxy/base/assert.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {

namespace {

namespace h2 = http::h2;

constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";

bool isName(std::string_view name) {
  for (const char c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    if (!plain && kTokenMarks.find(c) == std::string_view::npos) return false;
  }
  return !name.empty();
}

bool isMethod(std::string_view method) {
  for (const char c : method) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain && kTokenMarks.find(c) == std::string_view::npos) return false;
  }
  return !method.empty();
}

bool isBlank(char c) {
  return c == ' ' || c == '\t';
}

bool isValue(std::string_view value) {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f') return false;
  }
  return value.empty() || (!isBlank(value.front()) && !isBlank(value.back()));
}

// 8.2.2
bool belongsToConnection(const std::pair<std::string, std::string>& field) {
  static const std::set<std::string> kNames = {"connection", "proxy-connection", "keep-alive",
                                               "transfer-encoding", "upgrade"};
  return kNames.count(field.first) != 0 || (field.first == "te" && field.second != "trailers");
}

}  // namespace

WireH2Reader::WireH2Reader() {
  nghttp2_hd_inflater* made = nullptr;
  CONVOY_ASSERT(nghttp2_hd_inflate_new(&made) == 0);
  inflater_.reset(made);
  output_ = h2::settings({{NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1}});
}

bool WireH2Reader::fail(const std::string& why) {
  if (error_.empty()) error_ = why;
  return false;
}

void WireH2Reader::feed(std::string_view bytes) {
  held_ += bytes;
  if (!preface_) {
    if (held_.size() < h2::kPreface.size()) return;
    if (!held_.starts_with(h2::kPreface)) return void(fail("not the preface"));
    held_.erase(0, h2::kPreface.size());
    preface_ = true;
  }
  while (error_.empty() && step()) {
  }
}

// False if the frame is not complete.
bool WireH2Reader::step() {
  constexpr size_t kHeader = 9;
  if (held_.size() < kHeader) return false;
  const auto at = [this](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(held_[i]));
  };
  const size_t length = at(0) << 16 | at(1) << 8 | at(2);
  if (held_.size() < kHeader + length) return false;
  const uint32_t id = at(5) << 24 | at(6) << 16 | at(7) << 8 | at(8);
  const std::string payload = held_.substr(kHeader, length);
  const auto type = static_cast<uint8_t>(at(3));
  const auto flags = static_cast<uint8_t>(at(4));
  held_.erase(0, kHeader + length);
  takeFrame(type, flags, id, payload);
  return true;
}

void WireH2Reader::takeFrame(uint8_t type, uint8_t flags, uint32_t id, std::string_view payload) {
  const bool continues = type == NGHTTP2_CONTINUATION && id == block_id_;
  if (!block_.empty() && !continues) return void(fail("a frame inside a header block"));
  // The proxy has no reason for them.
  const bool plain = (flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0;
  switch (type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
      if (!plain) return void(fail("padding or priority"));
      if (type == NGHTTP2_HEADERS) {
        block_flags_ = flags;
        block_id_ = id;
      }
      block_ += payload;
      if ((flags & NGHTTP2_FLAG_END_HEADERS) == 0) return;
      return takeHeaders(block_flags_, id, std::exchange(block_, {}));
    case NGHTTP2_DATA:
      if (!plain) return void(fail("padding"));
      return takeData(flags, id, payload);
    case NGHTTP2_RST_STREAM:
      resets_ += static_cast<int>(open_.erase(id));
      return;
    case NGHTTP2_SETTINGS:
      if ((flags & NGHTTP2_FLAG_ACK) == 0) output_ += h2::settingsAck();
      return;
    case NGHTTP2_PING:
      if ((flags & NGHTTP2_FLAG_ACK) == 0) output_ += h2::ping(payload, h2::kAck);
      return;
    case NGHTTP2_WINDOW_UPDATE:
    case NGHTTP2_GOAWAY:
      return;
    default:
      fail("a frame of type " + std::to_string(type));
  }
}

bool WireH2Reader::decode(std::string_view block, Fields& fields) {
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t taken =
        nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags,
                               reinterpret_cast<const uint8_t*>(block.data()), block.size(), 1);
    if (taken < 0) return fail("HPACK");
    block.remove_prefix(static_cast<size_t>(taken));
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      fields.emplace_back(std::string(reinterpret_cast<char*>(field.name), field.namelen),
                          std::string(reinterpret_cast<char*>(field.value), field.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
      nghttp2_hd_inflate_end_headers(inflater_.get());
      return true;
    }
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) == 0 && block.empty()) return fail("HPACK ends early");
  }
}

void WireH2Reader::takeHeaders(uint8_t flags, uint32_t id, std::string_view block) {
  Fields fields;
  if (!decode(block, fields)) return;
  bool regular = false;
  for (const auto& field : fields) {
    const bool pseudo = field.first[0] == ':';
    if (!isName(std::string_view(field.first).substr(pseudo ? 1 : 0))) {
      return void(fail("the name " + field.first));
    }
    if (!isValue(field.second)) return void(fail("the value " + field.second));
    if (pseudo && regular) return void(fail("a late pseudo-field"));
    regular = !pseudo;
    if (belongsToConnection(field)) return void(fail("the field " + field.first));
  }
  const bool end = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (id > last_id_ && id % 2 == 1) {
    last_id_ = id;
    takeHead(open_[id], fields);
  } else if (open_.count(id) != 0) {
    takeTrailers(open_[id], fields, end);
  } else {
    return void(fail("HEADERS of a stream that is closed"));
  }
  if (end) finish(id);
}

void WireH2Reader::takeHead(Request& request, const Fields& fields) {
  std::map<std::string, std::string> pseudo;
  WireMessage& message = request.message;
  for (const auto& [name, value] : fields) {
    if (name[0] != ':') {
      if (name == "host") return void(fail("Host beside :authority"));
      message.fields.emplace_back(name, value);
    } else if (!pseudo.emplace(name, value).second) {
      return void(fail("twice " + name));
    }
  }
  const bool connect = pseudo[":method"] == "CONNECT";
  const bool extended = connect && pseudo.count(":protocol") != 0;
  if (!isMethod(pseudo[":method"])) return void(fail("the method " + pseudo[":method"]));
  const std::string& path = pseudo[":path"];
  const std::string& scheme = pseudo[":scheme"];
  if (connect && !extended) {
    if (!path.empty() || !scheme.empty()) return void(fail("CONNECT with a path or scheme"));
  } else {
    if (scheme != "http" && scheme != "https") return void(fail("the scheme " + scheme));
    if (path != "*" && (path.empty() || path[0] != '/' || path.find(' ') != std::string::npos)) {
      return void(fail("the path " + path));
    }
  }
  for (const auto& [name, value] : pseudo) {
    static const std::set<std::string> kKnown = {":method", ":scheme", ":authority", ":path",
                                                 ":protocol"};
    if (kKnown.count(name) == 0) return void(fail("the pseudo-field " + name));
  }
  message.start = pseudo[":method"] + " " + path + " HTTP/2";
  message.fields.emplace_back("host", pseudo[":authority"]);
  if (extended) message.fields.emplace_back(":protocol", pseudo[":protocol"]);
  request.has_head = true;
  request.is_tunnel = connect;
}

void WireH2Reader::takeTrailers(Request& request, const Fields& fields, bool end) {
  if (!end || request.is_tunnel) return void(fail("HEADERS in the middle"));
  for (const auto& field : fields) {
    if (field.first[0] == ':') return void(fail("a pseudo-field in trailers"));
    request.message.trailers.push_back(field);
  }
}

void WireH2Reader::takeData(uint8_t flags, uint32_t id, std::string_view bytes) {
  const auto found = open_.find(id);
  if (found == open_.end()) return void(fail("DATA of a stream that is closed"));
  found->second.message.body += bytes;
  if (!bytes.empty()) {
    const auto size = static_cast<uint32_t>(bytes.size());
    output_ += h2::windowUpdate(0, size) + h2::windowUpdate(id, size);
  }
  if ((flags & NGHTTP2_FLAG_END_STREAM) != 0) finish(id);
}

void WireH2Reader::finish(uint32_t id) {
  const auto found = open_.find(id);
  if (found == open_.end() || !error_.empty()) return;
  WireMessage& message = found->second.message;
  const std::string length = message.field("content-length");
  if (!length.empty() && length != std::to_string(message.body.size())) {
    return void(fail("the length " + length));
  }
  messages_.push_back(std::move(message));
  streams_.push_back(id);
  open_.erase(found);
}

}  // namespace convoy::test
