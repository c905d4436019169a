#include "proxy/xds/ads_client.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"

namespace convoy::xds {

namespace {

using Interest = Subscription::Interest;

// A control plane that does not read must not fill our memory with what it is to be told.
constexpr size_t kMostAnswersDue = 1000;

// Of one response; the control plane is told of them all.
constexpr size_t kLoggedErrors = 20;

config::Context makeContext(const AdsOptions& options) {
  return {.registry = &config::builtins(),
          .refuse_unknown_fields = options.reject_unknown_fields,
          .read_files = true,
          .version = {},
          .resource = {}};
}

// Drops the specs that are refused.
template <class Spec>
void dropRefused(const std::vector<ext::ResourceError>& errors,
                 std::vector<std::shared_ptr<const Spec>>* specs) {
  std::set<std::string> refused;
  for (const ext::ResourceError& error : errors) refused.insert(error.name());
  std::erase_if(*specs, [&](const auto& spec) { return refused.contains(spec->name); });
}

std::vector<std::string> owned(const std::vector<std::string_view>& names) {
  return {names.begin(), names.end()};
}

void append(std::vector<ext::ResourceError> more, std::vector<ext::ResourceError>* errors) {
  std::move(more.begin(), more.end(), std::back_inserter(*errors));
}

}  // namespace

AdsClient::AdsClient(event::Loop& loop, grpc::Client& client, AdsOptions options,
                     ResourceSink& sink, observe::MetricRegistry& registry)
    : loop_(loop),
      options_(std::move(options)),
      sink_(sink),
      context_(makeContext(options_)),
      control_plane_(registry, "control_plane", {}, /*slots=*/1),
      types_{Type(config::kClusterType, Interest::All, "cluster_manager.cds", registry),
             Type(config::kAssignmentType, Interest::Named, "cluster_manager.eds", registry),
             Type(config::kSecretType, Interest::Named, "sds", registry),
             Type(config::kListenerType, Interest::All, "listener_manager.lds", registry),
             Type(config::kRouteTableType, Interest::Named, "http.rds", registry)},
      warming_({.clusters = options_.clusters,
                .listeners = options_.listeners,
                .clusters_timeout = options_.clusters_timeout,
                .listeners_timeout = options_.listeners_timeout}),
      reporter_(options_.encoded_node),
      warming_timer_(loop, [this] { onDeadline(); }),
      stream_(loop, client,
              {.backoff_base = options_.backoff_base,
               .backoff_cap = options_.backoff_cap,
               .max_response_bytes = options_.max_response_bytes},
              *this, control_plane_.slot(0)) {}

void AdsClient::start() {
  CONVOY_ASSERT(loop_.isOwnThread());
  warming_.start(loop_.now());
  warming_.wantForGood(options_.static_secrets, loop_.now());
  followReferences();
  stream_.start();
  settle();
}

void AdsClient::stop() {
  stream_.stop();
  warming_timer_.cancel();
}

void AdsClient::setReport(ext::NodeReport report) {
  reporter_.setReport(std::move(report));
  // In the middle of a response the report goes with its answer.
  if (!settling_) sendDue();
}

bool AdsClient::subscribed(Kind kind) const {
  if (kind == Clusters) return options_.clusters;
  if (kind == Listeners) return options_.listeners;
  return true;
}

void AdsClient::onStreamStarted() {
  node_due_ = true;
  refusals_.clear();
  for (Type& type : types_) {
    type.subscription.onStreamStarted();
    type.metrics().update_attempt.add();
  }
  sendDue();
}

void AdsClient::onStreamEnded() {
  for (Type& type : types_) type.metrics().update_failure.add();
}

absl::Status AdsClient::onResponse(const DeltaResponse& response) {
  if (response.nonce().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("a response about ", response.type_url(),
                                                   " has no nonce, so that it cannot be answered"));
  }
  for (uint8_t k = 0; k < kKinds; ++k) {
    const Kind kind = static_cast<Kind>(k);
    Subscription& subscription = types_[kind].subscription;
    if (subscription.typeUrl() != response.type_url() || !subscribed(kind)) continue;
    if (subscription.answersDue() >= kMostAnswersDue) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "the control plane goes on sending, but reads no answer: ", subscription.answersDue(),
          " wait about ", response.type_url()));
    }
    const Update update = subscription.onResponse(response);
    std::vector<ext::ResourceError> errors = take(kind, update);
    settle();
    errors = subscription.finish(std::move(errors));
    keep(kind, response, update, errors);
    countAnswer(kind, response, errors);
    followReferences();
    updateGauges();
    // What the response refers to is asked for before it is acknowledged: else the control plane
    // would take this node for up to date in between.
    if (kind == Clusters) sendDue(Assignments);
    if (kind == Listeners) sendDue(RouteTables);
    if (kind == Clusters || kind == Listeners) sendDue(Secrets);
    sendDue();
    return absl::OkStatus();
  }
  refuseUnknownType(response);
  return absl::OkStatus();
}

void AdsClient::refuseUnknownType(const DeltaResponse& response) {
  control_plane_.slot(0).unknown_type.add();
  ext::ResourceError error;
  error.set_type_url(response.type_url());
  error.set_rule("unsupported_type");
  error.set_reason(absl::StrCat("this node did not ask for resources of the type \"",
                                response.type_url(), "\""));
  DeltaRequest refusal;
  refusal.set_type_url(response.type_url());
  setAnswer(response.nonce(), {error}, &refusal);
  refusals_.push_back(std::move(refusal));
  sendDue();
}

std::vector<ext::ResourceError> AdsClient::take(Kind kind, const Update& update) {
  switch (kind) {
    case Clusters:
      return takeClusters(update);
    case Assignments:
      return takeAssignments(update);
    case Secrets:
      return takeSecrets(update);
    case Listeners:
      return takeListeners(update);
    case RouteTables:
      return takeRouteTables(update);
    case kKinds:
      break;
  }
  return {};
}

template <class Spec>
std::vector<ext::ResourceError> AdsClient::keepNotes(Kind kind, const Update& update,
                                                     Decoded<Spec>& decoded) {
  const std::string& type_url = types_[kind].subscription.typeUrl();
  for (Notes& notes : decoded.notes) reporter_.setNotes(type_url, std::move(notes));
  for (const std::string_view name : update.removed) reporter_.forget(type_url, name);
  return std::move(decoded.errors);
}

std::vector<ext::ResourceError> AdsClient::takeClusters(const Update& update) {
  auto decoded = decodeClusters(update, context_);
  std::vector<ext::ResourceError> errors = keepNotes(Clusters, update, decoded);
  Changes proposed;
  proposed.clusters = std::move(decoded.specs);
  proposed.removed_clusters = owned(update.removed);
  const std::vector<ext::ResourceError> refused = sink_.admit(proposed);
  dropRefused(refused, &proposed.clusters);
  append(refused, &errors);
  for (auto& spec : proposed.clusters) {
    const std::string name = spec->name;
    warming_.putCluster(std::move(spec), loop_.now());
    if (sink_.hostsFound(name)) warming_.hostsFound(name);
  }
  for (const std::string_view name : update.removed) warming_.removeCluster(name);
  warming_.onClustersAnswered();
  return errors;
}

std::vector<ext::ResourceError> AdsClient::takeAssignments(const Update& update) {
  auto decoded = decodeAssignments(update, context_);
  std::vector<ext::ResourceError> errors = keepNotes(Assignments, update, decoded);
  for (auto& spec : decoded.specs) warming_.putAssignment(std::move(spec));
  for (const std::string_view name : update.removed) warming_.assignmentAbsent(name);
  return errors;
}

std::vector<ext::ResourceError> AdsClient::takeSecrets(const Update& update) {
  auto decoded = decodeSecrets(update, context_);
  std::vector<ext::ResourceError> errors = keepNotes(Secrets, update, decoded);
  Changes proposed;
  proposed.secrets = std::move(decoded.specs);
  const std::vector<ext::ResourceError> refused = sink_.admit(proposed);
  dropRefused(refused, &proposed.secrets);
  append(refused, &errors);
  for (auto& spec : proposed.secrets) warming_.putSecret(std::move(spec));
  for (const std::string_view name : update.removed) warming_.secretAbsent(name);
  return errors;
}

std::vector<ext::ResourceError> AdsClient::takeListeners(const Update& update) {
  auto decoded = decodeListeners(update, context_);
  std::vector<ext::ResourceError> errors = keepNotes(Listeners, update, decoded);
  Changes proposed;
  proposed.listeners = std::move(decoded.specs);
  proposed.removed_listeners = owned(update.removed);
  const std::vector<ext::ResourceError> refused = sink_.admit(proposed);
  dropRefused(refused, &proposed.listeners);
  append(refused, &errors);
  for (auto& spec : proposed.listeners) warming_.putListener(std::move(spec), loop_.now());
  for (const std::string_view name : update.removed) warming_.removeListener(name);
  warming_.onListenersAnswered();
  return errors;
}

std::vector<ext::ResourceError> AdsClient::takeRouteTables(const Update& update) {
  auto decoded = decodeRouteTables(update, context_);
  std::vector<ext::ResourceError> errors = keepNotes(RouteTables, update, decoded);
  for (auto& spec : decoded.specs) warming_.putRoutes(std::move(spec));
  for (const std::string_view name : update.removed) warming_.routesAbsent(name);
  return errors;
}

ResourceArchive::Names AdsClient::waitingNames(Kind kind) const {
  std::vector<Warming::Waiter> waiters;
  if (kind == Clusters) waiters = warming_.waitingClusters();
  if (kind == RouteTables) waiters = warming_.waitingRoutes();
  if (kind == Listeners) waiters = warming_.waitingListeners();
  ResourceArchive::Names names;
  for (Warming::Waiter& waiter : waiters) names.insert(std::move(waiter.name));
  return names;
}

// What came, for people to see.
void AdsClient::keep(Kind kind, const DeltaResponse& response, const Update& update,
                     const std::vector<ext::ResourceError>& errors) {
  const std::string& type_url = types_[kind].subscription.typeUrl();
  std::map<std::string, std::string, std::less<>> refused;
  for (const ext::ResourceError& error : errors) {
    std::string& details = refused[error.name()];
    absl::StrAppend(&details, details.empty() ? "" : "; ", error.field_path(),
                    error.field_path().empty() ? "" : ": ", error.reason());
  }
  const ResourceArchive::Names waiting = waitingNames(kind);
  for (const Update::Resource& resource : update.changed) {
    ResourceArchive::Received received{std::string(resource.version), {}, loop_.wallNow()};
    // Nobody is shown what is in a secret, so it is not kept either.
    if (resource.value->type_url() == type_url && kind != Secrets) {
      received.bytes = resource.value->value();
    }
    if (auto found = refused.extract(std::string(resource.name)); !found.empty()) {
      archive_.refuse(type_url, resource.name, {std::move(received), std::move(found.mapped())});
    } else {
      archive_.accept(type_url, resource.name, std::move(received),
                      waiting.contains(resource.name));
    }
  }
  for (auto& [name, details] : refused) {
    if (!name.empty()) {
      archive_.refuse(type_url, name, {{{}, {}, loop_.wallNow()}, std::move(details)});
    }
  }
  for (const std::string_view name : update.removed) archive_.erase(type_url, name);
  if (errors.empty()) archive_.setVersion(type_url, response.system_version_info());
}

void AdsClient::countAnswer(Kind kind, const DeltaResponse& response,
                            const std::vector<ext::ResourceError>& errors) {
  SubscriptionMetrics& metrics = types_[kind].metrics();
  metrics.update_attempt.add();
  metrics.resource_received.add(static_cast<uint64_t>(response.resources_size()));
  metrics.resource_removed.add(static_cast<uint64_t>(response.removed_resources_size()));
  metrics.received_bytes.add(response.ByteSizeLong());
  if (errors.empty()) {
    metrics.update_success.add();
    metrics.version.set(
        static_cast<int64_t>(std::hash<std::string>()(response.system_version_info()) >> 1));
    return;
  }
  metrics.update_rejected.add();
  metrics.resource_rejected.add(errors.size());
  for (size_t i = 0; i < std::min(errors.size(), kLoggedErrors); ++i) {
    const ext::ResourceError& error = errors[i];
    base::logWarning(absl::StrCat("xds: refused ", error.type_url(), " \"", error.name(),
                                  "\": ", error.field_path(),
                                  error.field_path().empty() ? "" : ": ", error.reason()));
  }
  if (errors.size() > kLoggedErrors) {
    base::logWarning(absl::StrCat("xds: refused ", errors.size() - kLoggedErrors,
                                  " more resources of the same response"));
  }
}

// Hands over what is ready, and sees to it that what still waits is looked at again in time.
void AdsClient::settle() {
  const event::Loop::TurnScope turn(loop_);
  settling_ = true;
  const Changes changes = warming_.settle(loop_.now());
  if (!changes.empty()) sink_.apply(changes);
  if (archive_.anyWaiting()) {
    for (const Kind kind : {Clusters, RouteTables, Listeners}) {
      archive_.keepWaiting(types_[kind].subscription.typeUrl(), waitingNames(kind));
    }
  }
  const event::MonotonicTime next = warming_.nextDeadline();
  if (next == event::MonotonicTime::max()) {
    warming_timer_.cancel();
  } else {
    warming_timer_.armAfter(next - loop_.now());
  }
  updateGauges();
  if (warming_.initialized() && on_initialized_ != nullptr) {
    std::exchange(on_initialized_, nullptr)();
  }
  settling_ = false;
}

void AdsClient::onHostsFound(const std::string& cluster) {
  warming_.hostsFound(cluster);
  onDeadline();
}

void AdsClient::onDeadline() {
  settle();
  followReferences();
  updateGauges();
  sendDue();
}

void AdsClient::forget(Kind kind, std::string_view name) {
  const std::string& type_url = types_[kind].subscription.typeUrl();
  reporter_.forget(type_url, name);
  archive_.erase(type_url, name);
}

void AdsClient::followReferences() {
  Subscription& assignments = types_[Assignments].subscription;
  for (const NameChange& change : warming_.takeAssignmentNames()) {
    change.wanted ? assignments.subscribe(change.name) : assignments.unsubscribe(change.name);
    if (!change.wanted) forget(Assignments, change.name);
  }
  Subscription& routes = types_[RouteTables].subscription;
  for (const NameChange& change : warming_.takeRouteNames()) {
    change.wanted ? routes.subscribe(change.name) : routes.unsubscribe(change.name);
    if (!change.wanted) forget(RouteTables, change.name);
  }
  Subscription& secrets = types_[Secrets].subscription;
  for (const NameChange& change : warming_.takeSecretNames()) {
    change.wanted ? secrets.subscribe(change.name) : secrets.unsubscribe(change.name);
    if (!change.wanted) forget(Secrets, change.name);
  }
}

void AdsClient::updateGauges() {
  for (Type& type : types_) {
    type.metrics().resources.set(static_cast<int64_t>(type.subscription.acceptedCount()));
  }
  control_plane_.slot(0).ignored_fields.set(static_cast<int64_t>(reporter_.ignoredCount()));
  const Warming::Counts waiting = warming_.waiting();
  types_[Clusters].metrics().warming.set(static_cast<int64_t>(waiting.clusters));
  types_[RouteTables].metrics().warming.set(static_cast<int64_t>(waiting.routes));
  types_[Listeners].metrics().warming.set(static_cast<int64_t>(waiting.listeners));
  const Warming::Timeouts& now = warming_.timeouts();
  const Warming::Timeouts& then = timeouts_counted_;
  types_[Clusters].metrics().init_fetch_timeout.add(now.clusters - then.clusters);
  types_[Assignments].metrics().init_fetch_timeout.add(now.endpoints - then.endpoints);
  types_[Listeners].metrics().init_fetch_timeout.add(now.listeners - then.listeners);
  types_[RouteTables].metrics().init_fetch_timeout.add(now.routes - then.routes);
  types_[Secrets].metrics().init_fetch_timeout.add(now.secrets - then.secrets);
  timeouts_counted_ = now;
}

void AdsClient::sendDue(Kind kind) {
  if (!stream_.open() || !subscribed(kind)) return;
  // What is not sent now waits in the subscription, until there is room.
  while (!stream_.aboveHigh()) {
    std::optional<DeltaRequest> request = types_[kind].subscription.nextRequest();
    if (!request.has_value()) break;
    sendRequest(*std::move(request));
  }
}

void AdsClient::sendDue() {
  if (!stream_.open()) return;
  for (uint8_t k = 0; k < kKinds; ++k) sendDue(static_cast<Kind>(k));
  for (DeltaRequest& refusal : std::exchange(refusals_, {})) sendRequest(std::move(refusal));
  if (reporter_.due() && !node_due_ && stream_.state() == AdsStream::State::Active) {
    // A message about a type that the stream knows already and that says nothing else.
    DeltaRequest report;
    report.set_type_url(types_[options_.clusters ? Clusters : Listeners].subscription.typeUrl());
    sendRequest(std::move(report));
  }
}

void AdsClient::sendRequest(DeltaRequest request) {
  if (node_due_ || reporter_.due()) *request.mutable_node() = reporter_.node();
  node_due_ = false;
  stream_.send(request);
}

AdsStatus AdsClient::status() const {
  std::map<std::pair<std::string, std::string>, std::string> waiting;
  const auto note = [&](Kind kind, const std::vector<Warming::Waiter>& waiters) {
    for (const Warming::Waiter& waiter : waiters) {
      waiting[{types_[kind].subscription.typeUrl(), waiter.name}] = waiter.waiting_for;
    }
  };
  note(Clusters, warming_.waitingClusters());
  note(RouteTables, warming_.waitingRoutes());
  note(Listeners, warming_.waitingListeners());

  AdsStatus status;
  status.state = stream_.state();
  status.last_stream_error = stream_.lastError();
  for (const Type& type : types_) {
    const std::string& type_url = type.subscription.typeUrl();
    for (const auto& [name, held] : type.subscription.held()) {
      const auto found = waiting.find({type_url, name});
      status.resources.push_back({.type_url = type_url,
                                  .name = name,
                                  .version = held.version,
                                  .waiting_for = found == waiting.end() ? "" : found->second,
                                  .last_error = held.last_error});
    }
  }
  return status;
}

}  // namespace convoy::xds
