#include "controlplane/push/stream.h"

#include <utility>

#include "controlplane/base/event_log.h"
#include "controlplane/push/wire.h"

namespace convoy::controlplane::push {

Stream* Stream::start(Protocol protocol, Publisher* publisher, fleet::Registry* registry,
                      std::string peer, std::string server) {
  std::shared_ptr<Stream> stream(
      new Stream(protocol, publisher, registry, std::move(peer), std::move(server)));
  stream->self_ = stream;
  stream->StartRead(&stream->incoming_);
  return stream.get();
}

Stream::Stream(Protocol protocol, Publisher* publisher, fleet::Registry* registry, std::string peer,
               std::string server)
    : protocol_(protocol),
      publisher_(publisher),
      registry_(registry),
      peer_(std::move(peer)),
      server_(std::move(server)),
      session_(protocol) {}

absl::Status Stream::handleRequest() {
  if (protocol_ == Protocol::Delta) {
    Session::DeltaRequest request;
    absl::Status status = decodeRequest(&incoming_, &request);
    return status.ok() ? session_.onRequest(request) : status;
  }
  Session::Request request;
  absl::Status status = decodeRequest(&incoming_, &request);
  return status.ok() ? session_.onRequest(request) : status;
}

void Stream::OnReadDone(bool ok) {
  bool joins = false;
  {
    MutexLock lock(&mutex_);
    if (!ok) {
      finish(grpc::Status::OK);
      return;
    }
    const absl::Status status = handleRequest();
    if (!status.ok()) {
      finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, std::string(status.message())));
      return;
    }
    joins = connection_ == 0;
  }
  if (joins) join();
  MutexLock lock(&mutex_);
  pump();
  report();
  if (!finished_) StartRead(&incoming_);
}

void Stream::join() {
  fleet::Arrival arrival;
  {
    MutexLock lock(&mutex_);
    const NodeIdentity& node = *session_.node();
    arrival = {node.id, node.cluster, node.labels, node.user_agent, peer_};
  }
  const fleet::ConnectionId connection = registry_->connected(arrival);
  logEvent("node_connected", {{"node", arrival.id}, {"peer", peer_}});
  // After the registration: whoever waits for a revision that is published from now on waits for
  // this node too.
  const compile::SnapshotPtr snapshot = publisher_->add(shared_from_this());
  Differences differences;
  MutexLock lock(&mutex_);
  connection_ = connection;
  setSnapshot(snapshot, differences);
}

void Stream::setSnapshot(const compile::SnapshotPtr& snapshot, Differences& differences) {
  const compile::ViewPtr& now = session_.view();
  if (now != nullptr && now->sequence >= snapshot->sequence()) return;
  const bool first = now == nullptr;
  compile::ViewPtr next = snapshot->viewFor(session_.node()->labels);
  const compile::ViewDifference* changes = first ? nullptr : &differences.between(now, next);
  session_.setView(std::move(next), changes);
  if (first && session_.keepsOthers()) {
    logTrouble("node_keeps_what_it_has",
               {{"node", session_.node()->id},
                {"reason",
                 "this store holds nothing, and the node has resources of another one: "
                 "is --store the right path? The first revision will replace them"}});
  }
}

void Stream::onSnapshot(const compile::SnapshotPtr& snapshot, Differences& differences) {
  MutexLock lock(&mutex_);
  if (finished_) return;
  setSnapshot(snapshot, differences);
  pump();
  report();
}

void Stream::pump() {
  if (writing_ || finished_ || session_.view() == nullptr) return;
  std::optional<Response> response = session_.next();
  if (!response.has_value()) return;
  outgoing_ = encodeResponse(*response, server_);
  writing_ = true;
  StartWrite(&outgoing_);
}

void Stream::OnWriteDone(bool ok) {
  MutexLock lock(&mutex_);
  writing_ = false;
  if (ok) pump();
  // A write fails because the stream is broken: the pending read fails too and ends it.
}

void Stream::finish(const grpc::Status& status) {
  if (finished_) return;
  finished_ = true;
  Finish(status);
}

void Stream::onStop() {
  MutexLock lock(&mutex_);
  finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane stops"));
}

void Stream::OnCancel() {
  MutexLock lock(&mutex_);
  finish(grpc::Status::CANCELLED);
}

void Stream::report() {
  if (connection_ == 0 || session_.view() == nullptr) return;
  fleet::Progress progress;
  progress.settled = session_.settled();
  progress.revision = session_.view()->revision;
  progress.expects_requests = session_.expectsRequests();
  for (Refusal& refusal : session_.refusals()) {
    progress.errors.push_back({std::move(refusal.error), refusal.revision});
  }
  progress.report = session_.report();
  registry_->update(connection_, progress);
}

void Stream::OnDone() {
  const std::shared_ptr<Stream> self = std::move(self_);
  fleet::ConnectionId connection = 0;
  std::string node;
  {
    MutexLock lock(&mutex_);
    connection = connection_;
    if (session_.node() != nullptr) node = session_.node()->id;
  }
  if (connection != 0) {
    registry_->disconnected(connection);
    logEvent("node_disconnected", {{"node", node}, {"peer", peer_}});
  }
}

}  // namespace convoy::controlplane::push
