#pragma once

// The terminal HTTP filter: answers direct responses and redirects, else picks a host of the
// route's cluster, sends the request there and the response back. Watches the route's time-outs,
// passes back-pressure both ways, holds a tunnel's bytes back until the host has opened it, and
// sends a request of which no body went again when the host closed a kept-alive connection in the
// very moment (nothing was received, the method is safe to repeat), or said that it has not looked
// at it (HTTP/2).
//
// States: see State; every edge is in transition(). In the request's arena; worker's thread only.

#include <memory>

#include "absl/container/inlined_vector.h"
#include "proxy/event/deadlines.h"

#include "proxy/filter/router/spec.h"
#include "proxy/filter/worker_services.h"
#include "proxy/http/filter.h"
#include "proxy/route/matcher.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::filter::router {

std::unique_ptr<http::FilterFactory> makeRouterFactory(std::shared_ptr<const RouterSpec> spec,
                                                       const WorkerServices& services);

class RouterFilter final : public http::Filter,
                           private upstream::PoolCallbacks,
                           private upstream::PickWaiter {
 public:
  explicit RouterFilter(const WorkerServices& services);
  ~RouterFilter() override;

  http::FilterVerdict onRequestHead(http::RequestHead& head, bool end_of_stream) override;
  http::FilterVerdict onRequestBody(std::string_view& bytes, bool end_of_stream) override;
  http::FilterVerdict onRequestTrailers(http::HeaderList& trailers) override;
  void onStreamEnd() override;

 private:
  enum class State : uint8_t {
    Start,      // no head yet
    Choosing,   // waits for a host
    Waiting,    // waits for a connection
    Sending,    // request under way, no response head yet
    Receiving,  // response head passed on
    Done,       // answered, failed or broken off
  };

  // The upstream's side: the response, and whether it takes the request too slowly.
  class UpstreamSide final : public http::ResponseReceiver {
   public:
    explicit UpstreamSide(RouterFilter& router) : router_(router) {}
    void onInformational(http::ResponseHead& head) override;
    void onResponseHead(http::ResponseHead& head, bool end_of_stream) override;
    void onResponseBody(std::string_view bytes, bool end_of_stream) override;
    void onResponseTrailers(http::HeaderList& trailers) override;
    void onResponseReset(http::Failure failure) override;
    void onSendQueueAboveHigh() override { router_.context().pauseRequestBody(); }
    void onSendQueueBelowLow() override { router_.context().resumeRequestBody(); }

   private:
    RouterFilter& router_;
  };
  // The client's side: it takes the response too slowly, so the upstream waits.
  class ClientSide final : public http::FlowListener {
   public:
    explicit ClientSide(RouterFilter& router) : router_(router) {}
    void onSendQueueAboveHigh() override;
    void onSendQueueBelowLow() override;

   private:
    RouterFilter& router_;
  };

  // PoolCallbacks
  void onStreamReady(http::RequestSender& sender, upstream::UpstreamConnectionInfo& info) override;
  void onStreamFailed(http::Failure failure) override;
  // PickWaiter
  void onPickReady() override { chooseHost(); }

  void transition(State to);
  bool answerLocally();
  bool findCluster();
  route::EditScope editScope(const http::ResponseHead* response);
  void editResponse(http::ResponseHead& head);
  void prepareHead(http::RequestHead& head);
  void startTimers();
  void limitStream();
  void openOwnTunnel();
  bool refusesTunnel(const http::ResponseHead& head);
  void openTunnel();
  void chooseHost();
  void askForStream(upstream::HostLease lease);
  void releaseUpstream();
  bool mayRepeat(http::Failure failure);
  void noteResponse(const http::ResponseHead& head);
  void finishUpstream();
  void countOnce(uint16_t status);
  void fail(http::Failure failure);
  void onRequestComplete();
  void onTimeout(http::Failure failure);

  const WorkerServices& services_;
  State state_ = State::Start;
  bool request_ended_ = false;
  bool body_sent_ = false;
  bool repeated_ = false;
  bool counted_ = false;         // the response was counted
  uint16_t status_ = 0;          // of the response; 0: none yet
  bool resumes_later_ = false;   // the request path is paused for a host, a connection or a tunnel
  bool asks_tunnel_ = false;     // CONNECT or an upgrade
  bool is_tunnel_ = false;       // it is open
  bool response_ended_ = false;  // of a tunnel whose other direction goes on
  uint32_t client_slow_ = 0;     // for how many reasons the response waits for the client
  http::RequestHead* head_ = nullptr;
  upstream::WorkerCluster* cluster_ = nullptr;  // from the pick on, host_ keeps it alive
  upstream::HostRef host_;                      // until the end: the log reads its address
  upstream::PendingStream* pending_ = nullptr;
  http::RequestSender* sender_ = nullptr;
  upstream::UpstreamConnectionInfo* connection_ = nullptr;
  absl::InlinedVector<const upstream::Host*, 4> tried_;
  event::MonotonicTime sent_at_{};
  UpstreamSide upstream_side_;
  ClientSide client_side_;
  event::Deadline response_deadline_;
  event::Deadline first_byte_deadline_;
};

}  // namespace convoy::filter::router
