#pragma once

// The terminal HTTP filter: answers direct responses and redirects, else picks a host of the
// route's cluster, sends the request there and the response back. Watches the route's time-outs,
// passes back-pressure both ways, holds a tunnel's bytes back until the host has opened it, and
// sends the request again while that may help (docs/retries.md): as the route's policy says
// (retry_plan.h), and without one where nothing can be lost by it. Until a response head goes to
// the client there can be several attempts one after the other, or side by side (hedging).
//
// States: see State and Attempt::State. In the request's arena; worker's thread only.
// router_filter.cc has the way of a request, router_retry.cc what becomes of an attempt that
// failed, router_outcomes.cc what the balancing and the outlier detection are told.

#include <memory>

#include "absl/container/inlined_vector.h"
#include "proxy/event/deadlines.h"

#include "proxy/filter/router/attempt.h"
#include "proxy/filter/router/retry_plan.h"
#include "proxy/filter/router/spec.h"
#include "proxy/filter/worker_services.h"
#include "proxy/http/filter.h"
#include "proxy/net/byte_queue.h"
#include "proxy/route/hash_key.h"
#include "proxy/route/matcher.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::filter::router {

std::unique_ptr<http::FilterFactory> makeRouterFactory(std::shared_ptr<const RouterSpec> spec,
                                                       const WorkerServices& services);

class RouterFilter final : public http::Filter {
 public:
  RouterFilter(const RouterSpec& spec, const WorkerServices& services);
  ~RouterFilter() override;

  http::FilterVerdict onRequestHead(http::RequestHead& head, bool end_of_stream) override;
  http::FilterVerdict onRequestBody(std::string_view& bytes, bool end_of_stream) override;
  http::FilterVerdict onRequestTrailers(http::HeaderList& trailers) override;
  bool looksAtBodies() const override { return false; }
  net::SpliceResult spliceRequestBody(net::Connection& from, uint64_t most) override;
  uint64_t takenOfRequest() override;
  void onStreamEnd() override;

 private:
  friend struct Attempt;

  enum class State : uint8_t {
    Start,      // no head yet
    Trying,     // attempts are under way, or will be; no response head yet
    Receiving,  // response head passed on
    Done,       // answered, failed or broken off
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

  // From attempts.
  void onStreamReady(Attempt& attempt);
  void onStreamFailed(Attempt& attempt, http::Failure failure);
  void onAnswerHead(Attempt& attempt, http::ResponseHead& head, bool end_of_stream);
  void onAnswerBody(Attempt& attempt, std::string_view bytes, bool end_of_stream);
  net::SpliceResult spliceAnswerBody(Attempt& attempt, net::Connection& from, uint64_t most);
  void onAnswerTrailers(Attempt& attempt, http::HeaderList& trailers);
  void onAnswerReset(Attempt& attempt, http::Failure failure);

  void transition(State to);
  bool answerLocally();
  bool findCluster();
  route::EditScope editScope(const http::ResponseHead* response);
  void editResponse(http::ResponseHead& head);
  void prepareHead(http::RequestHead& head);
  void startTimers();
  void limitStream();
  void openOwnTunnel(Attempt& attempt);
  bool refusesTunnel(const http::ResponseHead& head);
  void openTunnel();
  upstream::PickResult pick(Attempt& attempt);
  upstream::PickResult pickNamed(Attempt& attempt, std::string_view address);
  upstream::PickResult pickPreferring(Attempt& attempt, const upstream::HostPreference& preferred);
  upstream::Priority priority();
  void countSession(const http::SessionBinding& session, bool kept);
  void chooseHost(Attempt& attempt);
  void accept(Attempt& attempt, http::ResponseHead& head, bool end_of_stream);
  // abandoned: nobody waits for the answers any more.
  void releaseUpstream(uint16_t status_of_answer, bool abandoned);
  void finishUpstream();
  void count(const Attempt& attempt, uint16_t status);
  void fail(http::Failure failure);
  std::string_view timerOrigin(http::Failure failure);
  // Of all attempts that exchange bytes; what they are given may end some of them.
  absl::InlinedVector<http::RequestSender*, 4> senders() const;
  void passOn(std::string_view bytes, bool end_of_stream);
  void onRequestComplete();
  void onTimeout(http::Failure failure);

  // router_retry.cc
  bool retries() const { return rules_ != nullptr || plan_ != nullptr; }
  RetryPlan& plan();
  void readRetryHeaders(http::RequestHead& head);
  void prepareToKeep();
  void keep(std::string_view bytes);
  void dropIfTooMuch();
  void forgetBody();
  bool replayable() const { return !body_lost_; }
  void replay(Attempt& attempt);
  void tellHost();
  void tellTime();
  void tellRetriesUsed(http::ResponseHead& head);
  // Its times run from the request's end on; a tunnel has none.
  bool watchesTries(const Attempt& attempt) const {
    return attempt.timers != nullptr && request_ended_ && !asks_tunnel_;
  }
  void startPerTry(Attempt& attempt);
  void startPerTryIdle(Attempt& attempt);
  void onAttemptTimer(Attempt& attempt);
  void onPerTryTimeout(Attempt& attempt);
  void onPerTryIdle(Attempt& attempt);
  void giveUp(Attempt& attempt, http::Failure failure);
  void onAttemptFailed(Attempt& attempt, const AttemptFacts& facts, bool reused);
  bool retryAfterFailure(Attempt& attempt, const AttemptFacts& facts, bool reused);
  bool goesFree(const Attempt& attempt, const AttemptFacts& facts);
  bool retryUntouched(Attempt& attempt, const AttemptFacts& facts, bool reused);
  bool retryAfterResponse(Attempt& attempt, http::ResponseHead& head, bool end_of_stream);
  bool mayRetry(bool is_free);
  void schedule(Attempt& attempt, bool is_free, const RetryPlan::Delay& delay);
  bool hasUntriedHost();  // which the request may go to
  void startAttempt(Attempt& attempt);
  void holdClient();
  void discard(Attempt& attempt, const http::ResponseHead& head, bool end_of_stream);
  void releaseCharge(Attempt& attempt);
  static void noteKeepAlive(const Attempt& attempt, const http::ResponseHead& head);
  void endAttempt(Attempt& attempt);
  void endOthers(const Attempt& winner);
  void noteAnswer(Attempt& winner, http::ResponseHead& head);
  Attempt& freeAttempt();
  Attempt::Timers& timersOf(Attempt& attempt);
  bool anyInFlight() const;
  bool othersInFlight(const Attempt& attempt) const;

  // router_outcomes.cc
  // For the balancing; status 0: no answer will come; abandoned: nobody waited for it.
  void noteResult(const Attempt& attempt, uint16_t status, bool abandoned = false);
  event::Duration hostTime(const Attempt& attempt, event::MonotonicTime until);
  void noteHead(const Attempt& attempt, http::ResponseHead& head, bool end_of_stream);
  void noteTrailers(const Attempt& attempt, const http::HeaderList& trailers);
  void noteUnreached(const Attempt& attempt, http::Failure failure);
  void noteReset(const Attempt& attempt, http::Failure failure);
  void noteTimeout(const Attempt& attempt);

  const RouterSpec& spec_;
  const WorkerServices& services_;
  State state_ = State::Start;
  bool request_ended_ = false;
  bool body_seen_ = false;  // some of the body, or its end, has come
  bool body_lost_ = false;  // some of it was passed on and not kept
  bool keeps_body_ = false;
  bool holds_client_ = false;  // the client's body waits for the next attempt
  bool repeated_ = false;      // a kept-alive connection was the wrong one
  bool went_free_ = false;     // it was lost with its host, and charged to nobody
  bool counted_ = false;       // the response was counted
  bool session_counted_ = false;
  bool override_counted_ = false;
  bool resumes_later_ = false;   // the request path is paused for a host, a connection or a tunnel
  bool asks_tunnel_ = false;     // CONNECT or an upgrade
  bool is_tunnel_ = false;       // it is open
  bool response_ended_ = false;  // of a tunnel whose other direction goes on
  bool tells_host_ = false;      // each attempt has fields of its own
  bool asked_by_hop_ = false;    // the hop before counts retries
  bool notes_answer_ = false;    // something depends on the first answer, even without a retry
  bool retry_denied_ = false;    // what failed last was to be sent again, and was not
  bool limited_by_hop_ = false;  // timeout_by_header_ is how long the hop before waits
  uint16_t status_ = 0;          // of the response; 0: none yet
  uint32_t client_slow_ = 0;     // for how many reasons the response waits for the client
  uint32_t used_behind_ = 0;     // retries that the hops behind this one have made
  http::RequestHead* head_ = nullptr;
  http::HeaderList* trailers_ = nullptr;
  upstream::WorkerCluster* cluster_ = nullptr;        // kept alive by the host of an attempt,
  std::shared_ptr<upstream::WorkerCluster> awaited_;  // or by this, once a pick said Later
  const route::RetryRules* rules_ = nullptr;          // the route's
  RetryPlan* plan_ = nullptr;                         // made when something depends on it
  net::ByteQueue* kept_ = nullptr;                    // the body, while keeps_body_
  event::Duration timeout_by_header_{-1};             // instead of the route's
  Attempt* winner_ = nullptr;                         // the one whose response goes to the client
  absl::InlinedVector<const upstream::Host*, 4> tried_;
  const base::SubsetKey* subset_ = nullptr;  // the hosts that the route asks for; null: any
  route::HashKey hash_key_;                  // of a cluster that balances by hash
  Attempts attempts_;
  ClientSide client_side_;
  event::Deadline response_deadline_;
  event::Deadline first_byte_deadline_;
  Attempt* latest_;  // the one that was begun last
};

}  // namespace convoy::filter::router
