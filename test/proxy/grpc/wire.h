#pragma once

// A Session and a GrpcPeer joined in memory, and a handler that writes down what it is told.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/grpc/call.h"
#include "proxy/grpc/session.h"
#include "proxy/grpc/stream.h"
#include "proxy/net/byte_queue.h"
#include "test/common/grpc_peer.h"

namespace convoy::grpc {

struct RecordingStream final : StreamHandler {
  void onMessage(std::string_view message) override {
    messages.emplace_back(message);
    if (when_message) when_message();
  }
  void onStatus(const absl::Status& ended) override {
    ++statuses;
    status = ended;
    if (when_status) when_status();
  }
  void onWritable() override {
    ++writable;
    if (when_writable) when_writable();
  }

  std::vector<std::string> messages;
  std::optional<absl::Status> status;
  int statuses = 0;
  int writable = 0;
  std::function<void()> when_message;
  std::function<void()> when_status;
  std::function<void()> when_writable;
  std::unique_ptr<Stream> stream;
};

class Wire {
 public:
  explicit Wire(SessionOptions options = {.authority = "control"},
                test::GrpcPeer::Settings settings = {})
      : session(std::move(options), [this] { output_due = true; }), peer(settings) {}

  // The call's messages may be sent at once.
  void start(RecordingStream& handler, CallOptions options = {.path = "/s/m"}) {
    auto call = std::make_unique<Call>(std::move(options), handler);
    handler.stream = std::make_unique<Stream>(*call);
    session.start(std::move(call));
  }

  // Carries bytes both ways, `piece` at a time, until nobody has any.
  void carry(size_t piece = SIZE_MAX) {
    for (bool more = true; more;) {
      more = toPeer();
      const std::string bytes = peer.takeOutput();
      for (size_t at = 0; at < bytes.size(); at += piece) {
        const absl::Status status = session.receive(std::string_view(bytes).substr(at, piece));
        if (!status.ok()) failure = status;
        more = true;
      }
    }
  }
  bool toPeer() {
    net::ByteQueue out;
    if (const absl::Status status = session.produce(out, SIZE_MAX); !status.ok()) failure = status;
    output_due = false;
    if (out.empty()) return false;
    peer_ok = peer.receive(out.toString()) && peer_ok;
    return true;
  }

  bool output_due = false;
  bool peer_ok = true;
  absl::Status failure;
  Session session;
  test::GrpcPeer peer;
};

}  // namespace convoy::grpc
