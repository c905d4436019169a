#pragma once

// An HTTP filter: one object per request, made by its factory in the request's arena, on the
// worker's thread. Requests run through the filters in configured order, responses in reverse
// order; the last filter (the router) ends the request path.
//
// A filter overrides only the hooks that it needs. Verdicts:
//   Continue  the event goes on to the next filter.
//   Pause     nothing goes on, and this filter is shown nothing more, until
//   context().continueRequest() (or ...Response()).
//             What arrives meanwhile is held in order; above the buffer limit the sender is made to
//             wait.
//   Collect   as Pause, but this filter goes on being shown the body and the trailers (to count,
//   inspect or buffer them). More than the buffer limit cannot be collected: 413 for a request, 500
//   for a response.
// Body bytes are a view that the filter may point to other bytes, which must live until the next
// call of the same hook. Heads and trailers may be edited in place; new text belongs into
// context().arena().
//
// A filter may answer by itself (context().reply(...)) from any request hook or later; it then
// returns Pause. After onStreamEnd nothing is called any more and the context is dead.

#include <optional>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/event/loop.h"
#include "proxy/http/codec.h"
#include "proxy/http/failure.h"
#include "proxy/http/message.h"
#include "proxy/http/stream_info.h"

namespace convoy::route {
class CompiledRoute;
}

namespace convoy::http {

enum class [[nodiscard]] FilterVerdict : uint8_t{Continue, Pause, Collect};

// A reply that the proxy makes itself.
struct LocalReply {
  Failure failure = Failure::FilterReply;
  uint16_t status = 0;            // 0: the failure's
  std::string_view body = {};     // empty: the failure's text; copied
  std::string_view details = {};  // static text for the access log; empty: the failure's code
  // Redirects: the Location header; copied. A path never names another host, however it begins.
  std::string_view location = {};
  bool empty_body = false;  // send no body at all
  // Called with the head before it is sent; null: nothing.
  void (*edit_head)(void* self, ResponseHead& head) = nullptr;
  void* edit_self = nullptr;
};

// What a filter may do to its stream. One per filter and stream; implemented by the stream.
class FilterContext {
 public:
  virtual void continueRequest() = 0;
  virtual void continueResponse() = 0;
  virtual void reply(const LocalReply& reply) = 0;

  // The terminal filter's way to send the response; it passes the filters before this one, in
  // reverse order.
  virtual void sendInformational(ResponseHead& head) = 0;
  virtual void sendResponseHead(ResponseHead& head, bool end_of_stream) = 0;
  virtual void sendResponseBody(std::string_view bytes, bool end_of_stream) = 0;
  virtual void sendResponseTrailers(HeaderList& trailers) = 0;
  // Body bytes that nobody looks at (codec.h, spliceBody).
  virtual net::SpliceResult spliceResponseBody(net::Connection& from, uint64_t most) = 0;
  // Breaks the stream off so that the client can tell: for failures after the response head.
  virtual void abort(Failure failure) = 0;

  // Back-pressure (counted): the client's body waits, or goes on.
  virtual void pauseRequestBody() = 0;
  virtual void resumeRequestBody() = 0;
  // Who is to be told when the client takes the response too slowly. At most one, the terminal
  // filter.
  virtual void setResponseFlowListener(FlowListener* listener) = 0;
  // Replaces the connection manager's stream idle time-out for this stream; 0 turns it off.
  // `failure`: what it is called when it runs out.
  virtual void setStreamIdleTimeout(event::Duration timeout, Failure failure) = 0;

  // Replaces the connection manager's max_stream_duration, counted from the stream's start; unset:
  // off; zero: over at once. of_client: the value comes from a request, not from configuration.
  virtual void setMaxStreamDuration(std::optional<event::Duration> duration, bool of_client) = 0;

  // What may be kept of the request's body: the listener's buffer limit; 0: none.
  virtual size_t bufferLimit() const = 0;
  // Whether the request comes from inside (forwarding.h), so that what its fields ask of the proxy
  // counts: from a client, or at least from a hop (the peer of the connection).
  enum class Origin : uint8_t { Client, Hop };
  virtual bool fromInside(Origin origin) const = 0;

  virtual event::Loop& loop() = 0;
  virtual base::Arena& arena() = 0;
  virtual StreamInfo& info() = 0;
  virtual const RequestHead& requestHead() const = 0;
  // The route of this request, matched once when its head arrived; null if none matched.
  virtual const route::CompiledRoute* route() const = 0;

 protected:
  ~FilterContext() = default;
};

class Filter {
 public:
  virtual ~Filter() = default;

  virtual FilterVerdict onRequestHead(RequestHead&, bool /*end_of_stream*/) {
    return FilterVerdict::Continue;
  }
  virtual FilterVerdict onRequestBody(std::string_view& /*bytes*/, bool /*end_of_stream*/) {
    return FilterVerdict::Continue;
  }
  virtual FilterVerdict onRequestTrailers(HeaderList&) { return FilterVerdict::Continue; }
  virtual FilterVerdict onResponseHead(ResponseHead&, bool /*end_of_stream*/) {
    return FilterVerdict::Continue;
  }
  virtual FilterVerdict onResponseBody(std::string_view& /*bytes*/, bool /*end_of_stream*/) {
    return FilterVerdict::Continue;
  }
  virtual FilterVerdict onResponseTrailers(HeaderList&) { return FilterVerdict::Continue; }
  // False: this filter has no need of body bytes and ends, so they may pass it unseen.
  virtual bool looksAtBodies() const { return true; }
  // The terminal filter's, if it can: body bytes that nobody looks at (codec.h, spliceBody).
  virtual net::SpliceResult spliceRequestBody(net::Connection& /*from*/, uint64_t /*most*/) {
    return {};
  }
  // The terminal filter's: how much of the request the upstream has taken (codec.h, taken).
  virtual uint64_t takenOfRequest() { return 0; }
  // The stream is over, well or badly (info().failure). Release what belongs to other objects.
  virtual void onStreamEnd() {}

  void attach(FilterContext& context) { context_ = &context; }

 protected:
  FilterContext& context() { return *context_; }

 private:
  FilterContext* context_ = nullptr;
};

// Makes a worker's filters of one configured instance; lives with the worker's copy of the
// listener.
class FilterFactory {
 public:
  virtual ~FilterFactory() = default;
  virtual Filter* create(base::Arena& arena) = 0;
};

}  // namespace convoy::http
