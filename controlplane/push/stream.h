#pragma once

// One node's ADS stream on gRPC: moves bytes between the socket and a Session, and tells the fleet
// how far the node is.
//
// gRPC calls the On... functions from its own threads, one at a time per kind; publish() comes from
// the thread that commits. A mutex guards the rest. The object keeps itself alive until OnDone.

#include <memory>
#include <string>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include "absl/base/thread_annotations.h"
#include "controlplane/base/mutex.h"
#include "controlplane/fleet/registry.h"
#include "controlplane/push/publisher.h"
#include "controlplane/push/session.h"

namespace convoy::controlplane::push {

class Stream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                     public Receiver,
                     public std::enable_shared_from_this<Stream> {
 public:
  // `server`: what the control plane calls itself.
  static Stream* start(Protocol protocol, Publisher* publisher, fleet::Registry* registry,
                       std::string peer, std::string server);

  void onSnapshot(const compile::SnapshotPtr& snapshot, Differences& differences) override;
  void onStop() override;

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  Stream(Protocol protocol, Publisher* publisher, fleet::Registry* registry, std::string peer,
         std::string server);

  absl::Status handleRequest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Registers a node that has just said who it is. Called without the lock.
  void join();
  void setSnapshot(const compile::SnapshotPtr& snapshot, Differences& differences)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends what may be sent.
  void pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void finish(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Tells the fleet. Under the lock, so that reports arrive in the order of what they report.
  void report() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Protocol protocol_;
  Publisher* const publisher_;
  fleet::Registry* const registry_;
  const std::string peer_;
  const std::string server_;
  std::shared_ptr<Stream> self_;

  Mutex mutex_;
  Session session_ ABSL_GUARDED_BY(mutex_);
  fleet::ConnectionId connection_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace convoy::controlplane::push
