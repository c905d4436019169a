#include "tools/sample/connection.h"

#include <memory>
#include <utility>

namespace convoy::tools::sample {
namespace {

constexpr size_t kMaxHeadBytes = 64 * 1024;
constexpr size_t kMaxEchoBytes = 16 << 20;
// Input that waits for a response; reading stops above it.
constexpr size_t kMaxPendingBytes = 64 * 1024;
// Responses to pipelined requests are sent at the latest when they reach this size.
constexpr size_t kFlushBytes = 256 * 1024;

}  // namespace

void Connection::accept(uv_stream_t* listener, Shared* shared) {
  auto* connection = new Connection(listener->loop, listener->type == UV_NAMED_PIPE, shared);
  if (uv_accept(listener, connection->stream()) != 0) {
    connection->close();
    return;
  }
  if (!connection->unix_socket_) uv_tcp_nodelay(&connection->handle_.tcp, 1);
  connection->startReading();
}

Connection::Connection(uv_loop_t* loop, bool unix_socket, Shared* shared)
    : unix_socket_(unix_socket), shared_(shared) {
  if (unix_socket) {
    uv_pipe_init(loop, &handle_.pipe, 0);
  } else {
    uv_tcp_init(loop, &handle_.tcp);
  }
  stream()->data = this;
  next_ = shared->first;
  link_ = &shared->first;
  if (next_ != nullptr) next_->link_ = &next_;
  shared->first = this;
  ++shared->responder->counts().connections_accepted;
}

Connection::~Connection() {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  ++shared_->responder->counts().connections_closed;
}

void Connection::startReading() {
  if (reading_) return;
  reading_ = true;
  uv_read_start(
      stream(),
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        Shared* shared = static_cast<Connection*>(handle->data)->shared_;
        *buffer = uv_buf_init(shared->input, sizeof(shared->input));
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        auto* connection = static_cast<Connection*>(stream->data);
        if (size > 0) {
          connection->onInput(std::string_view(buffer->base, static_cast<size_t>(size)));
        } else if (size == UV_EOF && connection->blocked()) {
          connection->drain_ = true;  // a half-closed client still gets its response
          uv_read_stop(stream);
        } else if (size < 0) {
          connection->close();
        }
      });
}

void Connection::onInput(std::string_view bytes) {
  if (pending_.empty()) {
    pending_.assign(process(bytes));
  } else {
    pending_.append(bytes);
    resume();
  }
  if (blocked() && pending_.size() > kMaxPendingBytes && state_ != State::Closing) {
    reading_ = false;
    uv_read_stop(stream());
  }
}

// Takes up the input that had to wait.
void Connection::resume() {
  std::string input = std::move(pending_);
  pending_.assign(process(input));
  if (!blocked()) startReading();
}

// Serves as many requests as `bytes` holds; returns what is left over.
std::string_view Connection::process(std::string_view bytes) {
  shared_->out.clear();
  while (!blocked() && !bytes.empty()) {
    const size_t before = bytes.size();
    bytes = state_ == State::Head ? processHead(bytes) : processBody(bytes);
    if (shared_->out.size() > kFlushBytes) flush();
    if (bytes.size() == before && !blocked()) break;
  }
  flush();
  return bytes;
}

std::string_view Connection::processHead(std::string_view bytes) {
  RequestHead head;
  switch (parseHead(bytes, &head)) {
    case ParseResult::Partial:
      if (bytes.size() > kMaxHeadBytes) fail(431, "request head too large\n");
      return bytes;
    case ParseResult::Invalid:
      fail(400, "not an HTTP/1.1 request\n");
      return bytes;
    case ParseResult::Complete:
      break;
  }
  const std::string_view rest = bytes.substr(head.size);
  const bool echo = shared_->responder->wantsEcho(head);
  if (!head.hasBody() && !echo && shared_->responder->plan(head).delay_ms == 0) {
    finishRequest(head);
    return rest;
  }
  saved_.assign(bytes.substr(0, head.size));
  if (head.expect_continue && rest.empty()) shared_->out.append("HTTP/1.1 100 Continue\r\n\r\n");
  body_.start(head);
  state_ = State::Body;
  if (body_.done()) finishSavedRequest();
  return rest;
}

std::string_view Connection::processBody(std::string_view bytes) {
  RequestHead head;
  parseHead(saved_, &head);
  const bool echo = shared_->responder->wantsEcho(head);
  bytes.remove_prefix(body_.read(bytes, echo ? &saved_ : nullptr));
  if (body_.invalid()) {
    fail(400, "malformed chunked body\n");
  } else if (saved_.size() > kMaxHeadBytes + kMaxEchoBytes) {
    fail(413, "body too large to echo\n");
  } else if (body_.done()) {
    finishSavedRequest();
  }
  return bytes;
}

void Connection::finishSavedRequest() {
  RequestHead head;
  parseHead(saved_, &head);
  finishRequest(head);
}

void Connection::finishRequest(const RequestHead& head) {
  const Plan plan = shared_->responder->plan(head);
  if (plan.delay_ms > 0) {
    startDelay(plan.delay_ms);
  } else {
    answer(head);
  }
}

void Connection::answer(const RequestHead& head) {
  const Plan plan = shared_->responder->plan(head);
  const bool close = plan.close || drain_;
  shared_->responder->respond(head, saved_, close, &shared_->out);
  saved_.clear();
  reset_ = plan.reset;
  state_ = close || plan.reset ? State::Ending : State::Head;
}

void Connection::startDelay(uint64_t delay_ms) {
  state_ = State::Delay;
  if (timer_ == nullptr) {
    timer_ = new uv_timer_t;
    uv_timer_init(stream()->loop, timer_);
    timer_->data = this;
  }
  uv_timer_start(
      timer_,
      [](uv_timer_t* timer) {
        auto* connection = static_cast<Connection*>(timer->data);
        RequestHead head;
        parseHead(connection->saved_, &head);
        connection->shared_->out.clear();
        connection->answer(head);
        connection->flush();
        if (!connection->blocked()) connection->resume();
      },
      delay_ms, 0);
}

// Answers a request that cannot be served and closes the connection.
void Connection::fail(int status, std::string_view text) {
  shared_->responder->respondError(status, text, &shared_->out);
  state_ = State::Ending;
}

// Sends what `out` holds; what the socket does not take at once is written later.
void Connection::flush() {
  if (state_ == State::Closing) return;
  std::string& out = shared_->out;
  size_t sent = 0;
  if (!out.empty()) {
    uv_buf_t buffer = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    const int result = uv_try_write(stream(), &buffer, 1);
    if (result < 0 && result != UV_EAGAIN) {
      close();
      return;
    }
    sent = result > 0 ? static_cast<size_t>(result) : 0;
  }
  if (sent == out.size()) {
    out.clear();
    if (state_ == State::Ending) end();
    return;
  }
  auto write = std::make_unique<Write>();
  write->bytes.assign(out, sent);
  write->request.data = write.get();
  out.clear();
  ++writes_;
  uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  uv_write(&write.release()->request, stream(), &buffer, 1, [](uv_write_t* request, int status) {
    const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
    auto* connection = static_cast<Connection*>(request->handle->data);
    --connection->writes_;
    if (connection->state_ == State::Closing || (status == 0 && connection->writes_ > 0)) return;
    if (status != 0) {
      connection->close();
    } else if (connection->state_ == State::Ending) {
      connection->end();
    } else {
      connection->resume();
    }
  });
}

// Everything is sent: ends the connection in the way that the last request asked for.
void Connection::end() {
  closeHandles(reset_ && !unix_socket_);
}

void Connection::drain() {
  drain_ = true;
  if (state_ == State::Head && pending_.empty() && writes_ == 0) close();
}

void Connection::close() {
  closeHandles(false);
}

void Connection::closeHandles(bool reset) {
  if (state_ == State::Closing) return;
  state_ = State::Closing;
  if (timer_ != nullptr) {
    uv_close(reinterpret_cast<uv_handle_t*>(timer_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  }
  const auto destroy = [](uv_handle_t* handle) { delete static_cast<Connection*>(handle->data); };
  if (!reset || uv_tcp_close_reset(&handle_.tcp, destroy) != 0) {
    uv_close(reinterpret_cast<uv_handle_t*>(stream()), destroy);
  }
}

}  // namespace convoy::tools::sample
