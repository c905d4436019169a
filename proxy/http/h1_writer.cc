#include "proxy/http/h1_writer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string>

#include "proxy/base/assert.h"
#include "proxy/http/h1_scan.h"

namespace convoy::http {

namespace {

// Line ends, separators, the fields that this file makes up, and a block of padding, at most.
constexpr size_t kFixedBytes = 256;

constexpr uint32_t kNeverCopied =
    nameMask(HeaderName::Connection, HeaderName::ContentLength, HeaderName::TransferEncoding,
             HeaderName::Upgrade, HeaderName::KeepAlive, HeaderName::ProxyConnection);

bool breaksLines(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// Lines put one behind the other into reserved space. The space is contiguous: that of the queue
// while a head fits into a block, memory of its own otherwise. Everything here is inlined, so that
// the cursor lives in a register; as an object in memory it would be written back for each byte.
class LineBuffer {
 public:
  explicit LineBuffer(char* begin) : begin_(begin), at_(begin) {}

  void put(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void putNumber(uint64_t number) { at_ = std::to_chars(at_, at_ + 20, number).ptr; }
  void endLine() {
    std::memcpy(at_, "\r\n", 2);
    at_ += 2;
    ++lines_;
  }
  void putLine(std::string_view text) {
    put(text);
    endLine();
  }
  void field(std::string_view name, std::string_view value) {
    put(name);
    put(": ");
    putLine(value);
  }
  // `count` fields that lie in memory as on the wire, without the last line end.
  void fields(const char* begin, const char* end, size_t count) {
    put({begin, static_cast<size_t>(end - begin)});
    lines_ += count - 1;
    endLine();
  }

  // True if there is no CR, LF or NUL but those of the line ends.
  bool sound() {
    // The last block is filled up, so that whole blocks can be looked at.
    std::memset(at_, ' ', 16);
    const size_t whole_blocks = (size() + 15) & ~size_t{15};
    return h1::countUpToCr(begin_, begin_ + whole_blocks) == 2 * lines_ ||
           h1::countBreaks(begin_, at_) == 2 * lines_;
  }
  size_t size() const { return static_cast<size_t>(at_ - begin_); }

 private:
  char* const begin_;
  char* at_;
  size_t lines_ = 0;
};

// Where a head of at most `bytes` bytes is put together.
class Space {
 public:
  Space(net::ByteQueue& out, size_t bytes) : out_(out) {
    if (bytes <= net::ByteQueue::kBlockBytes) {
      begin_ = out.reserve(bytes);
    } else {
      own_ = std::make_unique_for_overwrite<char[]>(bytes);
      begin_ = own_.get();
    }
  }
  char* begin() const { return begin_; }
  void commit(size_t bytes) {
    if (own_ == nullptr) {
      out_.commit(bytes);
    } else {
      out_.append({begin_, bytes});
    }
  }

 private:
  net::ByteQueue& out_;
  char* begin_;
  std::unique_ptr<char[]> own_;
};

// How many bytes they can take at most, with what this file adds.
size_t bytesOf(const HeaderList& headers) {
  size_t bytes = kFixedBytes + 4 * headers.size();
  for (const HeaderField& field : headers) bytes += field.name.size() + field.value.size();
  return bytes;
}

[[gnu::always_inline]] inline void putFields(LineBuffer& lines, const HeaderList& headers,
                                             uint32_t skipped) {
  const HeaderField* field = headers.fields().data();
  const HeaderField* const end = field + headers.size();
  while (field != end) {
    const HeaderField& first = *field++;
    if ((nameMask(first.id) & skipped) != 0) continue;
    if (!liesAsOnTheWire(first)) {
      lines.field(first.name, first.value);
      continue;
    }
    // Take as many fields as follow each other without a gap, and copy them at once.
    const HeaderField* last = &first;
    while (field != end && continuesOnTheWire(*last, *field) &&
           (nameMask(field->id) & skipped) == 0) {
      last = field++;
    }
    lines.fields(first.name.data(), last->value.data() + last->value.size(),
                 static_cast<size_t>(field - &first));
  }
}

// Copies the fields that do not break lines. Returns how many do.
size_t copySoundFields(const HeaderList& from, HeaderList& to) {
  for (const HeaderField& field : from) {
    if (!breaksLines(field.name) && !breaksLines(field.value)) to.add(field);
  }
  return from.size() - to.size();
}

[[gnu::always_inline]] inline void putFraming(LineBuffer& lines, H1Framing framing) {
  switch (framing.kind) {
    case H1Framing::Kind::Unsaid:
      return;
    case H1Framing::Kind::ContentLength:
      lines.put("Content-Length: ");
      lines.putNumber(framing.length);
      lines.endLine();
      return;
    case H1Framing::Kind::Chunked:
      lines.putLine("Transfer-Encoding: chunked");
      return;
  }
}

// Outside of fields nothing can be left out. These texts were checked where they came from, so one
// that breaks lines is a mistake of ours; it must not become a second message all the same.
std::string withoutBreaks(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    if (c == '\r' || c == '\n' || c == '\0') c = '?';
  }
  return clean;
}

// A rewritten target, or one of HTTP/2, may hold bytes that a request line cannot.
std::string percentEncoded(std::string_view target) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (h1::is(h1::TargetChar, c)) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

constexpr uint32_t kNotInRequests = kNeverCopied | nameMask(HeaderName::Host);

[[gnu::always_inline]] inline void putRequestStart(LineBuffer& lines, const RequestHead& head,
                                                   H1Framing framing, bool has_te) {
  lines.put(head.method);
  lines.put(" ");
  lines.put(head.target);
  lines.putLine(" HTTP/1.1");
  lines.field("Host", head.authority);
  putFraming(lines, framing);
  if (head.expects_continue) lines.putLine("Expect: 100-continue");
  if (!head.upgrade.empty()) {
    lines.putLine("Connection: Upgrade");
    lines.field("Upgrade", head.upgrade);
  } else if (has_te) {
    lines.putLine("Connection: TE");  // RFC 9110 10.1.4
  }
}

[[gnu::always_inline]] inline void putResponseStart(LineBuffer& lines, uint16_t status,
                                                    std::string_view reason,
                                                    std::string_view upgrade, H1Framing framing,
                                                    H1Connection connection) {
  char code[4] = {static_cast<char>('0' + status / 100), static_cast<char>('0' + status / 10 % 10),
                  static_cast<char>('0' + status % 10), ' '};
  lines.put("HTTP/1.1 ");
  lines.put({code, 4});
  lines.putLine(reason);
  putFraming(lines, framing);
  switch (connection) {
    case H1Connection::Unsaid:
      break;
    case H1Connection::Close:
      lines.putLine("Connection: close");
      break;
    case H1Connection::KeepAlive:
      lines.putLine("Connection: keep-alive");
      break;
    case H1Connection::Upgrade:
      lines.putLine("Connection: Upgrade");
      lines.field("Upgrade", upgrade);
      break;
  }
}

// The slow ways: a head that holds what it must not. Both write it once more, without.

[[gnu::noinline]] size_t writeRequestSoundly(net::ByteQueue& out, const RequestHead& head,
                                             H1Framing framing) {
  RequestHead clean = head;
  const std::string target = percentEncoded(head.target);
  const std::string authority = withoutBreaks(head.authority);
  const std::string upgrade = withoutBreaks(head.upgrade);
  clean.target = target;
  clean.authority = authority;
  clean.upgrade = upgrade;
  clean.headers.clear();
  const size_t left_out = copySoundFields(head.headers, clean.headers);
  writeRequestHead(out, clean, framing);
  return left_out;
}

[[gnu::noinline]] size_t writeResponseSoundly(net::ByteQueue& out, const ResponseHead& head,
                                              H1Framing framing, H1Connection connection) {
  ResponseHead clean = head;
  const std::string reason = withoutBreaks(head.reason);
  const std::string upgrade = withoutBreaks(head.upgrade);
  clean.reason = reason;
  clean.upgrade = upgrade;
  clean.headers.clear();
  const size_t left_out = copySoundFields(head.headers, clean.headers);
  writeResponseHead(out, clean, framing, connection);
  return left_out;
}

}  // namespace

size_t writeRequestHead(net::ByteQueue& out, const RequestHead& head, H1Framing framing) {
  CONVOY_ASSERT(h1::isToken(head.method));
  const char* const target_end = head.target.data() + head.target.size();
  if (h1::targetEnd(head.target.data(), target_end) != target_end) {
    return writeRequestSoundly(out, head, framing);
  }
  const bool has_te = head.headers.find(HeaderName::Te) != nullptr;
  Space space(out, bytesOf(head.headers) + head.method.size() + head.target.size() +
                       head.authority.size() + head.upgrade.size());
  LineBuffer lines(space.begin());
  putRequestStart(lines, head, framing, has_te);
  putFields(lines, head.headers, kNotInRequests);
  lines.endLine();
  if (!lines.sound()) return writeRequestSoundly(out, head, framing);
  space.commit(lines.size());
  return 0;
}

size_t writeResponseHead(net::ByteQueue& out, const ResponseHead& head, H1Framing framing,
                         H1Connection connection) {
  CONVOY_ASSERT(head.status >= 100 && head.status <= 999);
  const std::string_view reason = head.reason.empty() ? reasonPhrase(head.status) : head.reason;
  Space space(out, bytesOf(head.headers) + reason.size() + head.upgrade.size());
  LineBuffer lines(space.begin());
  putResponseStart(lines, head.status, reason, head.upgrade, framing, connection);
  putFields(lines, head.headers, kNeverCopied);
  lines.endLine();
  if (!lines.sound()) return writeResponseSoundly(out, head, framing, connection);
  space.commit(lines.size());
  return 0;
}

bool H1BodyWriter::write(net::ByteQueue& out, std::string_view bytes, bool end) {
  switch (mode_) {
    case Mode::Nothing:
      return true;
    case Mode::Known: {
      const bool too_many = bytes.size() > left_;
      if (too_many) bytes = bytes.substr(0, static_cast<size_t>(left_));
      left_ -= bytes.size();
      if (!bytes.empty()) out.append(bytes);
      return !too_many && (!end || left_ == 0);
    }
    case Mode::Chunked:
      writeChunk(out, bytes, end);
      return true;
    case Mode::UntilClose:
      if (!bytes.empty()) out.append(bytes);
      return true;
  }
  return true;
}

void H1BodyWriter::writeChunk(net::ByteQueue& out, std::string_view bytes, bool end) {
  constexpr size_t kAroundBytes = 32;  // 16 digits, 2 CRLF and the last chunk
  constexpr size_t kCopiedAsOne = net::ByteQueue::kBlockBytes / 2;
  const bool as_one = bytes.size() <= kCopiedAsOne;
  char* const begin = out.reserve(kAroundBytes + (as_one ? bytes.size() : 0));
  char* at = begin;
  auto put = [&at](std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  };
  std::string_view tail = end ? "0\r\n\r\n" : "";
  if (!bytes.empty()) {
    at = std::to_chars(at, at + 16, bytes.size(), 16).ptr;
    put("\r\n");
    tail = end ? "\r\n0\r\n\r\n" : "\r\n";
  }
  if (as_one) {
    if (!bytes.empty()) put(bytes);
    put(tail);
    out.commit(static_cast<size_t>(at - begin));
  } else {
    out.commit(static_cast<size_t>(at - begin));
    out.append(bytes);
    out.append(tail);
  }
}

bool H1BodyWriter::writeTrailers(net::ByteQueue& out, const HeaderList& trailers,
                                 size_t* left_out) {
  constexpr uint32_t kSkipped =
      kNeverCopied | nameMask(HeaderName::Host, HeaderName::Trailer, HeaderName::Te);
  *left_out = 0;
  if (mode_ != Mode::Chunked) return write(out, {}, true);
  Space space(out, bytesOf(trailers));
  LineBuffer lines(space.begin());
  lines.putLine("0");
  putFields(lines, trailers, kSkipped);
  lines.endLine();
  if (lines.sound()) {
    space.commit(lines.size());
    return true;
  }
  HeaderList clean;
  const size_t unsound = copySoundFields(trailers, clean);
  const bool written = writeTrailers(out, clean, left_out);
  *left_out = unsound;
  return written;
}

}  // namespace convoy::http
