#include "proxy/filter/router/router_filter.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "proxy/base/strings.h"
#include "proxy/base/timer_origins.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/http/websocket.h"

namespace convoy::filter::router {

namespace {

class RouterFactory final : public http::FilterFactory {
 public:
  RouterFactory(std::shared_ptr<const RouterSpec> spec, const WorkerServices& services)
      : spec_(std::move(spec)), services_(services) {}
  http::Filter* create(base::Arena& arena) override {
    return arena.make<RouterFilter>(*spec_, services_);
  }

 private:
  const std::shared_ptr<const RouterSpec> spec_;
  const WorkerServices services_;
};

}  // namespace

std::unique_ptr<http::FilterFactory> makeRouterFactory(std::shared_ptr<const RouterSpec> spec,
                                                       const WorkerServices& services) {
  return std::make_unique<RouterFactory>(std::move(spec), services);
}

RouterFilter::RouterFilter(const RouterSpec& spec, const WorkerServices& services)
    : spec_(spec),
      services_(services),
      attempts_(*this),
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
          this),
      latest_(&attempts_.first()) {}

RouterFilter::~RouterFilter() = default;

// --- attempts ---

void Attempt::onTimer() {
  router.onAttemptTimer(*this);
}
void Attempt::onIdle() {
  router.onPerTryIdle(*this);
}
void Attempt::onStreamReady(http::RequestSender& with, upstream::UpstreamConnectionInfo& info) {
  pending = nullptr;
  sender = &with;
  connection = &info;
  router.onStreamReady(*this);
}
void Attempt::onStreamFailed(http::Failure failure) {
  pending = nullptr;
  router.onStreamFailed(*this, failure);
}
void Attempt::onPickReady() {
  router.chooseHost(*this);
}
void Attempt::onInformational(http::ResponseHead& head) {
  if (state != State::Draining) router.context().sendInformational(head);
}
void Attempt::onResponseHead(http::ResponseHead& head, bool end_of_stream) {
  router.onAnswerHead(*this, head, end_of_stream);
}
void Attempt::onResponseBody(std::string_view bytes, bool end_of_stream) {
  router.onAnswerBody(*this, bytes, end_of_stream);
}
net::SpliceResult Attempt::spliceResponseBody(net::Connection& from, uint64_t most) {
  return router.spliceAnswerBody(*this, from, most);
}
void Attempt::onResponseTrailers(http::HeaderList& trailers) {
  router.onAnswerTrailers(*this, trailers);
}
void Attempt::onResponseReset(http::Failure failure) {
  router.onAnswerReset(*this, failure);
}
void Attempt::onSendQueueAboveHigh() {
  ++holds_client;
  router.context().pauseRequestBody();
}
void Attempt::onSendQueueBelowLow() {
  if (holds_client == 0) return;
  --holds_client;
  router.context().resumeRequestBody();
}

void RouterFilter::transition(State to) {
  CONVOY_ASSERT(to > state_);
  state_ = to;
}

// --- the request ---

http::FilterVerdict RouterFilter::onRequestHead(http::RequestHead& head, bool end_of_stream) {
  head_ = &head;
  request_ended_ = end_of_stream;
  asks_tunnel_ = http::asksForTunnel(head);
  if (answerLocally() || !findCluster()) return http::FilterVerdict::Pause;
  prepareHead(head);
  if (cluster_->picksByHash()) {
    hash_key_ = route::hashKeyOf(context().route()->forward()->hash_policies, head,
                                 context().info(), context().arena());
  }
  context().setResponseFlowListener(&client_side_);
  transition(State::Trying);
  if (!end_of_stream && retries()) prepareToKeep();
  chooseHost(attempts_.first());
  if (state_ == State::Done) return http::FilterVerdict::Pause;
  if (end_of_stream) onRequestComplete();
  startTimers();
  // Bytes behind an upgrade that the host declines could be requests to it.
  const bool sending = state_ == State::Receiving || latest_->state == Attempt::State::Sending;
  if (sending && asks_tunnel_ == is_tunnel_) return http::FilterVerdict::Continue;
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
  if (!hash_key_.set_cookie.empty()) {
    head.headers.add(http::HeaderName::SetCookie, hash_key_.set_cookie);
  }
}

bool RouterFilter::findCluster() {
  const auto target = context().route()->chooseCluster(services_.loop.random());
  context().info().cluster = target.cluster;
  if (!target.subset.empty()) subset_ = &target.subset;
  cluster_ = services_.clusters.find(target.cluster);
  if (cluster_ == nullptr) fail(http::Failure::ClusterNotFound);
  return cluster_ != nullptr;
}

void RouterFilter::prepareHead(http::RequestHead& head) {
  const route::CompiledRoute& route = *context().route();
  // Edits first, as Envoy: their formats see what the client asked for.
  if (route.editsRequest()) route.editRequest(head, editScope(nullptr));
  route.rewrite(head, context().arena());
  if (route.idleTimeout().has_value()) {
    context().setStreamIdleTimeout(*route.idleTimeout(), http::Failure::RouteIdleTimeout);
  }
  limitStream();
  head.raw_tunnel = asks_tunnel_ && head.upgrade.empty() && route.forward()->terminates_connect;
  rules_ = route.retries();
  if (head.headers.mayHaveOfProxies()) readRetryHeaders(head);
  tells_host_ = route.forward()->tells_attempts_to_host ||
                (rules_ != nullptr && rules_->policy().tell_next_hop);
  notes_answer_ = retries() || route.forward()->tells_attempts_to_client;
}

void RouterFilter::limitStream() {
  const bool by_client = context().route()->forward()->grpc_timeout_header_max.has_value();
  const auto limit =
      context().route()->streamLimit(by_client ? http::grpcTimeout(*head_) : std::nullopt);
  if (limit.has_value()) context().setMaxStreamDuration(limit->duration, limit->of_client);
}

upstream::PickResult RouterFilter::pickPreferring(Attempt& attempt,
                                                  const upstream::HostPreference& preferred) {
  return cluster_->pick(tried_, &attempt, hash_key_.hash, &preferred, priority(), subset_);
}

// The host that the request names, if it may go there, or else that of its session.
upstream::PickResult RouterFilter::pick(Attempt& attempt) {
  const http::SessionBinding* const session = context().info().session;
  const std::string& override_header = cluster_->spec().override_header;
  if (!override_header.empty()) {
    const http::HeaderField* const named = head_->headers.find(std::string_view(override_header));
    if (named != nullptr) {
      upstream::PickResult picked = pickNamed(attempt, named->value);
      if (picked.kind == upstream::Pick::Kind::Host) return picked;
    }
  }
  if (session == nullptr) {
    return cluster_->pick(tried_, &attempt, hash_key_.hash, nullptr, priority(), subset_);
  }
  upstream::PickResult picked = pickPreferring(attempt, {session->host, session->strict});
  if (picked.kind != upstream::Pick::Kind::Later) countSession(*session, picked.preferred);
  return picked;
}

// In a cluster whose configuration lets clients choose hosts.
upstream::PickResult RouterFilter::pickNamed(Attempt& attempt, std::string_view address) {
  upstream::PickResult picked = pickPreferring(attempt, {.address = address, .try_only = true});
  if (!std::exchange(override_counted_, true)) {
    upstream::ClusterMetrics& metrics = cluster_->metrics();
    (picked.preferred ? metrics.override_host_selected : metrics.override_host_fallback).add();
  }
  return picked;
}

upstream::Priority RouterFilter::priority() {
  return context().route()->forward()->high_priority ? upstream::Priority::High
                                                     : upstream::Priority::Default;
}

void RouterFilter::countSession(const http::SessionBinding& session, bool kept) {
  if (std::exchange(session_counted_, true)) return;
  upstream::ClusterMetrics& metrics = cluster_->metrics();
  switch (session.found) {
    case http::SessionBinding::Found::Nothing:
      return metrics.sticky_miss.add();
    case http::SessionBinding::Found::Host:
      return (kept ? metrics.sticky_hit : metrics.sticky_repicked).add();
    case http::SessionBinding::Found::Expired:
      return metrics.sticky_expired.add();
    case http::SessionBinding::Found::Tampered:
      return metrics.sticky_tampered.add();
  }
}

void RouterFilter::chooseHost(Attempt& attempt) {
  latest_ = &attempt;
  attempt.state = Attempt::State::Choosing;
  upstream::PickResult picked = pick(attempt);
  switch (picked.kind) {
    case upstream::Pick::Kind::Later:
      awaited_ = cluster_->shared_from_this();
      return;
    case upstream::Pick::Kind::None:
      return onAttemptFailed(attempt,
                             {.failure = picked.overflow ? http::Failure::UpstreamOverflow
                                                         : http::Failure::NoHealthyUpstream},
                             false);
    case upstream::Pick::Kind::Host:
      break;
  }
  attempt.state = Attempt::State::Waiting;
  attempt.panic = picked.panic;
  attempt.host = picked.lease.ref();
  attempt.probe = picked.lease.probe();
  tried_.push_back(&attempt.host.host());
  http::StreamInfo& info = context().info();
  if (info.upstream_attempts < UINT8_MAX) ++info.upstream_attempts;
  info.upstream_host = attempt.host.host().addressText();
  const auto age = repeated_ ? upstream::ConnectionAge::New : upstream::ConnectionAge::Any;
  upstream::PendingStream* pending =
      cluster_->newStream(std::move(picked.lease), attempt, attempt, age);
  // Null if the answer has come already, which may have begun the next attempt.
  if (pending != nullptr) attempt.pending = pending;
}

void RouterFilter::onStreamReady(Attempt& attempt) {
  http::RequestSender& sender = *attempt.sender;
  attempt.sent_at = services_.loop.now();
  attempt.state = Attempt::State::Sending;
  if (head_->raw_tunnel && cluster_->spec().protocol != upstream::UpstreamProtocol::Http1) {
    endAttempt(attempt);  // it says nothing of the host, and others are no better
    return fail(http::Failure::UpstreamNoUpgrade);
  }
  if (!head_->upgrade.empty() && !attempt.connection->takesUpgrades()) {
    return onAttemptFailed(attempt, {.failure = http::Failure::UpstreamNoUpgrade}, false);
  }
  cluster_->noteOutcome(attempt.host, upstream::Outcome::connected());
  if (tells_host_) tellHost();
  const bool head_only = !body_seen_ && trailers_ == nullptr;
  sender.sendHead(*head_, /*end_of_stream=*/request_ended_ && head_only);
  for (uint32_t i = 0; i < client_slow_ && attempt.sender == &sender; ++i) sender.pauseReceiving();
  if (!head_only && attempt.sender == &sender) replay(attempt);
  if (attempt.sender != &sender) return;  // it is over already
  if (head_->raw_tunnel) return openOwnTunnel(attempt);
  if (request_ended_ && retries()) startPerTry(attempt);
  if (asks_tunnel_) return;
  if (std::exchange(holds_client_, false)) context().resumeRequestBody();
  if (std::exchange(resumes_later_, false)) context().continueRequest();
}

void RouterFilter::onStreamFailed(Attempt& attempt, http::Failure failure) {
  if (failure == http::Failure::UpstreamTransportFailure) {
    context().info().upstream_transport_failure = attempt.host.pool()->transportFailure();
  }
  noteUnreached(attempt, failure);
  onAttemptFailed(attempt, {.failure = failure}, false);
}

http::FilterVerdict RouterFilter::onRequestBody(std::string_view& bytes, bool end_of_stream) {
  if (state_ == State::Done) return http::FilterVerdict::Continue;
  body_seen_ = true;
  if (keeps_body_) {
    keep(bytes);
  } else {
    body_lost_ = true;
  }
  request_ended_ = end_of_stream;
  passOn(bytes, end_of_stream);
  if (end_of_stream) onRequestComplete();
  if (end_of_stream && response_ended_ && state_ != State::Done) finishUpstream();
  return http::FilterVerdict::Continue;
}

absl::InlinedVector<http::RequestSender*, 4> RouterFilter::senders() const {
  absl::InlinedVector<http::RequestSender*, 4> senders;
  for (const Attempt& a : attempts_) {
    if (a.exchanges()) senders.push_back(a.sender);
  }
  return senders;
}

void RouterFilter::passOn(std::string_view bytes, bool end_of_stream) {
  if (attempts_.single()) {
    http::RequestSender* const sender = attempts_.first().sender;
    if (sender != nullptr) sender->sendBody(bytes, end_of_stream);
    return;
  }
  // An attempt that is begun from inside has the bytes already.
  for (http::RequestSender* sender : senders()) sender->sendBody(bytes, end_of_stream);
}

net::SpliceResult RouterFilter::spliceRequestBody(net::Connection& from, uint64_t most) {
  // What is kept, and what goes to more than one host, is copied.
  http::RequestSender* const sender = attempts_.first().sender;
  if (state_ == State::Done || keeps_body_ || !attempts_.single() || sender == nullptr) return {};
  const net::SpliceResult result = sender->sendBodyOf(from, most);
  if (result.bytes > 0) body_seen_ = body_lost_ = true;
  return result;
}

uint64_t RouterFilter::takenOfRequest() {
  uint64_t bytes = 0;
  for (http::RequestSender* sender : senders()) bytes += sender->taken();
  return bytes;
}

http::FilterVerdict RouterFilter::onRequestTrailers(http::HeaderList& trailers) {
  if (state_ == State::Done) return http::FilterVerdict::Continue;
  trailers_ = &trailers;
  request_ended_ = true;
  for (http::RequestSender* sender : senders()) sender->sendTrailers(trailers);
  onRequestComplete();
  return http::FilterVerdict::Continue;
}

// Envoy's route time-out runs from the request's end to the response's.
void RouterFilter::onRequestComplete() {
  if (state_ == State::Done || asks_tunnel_) return;
  if (timeout_by_header_.count() < 0) {
    const event::Duration timeout = context().route()->timeout();
    if (timeout.count() > 0) response_deadline_.arm(services_.loop.deadlineQueue(timeout));
  } else if (timeout_by_header_.count() > 0) {
    // Queues are for the few durations that configuration has.
    services_.loop.deadlines().armAt(response_deadline_, services_.loop.now() + timeout_by_header_);
  }
  if (!body_seen_ || !retries()) return;
  for (Attempt& a : attempts_) {
    if (a.state == Attempt::State::Sending) startPerTry(a);
  }
}

void RouterFilter::startTimers() {
  const event::Duration timeout = context().route()->firstByteTimeout();
  if (timeout.count() > 0 && state_ < State::Receiving) {
    first_byte_deadline_.arm(services_.loop.deadlineQueue(timeout));
  }
}

// --- the response ---

void RouterFilter::onAnswerHead(Attempt& attempt, http::ResponseHead& head, bool end_of_stream) {
  if (refusesTunnel(head)) return fail(http::Failure::UpstreamProtocolError);
  if (cluster_->watchesHeads()) noteHead(attempt, head, end_of_stream);
  if (plan_ != nullptr || (rules_ != nullptr && head.status >= rules_->leastStatus())) {
    if (retryAfterResponse(attempt, head, end_of_stream)) return;
  }
  accept(attempt, head, end_of_stream);
}

void RouterFilter::accept(Attempt& attempt, http::ResponseHead& head, bool end_of_stream) {
  transition(State::Receiving);
  winner_ = &attempt;
  attempt.state = Attempt::State::Answering;
  first_byte_deadline_.cancel();
  status_ = head.status;
  context().info().response_started = services_.loop.now();
  if (notes_answer_ || context().info().upstream_attempts > 1) noteAnswer(attempt, head);
  if (head.headers.mayHave(http::HeaderName::KeepAlive)) noteKeepAlive(attempt, head);
  editResponse(head);
  const bool opens = http::opensTunnel(*head_, head.status);
  if (opens) openTunnel();
  if (end_of_stream) finishUpstream();
  context().sendResponseHead(head, end_of_stream);
  if (opens && std::exchange(resumes_later_, false)) context().continueRequest();
}

// CONNECT that ends here: the connection to the host is the tunnel.
void RouterFilter::openOwnTunnel(Attempt& attempt) {
  http::ResponseHead head;
  head.status = 200;
  head.body = {http::BodyLength::Kind::Unknown, 0};
  accept(attempt, head, /*end_of_stream=*/false);
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
  if (idle.has_value()) {
    context().setStreamIdleTimeout(*idle, http::Failure::TunnelIdleTimeout);
  }
}

void RouterFilter::onAnswerBody(Attempt& attempt, std::string_view bytes, bool end_of_stream) {
  if (&attempt != winner_) {
    if (!end_of_stream) return;
    attempt.sender = nullptr;
    return endAttempt(attempt);
  }
  if (watchesTries(attempt)) startPerTryIdle(attempt);
  if (end_of_stream) finishUpstream();
  context().sendResponseBody(bytes, end_of_stream);
}

net::SpliceResult RouterFilter::spliceAnswerBody(Attempt& attempt, net::Connection& from,
                                                 uint64_t most) {
  if (&attempt != winner_) return {};
  const net::SpliceResult result = context().spliceResponseBody(from, most);
  if (result.bytes > 0 && watchesTries(attempt)) startPerTryIdle(attempt);
  return result;
}

void RouterFilter::onAnswerTrailers(Attempt& attempt, http::HeaderList& trailers) {
  if (&attempt != winner_) {
    attempt.sender = nullptr;
    return endAttempt(attempt);
  }
  noteTrailers(attempt, trailers);
  finishUpstream();
  context().sendResponseTrailers(trailers);
}

void RouterFilter::onAnswerReset(Attempt& attempt, http::Failure failure) {
  attempt.sender = nullptr;
  if (state_ == State::Done) return;  // the response is whole; only the request is not
  if (attempt.state == Attempt::State::Draining) return endAttempt(attempt);
  noteReset(attempt, failure);
  if (state_ == State::Receiving) return fail(http::Failure::UpstreamAbortedBody);
  onAttemptFailed(attempt,
                  {.failure = failure,
                   .head_sent = true,
                   .bytes_received = attempt.connection->bytesReceived(),
                   .may_have_crossed = attempt.connection->mayHaveCrossed()},
                  attempt.connection->streamsBefore() > 0);
}

// The response is complete. A request still being sent goes on no further: its sender is reset at
// the stream's end.
void RouterFilter::finishUpstream() {
  response_deadline_.cancel();
  if (winner_->timers != nullptr) winner_->timers->idle.cancel();
  count(*winner_, status_);
  response_ended_ = true;
  if (is_tunnel_ && !request_ended_) return;  // the client's direction goes on
  transition(State::Done);
  if (request_ended_) winner_->sender = nullptr;
}

// The last attempt of a request, once.
void RouterFilter::count(const Attempt& attempt, uint16_t status) {
  if (std::exchange(counted_, true)) return;
  cluster_->countResponse(attempt.host, status, services_.loop.now() - attempt.sent_at);
}

// --- endings ---

// Where the time that ran out was set, as far as the stream does not know it.
std::string_view RouterFilter::timerOrigin(http::Failure failure) {
  using base::Timer;
  switch (failure) {
    case http::Failure::UpstreamConnectTimeout:
      return cluster_->spec().origins.text(Timer::Connect, context().arena());
    case http::Failure::UpstreamResponseTimeout:
      if (timeout_by_header_.count() <= 0) return {};
      return limited_by_hop_ ? kExpectedTimeout : kTimeout;
    case http::Failure::UpstreamPerTryTimeout:
      if (plan().perTryIsOfRequest()) return kPerTryTimeout;
      return plan().policy().origins.text(Timer::PerTry, context().arena());
    case http::Failure::UpstreamPerTryIdleTimeout:
      return plan().policy().origins.text(Timer::PerTryIdle, context().arena());
    default:
      return {};
  }
}

void RouterFilter::fail(http::Failure failure) {
  context().info().timer_origin = timerOrigin(failure);
  const bool answered = state_ == State::Done;
  if (!answered) transition(State::Done);
  releaseUpstream(0, /*abandoned=*/false);
  if (!asked_by_hop_ || answered || winner_ != nullptr) return context().abort(failure);
  context().reply({.failure = failure,
                   .edit_head =
                       [](void* self, http::ResponseHead& head) {
                         static_cast<RouterFilter*>(self)->tellRetriesUsed(head);
                       },
                   .edit_self = this});
}

void RouterFilter::onTimeout(http::Failure failure) {
  event::Loop::TurnScope turn(services_.loop);
  if (latest_->host) cluster_->countTimeout(latest_->host);
  for (const Attempt& a : attempts_) {
    if (a.state == Attempt::State::Sending && !a.superseded) noteTimeout(a);
  }
  fail(failure);
}

void RouterFilter::onStreamEnd() {
  if (is_tunnel_) cluster_->metrics().upstream_cx_upgrades_active.sub();
  releaseUpstream(status_, /*abandoned=*/true);
}

void RouterFilter::releaseUpstream(uint16_t status_of_answer, bool abandoned) {
  response_deadline_.cancel();
  first_byte_deadline_.cancel();
  for (Attempt& a : attempts_) {
    if (a.state == Attempt::State::Sending) {
      noteResult(a, 0, abandoned);
      count(a, 0);
    }
    if (a.state == Attempt::State::Answering) count(a, status_of_answer);
    if (!a.over()) endAttempt(a);
  }
}

void RouterFilter::ClientSide::onSendQueueAboveHigh() {
  ++router_.client_slow_;
  for (Attempt& a : router_.attempts_) {
    if (a.exchanges()) a.sender->pauseReceiving();
    if (a.timers != nullptr) a.timers->idle.cancel();
  }
}

void RouterFilter::ClientSide::onSendQueueBelowLow() {
  if (router_.client_slow_ > 0) --router_.client_slow_;
  for (Attempt& a : router_.attempts_) {
    if (!a.exchanges()) continue;
    a.sender->resumeReceiving();
    if (router_.watchesTries(a)) router_.startPerTryIdle(a);
  }
}

}  // namespace convoy::filter::router
