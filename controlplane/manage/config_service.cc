#include "controlplane/manage/config_service.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "controlplane/manage/config_watch.h"
#include "controlplane/manage/reader.h"
#include "controlplane/manage/status.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::manage {

namespace {

// Gives the result of a call to gRPC.
template <typename Response>
grpc::Status reply(absl::StatusOr<Response> result, Response* response) {
  if (!result.ok()) return toGrpc(result.status());
  *response = std::move(*result);
  return grpc::Status::OK;
}

absl::Status checkWait(const google::protobuf::Duration& wait) {
  validate::Problems problems;
  validate::checkDuration(wait, 0, 3600 * 1000, "0 (no wait) to 1 h",
                          validate::Place(&problems, {}, "wait"));
  if (problems.empty()) return absl::OkStatus();
  return refusal(absl::StatusCode::kInvalidArgument, problems.list());
}

// A reactor for a Watch that is refused.
class RefusedWatch final : public grpc::ServerWriteReactor<v1::WatchResponse> {
 public:
  explicit RefusedWatch(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

void ConfigService::awaitNodes(const google::protobuf::Duration& wait,
                               store::RevisionNumber revision, grpc::ServerContext* context,
                               google::protobuf::RepeatedPtrField<v1::Node>* nodes) {
  const absl::Duration patience = absl::Seconds(wait.seconds()) + absl::Nanoseconds(wait.nanos());
  if (patience <= absl::ZeroDuration()) return;
  const auto cancelled = [this, context] { return stop_->stopped() || context->IsCancelled(); };
  for (v1::Node& node : registry_->awaitRevision(revision, patience, cancelled)) {
    *nodes->Add() = std::move(node);
  }
}

grpc::Status ConfigService::Apply(grpc::ServerContext* context, const v1::ApplyRequest* request,
                                  v1::ApplyResponse* response) {
  const absl::Status status = checkWait(request->wait());
  if (!status.ok()) return toGrpc(status);
  const grpc::Status result = reply(manager_->apply(*request), response);
  if (result.ok()) {
    awaitNodes(request->wait(), response->revision().number(), context, response->mutable_nodes());
  }
  return result;
}

grpc::Status ConfigService::Delete(grpc::ServerContext* context, const v1::DeleteRequest* request,
                                   v1::DeleteResponse* response) {
  const absl::Status status = checkWait(request->wait());
  if (!status.ok()) return toGrpc(status);
  const grpc::Status result = reply(manager_->remove(*request), response);
  if (result.ok()) {
    awaitNodes(request->wait(), response->revision().number(), context, response->mutable_nodes());
  }
  return result;
}

grpc::Status ConfigService::Validate(grpc::ServerContext*, const v1::ValidateRequest* request,
                                     v1::ValidateResponse* response) {
  return reply(manager_->validate(*request), response);
}

grpc::Status ConfigService::Get(grpc::ServerContext*, const v1::GetRequest* request,
                                v1::GetResponse* response) {
  return reply(get(*store_, *request), response);
}

grpc::Status ConfigService::List(grpc::ServerContext*, const v1::ListRequest* request,
                                 v1::ListResponse* response) {
  return reply(list(*store_, *request), response);
}

grpc::Status ConfigService::History(grpc::ServerContext*, const v1::HistoryRequest* request,
                                    v1::HistoryResponse* response) {
  return reply(history(*store_, *request), response);
}

grpc::ServerWriteReactor<v1::WatchResponse>* ConfigService::Watch(grpc::CallbackServerContext*,
                                                                  const v1::WatchRequest* request) {
  const store::RevisionNumber head = manager_->head();
  const store::RevisionNumber after =
      request->has_after_revision() ? request->after_revision() : head;
  if (after < 0 || after > head) {
    return new RefusedWatch(
        grpc::Status(grpc::StatusCode::OUT_OF_RANGE,
                     absl::StrCat("revision ", after, " does not exist; the newest is ", head)));
  }
  const std::set<int> kinds(request->kinds().begin(), request->kinds().end());
  return ConfigWatch::start(WatchCursor(store_, after, kinds), &manager_->observers(), stop_);
}

}  // namespace convoy::controlplane::manage
