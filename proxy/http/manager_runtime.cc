#include "proxy/http/manager_runtime.h"

#include <utility>

#include "proxy/http/stream.h"

namespace convoy::http {

namespace {

// Bounds what a burst of requests leaves behind: about 5 KiB each.
constexpr size_t kMaxFreeStreams = 256;

Milliseconds orZero(std::optional<Milliseconds> value) {
  return value.value_or(Milliseconds(0));
}

// A head that is half here is bounded even where only the stream's idle time-out is configured.
Milliseconds headTimeout(const ConnectionManagerSpec& spec) {
  return spec.request_headers_timeout.count() > 0 ? spec.request_headers_timeout
                                                  : spec.stream_idle_timeout;
}

}  // namespace

ManagerRuntime::ManagerRuntime(event::Loop& l, std::shared_ptr<const ConnectionManagerSpec> s,
                               ManagerMetrics& m, RouteTableSource r)
    : loop(l),
      spec(std::move(s)),
      metrics(m),
      routes(std::move(r)),
      wall(l.clock()),
      max_requests(spec->max_requests_per_connection.value_or(UINT32_MAX)),
      idle_queue(queueFor(spec->idle_timeout)),
      stream_idle_queue(queueFor(spec->stream_idle_timeout)),
      head_queue(queueFor(headTimeout(*spec))),
      request_queue(queueFor(spec->request_timeout)),
      stream_age_queue(queueFor(orZero(spec->max_stream_duration))),
      connection_age_queue(queueFor(orZero(spec->max_connection_duration))),
      drain_queue(queueFor(spec->drain_timeout)) {
  h1_limits.max_head_bytes = size_t{spec->max_request_headers_kb} * 1024;
  h1_limits.max_fields = spec->max_headers_count;
  h2_options = spec->http2;
  h2_options.max_head_bytes = h1_limits.max_head_bytes;
  h2_options.max_cookie_bytes = h1_limits.max_head_bytes;  // as much again
  h2_options.max_fields = h1_limits.max_fields;
}

ManagerRuntime::~ManagerRuntime() = default;

event::DeadlineQueue* ManagerRuntime::queueFor(Milliseconds timeout) {
  return timeout.count() > 0 ? &loop.deadlineQueue(timeout) : nullptr;
}

std::unique_ptr<ServerStream> ManagerRuntime::takeStream() {
  if (free_streams_.empty()) return std::make_unique<ServerStream>(*this);
  auto stream = std::move(free_streams_.back());
  free_streams_.pop_back();
  return stream;
}

void ManagerRuntime::giveBack(std::unique_ptr<ServerStream> stream) {
  if (free_streams_.size() >= kMaxFreeStreams) return;
  stream->recycle();
  free_streams_.push_back(std::move(stream));
}

}  // namespace convoy::http
