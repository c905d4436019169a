#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "proxy/filter/router/router_filter.h"
#include "proxy/grpc/status.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/route/retry_on.h"

namespace convoy::filter::router {

namespace {

using http::Failure;

// Of a request that hosts refuse to look at, where no policy says more.
constexpr uint32_t kMostAttempts = 3;
// What is kept of a body if the listener has no limit.
constexpr size_t kMostKept = size_t{1} << 20;
// An answer that nobody wants is read up to here to keep the connection.
constexpr uint64_t kDrainableAnswer = 64 * 1024;
constexpr size_t kBlocks = 8;  // of a kept body, usually

std::string_view decimalText(uint64_t value, base::Arena& arena) {
  constexpr size_t kMost = 20;
  char* const text = arena.allocate(kMost);
  const char* const end = std::to_chars(text, text + kMost, value).ptr;
  return {text, static_cast<size_t>(end - text)};
}

}  // namespace

// --- what the request says ---

RetryPlan& RouterFilter::plan() {
  if (plan_ == nullptr) {
    plan_ = context().arena().make<RetryPlan>(rules_, RetryOverrides{}, *head_);
  }
  return *plan_;
}

void RouterFilter::readRetryHeaders(http::RequestHead& head) {
  using Origin = http::FilterContext::Origin;
  const auto overrides = takeRetryHeaders(
      head,
      [](void* self, bool of_hop) {
        const auto origin = of_hop ? Origin::Hop : Origin::Client;
        return static_cast<RouterFilter*>(self)->context().fromInside(origin);
      },
      this);
  if (!overrides.has_value()) return;
  plan_ = context().arena().make<RetryPlan>(rules_, *overrides, head);
  asked_by_hop_ = overrides->retries_left.has_value();
  if (overrides->timeout.has_value()) timeout_by_header_ = *overrides->timeout;
  // 0 would be no time-out at all.
  if (spec_.respect_expected_rq_timeout &&
      overrides->expected.value_or(event::Duration()).count() > 0) {
    const event::Duration most =
        timeout_by_header_.count() < 0 ? context().route()->timeout() : timeout_by_header_;
    limited_by_hop_ = most.count() <= 0 || *overrides->expected < most;
    if (limited_by_hop_) timeout_by_header_ = *overrides->expected;
  }
}

// --- keeping the body, and sending it again ---

void RouterFilter::prepareToKeep() {
  if (asks_tunnel_) return;
  if (!plan().needsBody(cluster_->spec().protocol != upstream::UpstreamProtocol::Http1)) return;
  keeps_body_ = true;
  kept_ = context().arena().make<net::ByteQueue>();
}

void RouterFilter::keep(std::string_view bytes) {
  kept_->append(bytes);
  // What nobody has been sent yet must stay; the client has been told to wait.
  if (latest_->state == Attempt::State::Sending) dropIfTooMuch();
}

void RouterFilter::dropIfTooMuch() {
  const size_t listener = context().bufferLimit();
  const size_t of_route =
      context().route()->forward()->retry_buffer_bytes.value_or(static_cast<uint32_t>(kMostKept));
  const size_t limit = listener == 0 ? of_route : std::min(listener, of_route);
  if (kept_->size() <= limit) return;
  cluster_->metrics().retry_or_shadow_abandoned.add();
  forgetBody();
}

void RouterFilter::forgetBody() {
  keeps_body_ = false;
  body_lost_ = body_seen_;
  kept_->clear();
}

void RouterFilter::replay(Attempt& attempt) {
  http::RequestSender& sender = *attempt.sender;
  const bool ends = request_ended_ && trailers_ == nullptr;
  absl::InlinedVector<iovec, kBlocks> blocks;
  if (kept_ != nullptr) {
    blocks.resize(kept_->size() / net::ByteQueue::kBlockBytes + 2);
    blocks.resize(static_cast<size_t>(kept_->peek(blocks.data(), static_cast<int>(blocks.size()))));
  }
  for (size_t i = 0; i < blocks.size() && attempt.sender == &sender; ++i) {
    sender.sendBody({static_cast<const char*>(blocks[i].iov_base), blocks[i].iov_len},
                    ends && i + 1 == blocks.size());
  }
  if (attempt.sender == &sender && ends && blocks.empty()) sender.sendBody({}, true);
  if (attempt.sender == &sender && trailers_ != nullptr) sender.sendTrailers(*trailers_);
  if (attempt.sender == &sender && keeps_body_) dropIfTooMuch();
}

// --- what hosts and clients are told ---

void RouterFilter::tellHost() {
  base::Arena& arena = context().arena();
  if (context().route()->forward()->tells_attempts_to_host) {
    head_->headers.set(kAttemptCount, decimalText(context().info().upstream_attempts, arena));
  }
  if (rules_ == nullptr || !rules_->policy().tell_next_hop) return;
  head_->headers.set(kRetriesLeft, decimalText(plan().left(), arena));
  tellTime();
}

void RouterFilter::tellTime() {
  using std::chrono::milliseconds;
  event::Duration left =
      timeout_by_header_.count() < 0 ? context().route()->timeout() : timeout_by_header_;
  if (left.count() > 0 && request_ended_) {
    left -= services_.loop.now() - context().info().request_received;
    left = std::max<event::Duration>(left, milliseconds(1));
  }
  const event::Duration per_try = plan().perTryTimeout();
  if (per_try.count() > 0 && (left.count() == 0 || per_try < left)) left = per_try;
  if (left.count() == 0) return;
  base::Arena& arena = context().arena();
  const auto told = std::chrono::duration_cast<milliseconds>(left);
  head_->headers.set(kExpectedTimeout, decimalText(static_cast<uint64_t>(told.count()), arena));
  const auto by_client = http::grpcTimeout(*head_);
  if (by_client.has_value() && left < *by_client) {
    head_->headers.set("grpc-timeout", arena.copy(grpc::timeoutText(told)));
  }
}

void RouterFilter::tellRetriesUsed(http::ResponseHead& head) {
  const uint32_t ours = plan_ == nullptr ? 0 : plan_->made();
  head.headers.set(kRetriesUsed, decimalText(ours + used_behind_, context().arena()));
}

// --- the time of one attempt ---

Attempt::Timers& RouterFilter::timersOf(Attempt& attempt) {
  if (attempt.timers == nullptr) {
    attempt.timers = context().arena().make<Attempt::Timers>(attempt);
  }
  return *attempt.timers;
}

// Envoy's per-try time-outs run from the moment when the whole request is here and has a stream.
void RouterFilter::startPerTry(Attempt& attempt) {
  const event::Duration whole =
      plan_ == nullptr ? rules_->policy().per_try_timeout : plan_->perTryTimeout();
  startPerTryIdle(attempt);
  if (whole.count() == 0 || attempt.state != Attempt::State::Sending) return;
  event::Deadline& deadline = timersOf(attempt).main;
  if (rules_ != nullptr && whole == rules_->policy().per_try_timeout) {
    deadline.arm(services_.loop.deadlineQueue(whole));
  } else {
    services_.loop.deadlines().armAt(deadline, services_.loop.now() + whole);
  }
}

// A host whose answer is not read, because the client takes it slowly, is not silent.
void RouterFilter::startPerTryIdle(Attempt& attempt) {
  const event::Duration idle =
      rules_ == nullptr ? event::Duration(0) : rules_->policy().per_try_idle_timeout;
  if (idle.count() == 0) return;
  event::Deadline& deadline = timersOf(attempt).idle;
  if (client_slow_ == 0) deadline.arm(services_.loop.deadlineQueue(idle));
}

void RouterFilter::onAttemptTimer(Attempt& attempt) {
  const event::Loop::TurnScope turn(services_.loop);
  attempt.state == Attempt::State::BackingOff ? startAttempt(attempt) : onPerTryTimeout(attempt);
}

void RouterFilter::onPerTryTimeout(Attempt& attempt) {
  cluster_->metrics().upstream_rq_per_try_timeout.add();
  attempt.host.metrics().rq_timeout.add();
  noteTimeout(attempt);
  if (!plan().hedges()) return giveUp(attempt, Failure::UpstreamPerTryTimeout);
  // As Envoy: whatever retry_on says, while there are retries left. Else it goes on waiting.
  if (!replayable() || plan().left() == 0) return;
  if (!mayRetry(/*is_free=*/false)) {
    retry_denied_ = false;
    return;
  }
  attempt.superseded = true;
  Attempt& beside = freeAttempt();
  beside.charged = true;
  cluster_->metrics().upstream_rq_retry.add();
  startAttempt(beside);
}

void RouterFilter::onPerTryIdle(Attempt& attempt) {
  const event::Loop::TurnScope turn(services_.loop);
  cluster_->metrics().upstream_rq_per_try_idle_timeout.add();
  attempt.host.metrics().rq_timeout.add();
  noteTimeout(attempt);
  if (state_ == State::Receiving) return fail(Failure::UpstreamPerTryIdleTimeout);
  giveUp(attempt, Failure::UpstreamPerTryIdleTimeout);
}

void RouterFilter::giveUp(Attempt& attempt, Failure failure) {
  const bool received = attempt.connection->bytesReceived();
  std::exchange(attempt.sender, nullptr)->reset(failure);
  onAttemptFailed(attempt, {.failure = failure, .head_sent = true, .bytes_received = received},
                  false);
}

// --- what becomes of an attempt that failed ---

void RouterFilter::onAttemptFailed(Attempt& attempt, const AttemptFacts& facts, bool reused) {
  if (facts.head_sent) {
    cluster_->countResponse(attempt.host, 0, {});
    const bool crossed = facts.failure == Failure::UpstreamReset && facts.may_have_crossed;
    if (!crossed) noteResult(attempt, 0);
  }
  const bool superseded = attempt.superseded;
  endAttempt(attempt);
  if (!superseded && replayable() && retryAfterFailure(attempt, facts, reused)) return;
  if (!anyInFlight()) fail(facts.failure);
}

bool RouterFilter::retryAfterFailure(Attempt& attempt, const AttemptFacts& facts, bool reused) {
  if (retryUntouched(attempt, facts, reused)) return true;
  if (retries() && plan().wants(facts)) {
    const bool is_free = goesFree(attempt, facts);
    if (!mayRetry(is_free)) return false;
    schedule(attempt, is_free,
             plan().delay(nullptr, services_.loop.wallNow(), services_.loop.random()));
    return true;
  }
  // RFC 9113 8.7: the host has not looked at it. One that refuses is not the best to ask again.
  // Nor has one looked whose requests wait until its time to drain is over, or that says ahead that
  // it takes none of the kind, which it will say again.
  const bool waited = facts.failure == Failure::UpstreamDrained && !facts.head_sent;
  const bool refused = facts.failure == Failure::UpstreamRefusedStream ||
                       (facts.failure == Failure::UpstreamNoUpgrade && hasUntriedHost());
  if (!refused && !waited) return false;
  if (context().info().upstream_attempts >= kMostAttempts) return false;
  cluster_->metrics().upstream_rq_retry.add();
  startAttempt(attempt);
  return true;
}

// Where it costs hosts nothing that they would not have had anyway.
bool RouterFilter::goesFree(const Attempt& attempt, const AttemptFacts& facts) {
  const route::RetryPolicy& policy = plan().policy();
  if (unseen(facts)) return policy.unseen_is_free;
  if (!policy.lost_with_host_is_free || !unanswered(facts)) return false;
  // Only once, lest hosts that all die at the same time get each request over and over.
  const bool with_host = attempt.host.host().loss().note(services_.loop.now());
  return with_host && !std::exchange(went_free_, true);
}

// Of a connection that the host had kept alive. RFC 9110 9.2.2 lets us send an idempotent request
// again then. Once: it may be the request that makes the host close, and each repetition would cost
// a connection, or the next host its life.
bool RouterFilter::retryUntouched(Attempt& attempt, const AttemptFacts& facts, bool reused) {
  if (!reused || !unanswered(facts) || repeated_ || !isIdempotent(head_->method)) return false;
  cluster_->metrics().upstream_rq_retry.add();
  repeated_ = true;
  startAttempt(attempt);  // on another host: this one may be stopping
  return true;
}

bool RouterFilter::retryAfterResponse(Attempt& attempt, http::ResponseHead& head,
                                      bool end_of_stream) {
  RetryPlan& plan = this->plan();
  if (plan.policy().tell_next_hop) {
    const uint32_t used = takeRetriesUsed(head);
    used_behind_ += used;
    plan.deduct(used);
  }
  if (!plan.wants(head)) {
    retry_denied_ = false;
    return false;
  }
  releaseCharge(attempt);
  const bool was_superseded = std::exchange(attempt.superseded, false);
  const bool is_last = plan.asksForTooLong(head, services_.loop.wallNow());
  // Another one is asked already, or the answer is the last that there will be.
  if ((was_superseded || is_last) && othersInFlight(attempt)) {
    if (is_last) {
      // Those it has taken the place of count again.
      for (Attempt& other : attempts_) other.superseded = false;
    }
    return discard(attempt, head, end_of_stream), true;
  }
  if (!replayable()) return false;
  if (is_last && plan.left() > 0) {
    retry_denied_ = true;
    return false;
  }
  if (!mayRetry(/*is_free=*/false)) {
    if (!othersInFlight(attempt)) return false;
    return discard(attempt, head, end_of_stream), true;
  }
  const auto delay = plan.delay(&head, services_.loop.wallNow(), services_.loop.random());
  discard(attempt, head, end_of_stream);
  schedule(freeAttempt(), /*is_free=*/false, delay);
  return true;
}

bool RouterFilter::mayRetry(bool is_free) {
  retry_denied_ = true;
  if (plan().left() == 0) {
    cluster_->metrics().upstream_rq_retry_limit_exceeded.add();
    context().info().retries_exhausted = true;
    return false;
  }
  if (!is_free && !cluster_->tryStartRetry(priority())) return false;
  retry_denied_ = false;
  plan().spend();
  return true;
}

// REQUIRES: mayRetry(is_free) has just said so.
void RouterFilter::schedule(Attempt& attempt, bool is_free, const RetryPlan::Delay& delay) {
  attempt.charged = !is_free;
  upstream::ClusterMetrics& metrics = cluster_->metrics();
  metrics.upstream_rq_retry.add();
  if (is_free && hasUntriedHost()) return startAttempt(attempt);
  (delay.as_asked ? metrics.upstream_rq_retry_backoff_ratelimited
                  : metrics.upstream_rq_retry_backoff_exponential)
      .add();
  if (delay.time.count() == 0) return startAttempt(attempt);
  holdClient();
  latest_ = &attempt;
  attempt.state = Attempt::State::BackingOff;
  services_.loop.deadlines().armAt(timersOf(attempt).main, services_.loop.now() + delay.time);
}

void RouterFilter::startAttempt(Attempt& attempt) {
  holdClient();
  chooseHost(attempt);
}

bool RouterFilter::hasUntriedHost() {
  const http::SessionBinding* const session = context().info().session;
  if (session == nullptr || !session->strict || session->host.empty()) {
    return cluster_->hasUntried(tried_, subset_);
  }
  return std::ranges::none_of(tried_, [session](const upstream::Host* host) {
    return host->addressText() == session->host;
  });
}

// Until the next attempt has a stream; what comes all the same is kept.
void RouterFilter::holdClient() {
  if (request_ended_ || asks_tunnel_) return;
  if (!keeps_body_) {
    keeps_body_ = true;
    if (kept_ == nullptr) kept_ = context().arena().make<net::ByteQueue>();
  }
  if (!std::exchange(holds_client_, true)) context().pauseRequestBody();
}

// Its response does not go to the client. HTTP/1.1 cannot give up the rest without the connection.
void RouterFilter::discard(Attempt& attempt, const http::ResponseHead& head, bool end_of_stream) {
  cluster_->countRetriedResponse(attempt.host, head.status);
  const bool drainable = head.protocol != http::Protocol::Http2 &&
                         head.body.kind == http::BodyLength::Kind::Known &&
                         head.body.bytes <= kDrainableAnswer;
  if (end_of_stream && request_ended_) attempt.sender = nullptr;
  const bool drains = attempt.sender != nullptr && request_ended_ && drainable;
  http::RequestSender* const sender = drains ? std::exchange(attempt.sender, nullptr) : nullptr;
  endAttempt(attempt);
  if (!drains) return;
  attempt.sender = sender;
  attempt.state = Attempt::State::Draining;
  for (uint32_t i = 0; i < client_slow_; ++i) sender->resumeReceiving();
}

void RouterFilter::releaseCharge(Attempt& attempt) {
  if (std::exchange(attempt.charged, false)) cluster_->endRetry(priority());
}

// Whatever it is at; nothing follows.
void RouterFilter::endAttempt(Attempt& attempt) {
  if (attempt.timers != nullptr) {
    attempt.timers->main.cancel();
    attempt.timers->idle.cancel();
  }
  attempt.state = Attempt::State::Free;
  attempt.superseded = false;
  attempt.unlink();
  if (attempt.pending != nullptr) std::exchange(attempt.pending, nullptr)->cancel();
  if (attempt.sender != nullptr) {
    std::exchange(attempt.sender, nullptr)->reset(Failure::DownstreamDisconnect);
  }
  releaseCharge(attempt);
  for (; attempt.holds_client > 0; --attempt.holds_client) context().resumeRequestBody();
}

void RouterFilter::endOthers(const Attempt& winner) {
  for (Attempt& a : attempts_) {
    if (&a == &winner || a.state == Attempt::State::Draining) continue;
    if (a.state == Attempt::State::Sending) noteResult(a, 0, /*abandoned=*/true);
    endAttempt(a);
  }
}

// The answer of one attempt goes to the client.
void RouterFilter::noteAnswer(Attempt& winner, http::ResponseHead& head) {
  http::StreamInfo& info = context().info();
  endOthers(winner);
  releaseCharge(winner);
  if (winner.timers != nullptr) winner.timers->main.cancel();
  if (keeps_body_) forgetBody();
  if (!retry_denied_) info.retries_exhausted = false;
  if (info.upstream_attempts > 1) {
    info.upstream_host = winner.host.host().addressText();
    if (!retry_denied_) cluster_->metrics().upstream_rq_retry_success.add();
  }
  if (context().route()->forward()->tells_attempts_to_client) {
    head.headers.set(kAttemptCount, decimalText(info.upstream_attempts, context().arena()));
  }
  if (asked_by_hop_) tellRetriesUsed(head);
}

// "timeout=5, max=100": common, if in no standard in force (RFC 2068 19.7.1.1).
void RouterFilter::noteKeepAlive(const Attempt& attempt, const http::ResponseHead& head) {
  constexpr std::string_view kTimeout = "timeout=";
  constexpr uint64_t kMostSeconds = 24 * 3600;
  std::string_view list = head.headers.valueOr(http::HeaderName::KeepAlive, "");
  for (auto name = route::takeName(list); !name.empty(); name = route::takeName(list)) {
    if (name.substr(0, kTimeout.size()) != kTimeout) continue;
    const auto seconds = decimal(name.substr(kTimeout.size()));
    if (!seconds.has_value() || *seconds == 0 || *seconds > kMostSeconds) continue;
    attempt.connection->noteIdleLimit(std::chrono::seconds(*seconds));
  }
}

Attempt& RouterFilter::freeAttempt() {
  for (Attempt& a : attempts_) {
    if (a.state == Attempt::State::Free) return a;
  }
  auto* const made = context().arena().make<Attempt>(*this);
  attempts_.add(*made);
  return *made;
}

bool RouterFilter::anyInFlight() const {
  for (const Attempt& a : attempts_) {
    if (a.inFlight()) return true;
  }
  return false;
}

bool RouterFilter::othersInFlight(const Attempt& attempt) const {
  for (const Attempt& a : attempts_) {
    if (&a != &attempt && a.inFlight()) return true;
  }
  return false;
}

}  // namespace convoy::filter::router
