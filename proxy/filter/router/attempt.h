#pragma once

// One attempt of a request: a host, and the stream to it. A passive record with the callbacks of
// everybody below; what they mean is decided by the router, which owns it (router_filter.h). In the
// request's arena; used again for the next attempt once it is Free. Worker's thread only.

#include <cstdint>
#include <utility>

#include "proxy/event/deadlines.h"
#include "proxy/http/codec.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::filter::router {

class RouterFilter;

struct Attempt final : public http::ResponseReceiver,
                       public upstream::PoolCallbacks,
                       public upstream::PickWaiter {
  enum class State : uint8_t {
    Free,        // not begun, or over
    BackingOff,  // waits for its time
    Choosing,    // waits for a host
    Waiting,     // waits for a connection
    Sending,     // request under way, no response head yet
    Answering,   // its response goes to the client
    Draining,    // its response is read and thrown away, to keep the connection
  };
  // Of the few attempts that have them.
  struct Timers {
    explicit Timers(Attempt& of)
        : main([](void* self) { static_cast<Attempt*>(self)->onTimer(); }, &of),
          idle([](void* self) { static_cast<Attempt*>(self)->onIdle(); }, &of) {}
    event::Deadline main;  // back-off, then per_try_timeout
    event::Deadline idle;  // per_try_idle_timeout
  };

  explicit Attempt(RouterFilter& owner) : router(owner) {}

  // Holds nothing that would have to be given back.
  bool over() const {
    return sender == nullptr && pending == nullptr && timers == nullptr && holds_client == 0 &&
           !charged && !linked();
  }
  // Has a stream whose response may become the client's.
  bool exchanges() const { return sender != nullptr && state != State::Draining; }
  bool inFlight() const { return state >= State::BackingOff && state <= State::Sending; }

  void onTimer();
  void onIdle();
  // PoolCallbacks
  void onStreamReady(http::RequestSender& with, upstream::UpstreamConnectionInfo& info) override;
  void onStreamFailed(http::Failure failure) override;
  // PickWaiter
  void onPickReady() override;
  // ResponseReceiver
  void onInformational(http::ResponseHead& head) override;
  void onResponseHead(http::ResponseHead& head, bool end_of_stream) override;
  void onResponseBody(std::string_view bytes, bool end_of_stream) override;
  net::SpliceResult spliceResponseBody(net::Connection& from, uint64_t most) override;
  void onResponseTrailers(http::HeaderList& trailers) override;
  void onResponseReset(http::Failure failure) override;
  void onSendQueueAboveHigh() override;
  void onSendQueueBelowLow() override;

  RouterFilter& router;
  State state = State::Free;
  bool charged = false;      // holds a place of the retry budget
  bool panic = false;        // its host serves since too few can be used
  bool superseded = false;   // another attempt was begun beside it: its failure matters no more
  uint8_t holds_client = 0;  // how often it has paused the client's body
  upstream::HostRef host;    // kept until the next attempt: the log reads its address
  uint32_t probe = upstream::Streaks::kNoProbe;  // as its lease had it
  upstream::PendingStream* pending = nullptr;
  http::RequestSender* sender = nullptr;
  upstream::UpstreamConnectionInfo* connection = nullptr;
  event::MonotonicTime sent_at{};
  Timers* timers = nullptr;
  Attempt* next = nullptr;  // of the same request
};

// Those of one request. Nearly every request has one; whoever adds others owns them.
class Attempts {
 public:
  template <class A>
  struct Iterator {
    A* at;
    A& operator*() const { return *at; }
    Iterator& operator++() {
      at = at->next;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;
  };

  explicit Attempts(RouterFilter& router) : first_(router) {}
  Attempt& first() { return first_; }
  bool single() const { return first_.next == nullptr; }
  void add(Attempt& attempt) { attempt.next = std::exchange(first_.next, &attempt); }
  Iterator<Attempt> begin() { return {&first_}; }
  Iterator<Attempt> end() { return {nullptr}; }
  Iterator<const Attempt> begin() const { return {&first_}; }
  Iterator<const Attempt> end() const { return {nullptr}; }

 private:
  Attempt first_;
};

}  // namespace convoy::filter::router
