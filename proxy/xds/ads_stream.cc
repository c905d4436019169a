#include "proxy/xds/ads_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/grpc/status.h"

namespace convoy::xds {

namespace {

constexpr char kMethod[] =
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

// gRPC's servers say this of services that they do not have, and often nothing more.
absl::Status withoutService(const absl::Status& status) {
  return absl::UnimplementedError(absl::StrCat(
      status.message(), status.message().empty() ? "" : "; ",
      "whoever answers there has no delta ADS: probably it is not an xDS port, but one for "
      "management or another service"));
}

}  // namespace

AdsStream::AdsStream(event::Loop& loop, grpc::Client& client, const Options& options,
                     AdsStreamHandler& handler, ControlPlaneMetrics& metrics)
    : loop_(loop),
      client_(client),
      max_response_bytes_(options.max_response_bytes),
      handler_(handler),
      metrics_(metrics),
      backoff_(options.backoff_base, options.backoff_cap),
      retry_timer_(loop, [this] { openStream(); }) {}

void AdsStream::transition(State to) {
  CONVOY_ASSERT(to != state_);
  state_ = to;
  metrics_.connected_state.set(to == State::Active ? 1 : 0);
}

void AdsStream::start() {
  if (state_ == State::Stopped) openStream();
}

void AdsStream::stop() {
  if (state_ == State::Stopped) return;
  transition(State::Stopped);
  retry_timer_.cancel();
  stream_.reset();
  backoff_.reset();
}

void AdsStream::send(const DeltaRequest& request) {
  CONVOY_ASSERT(open());
  stream_->send(request.SerializeAsString());
}

void AdsStream::openStream() {
  transition(State::Opening);
  metrics_.connect_attempt.add();
  stream_ = client_.startStream({.path = kMethod, .max_message_bytes = max_response_bytes_}, *this);
  handler_.onStreamStarted();
}

void AdsStream::onMessage(std::string_view message) {
  DeltaResponse response;
  if (!response.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
    endAsGarbage(absl::InvalidArgumentError(
        absl::StrCat("a message of ", message.size(),
                     " bytes is no envoy.service.discovery.v3.DeltaDiscoveryResponse")));
    return;
  }
  const absl::Status understood = handler_.onResponse(response);
  if (!open()) return;  // stopped meanwhile
  if (!understood.ok()) {
    endAsGarbage(understood);
    return;
  }
  if (state_ == State::Active) return;
  transition(State::Active);
  active_since_ = loop_.now();
  metrics_.last_error_code.set(0);
  last_error_.clear();
  base::logInfo("xds: the control plane answers");
}

void AdsStream::onStatus(const absl::Status& status) {
  if (grpc::isFoundInBytes(status)) {
    if (absl::IsResourceExhausted(status)) metrics_.response_too_large.add();
    endAsGarbage(status);
    return;
  }
  endBackoffSeries();
  // However a server ends a stream, even with OK, we want one.
  if (status.ok()) return retryLater(absl::UnavailableError("the control plane ended the stream"));
  retryLater(absl::IsUnimplemented(status) ? withoutService(status) : status);
}

void AdsStream::endBackoffSeries() {
  if (state_ == State::Active && loop_.now() - active_since_ >= backoff_.bound()) backoff_.reset();
}

void AdsStream::endAsGarbage(const absl::Status& why) {
  metrics_.garbage.add();
  // Another address may make sense.
  client_.leaveConnection();
  retryLater(why);
}

void AdsStream::retryLater(const absl::Status& why) {
  stream_.reset();
  metrics_.stream_failure.add();
  metrics_.last_error_code.set(static_cast<int64_t>(why.code()));
  transition(State::Backoff);
  std::string text = why.ToString(absl::StatusToStringMode::kWithNoExtraData);
  if (text != last_error_) {
    last_error_ = std::move(text);
    base::logWarning("xds: no stream from the control plane, what is in force stays so: " +
                     last_error_);
  }
  retry_timer_.armAfter(backoff_.next(loop_.random()));
  handler_.onStreamEnded();
}

}  // namespace convoy::xds
