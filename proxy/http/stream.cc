#include "proxy/http/stream.h"

#include <utility>

#include "proxy/base/strings.h"
#include "proxy/http/forwarding.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/http/hop_by_hop.h"
#include "proxy/http/local_reply.h"
#include "proxy/http/request_admission.h"
#include "proxy/http/request_prep.h"
#include "proxy/http/websocket.h"

namespace convoy::http {

namespace {

// A request body of at most this much that nobody wants is read and dropped to keep the connection
// usable.
constexpr uint64_t kDrainableBody = 64 * 1024;
// Of a body of HTTP/2, whose streams share one window, a gate holds so much before the client is
// told to wait: what comes then is withheld from the windows, and they bound what all streams hold.
constexpr size_t kHeldOfHttp2 = 1;

// The response broke off in its body before the client got its head.
constexpr uint16_t kBrokenWhileHeld = 502;

// What the trailers of a message must not have: asked before Connection goes. Only a body of
// unknown length is followed by trailers where there is a Connection (RFC 9112 7.1).
template <typename Head>
std::string_view namedForTrailersOf(const Head& head, base::Arena& arena) {
  if (head.body.kind != BodyLength::Kind::Unknown) return {};
  if (!head.headers.mayHave(HeaderName::Connection)) return {};
  return namedForTrailers(head.headers, arena);
}

}  // namespace

ServerStream::ServerStream(ManagerRuntime& runtime)
    : runtime_(runtime),
      idle_deadline_([](void* self) { static_cast<ServerStream*>(self)->onIdle(); }, this),
      request_deadline_(
          [](void* self) { static_cast<ServerStream*>(self)->onTimeout(Failure::RequestTimeout); },
          this),
      age_deadline_(
          [](void* self) {
            static_cast<ServerStream*>(self)->onTimeout(Failure::MaxStreamDuration);
          },
          this) {}

ServerStream::~ServerStream() {
  CONVOY_ASSERT(state_ == State::Free || state_ == State::Finished);
  recycle();
}

void ServerStream::transition(State to) {
  // Free -> Receiving -> [Responding ->] Finished -> Free
  CONVOY_ASSERT(
      (to == State::Receiving && state_ == State::Free) ||
      (to == State::Responding && state_ == State::Receiving) ||
      (to == State::Finished && (state_ == State::Receiving || state_ == State::Responding)) ||
      (to == State::Free && state_ != State::Receiving && state_ != State::Responding));
  state_ = to;
}

void ServerStream::start(StreamOwner& owner, ResponseSender& sender,
                         std::shared_ptr<ManagerRuntime> pin) {
  transition(State::Receiving);
  pin_ = std::move(pin);
  owner_ = &owner;
  sender_ = &sender;
  info_.started = runtime_.loop.now();
  const net::ConnectionAddresses& addresses = owner.addresses();
  info_.downstream_remote = &addresses.source();
  info_.downstream_local = &addresses.destination();
  info_.downstream_direct_remote = &addresses.remote();
  info_.downstream_direct_local = &addresses.local();
  info_.downstream_transport = owner.transport();
  runtime_.metrics.downstream_rq_total.add();
  runtime_.metrics.downstream_rq_active.add();
  idle_queue_ = runtime_.stream_idle_queue;
  idle_failure_ = Failure::StreamIdleTimeout;
  age_source_ = DurationSource::Manager;
  if (runtime_.request_queue != nullptr) request_deadline_.arm(*runtime_.request_queue);
  if (runtime_.stream_age_queue != nullptr) age_deadline_.arm(*runtime_.stream_age_queue);
  noteActivity();
}

void ServerStream::recycle() {
  transition(State::Free);
  request_path_.reset();
  response_path_.reset();
  filters_.clear();
  request_head_.clear();
  response_head_.clear();
  request_trailers_.clear();
  response_trailers_.clear();
  named_by_request_ = named_by_response_ = {};
  info_ = StreamInfo();
  route_ = nullptr;
  routes_ = {};
  flow_listener_ = nullptr;
  request_ended_ = response_ended_ = replied_locally_ = false;
  filters_hold_head_ = leaves_unread_ = expects_continue_ = false;
  above_high_ = pauses_ = 0;
  tunnel_ = Tunnel::None;
  arena_.reset();
  pin_.reset();
}

// --- the request ---

void ServerStream::onRequestHead(RequestHead& head, bool end_of_stream) {
  request_head_ = std::move(head);
  request_head_.copyInto(arena_);
  named_by_request_ = namedForTrailersOf(request_head_, arena_);
  prepareRequest(request_head_, runtime_, arena_, info_);
  // Answered here, as Envoy does, so the upstream is not asked.
  expects_continue_ = std::exchange(request_head_.expects_continue, false) && !end_of_stream;
  const auto refusal = admit();
  if (refusal.has_value()) {
    if (end_of_stream) noteRequestEnd();
    return reply(*refusal, filters_.size());
  }
  matchRoute();
  if (asksForTunnel(request_head_) && !admitTunnel()) return refuseTunnel(end_of_stream);
  buildFilters();
  if (end_of_stream) noteRequestEnd();
  request_path_->head(0, request_head_, end_of_stream);
  // RFC 9110 10.1.1: asked for the body unless the answer is already known.
  if (expects_continue_ && state_ == State::Receiving && !replied_locally_) {
    ResponseHead proceed;
    proceed.status = 100;
    sender_->sendInformational(proceed);
    expects_continue_ = false;
  }
}

std::optional<LocalReply> ServerStream::admit() {
  auto refusal = admitRequest(request_head_, *runtime_.spec, info_, arena_, runtime_.metrics);
  if (refusal.has_value()) return refusal;
  // Of the authority that is routed, which configuration may have made of the client's.
  const GuardedNames* const guarded = runtime_.guarded_names.get();
  if (guarded != nullptr && info_.downstream_transport != nullptr &&
      guarded->refuses(request_head_, owner_->addresses(), *info_.downstream_transport)) {
    return LocalReply{.failure = Failure::Misdirected};
  }
  return std::nullopt;
}

// As Envoy: what the route says of this protocol, else what the connection manager says; the
// request's own time-out has nothing to wait for. An upgrade behind a body (RFC 9110 7.8 knows it,
// hardly anybody does it) is refused: the bytes behind the head would be of two kinds.
bool ServerStream::admitTunnel() {
  const std::string_view protocol =
      request_head_.upgrade.empty() ? request_head_.method : request_head_.upgrade;
  if (request_head_.body.kind != BodyLength::Kind::None) return false;
  bool allowed = false;
  for (const route::Upgrade& upgrade : runtime_.spec->upgrades) {
    if (base::equalsIgnoreCase(upgrade.protocol, protocol)) allowed = upgrade.enabled;
  }
  if (route_ != nullptr) allowed = routes_->allowsTunnel(*route_, protocol).value_or(allowed);
  if (!allowed) return false;
  tunnel_ = Tunnel::Asked;
  request_deadline_.cancel();
  expects_continue_ = false;
  // HTTP/2 has no key; an upstream of HTTP/1.1 wants one. The router checks the answer to it.
  if (request_head_.protocol == Protocol::Http2 && isWebSocket(protocol) &&
      request_head_.headers.find(kWebSocketKey) == nullptr) {
    request_head_.headers.add("Sec-WebSocket-Key",
                              makeWebSocketKey(runtime_.loop.random(), arena_));
  }
  return true;
}

// A client of HTTP/1.1 may have sent bytes of the tunnel already: they are not requests, so nothing
// more is read.
void ServerStream::refuseTunnel(bool end_of_stream) {
  if (end_of_stream) noteRequestEnd();
  leaveRequestUnread();
  fail(Failure::UnsupportedUpgrade);
}

void ServerStream::settleTunnel(uint16_t status) {
  if (!opensTunnel(request_head_, status)) {
    tunnel_ = Tunnel::None;
    return;
  }
  tunnel_ = Tunnel::Open;
  runtime_.metrics.downstream_cx_upgrades_total.add();
  runtime_.metrics.downstream_cx_upgrades_active.add();
}

void ServerStream::matchRoute() {
  routes_ = runtime_.routes();
  if (routes_) route_ = routes_->match(request_head_, runtime_.loop.random());
  if (route_ == nullptr) runtime_.metrics.no_route.add();
}

void ServerStream::buildFilters() {
  HoldLimits limits{.paused = runtime_.send_queue, .collected = runtime_.buffer_limit};
  response_path_.emplace(*this, limits);
  if (request_head_.protocol == Protocol::Http2) limits.paused = kHeldOfHttp2;
  request_path_.emplace(*this, limits);
  for (const auto& factory : runtime_.filters) {
    Filter* filter = factory->create(arena_);
    filter->attach(*arena_.make<Context>(*this, filters_.size()));
    filters_.push_back(filter);
    request_path_->add(*filter);
  }
  for (size_t i = filters_.size(); i > 0; --i) response_path_->add(*filters_[i - 1]);
}

void ServerStream::onRequestBody(std::string_view bytes, bool end_of_stream) {
  info_.bytes_received += bytes.size();
  noteActivity();
  if (end_of_stream) noteRequestEnd();
  if (!replied_locally_) request_path_->body(0, bytes, end_of_stream);
  if (response_ended_ && request_ended_ && state_ != State::Finished) finish(StreamEnd::Clean);
}

void ServerStream::onRequestTrailers(HeaderList& trailers) {
  request_trailers_ = trailers;
  request_trailers_.copyInto(arena_);
  noteRequestEnd();
  if (!named_by_request_.empty()) removeNamed(named_by_request_, request_trailers_);
  const auto refusal = admitTrailers(request_trailers_, *runtime_.spec, runtime_.metrics);
  if (refusal.has_value() && !replied_locally_ && !response_ended_) {
    info_.details = refusal->details;
    return abort(refusal->failure);
  }
  if (!replied_locally_) request_path_->trailers(0, request_trailers_);
  if (response_ended_ && state_ != State::Finished) finish(StreamEnd::Clean);
}

net::SpliceResult ServerStream::spliceRequestBody(net::Connection& from, uint64_t most) {
  if (replied_locally_ || !request_path_ || filters_.empty()) return {};
  if (!request_path_->clear(0, filters_.size())) return {};
  const net::SpliceResult result = filters_.back()->spliceRequestBody(from, most);
  if (result.bytes > 0) {
    info_.bytes_received += result.bytes;
    noteActivity();
  }
  return result;
}

void ServerStream::noteRequestEnd() {
  request_ended_ = true;
  info_.request_received = runtime_.loop.now();
  request_deadline_.cancel();
}

void ServerStream::noteActivity() {
  taken_when_idle_ = 0;
  if (idle_queue_ != nullptr) idle_deadline_.arm(*idle_queue_);
}

// Nothing new comes while one side waits for the other to take what it was sent. Who takes it
// slowly is not idle: that shows, from one firing of the deadline to the next, in how much it took.
bool ServerStream::movesUnseen() {
  if (above_high_ == 0 && pauses_ == 0) return false;
  uint64_t taken = sender_->taken();
  if (!filters_.empty()) taken += filters_.back()->takenOfRequest();
  return taken != std::exchange(taken_when_idle_, taken);
}

void ServerStream::onIdle() {
  movesUnseen() ? idle_deadline_.arm(*idle_queue_) : onTimeout(idle_failure_);
}

void ServerStream::onRequestReset(Failure failure) {
  if (state_ == State::Finished) return;
  // The answer is complete, and on its way.
  if (response_ended_) return finish(StreamEnd::RequestUnread);
  info_.failure = failure;
  runtime_.metrics.downstream_rq_rx_reset.add();
  finish(StreamEnd::Aborted);
}

void ServerStream::pauseRequestBody() {
  if (state_ == State::Finished || replied_locally_) return;
  ++pauses_;
  // Behind the end it counts for what was read, not for what is to be read.
  if (!request_ended_) runtime_.metrics.downstream_flow_control_paused_reading_total.add();
  sender_->pauseReceiving();
}

void ServerStream::resumeRequestBody() {
  if (pauses_ == 0) return;
  --pauses_;
  sender_->resumeReceiving();
}

// Nobody looks at the body any more, so nobody would resume it.
void ServerStream::dropRestOfRequest() {
  replied_locally_ = true;
  if (request_path_) request_path_->stop();
  while (pauses_ > 0) resumeRequestBody();
}

bool ServerStream::restIsDrainable() const {
  const BodyLength& body = request_head_.body;
  return body.kind == BodyLength::Kind::Known &&
         body.bytes - info_.bytes_received <= kDrainableBody && !expects_continue_;
}

void ServerStream::leaveRequestUnread() {
  leaves_unread_ = true;
  sender_->leaveRequestUnread();
}

// --- the response ---

void ServerStream::sendInformational(ResponseHead& head) {
  if (state_ != State::Receiving || replied_locally_) return;
  removeHopByHop(head.headers);
  sender_->sendInformational(head);
}

void ServerStream::sendResponseHead(ResponseHead& head, bool end_of_stream, size_t from) {
  // A reply of our own came before it.
  if (state_ != State::Receiving || replied_locally_) return;
  // Views are copied only for those who need them beyond this call: a filter that may hold the
  // head, the log.
  if (from >= filters_.size() && !runtime_.log_needs_response_head) {
    return onPathHead(head, end_of_stream);
  }
  response_head_ = head;
  response_head_.copyInto(arena_);
  filters_hold_head_ = true;
  response_path_->head(from, response_head_, end_of_stream);
}

void ServerStream::sendResponseBody(std::string_view bytes, bool end_of_stream, size_t from) {
  if (!replied_locally_ && !response_ended_) response_path_->body(from, bytes, end_of_stream);
}

net::SpliceResult ServerStream::spliceResponseBody(net::Connection& from, uint64_t most,
                                                   size_t path_from) {
  if (state_ != State::Responding || replied_locally_ || response_ended_) return {};
  if (!response_path_->clear(path_from, filters_.size())) return {};
  const net::SpliceResult result = sender_->sendBodyOf(from, most);
  if (result.bytes > 0) {
    info_.bytes_sent += result.bytes;
    noteActivity();
  }
  return result;
}

void ServerStream::sendResponseTrailers(HeaderList& trailers, size_t from) {
  if (replied_locally_ || response_ended_) return;
  response_trailers_ = trailers;
  response_trailers_.copyInto(arena_);
  response_path_->trailers(from, response_trailers_);
}

void ServerStream::onPathHead(ResponseHead& head, bool end_of_stream) {
  named_by_response_ = namedForTrailersOf(head, arena_);
  prepareResponse(head, runtime_, info_);
  info_.status = head.status;
  if (tunnel_ == Tunnel::Asked) settleTunnel(head.status);
  transition(State::Responding);
  noteActivity();
  if (end_of_stream) noteGrpcStatus(head.headers);
  sender_->sendHead(head, end_of_stream);
  if (end_of_stream) noteResponseEnd();
}

void ServerStream::onPathBody(ResponseDirection, std::string_view bytes, bool end_of_stream) {
  if (state_ != State::Responding) return;
  info_.bytes_sent += bytes.size();
  noteActivity();
  sender_->sendBody(bytes, end_of_stream);
  if (end_of_stream) noteResponseEnd();
}

void ServerStream::onPathTrailers(ResponseDirection, HeaderList& trailers) {
  if (state_ != State::Responding) return;
  if (!named_by_response_.empty()) removeNamed(named_by_response_, trailers);
  noteGrpcStatus(trailers);
  sender_->sendTrailers(trailers);
  noteResponseEnd();
}

void ServerStream::noteGrpcStatus(const HeaderList& fields) {
  if (!isGrpc(request_head_)) return;
  if (const auto status = grpcStatus(fields); status.has_value()) info_.grpc_status = *status;
}

void ServerStream::noteResponseEnd() {
  response_ended_ = true;
  if (request_ended_) return finish(StreamEnd::Clean);
  if (tunnel_ == Tunnel::Open) return;  // the client's direction goes on
  // Nobody wants the rest of the request. Little of it is read and dropped; more ends the stream,
  // and an HTTP/1.x connection with it.
  if (!leaves_unread_ && restIsDrainable()) return dropRestOfRequest();
  runtime_.metrics.downstream_rq_body_unread.add();
  giveUpRequest();
}

void ServerStream::giveUpRequest() {
  ResponseSender* sender = sender_;
  finish(StreamEnd::RequestUnread);
  sender->reset(Failure::None);
}

void ServerStream::setFlowListener(FlowListener* listener) {
  flow_listener_ = listener;
  if (listener == nullptr) return;
  for (uint16_t i = 0; i < above_high_; ++i) listener->onSendQueueAboveHigh();
}

void ServerStream::onSendQueueAboveHigh() {
  ++above_high_;
  if (flow_listener_ != nullptr) flow_listener_->onSendQueueAboveHigh();
}

void ServerStream::onSendQueueBelowLow() {
  if (above_high_ > 0) --above_high_;
  noteActivity();
  if (flow_listener_ != nullptr) flow_listener_->onSendQueueBelowLow();
}

// --- endings ---

void ServerStream::refuse(Failure failure, std::string_view method) {
  request_head_.method = arena_.copy(method);
  request_ended_ = true;
  fail(failure);
}

void ServerStream::fail(Failure failure) {
  reply({.failure = failure}, filters_.size());
}

void ServerStream::reply(const LocalReply& local, size_t from) {
  if (state_ == State::Responding) return abort(local.failure);
  if (state_ != State::Receiving || replied_locally_) return;
  // Nobody is at the other end of the tunnel.
  const bool misleads =
      asksForTunnel(request_head_) && looksLikeTunnel(request_head_, local.status);
  if (misleads) return reply({.failure = Failure::UnsupportedUpgrade}, filters_.size());
  if (!local.details.empty()) info_.details = local.details;
  noteFailure(local.failure);
  dropRestOfRequest();
  const bool more_comes = !request_ended_ && request_head_.body.kind != BodyLength::Kind::None;
  if (more_comes && !restIsDrainable()) leaveRequestUnread();
  // Another head waits at a filter; this one goes in its place.
  if (filters_hold_head_) from = filters_.size();
  if (response_path_ && from >= filters_.size()) response_path_->stop();
  const std::string_view body =
      buildLocalReply(local, request_head_, info_.timer_origin, arena_, response_head_);
  if (local.edit_head != nullptr) local.edit_head(local.edit_self, response_head_);
  const bool bodiless = body.empty() || base::equals(request_head_.method, "HEAD");
  if (from >= filters_.size()) {
    onPathHead(response_head_, bodiless);
    if (!bodiless) onPathBody(ResponseDirection{}, body, true);
    return;
  }
  response_path_->head(from, response_head_, bodiless);
  if (!bodiless && state_ != State::Finished) response_path_->body(from, body, true);
}

void ServerStream::abort(Failure failure) {
  if (state_ == State::Finished) return;
  if (response_ended_) return giveUpRequest();
  if (state_ == State::Receiving && !replied_locally_) {
    // The failures that have no status come after the head; a filter holds it.
    const uint16_t status = http::info(failure).status == 0 ? kBrokenWhileHeld : 0;
    return reply({.failure = failure, .status = status}, filters_.size());
  }
  noteFailure(failure);
  ResponseSender* sender = sender_;
  finish(StreamEnd::Aborted);
  sender->reset(failure);
}

void ServerStream::noteFailure(Failure failure) {
  info_.failure = failure;
  if (info_.timer_origin.empty()) {
    const base::TimerOrigins* const of_route =
        route_ == nullptr ? nullptr : routes_->timerOrigins(*route_);
    info_.timer_origin =
        timerOrigin(failure, runtime_.spec->origins, of_route, age_source_, arena_);
  }
  if (info_.timer_origin.empty()) return;
  info_.details = detailsOfTimer(failure, info_.timer_origin, arena_);
}

void ServerStream::onTimeout(Failure failure) {
  event::Loop::TurnScope turn(runtime_.loop);
  ManagerMetrics& m = runtime_.metrics;
  if (failure == Failure::RequestTimeout) m.downstream_rq_timeout.add();
  const bool idle = failure == idle_failure_;
  if (idle) m.downstream_rq_idle_timeout.add();
  if (failure == Failure::MaxStreamDuration) m.downstream_rq_max_duration_reached.add();
  if (!request_ended_) leaveRequestUnread();
  // As Envoy: behind a whole request it is the upstream that says nothing.
  if (idle && request_ended_ && state_ == State::Receiving && !replied_locally_) {
    return reply({.failure = failure, .status = 504}, filters_.size());
  }
  abort(failure);
}

// The one exit. Filters first (they may still read info), then the log, then the owner.
void ServerStream::finish(StreamEnd end) {
  transition(State::Finished);
  pauses_ = 0;  // they end with the codec's stream, which may be gone
  info_.ended = runtime_.loop.now();
  idle_deadline_.cancel();
  request_deadline_.cancel();
  age_deadline_.cancel();
  if (request_path_) request_path_->stop();
  if (response_path_) response_path_->stop();
  flow_listener_ = nullptr;
  if (tunnel_ == Tunnel::Open) runtime_.metrics.downstream_cx_upgrades_active.sub();
  for (Filter* filter : filters_) filter->onStreamEnd();
  countResponse();
  for (const auto& logger : runtime_.access_logs) logger->log(request_head_, response_head_, info_);
  owner_->onStreamFinished(*this, end);
}

void ServerStream::countResponse() {
  ManagerMetrics& m = runtime_.metrics;
  m.downstream_rq_active.sub();
  m.downstream_rq_completed.add();
  if (info_.status >= 100 && info_.status < 600)
    m.downstream_rq_class[info_.status / 100 - 1].add();
  if (info_.failure != Failure::None) m.failures[static_cast<size_t>(info_.failure)].add();
  if (info_.retries_exhausted) m.retries_exhausted.add();
  const auto spent =
      std::chrono::duration_cast<std::chrono::microseconds>(info_.ended - info_.started);
  m.downstream_rq_time.record(static_cast<uint64_t>(spent.count()));
}

bool ServerStream::Context::fromInside(Origin origin) const {
  const ConnectionManagerSpec& spec = *stream_.runtime_.spec;
  const net::Address& peer = *stream_.info_.downstream_remote;
  return origin == Origin::Hop ? isInternalAddress(peer, spec) : isInternal(stream_.info_, spec);
}

void ServerStream::Context::setStreamIdleTimeout(event::Duration timeout, Failure failure) {
  stream_.idle_deadline_.cancel();
  stream_.idle_failure_ = failure;
  stream_.idle_queue_ =
      timeout.count() > 0 ? &stream_.runtime_.loop.deadlineQueue(timeout) : nullptr;
  stream_.noteActivity();
}

// A client's value gets a deadline of its own: queues are for the few that configuration has.
void ServerStream::Context::setMaxStreamDuration(std::optional<event::Duration> duration,
                                                 bool of_client) {
  event::Deadline& deadline = stream_.age_deadline_;
  event::Loop& loop = stream_.runtime_.loop;
  stream_.age_source_ = of_client ? DurationSource::Client : DurationSource::Route;
  if (!duration.has_value()) {
    deadline.cancel();
  } else if (of_client) {
    loop.deadlines().armAt(deadline, stream_.info_.started + *duration);
  } else {
    deadline.arm(loop.deadlineQueue(*duration));
  }
}

}  // namespace convoy::http
