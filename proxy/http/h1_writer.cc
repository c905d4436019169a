#include "proxy/http/h1_writer.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>

#include "proxy/base/assert.h"
#include "proxy/http/h1_scan.h"

namespace convoy::http {

namespace {

// Line ends, separators and the fields that this file makes up, at most.
constexpr size_t kFixedBytes = 256;

constexpr uint32_t kNeverCopied =
    nameMask(HeaderName::Connection, HeaderName::ContentLength, HeaderName::TransferEncoding,
             HeaderName::Upgrade, HeaderName::KeepAlive, HeaderName::ProxyConnection);

bool breaksLines(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// Lines put one behind the other into reserved space. The space is contiguous: that of the queue
// while a head fits into a block, memory of its own otherwise.
class LineBuffer {
 public:
  LineBuffer(net::ByteQueue& out, size_t upper_bound) : out_(out) {
    if (upper_bound <= net::ByteQueue::kBlockBytes) {
      begin_ = out.reserve(upper_bound);
    } else {
      own_.resize(upper_bound);
      begin_ = own_.data();
    }
    at_ = begin_;
  }

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
  bool sound() const { return h1::countBreaks(begin_, at_) == 2 * lines_; }
  void restart() {
    at_ = begin_;
    lines_ = 0;
  }
  void commit() {
    const auto length = static_cast<size_t>(at_ - begin_);
    if (own_.empty()) {
      out_.commit(length);
    } else {
      out_.append({begin_, length});
    }
  }

 private:
  net::ByteQueue& out_;
  char* begin_ = nullptr;
  char* at_ = nullptr;
  size_t lines_ = 0;
  std::string own_;
};

size_t upperBound(const HeaderList& headers) {
  size_t bytes = kFixedBytes;
  for (const HeaderField& field : headers) bytes += field.name.size() + field.value.size() + 4;
  return bytes;
}

void putFields(LineBuffer& lines, const HeaderList& headers, uint32_t skipped) {
  const HeaderField* run = nullptr;  // first and last field of those to be copied as one
  const HeaderField* last = nullptr;
  auto flush = [&] {
    if (run == nullptr) return;
    lines.fields(run->name.data(), last->value.data() + last->value.size(),
                 static_cast<size_t>(last - run) + 1);
    run = nullptr;
  };
  for (const HeaderField& field : headers) {
    if ((nameMask(field.id) & skipped) != 0) {
      flush();
    } else if (run != nullptr && continuesOnTheWire(*last, field)) {
      last = &field;
    } else {
      flush();
      if (liesAsOnTheWire(field)) {
        run = last = &field;
      } else {
        lines.field(field.name, field.value);
      }
    }
  }
  flush();
}

// The same one by one, without the fields that break lines. Returns how many these are.
size_t putSoundFields(LineBuffer& lines, const HeaderList& headers, uint32_t skipped) {
  size_t left_out = 0;
  for (const HeaderField& field : headers) {
    if ((nameMask(field.id) & skipped) != 0) continue;
    if (breaksLines(field.name) || breaksLines(field.value)) {
      ++left_out;
    } else {
      lines.field(field.name, field.value);
    }
  }
  return left_out;
}

void putFraming(LineBuffer& lines, H1Framing framing) {
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
    if (h1::is(h1::kTargetChar, c)) {
      encoded.push_back(c);
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

// The parts of a head that are no fields.
struct RequestTexts {
  std::string_view method;
  std::string_view target;
  std::string_view authority;
  std::string_view upgrade;
};

void putRequestStart(LineBuffer& lines, const RequestTexts& texts, const RequestHead& head,
                     H1Framing framing) {
  lines.put(texts.method);
  lines.put(" ");
  lines.put(texts.target);
  lines.putLine(" HTTP/1.1");
  lines.field("Host", texts.authority);
  putFraming(lines, framing);
  if (head.expects_continue) lines.putLine("Expect: 100-continue");
  if (!texts.upgrade.empty()) {
    lines.putLine("Connection: Upgrade");
    lines.field("Upgrade", texts.upgrade);
  } else if (head.headers.find(HeaderName::Te) != nullptr) {
    lines.putLine("Connection: TE");  // RFC 9110 10.1.4
  }
}

void putResponseStart(LineBuffer& lines, uint16_t status, std::string_view reason,
                      std::string_view upgrade, H1Framing framing, H1Connection connection) {
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

}  // namespace

size_t writeRequestHead(net::ByteQueue& out, const RequestHead& head, H1Framing framing) {
  constexpr uint32_t kSkipped = kNeverCopied | nameMask(HeaderName::Host);
  RequestTexts texts{head.method, head.target, head.authority, head.upgrade};
  CONVOY_ASSERT(!texts.method.empty() && h1::all(h1::kTokenChar, texts.method));
  std::string encoded;
  const char* const target_end = texts.target.data() + texts.target.size();
  if (h1::targetEnd(texts.target.data(), target_end) != target_end) {
    encoded = percentEncoded(texts.target);
    texts.target = encoded;
  }
  LineBuffer lines(out, upperBound(head.headers) + texts.method.size() + texts.target.size() +
                            texts.authority.size() + texts.upgrade.size());
  putRequestStart(lines, texts, head, framing);
  putFields(lines, head.headers, kSkipped);
  lines.endLine();
  size_t left_out = 0;
  if (!lines.sound()) {
    lines.restart();
    const std::string authority = withoutBreaks(texts.authority);
    const std::string upgrade = withoutBreaks(texts.upgrade);
    putRequestStart(lines, {texts.method, texts.target, authority, upgrade}, head, framing);
    left_out = putSoundFields(lines, head.headers, kSkipped);
    lines.endLine();
  }
  lines.commit();
  return left_out;
}

size_t writeResponseHead(net::ByteQueue& out, const ResponseHead& head, H1Framing framing,
                         H1Connection connection) {
  CONVOY_ASSERT(head.status >= 100 && head.status <= 999);
  const std::string_view reason = head.reason.empty() ? reasonPhrase(head.status) : head.reason;
  LineBuffer lines(out, upperBound(head.headers) + reason.size() + head.upgrade.size());
  putResponseStart(lines, head.status, reason, head.upgrade, framing, connection);
  putFields(lines, head.headers, kNeverCopied);
  lines.endLine();
  size_t left_out = 0;
  if (!lines.sound()) {
    lines.restart();
    putResponseStart(lines, head.status, withoutBreaks(reason), withoutBreaks(head.upgrade),
                     framing, connection);
    left_out = putSoundFields(lines, head.headers, kNeverCopied);
    lines.endLine();
  }
  lines.commit();
  return left_out;
}

void writeFailureReply(net::ByteQueue& out, Failure failure, std::string_view date,
                       std::string_view server) {
  const FailureInfo& row = info(failure);
  CONVOY_ASSERT(row.status != 0);
  ResponseHead head;
  head.status = row.status;
  head.headers.add(HeaderName::ContentType, "text/plain");
  if (!date.empty()) head.headers.add(HeaderName::Date, date);
  if (!server.empty()) head.headers.add(HeaderName::Server, server);
  writeResponseHead(out, head, {H1Framing::Kind::ContentLength, row.text.size()},
                    H1Connection::Close);
  out.append(row.text);
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
  LineBuffer lines(out, upperBound(trailers));
  lines.putLine("0");
  putFields(lines, trailers, kSkipped);
  lines.endLine();
  if (!lines.sound()) {
    lines.restart();
    lines.putLine("0");
    *left_out = putSoundFields(lines, trailers, kSkipped);
    lines.endLine();
  }
  lines.commit();
  return true;
}

}  // namespace convoy::http
