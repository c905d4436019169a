#pragma once

// One request and its response on the server side: joins the codec's stream, the two filter paths,
// the time-outs and the access log. Started by the connection manager when a head is complete;
// recycled at the end of the turn in which it finished. Worker's thread only.
//
//   codec -> onRequest*() -> request path (filters 0..n-1; the router consumes)
//   router -> context.sendResponse*() -> response path (filters n-2..0) -> onPath*() -> the codec's
//   ResponseSender
//
// A stream finishes exactly once, by finish(): filters are told, the log line is written, the owner
// is told.

#include <memory>
#include <optional>

#include "absl/container/inlined_vector.h"
#include "proxy/base/arena.h"
#include "proxy/base/intrusive_list.h"
#include "proxy/event/deadlines.h"
#include "proxy/http/codec.h"
#include "proxy/http/filter.h"
#include "proxy/http/filter_path.h"
#include "proxy/http/manager_runtime.h"
#include "proxy/http/stream_info.h"
#include "proxy/http/timer_origin.h"
#include "proxy/net/connection_addresses.h"

namespace convoy::http {

// How a stream left its connection.
enum class StreamEnd : uint8_t {
  Clean,          // both directions complete: an HTTP/1.x connection can serve the next request
  RequestUnread,  // the response is complete, the request is not: HTTP/1.x sends it and closes
  Aborted,        // the response is broken off, or nobody is there to read it: HTTP/1.x closes
};

// The connection as its streams see it.
class StreamOwner {
 public:
  virtual const net::ConnectionAddresses& addresses() const = 0;
  virtual const net::Transport* transport() const = 0;  // null: plain text
  // The stream is done with; it calls nothing any more and may be recycled at the end of the turn.
  virtual void onStreamFinished(ServerStream& stream, StreamEnd end) = 0;

 protected:
  ~StreamOwner() = default;
};

class ServerStream final : public RequestReceiver,
                           public FilterPathSink<RequestDirection>,
                           public FilterPathSink<ResponseDirection>,
                           public base::ListHook<> {
 public:
  explicit ServerStream(ManagerRuntime& runtime);
  ~ServerStream();

  // Starts a (recycled) stream whose head is about to be given to onRequestHead().
  void start(StreamOwner& owner, ResponseSender& sender, std::shared_ptr<ManagerRuntime> pin);
  // Forgets the finished request; the stream may be started again.
  void recycle();
  // Answers a request whose head could not be read; used instead of onRequestHead().
  void refuse(Failure failure, std::string_view method);
  // The stream, or the whole connection, is gone; nothing can be sent.
  void onRequestReset(Failure failure) override;

  void onRequestHead(RequestHead& head, bool end_of_stream) override;
  void onRequestBody(std::string_view bytes, bool end_of_stream) override;
  void onRequestTrailers(HeaderList& trailers) override;
  net::SpliceResult spliceRequestBody(net::Connection& from, uint64_t most) override;
  void onSendQueueAboveHigh() override;
  void onSendQueueBelowLow() override;

  // What left the request path: the router consumed it.
  void onPathHead(RequestHead&, bool) override {}
  void onPathBody(RequestDirection, std::string_view, bool) override {}
  void onPathTrailers(RequestDirection, HeaderList&) override {}
  void onPathHeldAboveHigh(RequestDirection) override { pauseRequestBody(); }
  void onPathHeldBelowLow(RequestDirection) override { resumeRequestBody(); }
  void onPathCollectedTooMuch(RequestDirection) override {
    reply({.failure = Failure::PayloadTooLarge}, filters_.size());
  }
  // What left the response path goes to the client.
  void onPathHead(ResponseHead& head, bool end_of_stream) override;
  void onPathBody(ResponseDirection, std::string_view bytes, bool end_of_stream) override;
  void onPathTrailers(ResponseDirection, HeaderList& trailers) override;
  void onPathHeldAboveHigh(ResponseDirection) override { onSendQueueAboveHigh(); }
  void onPathHeldBelowLow(ResponseDirection) override { onSendQueueBelowLow(); }
  void onPathCollectedTooMuch(ResponseDirection) override { abort(Failure::InternalError); }

  // The client broke the framing inside the body, say: answers if it can still be done, else
  // aborts.
  void abort(Failure failure);
  StreamInfo& info() { return info_; }
  const std::shared_ptr<ManagerRuntime>& pinnedRuntime() const { return pin_; }
  bool finished() const { return state_ == State::Finished; }

 private:
  // A filter's handle on the stream: which filter it is decides where its events enter the paths.
  class Context final : public FilterContext {
   public:
    Context(ServerStream& stream, size_t index) : stream_(stream), index_(index) {}
    void continueRequest() override { stream_.request_path_->resume(index_); }
    void continueResponse() override { stream_.response_path_->resume(responseIndex()); }
    void reply(const LocalReply& reply) override { stream_.reply(reply, responseIndex() + 1); }
    void sendInformational(ResponseHead& head) override { stream_.sendInformational(head); }
    void sendResponseHead(ResponseHead& head, bool end_of_stream) override {
      stream_.sendResponseHead(head, end_of_stream, responseIndex() + 1);
    }
    void sendResponseBody(std::string_view bytes, bool end_of_stream) override {
      stream_.sendResponseBody(bytes, end_of_stream, responseIndex() + 1);
    }
    void sendResponseTrailers(HeaderList& trailers) override {
      stream_.sendResponseTrailers(trailers, responseIndex() + 1);
    }
    net::SpliceResult spliceResponseBody(net::Connection& from, uint64_t most) override {
      return stream_.spliceResponseBody(from, most, responseIndex() + 1);
    }
    // What happens upstream does not matter to a client that was answered here.
    void abort(Failure failure) override {
      if (!stream_.replied_locally_) stream_.abort(failure);
    }
    void pauseRequestBody() override { stream_.pauseRequestBody(); }
    void resumeRequestBody() override { stream_.resumeRequestBody(); }
    void setResponseFlowListener(FlowListener* listener) override {
      stream_.setFlowListener(listener);
    }
    void setStreamIdleTimeout(event::Duration timeout, Failure failure) override;
    void setMaxStreamDuration(std::optional<event::Duration> duration, bool of_client) override;
    size_t bufferLimit() const override { return stream_.runtime_.buffer_limit; }
    bool fromInside(Origin origin) const override;
    event::Loop& loop() override { return stream_.runtime_.loop; }
    base::Arena& arena() override { return stream_.arena_; }
    StreamInfo& info() override { return stream_.info_; }
    const RequestHead& requestHead() const override { return stream_.request_head_; }
    const route::CompiledRoute* route() const override { return stream_.route_; }

   private:
    size_t responseIndex() const { return stream_.filters_.size() - 1 - index_; }
    ServerStream& stream_;
    const size_t index_;
  };

  enum class State : uint8_t {
    Free,        // recycled
    Receiving,   // no response head sent yet
    Responding,  // the response head was sent
    Finished,    // told the owner; waits to be recycled
  };

  // CONNECT or an upgrade (message.h).
  enum class Tunnel : uint8_t {
    None,   // not asked for, refused, or declined by the response
    Asked,  // allowed, and not answered yet
    Open,   // each direction carries bytes until its end
  };

  void transition(State to);
  std::optional<LocalReply> admit();
  void buildFilters();
  bool admitTunnel();
  void refuseTunnel(bool end_of_stream);
  void settleTunnel(uint16_t status);
  void matchRoute();
  void noteRequestEnd();
  void noteActivity();
  bool movesUnseen();
  void onIdle();
  void reply(const LocalReply& reply, size_t from);
  void sendInformational(ResponseHead& head);
  void sendResponseHead(ResponseHead& head, bool end_of_stream, size_t from);
  void sendResponseBody(std::string_view bytes, bool end_of_stream, size_t from);
  void sendResponseTrailers(HeaderList& trailers, size_t from);
  net::SpliceResult spliceResponseBody(net::Connection& from, uint64_t most, size_t path_from);
  void setFlowListener(FlowListener* listener);
  void pauseRequestBody();
  void resumeRequestBody();
  void leaveRequestUnread();
  bool restIsDrainable() const;
  void dropRestOfRequest();
  void giveUpRequest();
  void noteGrpcStatus(const HeaderList& fields);
  void noteResponseEnd();
  void finish(StreamEnd end);
  void countResponse();
  void fail(Failure failure);
  void onTimeout(Failure failure);
  void noteFailure(Failure failure);

  ManagerRuntime& runtime_;
  std::shared_ptr<ManagerRuntime> pin_;  // while not Free
  StreamOwner* owner_ = nullptr;
  ResponseSender* sender_ = nullptr;
  State state_ = State::Free;
  Tunnel tunnel_ = Tunnel::None;
  bool request_ended_ = false;
  bool response_ended_ = false;
  bool replied_locally_ = false;    // the rest of the request is read and dropped
  bool filters_hold_head_ = false;  // or have held it: the response head went through the path
  bool expects_continue_ = false;   // the client waits for "100 Continue" before its body
  bool leaves_unread_ = false;      // the rest of the request
  uint16_t above_high_ = 0;         // for how many reasons the response waits
  uint16_t pauses_ = 0;             // of the request's body

  base::Arena arena_;
  RequestHead request_head_;
  ResponseHead response_head_;  // a local reply's, or one that filters hold
  HeaderList request_trailers_;
  HeaderList response_trailers_;
  // What Connection named in the head and trailers could have; empty: nothing (hop_by_hop.h).
  std::string_view named_by_request_;
  std::string_view named_by_response_;
  StreamInfo info_;
  event::LocalRef<RouteMatcher> routes_;
  const route::CompiledRoute* route_ = nullptr;
  FlowListener* flow_listener_ = nullptr;

  std::optional<FilterPath<RequestDirection>> request_path_;
  std::optional<FilterPath<ResponseDirection>> response_path_;
  absl::InlinedVector<Filter*, 4> filters_;  // in the arena, configured order

  event::DeadlineQueue* idle_queue_ = nullptr;
  Failure idle_failure_ = Failure::StreamIdleTimeout;  // or the route's, or the tunnel's
  DurationSource age_source_ = DurationSource::Manager;
  uint64_t taken_when_idle_ = 0;  // in the moment in which the deadline fired last
  event::Deadline idle_deadline_;
  event::Deadline request_deadline_;
  event::Deadline age_deadline_;
};

}  // namespace convoy::http
