#pragma once

// The delta ADS stream and its life: opened, failed, opened again after a random wait. Knows
// messages but not what they say. Owner: AdsClient; thread: main's loop.
//
// Waits grow from failure to failure (backoff.h). The series starts afresh after a stream that was
// Active for at least as long as the next wait may be, and did not end by a message that makes no
// sense: so a control plane that greets every node and dies of it, or sends every node the same
// nonsense, is asked less and less often.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proxy/event/backoff.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/client.h"
#include "proxy/xds/metrics.h"
#include "proxy/xds/subscription.h"

namespace convoy::xds {

class AdsStreamHandler {
 public:
  // A stream is open for sending; whatever was said on an older one is void.
  virtual void onStreamStarted() = 0;
  // An error: the message makes no sense; the stream is reset.
  virtual absl::Status onResponse(const DeltaResponse& response) = 0;
  virtual void onStreamWritable() = 0;  // after AdsStream::aboveHigh()
  virtual void onStreamEnded() = 0;

 protected:
  ~AdsStreamHandler() = default;
};

class AdsStream final : private grpc::StreamHandler {
 public:
  enum class State : uint8_t {
    Stopped,  // start() was not called, or stop() was
    Opening,  // a stream is being opened; the control plane has not answered yet
    Active,   // it has
    Backoff,  // waiting to try again
  };

  struct Options {
    event::Duration backoff_base;
    event::Duration backoff_cap;
    size_t max_response_bytes;
  };

  AdsStream(event::Loop& loop, grpc::Client& client, const Options& options,
            AdsStreamHandler& handler, ControlPlaneMetrics& metrics);

  void start();
  void stop();
  // REQUIRES: Opening or Active.
  void send(const DeltaRequest& request);

  State state() const { return state_; }
  bool open() const { return state_ == State::Opening || state_ == State::Active; }
  bool aboveHigh() const { return stream_->aboveHigh(); }
  const std::string& lastError() const { return last_error_; }

 private:
  void onMessage(std::string_view message) override;
  void onStatus(const absl::Status& status) override;
  void onWritable() override { handler_.onStreamWritable(); }

  void transition(State to);
  void openStream();
  void endAsGarbage(const absl::Status& why);
  void endBackoffSeries();
  void retryLater(const absl::Status& why);

  event::Loop& loop_;
  grpc::Client& client_;
  const size_t max_response_bytes_;
  AdsStreamHandler& handler_;
  ControlPlaneMetrics& metrics_;
  State state_ = State::Stopped;
  event::Backoff backoff_;
  event::MonotonicTime active_since_{};
  event::Timer retry_timer_;
  std::unique_ptr<grpc::Stream> stream_;
  std::string last_error_;
};

}  // namespace convoy::xds
