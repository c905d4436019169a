#include "test/common/grpc_peer.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "proxy/base/assert.h"

namespace convoy::test {

namespace {

std::vector<nghttp2_nv> toNghttp2(const GrpcPeer::Headers& headers) {
  std::vector<nghttp2_nv> out;
  for (const auto& [name, value] : headers) {
    out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                   reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                   value.size(), 0});
  }
  return out;
}

std::string textOf(const uint8_t* bytes, size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

std::string framed(std::string_view message) {
  std::string out(5, '\0');
  for (int i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(message.size() >> (24 - 8 * i));
  return out.append(message);
}

}  // namespace

struct GrpcPeer::Callbacks {
  static GrpcPeer& self(void* user_data) { return *static_cast<GrpcPeer*>(user_data); }

  static int onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    GrpcPeer& peer = self(user_data);
    const int32_t id = frame->hd.stream_id;
    if (!peer.calls_.contains(id)) peer.order_.push_back(id);
    peer.calls_[id].id = id;
    return 0;
  }
  static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                      void* user_data) {
    self(user_data).calls_[frame->hd.stream_id].headers[textOf(name, name_length)] =
        textOf(value, value_length);
    return 0;
  }
  static int onData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t length,
                    void* user_data) {
    GrpcPeer& peer = self(user_data);
    peer.calls_[id].unparsed.append(textOf(data, length));
    peer.cutMessages(peer.calls_[id]);
    return 0;
  }
  static int onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    GrpcPeer& peer = self(user_data);
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
      ++peer.pings_;
      if (peer.answers_pings) {
        nghttp2_submit_ping(session, NGHTTP2_FLAG_ACK, frame->ping.opaque_data);
      }
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) ++peer.go_aways_;
    const bool carries_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (carries_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      peer.calls_[frame->hd.stream_id].ended = true;
    }
    return 0;
  }
  static int onClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user_data) {
    GrpcPeer& peer = self(user_data);
    peer.calls_[id].reset = error_code;
    if (peer.on_closed) peer.on_closed(id);
    return 0;
  }
  static ssize_t read(nghttp2_session*, int32_t id, uint8_t* out, size_t room, uint32_t* flags,
                      nghttp2_data_source*, void* user_data) {
    GrpcPeer& peer = self(user_data);
    return peer.read(peer.calls_[id], out, room, flags);
  }
};

GrpcPeer::GrpcPeer() : GrpcPeer(Settings()) {}

GrpcPeer::GrpcPeer(Settings settings) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CONVOY_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::onBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::onHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::onData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::onFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::onClose);
  nghttp2_option* option = nullptr;
  CONVOY_ASSERT(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_ping_ack(option, 1);
  CONVOY_ASSERT(nghttp2_session_server_new2(&session_, callbacks, this, option) == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry entries[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.initial_window},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_concurrent_streams},
  };
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries, std::size(entries));
}

GrpcPeer::~GrpcPeer() {
  nghttp2_session_del(session_);
}

bool GrpcPeer::receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                  bytes.size()) >= 0;
}

std::string GrpcPeer::takeOutput(size_t limit) {
  std::string out;
  while (out.size() < limit) {
    const uint8_t* bytes = nullptr;
    const ssize_t length = nghttp2_session_mem_send(session_, &bytes);
    if (length <= 0) break;
    out.append(textOf(bytes, static_cast<size_t>(length)));
  }
  return out;
}

void GrpcPeer::cutMessages(Call& call) {
  const int32_t id = call.id;
  while (call.unparsed.size() >= 5) {
    size_t length = 0;
    for (int i = 1; i <= 4; ++i) length = length << 8 | static_cast<uint8_t>(call.unparsed[i]);
    if (call.unparsed.size() < 5 + length) return;
    call.messages.push_back(call.unparsed.substr(5, length));
    call.unparsed.erase(0, 5 + length);
    if (on_message) on_message(id, std::string(call.messages.back()));
  }
}

void GrpcPeer::answer(int32_t id) {
  answer(id, {{":status", "200"}, {"content-type", "application/grpc"}});
}

void GrpcPeer::answer(int32_t id, const Headers& headers, bool end_stream) {
  calls_[id].answered = true;
  const std::vector<nghttp2_nv> block = toNghttp2(headers);
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::read;
  nghttp2_submit_response(session_, id, block.data(), block.size(),
                          end_stream ? nullptr : &provider);
}

void GrpcPeer::informational(int32_t id, const std::string& status) {
  const Headers headers = {{":status", status}};
  const std::vector<nghttp2_nv> block = toNghttp2(headers);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, block.data(), block.size(),
                         nullptr);
}

void GrpcPeer::send(int32_t id, std::string_view message) {
  sendRaw(id, framed(message));
}

void GrpcPeer::sendRaw(int32_t id, std::string_view body_bytes) {
  if (!calls_[id].answered) answer(id);
  calls_[id].outgoing.emplace_back(body_bytes);
  nghttp2_session_resume_data(session_, id);
}

void GrpcPeer::finish(int32_t id, int code, const std::string& message) {
  Headers trailers = {{"grpc-status", std::to_string(code)}};
  if (!message.empty()) trailers.emplace_back("grpc-message", message);
  if (!calls_[id].answered) {
    trailers.insert(trailers.begin(), {{":status", "200"}, {"content-type", "application/grpc"}});
    answer(id, trailers, true);
    return;
  }
  calls_[id].trailers = std::move(trailers);
  nghttp2_session_resume_data(session_, id);
}

void GrpcPeer::endWithoutStatus(int32_t id) {
  if (!calls_[id].answered) answer(id);
  calls_[id].end_stream = true;
  nghttp2_session_resume_data(session_, id);
}

void GrpcPeer::reset(int32_t id, uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, error_code);
}

void GrpcPeer::goAway(uint32_t error_code, std::string_view debug) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), error_code,
                        reinterpret_cast<const uint8_t*>(debug.data()), debug.size());
}

void GrpcPeer::goAwayRefusing(int32_t last_stream_id) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream_id, NGHTTP2_NO_ERROR, nullptr, 0);
}

ssize_t GrpcPeer::read(Call& call, uint8_t* out, size_t room, uint32_t* flags) {
  size_t length = 0;
  while (length < room && !call.outgoing.empty()) {
    const std::string& front = call.outgoing.front();
    const size_t taken = std::min(front.size() - call.front_sent, room - length);
    std::memcpy(out + length, front.data() + call.front_sent, taken);
    call.front_sent += taken;
    length += taken;
    if (call.front_sent == front.size()) {
      call.outgoing.pop_front();
      call.front_sent = 0;
    }
  }
  const bool drained = call.outgoing.empty();
  if (drained && call.trailers.has_value()) {
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::vector<nghttp2_nv> block = toNghttp2(*call.trailers);
    nghttp2_submit_trailer(session_, call.id, block.data(), block.size());
  } else if (drained && call.end_stream) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
  } else if (length == 0) {
    return NGHTTP2_ERR_DEFERRED;
  }
  return static_cast<ssize_t>(length);
}

}  // namespace convoy::test
