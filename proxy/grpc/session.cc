#include "proxy/grpc/session.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/strings.h"
#include "proxy/grpc/status.h"

namespace convoy::grpc {

namespace {

std::string_view viewOf(const uint8_t* bytes, size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

// The strings outlive nghttp2_submit_request, which copies them.
class HeaderBlock {
 public:
  void add(std::string_view name, std::string_view value) {
    headers_.push_back({bytesOf(name), bytesOf(value), name.size(), value.size(), 0});
  }
  const nghttp2_nv* data() const { return headers_.data(); }
  size_t size() const { return headers_.size(); }

 private:
  static uint8_t* bytesOf(std::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  }
  std::vector<nghttp2_nv> headers_;
};

}  // namespace

struct Session::Callbacks {
  static Session& self(void* user_data) { return *static_cast<Session*>(user_data); }

  static int onHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_length, const uint8_t* value, size_t value_length, uint8_t,
                      void* user_data) {
    if (Call* call = self(user_data).find(frame->hd.stream_id)) {
      call->onHeader(viewOf(name, name_length), viewOf(value, value_length));
    }
    return 0;
  }

  static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      self(user_data).onGoAway(frame->goaway);
      return 0;
    }
    Call* call = self(user_data).find(frame->hd.stream_id);
    if (call == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) call->onHeadersEnd();
    const bool carries_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (carries_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) call->onEndOfStream();
    return 0;
  }

  static int onData(nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* data,
                    size_t length, void* user_data) {
    if (Call* call = self(user_data).find(stream_id)) call->onData(viewOf(data, length));
    return 0;
  }

  static int onStreamClose(nghttp2_session*, int32_t stream_id, uint32_t error_code,
                           void* user_data) {
    self(user_data).onStreamClosed(stream_id, error_code);
    return 0;
  }

  // A request that could not leave: the peer said GOAWAY before.
  static int onNotSent(nghttp2_session*, const nghttp2_frame* frame, int error, void* user_data) {
    Call* call = self(user_data).find(frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_HEADERS && call != nullptr) {
      call->end(absl::UnavailableError(
          absl::StrCat("the request could not be sent: ", nghttp2_strerror(error))));
    }
    return 0;
  }

  // nghttp2's verdict on what the peer sent; nothing is read any more.
  static int onFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      Session& session = self(user_data);
      session.last_error_ = foundInBytes(absl::UnavailableError(
          absl::StrCat("the peer broke HTTP/2: ", nghttp2_http2_strerror(frame->goaway.error_code),
                       session.explanation_.empty() ? "" : ": ", session.explanation_)));
    }
    return 0;
  }

  static int onError(nghttp2_session*, int, const char* text, size_t length, void* user_data) {
    self(user_data).explanation_.assign(text, length);
    return 0;
  }

  static ssize_t read(nghttp2_session*, int32_t stream_id, uint8_t* out, size_t room,
                      uint32_t* flags, nghttp2_data_source*, void* user_data) {
    Call* call = self(user_data).find(stream_id);
    if (call == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    self(user_data).touched_.push_back(stream_id);
    bool end = false;
    const size_t length = call->take(reinterpret_cast<char*>(out), room, &end);
    if (end) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (length == 0 && !end) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(length);
  }

  static nghttp2_session* makeSession(Session* session) {
    nghttp2_session_callbacks* callbacks = nullptr;
    CONVOY_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClose);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onFrameSent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onNotSent);
    nghttp2_session_callbacks_set_error_callback2(callbacks, onError);
    nghttp2_option* option = nullptr;
    CONVOY_ASSERT(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_session* made = nullptr;
    CONVOY_ASSERT(nghttp2_session_client_new2(&made, callbacks, session, option) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return made;
  }
};

Session::Session(SessionOptions options, std::function<void()> on_output)
    : options_(std::move(options)),
      on_output_(std::move(on_output)),
      session_(Callbacks::makeSession(this)) {
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options_.stream_window},
  };
  CONVOY_ASSERT(
      nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings)) == 0);
  CONVOY_ASSERT(
      nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                            static_cast<int32_t>(options_.connection_window)) == 0);
}

Session::~Session() {
  nghttp2_session_del(session_);
}

void Session::start(std::unique_ptr<Call> call) {
  submit(std::move(call));
  on_output_();
}

void Session::submit(std::unique_ptr<Call> call) {
  const CallOptions& options = call->options();
  const std::string timeout = timeoutText(options.timeout);
  HeaderBlock headers;
  headers.add(":method", "POST");
  headers.add(":scheme", "http");
  headers.add(":path", options.path);
  headers.add(":authority", options_.authority);
  headers.add("te", "trailers");
  headers.add("content-type", "application/grpc");
  headers.add("user-agent", "convoy-proxy");
  if (options.timeout != event::Duration::zero()) headers.add("grpc-timeout", timeout);
  for (const auto& [name, value] : options.metadata) headers.add(name, value);
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::read;
  const int32_t id =
      nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &provider, nullptr);
  if (id < 0) {  // out of stream ids, after 2^30 calls
    leaving_ = Leaving::Gracefully;
    call->end(absl::UnavailableError(nghttp2_strerror(id)));
    closed_.push_back(std::move(call));
    return;
  }
  call->startOn(*this, id);
  calls_.emplace(id, std::move(call));
}

absl::Status Session::receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  tellCalls();
  on_output_();
  if (taken < 0) {
    return foundInBytes(absl::UnavailableError(absl::StrCat(
        "the peer broke HTTP/2: ", nghttp2_strerror(static_cast<int>(taken)), ": ", explanation_)));
  }
  return absl::OkStatus();
}

absl::Status Session::produce(net::ByteQueue& out, size_t limit) {
  absl::Status status;
  while (out.size() < limit) {
    const uint8_t* bytes = nullptr;
    const ssize_t length = nghttp2_session_mem_send(session_, &bytes);
    if (length < 0) {
      status = absl::InternalError(nghttp2_strerror(static_cast<int>(length)));
      break;
    }
    if (length == 0) break;
    out.append(viewOf(bytes, static_cast<size_t>(length)));
  }
  tellCalls();
  return status;
}

void Session::ping() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  on_output_();
}

void Session::fail(const absl::Status& status) {
  std::unordered_map<int32_t, std::unique_ptr<Call>> calls = std::move(calls_);
  calls_.clear();
  for (auto& [id, call] : calls) {
    call->end(status);
    closed_.push_back(std::move(call));
  }
  tellCalls();
}

bool Session::finished() const {
  return nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0;
}

void Session::resume(Call& call) {
  nghttp2_session_resume_data(session_, call.id());
  on_output_();
}

void Session::cancel(Call& call) {
  if (find(call.id()) == nullptr) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, call.id(), NGHTTP2_CANCEL);
  touched_.push_back(call.id());
  on_output_();
}

Call* Session::find(int32_t id) {
  const auto found = calls_.find(id);
  return found == calls_.end() ? nullptr : found->second.get();
}

void Session::onStreamClosed(int32_t id, uint32_t error_code) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  found->second->onReset(error_code);
  closed_.push_back(std::move(found->second));
  calls_.erase(found);
}

void Session::onGoAway(const nghttp2_goaway& frame) {
  const bool calm = frame.error_code == NGHTTP2_ENHANCE_YOUR_CALM &&
                    viewOf(frame.opaque_data, frame.opaque_data_len) == "too_many_pings";
  if (leaving_ != Leaving::TooManyPings) {
    leaving_ = calm ? Leaving::TooManyPings : Leaving::Gracefully;
  }
}

// Outside of nghttp2's callbacks, so that what a handler does cannot pull the session from under
// them. What it does may add to both lists.
void Session::tellCalls() {
  while (!touched_.empty() || !closed_.empty()) {
    for (const int32_t id : std::exchange(touched_, {})) {
      if (Call* call = find(id)) call->tell();
    }
    for (const std::unique_ptr<Call>& call : std::exchange(closed_, {})) call->tell();
  }
}

}  // namespace convoy::grpc
