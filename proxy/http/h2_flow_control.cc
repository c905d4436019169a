// The sending half of H2Session: fields, DATA as far as the peer's windows and the socket's queue
// have room, and the windows that we open to the peer.

#include <algorithm>
#include <iterator>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/h2_session.h"

namespace convoy::http {

namespace {

constexpr size_t kFrameHeader = 9;
// A small DATA frame that the peer's window cut short earns nothing (h2_flood.h).
constexpr size_t kEarningBytes = 1024;
// Fields of one connection are never sent (8.2.2); Host and Content-Length are in the head.
constexpr uint32_t kNotSent =
    nameMask(HeaderName::Connection, HeaderName::KeepAlive, HeaderName::ProxyConnection,
             HeaderName::TransferEncoding, HeaderName::Upgrade, HeaderName::Host,
             HeaderName::ContentLength, HeaderName::Expect);

std::string_view viewOf(const uint8_t* bytes, size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

// Appends the first `size` bytes of `from` to `to`, in which they stay.
void copyFront(const net::ByteQueue& from, size_t size, net::ByteQueue& to) {
  iovec vectors[8];
  const int count = from.peek(vectors, static_cast<int>(std::size(vectors)));
  for (int i = 0; i < count && size > 0; ++i) {
    const size_t taken = std::min(size, vectors[i].iov_len);
    to.append({static_cast<const char*>(vectors[i].iov_base), taken});
    size -= taken;
  }
  CONVOY_ASSERT(size == 0);
}

}  // namespace

// --- bytes out ---

void H2Session::flush() {
  if (dead_ || in_nghttp2_) return;  // whoever is in there flushes when it has returned
  in_nghttp2_ = true;
  const uint8_t* bytes = nullptr;
  while (true) {
    const ssize_t length = nghttp2_session_mem_send(session_, &bytes);
    if (length < 0 && failure_ == H2Error::None) failure_ = H2Error::InternalError;
    if (length <= 0) break;
    appendFrame(viewOf(bytes, static_cast<size_t>(length)));
  }
  in_nghttp2_ = false;
  if (depth_ == 0) purge();
}

// 6.8: what GOAWAY says will be served must not grow. One for an error in the read in which the
// last word was decided counts the streams that began behind it, which nobody has seen.
void H2Session::appendFrame(std::string_view frame) {
  constexpr size_t kType = 3;
  net::ByteQueue& output = handler_.sessionOutput();
  if (go_away_ != GoAway::Final || frame[kType] != NGHTTP2_GOAWAY) return output.append(frame);
  const auto last = static_cast<uint32_t>(last_served_);
  const char id[] = {static_cast<char>(last >> 24), static_cast<char>(last >> 16),
                     static_cast<char>(last >> 8), static_cast<char>(last)};
  const std::string_view code_and_text = frame.substr(kFrameHeader + sizeof(id));
  const bool for_an_error = code_and_text.substr(0, 4) != std::string_view("\0\0\0\0", 4);
  if (!for_an_error) return output.append(frame);
  output.append(frame.substr(0, kFrameHeader));
  output.append({id, sizeof(id)});
  output.append(code_and_text);
}

void H2Session::onFrameSent(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_RST_STREAM) metrics_.tx_reset.add();
  if (frame.hd.type == NGHTTP2_GOAWAY) return onGoAwaySent(frame.goaway.error_code);
  const bool is_headers = frame.hd.type == NGHTTP2_HEADERS;
  if (!is_headers && frame.hd.type != NGHTTP2_DATA) return;
  H2Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr) return;
  if (is_headers && !std::exchange(stream->head_on_wire, true) &&
      (stream->sendable() > 0 || stream->hasTrailers() ||
       (stream->send_ended && (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0))) {
    offerData(*stream);
  }
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  stream->end_on_wire = true;
  if (stream->reset_when_sent && !stream->closed) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  }
}

ssize_t H2Session::onRead(nghttp2_session*, int32_t, uint8_t*, size_t room, uint32_t* flags,
                          nghttp2_data_source* source, void* user_data) {
  return static_cast<H2Session*>(user_data)->provide(*static_cast<H2Stream*>(source->ptr), room,
                                                     flags);
}

ssize_t H2Session::provide(H2Stream& stream, size_t room, uint32_t* flags) {
  if (stream.closed) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  const size_t sendable = stream.sendable();
  if (sendable > 0 && handler_.sessionOutput().aboveHigh()) {
    stream.waits_for_room = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  const size_t length = std::min(sendable, room);
  *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (length == sendable && stream.send_ended) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.hasTrailers()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      submitTrailers(stream, stream.trailers ? stream.trailers->list : *stream.direct_trailers);
      stream.trailers.reset();
      stream.direct_trailers = nullptr;
    }
    return static_cast<ssize_t>(length);
  }
  return length == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(length);
}

void H2Session::write(H2Stream& stream, const uint8_t* frame_header, size_t length) {
  if (length >= kEarningBytes || length == stream.sendable()) flood_.earn(H2Flood::kDataFrame);
  stream.stalled = false;
  stream.sent += length;
  net::ByteQueue& out = handler_.sessionOutput();
  out.append(viewOf(frame_header, kFrameHeader));
  const size_t from_direct = std::min(length, stream.direct.size());
  if (from_direct > 0) {
    out.append(stream.direct.substr(0, from_direct));
    stream.direct.remove_prefix(from_direct);
  }
  if (const size_t rest = length - from_direct; rest > 0) {
    copyFront(stream.pending, rest, out);
    // The last touch: the low mark may make the layer above send, or give the stream up.
    stream.pending.consume(rest);
  }
}

void H2Session::addField(std::string_view name, std::string_view value) {
  // nghttp2 copies both and makes the name lower case.
  fields_.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                     reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                     value.size(), NGHTTP2_NV_FLAG_NONE});
}

void H2Session::addFields(const HeaderList& headers) {
  for (const HeaderField& field : headers) {
    if (field.id != HeaderName::Other && (nameMask(field.id) & kNotSent) != 0) continue;
    if (field.id == HeaderName::Te && field.value != "trailers") continue;
    if (!h1::isToken(field.name) || !h1::all(h1::ValueChar, field.value)) {
      ++fields_left_out_;
      continue;
    }
    addField(field.name, field.value);
  }
}

void H2Session::submitHeaders(H2Stream& stream, uint8_t flags) {
  nghttp2_submit_headers(session_, flags, stream.id, nullptr, fields_.data(), fields_.size(),
                         nullptr);
  fields_.clear();
}

void H2Session::submitInformational(H2Stream& stream) {
  submitHeaders(stream, NGHTTP2_FLAG_NONE);
  flush();
}

void H2Session::submitResponse(H2Stream& stream, bool end_of_stream) {
  Scope scope(*this);
  stream.head_sent = true;
  stream.send_ended = end_of_stream;
  submitHeaders(stream, end_of_stream ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE);
  flush();
}

bool H2Session::submitRequest(H2Stream& stream, bool end_of_stream) {
  Scope scope(*this);
  stream.head_sent = true;
  stream.send_ended = end_of_stream;
  const uint8_t flags = end_of_stream ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  stream.id =
      nghttp2_submit_headers(session_, flags, -1, nullptr, fields_.data(), fields_.size(), &stream);
  fields_.clear();
  if (stream.id < 0) return false;
  flush();
  return true;
}

// Lets nghttp2 ask for DATA, from the first byte of the body on; of a request that waits itself,
// once its head is out.
void H2Session::offerData(H2Stream& stream) {
  if (!stream.head_on_wire) return;
  if (stream.has_provider) {
    if (!stream.waits_for_room) nghttp2_session_resume_data(session_, stream.id);
    return;
  }
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = onRead;
  stream.has_provider =
      nghttp2_submit_data(session_, NGHTTP2_FLAG_END_STREAM, stream.id, &provider) == 0;
}

void H2Session::sendBody(H2Stream& stream, std::string_view bytes, bool end_of_stream) {
  if (stream.closed) return;
  CONVOY_ASSERT(stream.head_sent && !stream.send_ended);
  if (bytes.empty() && !end_of_stream) return;
  Scope scope(*this);
  stream.send_ended = end_of_stream;
  const bool direct = !in_nghttp2_ && stream.sendable() == 0;
  if (direct) {
    stream.direct = bytes;
  } else {
    stream.pending.append(bytes);
    if (stream.closed) return;
  }
  offerData(stream);
  flush();
  if (!direct || stream.closed) return;
  const std::string_view rest = std::exchange(stream.direct, {});
  if (!rest.empty()) stream.pending.append(rest);
}

void H2Session::sendTrailers(H2Stream& stream, const HeaderList& trailers) {
  if (stream.closed) return;
  CONVOY_ASSERT(stream.head_sent && !stream.send_ended);
  Scope scope(*this);
  stream.send_ended = true;
  if (stream.head_on_wire && !stream.has_provider) {
    submitTrailers(stream, trailers);
    return flush();
  }
  stream.direct_trailers = &trailers;
  offerData(stream);
  flush();
  if (std::exchange(stream.direct_trailers, nullptr) == nullptr || stream.closed) return;
  auto kept = std::make_unique<H2Stream::Trailers>();
  size_t size = 0;
  for (const HeaderField& field : trailers) size += field.name.size() + field.value.size();
  kept->text.reserve(size);
  auto keep = [&kept](std::string_view text) {
    const size_t at = kept->text.size();
    kept->text.append(text);
    return std::string_view(kept->text).substr(at);
  };
  for (const HeaderField& field : trailers) {
    const std::string_view name = keep(field.name);
    kept->list.add({name, keep(field.value), field.id});
  }
  stream.trailers = std::move(kept);
}

void H2Session::submitTrailers(H2Stream& stream, const HeaderList& trailers) {
  addFields(trailers);
  submitHeaders(stream, NGHTTP2_FLAG_END_STREAM);
}

void H2Session::onOutputBelowLow() {
  Scope scope(*this);
  bool any = false;
  streams_.forEach([this, &any](H2Stream& stream) {
    if (!std::exchange(stream.waits_for_room, false)) return;
    nghttp2_session_resume_data(session_, stream.id);
    any = true;
  });
  if (any) flush();
}

// --- windows ---

void H2Session::pause(H2Stream& stream) {
  if (!stream.closed) ++stream.pauses;
}

void H2Session::resume(H2Stream& stream) {
  if (stream.closed || stream.pauses == 0 || --stream.pauses > 0) return;
  Scope scope(*this);
  giveBack(stream);
  flush();
}

void H2Session::endPauses(H2Stream& stream) {
  stream.pauses = 0;
  giveBack(stream);
}

// What was withheld.
void H2Session::giveBack(H2Stream& stream) {
  const size_t bytes = stream.unconsumed + stream.unconsumed_here;
  giveBackToConnection(stream);
  // Behind its end a stream needs no window of its own.
  if (bytes > 0 && !stream.receive_ended)
    nghttp2_session_consume_stream(session_, stream.id, bytes);
}

void H2Session::giveBackToConnection(H2Stream& stream) {
  paused_bytes_ -= std::exchange(stream.unconsumed_here, 0);
  const size_t bytes = std::exchange(stream.unconsumed, 0);
  if (bytes > 0) nghttp2_session_consume_connection(session_, bytes);
}

}  // namespace convoy::http
