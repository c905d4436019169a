#include "controlplane/manage/config_manager.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controlplane/base/event_log.h"
#include "controlplane/base/timestamps.h"
#include "controlplane/manage/reader.h"
#include "controlplane/manage/status.h"

namespace convoy::controlplane::manage {

namespace {

constexpr size_t kMostAuthorBytes = 256;
constexpr size_t kMostCommentBytes = 4096;

std::vector<store::Key> keysOf(const Plan& plan) {
  std::vector<store::Key> keys;
  for (const store::Write& write : plan.writes) keys.push_back(write.key);
  return keys;
}

absl::Status checkAuthor(const std::string& author, const std::string& comment) {
  validate::Problems problems;
  if (author.size() > kMostAuthorBytes) {
    problems.add({}, "author", "range", author, "author has at most 256 bytes");
  }
  if (comment.size() > kMostCommentBytes) {
    problems.add({}, "comment", "range", comment, "comment has at most 4096 bytes");
  }
  if (problems.empty()) return absl::OkStatus();
  return refusal(absl::StatusCode::kInvalidArgument, problems.list());
}

v1::Resource resourceOf(const store::Key& key, const std::string& bytes) {
  absl::StatusOr<v1::Resource> resource = model::shown(key, bytes);
  return resource.ok() ? std::move(*resource) : v1::Resource();
}

// What the writes of a plan change, in key order: the first ones.
std::vector<v1::Change> changesOf(const model::Model& current, const Plan& plan, bool contents) {
  std::vector<v1::Change> changes;
  for (const store::Write& write : plan.writes) {
    if (changes.size() == kMostListedChanges) break;
    v1::Change& change = changes.emplace_back();
    change.mutable_id()->set_kind(static_cast<v1::Kind>(write.key.kind));
    change.mutable_id()->set_name(write.key.name);
    const std::optional<std::string> before = model::bytesOf(current, write.key);
    change.set_operation(!write.value.has_value() ? v1::Change::DELETED
                         : before.has_value()     ? v1::Change::UPDATED
                                                  : v1::Change::CREATED);
    if (!contents) continue;
    if (before.has_value()) *change.mutable_before() = resourceOf(write.key, *before);
    if (write.value.has_value()) *change.mutable_after() = resourceOf(write.key, *write.value);
  }
  return changes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConfigManager>> ConfigManager::open(store::Store* store,
                                                                   const event::Clock* clock,
                                                                   validate::XdsCheck check,
                                                                   compile::DeriveKey derive) {
  std::unique_ptr<ConfigManager> manager(new ConfigManager(store, clock, std::move(check)));
  absl::Status status = manager->load(std::move(derive));
  if (!status.ok()) return status;
  return manager;
}

absl::Status ConfigManager::load(compile::DeriveKey derive) {
  absl::StatusOr<model::Model> model = model::load(*store_);
  if (!model.ok()) return model.status();
  // What is stored was checked when it was stored; a node says what it does not take.
  compile::SnapshotPtr snapshot = compile::Snapshot::compile(
      *model, [](const auto&, const auto&) {}, std::move(derive));
  MutexLock lock(&mutex_);
  head_ = model->revision;
  model_ = std::move(*model);
  snapshot_ = std::move(snapshot);
  return absl::OkStatus();
}

compile::SnapshotPtr ConfigManager::snapshot() {
  MutexLock lock(&mutex_);
  return snapshot_;
}

void ConfigManager::putSecret(compile::EncodedPtr secret) {
  MutexLock lock(&mutex_);
  snapshot_ = compile::Snapshot::withSecret(*snapshot_, std::move(secret));
  if (publish_) publish_(snapshot_);
}

absl::Status ConfigManager::expectHead(bool checked, int64_t expected) {
  if (!checked || expected == model_.revision) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "expected revision ", expected, ", but the newest is ", model_.revision,
      "; look at what changed since, then apply again with expected_revision ", model_.revision));
}

absl::StatusOr<compile::SnapshotPtr> ConfigManager::compilePlan(const Plan& plan) {
  validate::Problems problems;
  const compile::Observer observer = [this, &plan, &problems](
                                         const store::Key& source,
                                         const google::protobuf::Message& compiled) {
    for (const ext::ResourceError& error : check_(compiled)) {
      const auto place = plan.places.find(source);
      problems.add(source, place == plan.places.end() ? "" : place->second, error.rule(),
                   error.value(),
                   absl::StrCat("the nodes would refuse this: ", error.type_url(), " ",
                                error.name(), " ", error.field_path(), ": ", error.reason()));
    }
  };
  compile::SnapshotPtr next =
      compile::Snapshot::next(*snapshot_, plan.model, keysOf(plan), observer);
  if (!problems.empty()) return refusal(absl::StatusCode::kInvalidArgument, problems.list());
  return next;
}

absl::StatusOr<v1::Revision> ConfigManager::commit(Plan plan, const Author& author) {
  absl::StatusOr<compile::SnapshotPtr> next = compilePlan(plan);
  if (!next.ok()) return next.status();
  store::RevisionInfo info;
  info.time = clock_->wallNow();
  info.author = author.name;
  info.comment = author.comment;
  v1::Revision revision;
  for (v1::Change& change : changesOf(model_, plan, false)) {
    *revision.add_changes() = std::move(change);
  }
  absl::StatusOr<store::RevisionNumber> head = store_->commit(model_.revision, info, plan.writes);
  if (!head.ok()) {
    logTrouble("commit_failed", {{"reason", head.status().message()}});
    return head.status();
  }
  model_ = std::move(plan.model);
  snapshot_ = std::move(*next);
  head_ = *head;
  const std::string number = absl::StrCat(*head);
  const std::string count = absl::StrCat(plan.writes.size());
  logEvent("committed", {{"revision", number}, {"changes", count}, {"author", author.name}});
  if (publish_) publish_(snapshot_);

  revision.set_number(*head);
  setTimestamp(info.time, revision.mutable_create_time());
  revision.set_author(author.name);
  revision.set_comment(author.comment);
  revision.set_change_count(static_cast<int64_t>(plan.writes.size()));
  return revision;
}

absl::StatusOr<v1::ApplyResponse> ConfigManager::apply(const v1::ApplyRequest& request) {
  absl::Status status = checkAuthor(request.author(), request.comment());
  if (!status.ok()) return status;
  v1::ApplyResponse response;
  {
    MutexLock lock(&mutex_);
    status = expectHead(request.has_expected_revision(), request.expected_revision());
    if (!status.ok()) return status;
    absl::StatusOr<Plan> plan =
        planApply(model_, request.config(), request.prune(), clock_->wallNow());
    if (!plan.ok()) return plan.status();
    response.set_unchanged(plan->writes.empty());
    if (plan->writes.empty()) {
      response.mutable_revision()->set_number(model_.revision);
      return response;
    }
    absl::StatusOr<v1::Revision> revision =
        commit(std::move(*plan), {request.author(), request.comment()});
    if (!revision.ok()) return revision.status();
    *response.mutable_revision() = std::move(*revision);
  }
  observers_.notify();
  return response;
}

absl::StatusOr<v1::DeleteResponse> ConfigManager::remove(const v1::DeleteRequest& request) {
  absl::Status status = checkAuthor(request.author(), request.comment());
  if (!status.ok()) return status;
  v1::DeleteResponse response;
  {
    MutexLock lock(&mutex_);
    status = expectHead(request.has_expected_revision(), request.expected_revision());
    if (!status.ok()) return status;
    absl::StatusOr<Plan> plan = planDelete(model_, request.ids());
    if (!plan.ok()) return plan.status();
    absl::StatusOr<v1::Revision> revision =
        commit(std::move(*plan), {request.author(), request.comment()});
    if (!revision.ok()) return revision.status();
    *response.mutable_revision() = std::move(*revision);
  }
  observers_.notify();
  return response;
}

absl::StatusOr<v1::ValidateResponse> ConfigManager::validate(const v1::ValidateRequest& request) {
  MutexLock lock(&mutex_);
  v1::ValidateResponse response;
  response.set_revision(model_.revision);
  absl::StatusOr<Plan> plan =
      planApply(model_, request.config(), request.prune(), clock_->wallNow());
  absl::Status status = plan.status();
  if (plan.ok()) status = compilePlan(*plan).status();
  if (!status.ok()) {
    *response.mutable_problems() = problemsOf(status);
    if (response.problems().problems().empty()) return status;
    return response;
  }
  for (v1::Change& change : changesOf(model_, *plan, true)) {
    *response.add_changes() = std::move(change);
  }
  response.set_change_count(static_cast<int64_t>(plan->writes.size()));
  return response;
}

}  // namespace convoy::controlplane::manage
