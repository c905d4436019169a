#include <algorithm>

#include "proxy/filter/router/router_filter.h"
#include "proxy/http/grpc_semantics.h"
#include "proxy/upstream/outlier/panic.h"

namespace convoy::filter::router {

using http::Failure;
using upstream::Outcome;

namespace {

constexpr std::string_view kPanic = "x-convoy-panic";

// A host that fails gRPC calls at once does so with 200.
uint16_t resultStatus(const http::ResponseHead& head, bool end_of_stream) {
  constexpr uint16_t kFailed = 503;
  const auto grpc = end_of_stream ? http::grpcStatus(head.headers) : std::nullopt;
  switch (grpc.value_or(0)) {
    case 2:   // UNKNOWN
    case 4:   // DEADLINE_EXCEEDED
    case 13:  // INTERNAL
    case 14:  // UNAVAILABLE
    case 15:  // DATA_LOSS
      return kFailed;
    default:
      return head.status;
  }
}

bool ofOurDraining(Failure failure) {
  return failure == Failure::Draining || failure == Failure::UpstreamDrained;
}

}  // namespace

// How long the host has had the request: a client that sends slowly is not the host's fault. Of
// gRPC's streams the response may begin long before the request ends.
event::Duration RouterFilter::hostTime(const Attempt& attempt, event::MonotonicTime until) {
  const event::MonotonicTime received = context().info().request_received;
  return until - (received > until ? attempt.sent_at : std::max(attempt.sent_at, received));
}

void RouterFilter::noteResult(const Attempt& attempt, uint16_t status, bool abandoned) {
  cluster_->noteResult(attempt.host, status, hostTime(attempt, services_.loop.now()), abandoned);
}

// The outlier detection waits for gRPC's status, which comes at the response's end: in trailers or
// in a head that has nothing behind.
void RouterFilter::noteHead(const Attempt& attempt, http::ResponseHead& head, bool end_of_stream) {
  if (attempt.panic) head.headers.set(kPanic, upstream::nameOf(cluster_->spec().panic.mode));
  if (cluster_->wantsResults()) noteResult(attempt, resultStatus(head, end_of_stream));
  if (!cluster_->recordsOutcomes()) return;
  uint16_t status = head.status;
  if (status == 200 && http::isGrpc(*head_)) {
    const auto grpc = http::grpcStatus(head.headers);
    if (!grpc.has_value()) return;
    status = http::httpStatusOf(*grpc);
  }
  cluster_->noteOutcome(attempt.host,
                        Outcome::answered(status, hostTime(attempt, services_.loop.now())),
                        attempt.probe);
}

void RouterFilter::noteTrailers(const Attempt& attempt, const http::HeaderList& trailers) {
  if (!cluster_->recordsOutcomes() || status_ != 200 || !http::isGrpc(*head_)) return;
  const auto grpc = http::grpcStatus(trailers);
  if (!grpc.has_value()) return;
  const event::Duration took = hostTime(attempt, context().info().response_started);
  cluster_->noteOutcome(attempt.host, Outcome::answered(http::httpStatusOf(*grpc), took),
                        attempt.probe);
}

// Neither a circuit breaker nor our own draining says anything of the host, nor that it drains.
void RouterFilter::noteUnreached(const Attempt& attempt, Failure failure) {
  if (failure == Failure::UpstreamOverflow || ofOurDraining(failure)) return;
  if (failure == Failure::UpstreamRefusedStream) return;
  cluster_->noteOutcome(attempt.host, Outcome::failed(), attempt.probe);
}

// A connection that the host had kept alive and ends as the request comes says nothing either: it
// is closed, or HTTP/2 says GOAWAY and the request is refused. A refusal without that is a failure.
void RouterFilter::noteReset(const Attempt& attempt, Failure failure) {
  if (ofOurDraining(failure)) return;
  const upstream::UpstreamConnectionInfo& connection = *attempt.connection;
  const bool refused = failure == Failure::UpstreamRefusedStream && connection.drains();
  if (refused && connection.streamsBefore() > 0) return;
  if (failure == Failure::UpstreamReset && connection.mayHaveCrossed()) return;
  cluster_->noteOutcome(attempt.host, Outcome::failed(), attempt.probe);
}

void RouterFilter::noteTimeout(const Attempt& attempt) {
  if (head_->raw_tunnel) return;
  cluster_->noteOutcome(attempt.host, Outcome::timedOut(), attempt.probe);
}

}  // namespace convoy::filter::router
