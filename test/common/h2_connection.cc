#include "test/common/h2_connection.h"

#include <algorithm>
#include <cstring>

#include "proxy/base/assert.h"

namespace convoy::test {

namespace {

// So that large bodies do not wait for one turn of each thread every 32 KiB.
constexpr uint32_t kWideWindow = 4 * 1024 * 1024;

std::vector<nghttp2_nv> toNv(const Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    list.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

}  // namespace

std::string H2Message::field(std::string_view name) const {
  std::string values;
  for (const auto& [key, value] : head) {
    if (key == name) values.append(values.empty() ? "" : "|").append(value);
  }
  return values;
}

struct H2Connection::Callbacks {
  static H2Connection& self(void* user) { return *static_cast<H2Connection*>(user); }

  static int onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) self(user).messages_[frame->hd.stream_id] = {};
    return 0;
  }
  static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    H2Connection& c = self(user);
    H2Message& message = c.messages_[frame->hd.stream_id];
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    // A 1xx head is followed by others.
    if (key == ":status" && text[0] == '1') message.informational.push_back(std::stoi(text));
    const bool trailers = frame->headers.cat == NGHTTP2_HCAT_HEADERS && !message.head.empty() &&
                          message.field(":status").substr(0, 1) != "1";
    if (key == ":status" && !message.head.empty()) message.head.clear();
    (trailers ? message.trailers : message.head).emplace_back(key, text);
    return 0;
  }
  static int onData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    self(user).messages_[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    H2Connection& c = self(user);
    const int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_GOAWAY) c.went_away_ = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ++c.pongs_;
    if (frame->hd.type == NGHTTP2_RST_STREAM) c.messages_[id].reset = frame->rst_stream.error_code;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      c.opened_.push_back(id);
    }
    const bool can_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (can_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) c.messages_[id].ended = true;
    return 0;
  }
  static int onClose(nghttp2_session*, int32_t id, uint32_t code, void* user) {
    H2Message& message = self(user).messages_[id];
    if (!message.ended && !message.reset.has_value()) message.reset = code;
    return 0;
  }
  static ssize_t read(nghttp2_session* session, int32_t id, uint8_t* into, size_t room,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& out = *static_cast<Outgoing*>(source->ptr);
    const size_t size = std::min(room, out.bytes.size() - out.at);
    std::memcpy(into, out.bytes.data() + out.at, size);
    out.at += size;
    if (out.at < out.bytes.size() || !out.ended) {
      return size == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(size);
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!out.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto list = toNv(out.trailers);
      nghttp2_submit_trailer(session, id, list.data(), list.size());
    }
    return static_cast<ssize_t>(size);
  }
};

H2Connection::H2Connection(RawSocket socket, Role role)
    : H2Connection(std::move(socket), role, Options()) {}

H2Connection::H2Connection(RawSocket socket, Role role, Options options)
    : socket_(std::move(socket)), role_(role), options_(options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CONVOY_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::onBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::onHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::onData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::onFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::onClose);
  nghttp2_option* option = nullptr;
  CONVOY_ASSERT(nghttp2_option_new(&option) == 0);
  nghttp2_option_set_no_auto_window_update(option, options.opens_windows ? 0 : 1);
  const int made = role == Role::Server
                       ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                       : nghttp2_session_client_new2(&session_, callbacks, this, option);
  CONVOY_ASSERT(made == 0);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  const uint32_t window = options.opens_windows ? kWideWindow : NGHTTP2_INITIAL_WINDOW_SIZE;
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 2);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(window));
  flush();
}

H2Connection::~H2Connection() {
  nghttp2_session_del(session_);
}

void H2Connection::submit(int32_t id, const Fields& head, Outgoing out) {
  const auto list = toNv(head);
  Outgoing& kept = outgoing_[id] = std::move(out);
  const bool nothing = kept.ended && kept.bytes.empty() && kept.trailers.empty();
  nghttp2_data_provider provider{};
  provider.source.ptr = &kept;
  provider.read_callback = Callbacks::read;
  CONVOY_ASSERT(nghttp2_submit_response(session_, id, list.data(), list.size(),
                                        nothing ? nullptr : &provider) == 0);
  flush();
}

int32_t H2Connection::request(const Fields& head, std::string body, const Fields& trailers,
                              bool more) {
  const auto list = toNv(head);
  const int32_t id = static_cast<int32_t>(nghttp2_session_get_next_stream_id(session_));
  Outgoing& kept = outgoing_[id] = {std::move(body), 0, !more, trailers};
  const bool nothing = kept.ended && kept.bytes.empty() && kept.trailers.empty();
  nghttp2_data_provider provider{};
  provider.source.ptr = &kept;
  provider.read_callback = Callbacks::read;
  CONVOY_ASSERT(nghttp2_submit_request(session_, nullptr, list.data(), list.size(),
                                       nothing ? nullptr : &provider, nullptr) == id);
  flush();
  return id;
}

void H2Connection::respond(int32_t id, const Fields& head, std::string body, const Fields& trailers,
                           bool more) {
  submit(id, head, {std::move(body), 0, !more, trailers});
}

void H2Connection::sendInformational(int32_t id, int status) {
  const auto fields = Fields{{":status", std::to_string(status)}};
  const auto list = toNv(fields);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(),
                         nullptr);
  flush();
}

void H2Connection::send(int32_t id, std::string_view bytes, bool end, const Fields& trailers) {
  Outgoing& out = outgoing_[id];
  out.bytes.erase(0, std::exchange(out.at, 0));
  out.bytes.append(bytes);
  out.ended = end;
  out.trailers = trailers;
  nghttp2_session_resume_data(session_, id);
  flush();
}

void H2Connection::reset(int32_t id, uint32_t code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code);
  flush();
}

void H2Connection::goAway(int32_t last_id) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, nullptr, 0);
  flush();
}

void H2Connection::consume(int32_t id, size_t bytes) {
  nghttp2_session_consume(session_, id, bytes);
  flush();
}

bool H2Connection::exchange() {
  const size_t wanted = pongs_ + 1;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  flush();
  return until([this, wanted] { return pongs_ >= wanted; });
}

void H2Connection::flush() {
  const uint8_t* bytes = nullptr;
  ssize_t size = 0;
  while (!closed_ && (size = nghttp2_session_mem_send(session_, &bytes)) > 0) {
    socket_.send({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
  }
}

bool H2Connection::readOnce() {
  if (closed_) return false;
  int error = 0;
  const std::string bytes = socket_.receive(&error);
  if (bytes.empty()) {
    closed_ = error == 0 || error == ECONNRESET;
    return false;
  }
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) closed_ = true;
  flush();
  return taken >= 0;
}

bool H2Connection::until(const std::function<bool()>& holds) {
  while (!holds()) {
    if (!readOnce()) return holds();
  }
  return true;
}

bool H2Connection::untilEnded(int32_t id) {
  return until([&] { return message(id).ended || message(id).reset.has_value(); });
}

bool H2Connection::untilClosed() {
  return until([this] { return closed_; });
}

int32_t H2Connection::nextStream() {
  if (!until([this] { return next_opened_ < opened_.size(); })) return -1;
  return opened_[next_opened_++];
}

}  // namespace convoy::test
