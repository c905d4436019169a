#include "proxy/filter/router/router_filter.h"

#include <utility>
#include <variant>

#include "proxy/base/strings.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/http/websocket.h"

namespace convoy::filter::router {

namespace {

// Of a request that hosts refuse to look at.
constexpr uint32_t kMostAttempts = 3;

class RouterFactory final : public http::FilterFactory {
 public:
  RouterFactory(std::shared_ptr<const RouterSpec> spec, const WorkerServices& services)
      : spec_(std::move(spec)), services_(services) {}
  http::Filter* create(base::Arena& arena) override { return arena.make<RouterFilter>(services_); }

 private:
  const std::shared_ptr<const RouterSpec> spec_;
  const WorkerServices services_;
};

// RFC 9110 9.2.2: repeating these has the effect of sending them once.
bool isIdempotent(std::string_view method) {
  return base::equals(method, "GET") || base::equals(method, "HEAD") ||
         base::equals(method, "OPTIONS") || base::equals(method, "PUT") ||
         base::equals(method, "DELETE") || base::equals(method, "TRACE");
}

}  // namespace

std::unique_ptr<http::FilterFactory> makeRouterFactory(std::shared_ptr<const RouterSpec> spec,
                                                       const WorkerServices& services) {
  return std::make_unique<RouterFactory>(std::move(spec), services);
}

RouterFilter::RouterFilter(const WorkerServices& services)
    : services_(services),
      upstream_side_(*this),
      client_side_(*this),
      response_deadline_(
          [](void* self) {
            static_cast<RouterFilter*>(self)->onTimeout(http::Failure::UpstreamResponseTimeout);
          },
          this),
      first_byte_deadline_(
          [](void* self) {
            static_cast<RouterFilter*>(self)->onTimeout(http::Failure::UpstreamFirstByteTimeout);
          },
          this) {}

RouterFilter::~RouterFilter() = default;

void RouterFilter::transition(State to) {
  // Forwards, but for a repeated request: Sending -> Choosing.
  CONVOY_ASSERT(to > state_ || (to == State::Choosing && state_ == State::Sending));
  state_ = to;
}

// --- the request ---

http::FilterVerdict RouterFilter::onRequestHead(http::RequestHead& head, bool end_of_stream) {
  head_ = &head;
  request_ended_ = end_of_stream;
  asks_tunnel_ = http::asksForTunnel(head);
  if (answerLocally() || !findCluster()) return http::FilterVerdict::Pause;
  prepareHead(head);
  context().setResponseFlowListener(&client_side_);
  transition(State::Choosing);
  chooseHost();
  if (state_ == State::Done) return http::FilterVerdict::Pause;
  if (end_of_stream) onRequestComplete();
  startTimers();
  // Bytes behind an upgrade that the host declines could be requests to it.
  if (state_ >= State::Sending && asks_tunnel_ == is_tunnel_) return http::FilterVerdict::Continue;
  resumes_later_ = true;
  return http::FilterVerdict::Pause;
}

// No route, direct responses and redirects need no cluster.
bool RouterFilter::answerLocally() {
  const route::CompiledRoute* route = context().route();
  http::LocalReply reply;
  if (route == nullptr) {
    reply.failure = http::Failure::RouteNotFound;
  } else {
    context().info().route_name = route->spec().name;
    context().info().virtual_host = route->virtualHost().name;
    if (const auto* direct = std::get_if<route::DirectResponse>(&route->spec().action)) {
      reply.failure = http::Failure::DirectResponse;
      reply.status = direct->status;
      reply.body = direct->body;
      reply.empty_body = direct->body.empty();
    } else if (std::holds_alternative<route::Redirect>(route->spec().action)) {
      reply.failure = http::Failure::DirectResponse;
      reply.status = std::get<route::Redirect>(route->spec().action).status;
      reply.location = route->location(*head_, context().arena());
      reply.empty_body = true;
    } else {
      return false;
    }
  }
  if (route != nullptr) {
    reply.edit_head = [](void* self, http::ResponseHead& head) {
      static_cast<RouterFilter*>(self)->editResponse(head);
    };
    reply.edit_self = this;
  }
  transition(State::Done);
  context().reply(reply);
  return true;
}

route::EditScope RouterFilter::editScope(const http::ResponseHead* response) {
  return {*head_, response, context().info(), services_.loop.clock(), context().arena()};
}

void RouterFilter::editResponse(http::ResponseHead& head) {
  const route::CompiledRoute& route = *context().route();
  if (route.editsResponse()) route.editResponse(head, editScope(&head));
}

bool RouterFilter::findCluster() {
  const std::string_view name = context().route()->chooseCluster(services_.loop.random());
  context().info().cluster = name;
  cluster_ = services_.clusters.find(name);
  if (cluster_ == nullptr) fail(http::Failure::ClusterNotFound);
  return cluster_ != nullptr;
}

void RouterFilter::prepareHead(http::RequestHead& head) {
  const route::CompiledRoute& route = *context().route();
  // Edits first, as Envoy: their formats see what the client asked for.
  if (route.editsRequest()) route.editRequest(head, editScope(nullptr));
  route.rewrite(head, context().arena());
  if (route.idleTimeout().has_value()) context().setStreamIdleTimeout(*route.idleTimeout());
  limitStream();
  head.raw_tunnel = asks_tunnel_ && head.upgrade.empty() && route.forward()->terminates_connect;
}

void RouterFilter::limitStream() {
  const bool by_client = context().route()->forward()->grpc_timeout_header_max.has_value();
  const auto limit =
      context().route()->streamLimit(by_client ? http::grpcTimeout(*head_) : std::nullopt);
  if (limit.has_value()) context().setMaxStreamDuration(limit->duration, limit->of_client);
}

void RouterFilter::chooseHost() {
  upstream::PickResult picked = cluster_->pick(tried_, this);
  switch (picked.kind) {
    case upstream::Pick::Kind::Later:
      return;
    case upstream::Pick::Kind::None:
      return fail(http::Failure::NoHealthyUpstream);
    case upstream::Pick::Kind::Host:
      transition(State::Waiting);
      return askForStream(std::move(picked.lease));
  }
}

void RouterFilter::askForStream(upstream::HostLease lease) {
  host_ = lease.ref();
  tried_.push_back(&host_.host());
  http::StreamInfo& info = context().info();
  ++info.upstream_attempts;
  info.upstream_host = host_.host().addressText();
  const auto age = repeated_ ? upstream::ConnectionAge::New : upstream::ConnectionAge::Any;
  upstream::PendingStream* pending =
      cluster_->newStream(std::move(lease), upstream_side_, *this, age);
  if (state_ == State::Waiting) pending_ = pending;
}

void RouterFilter::onStreamReady(http::RequestSender& sender,
                                 upstream::UpstreamConnectionInfo& info) {
  pending_ = nullptr;
  sender_ = &sender;
  connection_ = &info;
  sent_at_ = services_.loop.now();
  transition(State::Sending);
  if (head_->raw_tunnel && cluster_->spec().protocol != upstream::UpstreamProtocol::Http1) {
    return fail(http::Failure::UpstreamProtocolError);
  }
  sender.sendHead(*head_, /*end_of_stream=*/request_ended_);
  for (uint32_t i = 0; i < client_slow_ && sender_ != nullptr; ++i) sender_->pauseReceiving();
  if (head_->raw_tunnel) return openOwnTunnel();
  if (asks_tunnel_) return;
  if (std::exchange(resumes_later_, false)) context().continueRequest();
}

void RouterFilter::onStreamFailed(http::Failure failure) {
  pending_ = nullptr;
  if (failure == http::Failure::UpstreamTransportFailure) {
    context().info().upstream_transport_failure = host_.pool()->transportFailure();
  }
  fail(failure);
}

http::FilterVerdict RouterFilter::onRequestBody(std::string_view& bytes, bool end_of_stream) {
  if (state_ == State::Done || sender_ == nullptr) return http::FilterVerdict::Continue;
  body_sent_ = true;
  sender_->sendBody(bytes, end_of_stream);
  if (end_of_stream) onRequestComplete();
  if (end_of_stream && response_ended_) finishUpstream();
  return http::FilterVerdict::Continue;
}

http::FilterVerdict RouterFilter::onRequestTrailers(http::HeaderList& trailers) {
  if (state_ == State::Done || sender_ == nullptr) return http::FilterVerdict::Continue;
  body_sent_ = true;
  sender_->sendTrailers(trailers);
  onRequestComplete();
  return http::FilterVerdict::Continue;
}

// Envoy's route time-out runs from the request's end to the response's.
void RouterFilter::onRequestComplete() {
  request_ended_ = true;
  if (state_ == State::Done || asks_tunnel_) return;
  const event::Duration timeout = context().route()->timeout();
  if (timeout.count() > 0) response_deadline_.arm(services_.loop.deadlineQueue(timeout));
}

void RouterFilter::startTimers() {
  const event::Duration timeout = context().route()->firstByteTimeout();
  if (timeout.count() > 0 && state_ < State::Receiving) {
    first_byte_deadline_.arm(services_.loop.deadlineQueue(timeout));
  }
}

// --- the response ---

void RouterFilter::UpstreamSide::onInformational(http::ResponseHead& head) {
  router_.context().sendInformational(head);
}

void RouterFilter::UpstreamSide::onResponseHead(http::ResponseHead& head, bool end_of_stream) {
  RouterFilter& r = router_;
  if (r.refusesTunnel(head)) return r.fail(http::Failure::UpstreamProtocolError);
  r.transition(State::Receiving);
  r.first_byte_deadline_.cancel();
  r.status_ = head.status;
  r.context().info().response_started = r.services_.loop.now();
  r.editResponse(head);
  const bool opens = http::opensTunnel(*r.head_, head.status);
  if (opens) r.openTunnel();
  if (end_of_stream) r.finishUpstream();
  r.context().sendResponseHead(head, end_of_stream);
  if (opens && std::exchange(r.resumes_later_, false)) r.context().continueRequest();
}

// CONNECT that ends here: the connection to the host is the tunnel.
void RouterFilter::openOwnTunnel() {
  http::ResponseHead head;
  head.status = 200;
  head.body = {http::BodyLength::Kind::Unknown, 0};
  upstream_side_.onResponseHead(head, /*end_of_stream=*/false);
}

// What a client would take for an open tunnel although the host has not opened the one asked for.
bool RouterFilter::refusesTunnel(const http::ResponseHead& head) {
  const http::RequestHead& request = *head_;
  if (request.upgrade.empty()) return false;
  const bool http2 = request.protocol == http::Protocol::Http2;
  if (head.status != 101) return http::looksLikeTunnel(request, head.status);
  if (!base::equalsIgnoreCase(head.upgrade, request.upgrade)) return true;
  if (!http2 || !http::isWebSocket(request.upgrade)) return false;
  // RFC 6455 4.1: the client cannot check it.
  const http::HeaderField* const key = request.headers.find(http::kWebSocketKey);
  const http::HeaderField* const accept = head.headers.find(http::kWebSocketAccept);
  return key == nullptr || accept == nullptr ||
         accept->value != http::WebSocketAccept(key->value).text();
}

void RouterFilter::openTunnel() {
  is_tunnel_ = true;
  cluster_->metrics().upstream_cx_upgrades_total.add();
  cluster_->metrics().upstream_cx_upgrades_active.add();
  const auto idle = context().route()->tunnelIdleTimeout();
  if (idle.has_value()) context().setStreamIdleTimeout(*idle);
}

void RouterFilter::UpstreamSide::onResponseBody(std::string_view bytes, bool end_of_stream) {
  if (end_of_stream) router_.finishUpstream();
  router_.context().sendResponseBody(bytes, end_of_stream);
}

void RouterFilter::UpstreamSide::onResponseTrailers(http::HeaderList& trailers) {
  router_.finishUpstream();
  router_.context().sendResponseTrailers(trailers);
}

void RouterFilter::UpstreamSide::onResponseReset(http::Failure failure) {
  RouterFilter& r = router_;
  r.sender_ = nullptr;
  if (r.state_ == State::Done) return;  // the response is whole; only the request is not
  if (!r.mayRepeat(failure)) {
    return r.fail(r.state_ == State::Receiving ? http::Failure::UpstreamAbortedBody : failure);
  }
  r.cluster_->metrics().upstream_rq_retry.add();
  // The host is fine: the connection was old. One that refuses is not the best to ask again.
  if (failure != http::Failure::UpstreamRefusedStream) {
    r.repeated_ = true;
    r.tried_.clear();
  }
  r.transition(State::Choosing);
  r.chooseHost();
}

// The response is complete. A request still being sent goes on no further: its sender is reset at
// the stream's end.
void RouterFilter::finishUpstream() {
  response_deadline_.cancel();
  countOnce(status_);
  response_ended_ = true;
  if (is_tunnel_ && !request_ended_) return;  // the client's direction goes on
  transition(State::Done);
  if (request_ended_) sender_ = nullptr;
}

void RouterFilter::countOnce(uint16_t status) {
  if (std::exchange(counted_, true) || state_ < State::Sending) return;
  cluster_->countResponse(host_, status, services_.loop.now() - sent_at_);
}

// Nothing of the request is lost, and either the host said that it has not looked at it (RFC 9113
// 8.7), or it closed a connection that it had kept alive, before a byte of the response: RFC 9110
// 9.2.2 lets us send an idempotent request again then. Once: it may be the request that makes the
// host close, and each repetition would cost a connection, or the next host its life.
bool RouterFilter::mayRepeat(http::Failure failure) {
  if (state_ != State::Sending || body_sent_ || !request_ended_) return false;
  if (failure == http::Failure::UpstreamRefusedStream) {
    return context().info().upstream_attempts < kMostAttempts;
  }
  return failure == http::Failure::UpstreamReset && !repeated_ &&
         connection_->streamsBefore() > 0 && !connection_->bytesReceived() &&
         isIdempotent(head_->method);
}

// --- endings ---

void RouterFilter::fail(http::Failure failure) {
  countOnce(0);
  if (state_ != State::Done) transition(State::Done);
  releaseUpstream();
  context().abort(failure);
}

void RouterFilter::onTimeout(http::Failure failure) {
  event::Loop::TurnScope turn(services_.loop);
  if (host_) cluster_->countTimeout(host_);
  fail(failure);
}

void RouterFilter::onStreamEnd() {
  if (state_ != State::Done) countOnce(status_);
  if (is_tunnel_) cluster_->metrics().upstream_cx_upgrades_active.sub();
  releaseUpstream();
}

void RouterFilter::releaseUpstream() {
  response_deadline_.cancel();
  first_byte_deadline_.cancel();
  PickWaiter::unlink();
  if (pending_ != nullptr) std::exchange(pending_, nullptr)->cancel();
  if (sender_ != nullptr)
    std::exchange(sender_, nullptr)->reset(http::Failure::DownstreamDisconnect);
}

void RouterFilter::ClientSide::onSendQueueAboveHigh() {
  ++router_.client_slow_;
  if (router_.sender_ != nullptr) router_.sender_->pauseReceiving();
}

void RouterFilter::ClientSide::onSendQueueBelowLow() {
  if (router_.client_slow_ > 0) --router_.client_slow_;
  if (router_.sender_ != nullptr) router_.sender_->resumeReceiving();
}

}  // namespace convoy::filter::router
