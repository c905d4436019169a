#include "controlplane/push/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"

namespace convoy::controlplane::push {

namespace {

using compile::Type;

// A client's receive limit is 4 MiB by default in gRPC; one resource is always sent.
constexpr size_t kMostResponseBytes = 1 << 20;

constexpr char kEverything[] = "*";

std::vector<ext::ResourceError> detailsOf(const google::rpc::Status& status) {
  std::vector<ext::ResourceError> errors;
  for (const google::protobuf::Any& any : status.details()) {
    ext::ResourceError error;
    if (any.Is<ext::ResourceError>() && any.UnpackTo(&error)) errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace

Session::Session(Protocol protocol)
    : protocol_(protocol),
      channels_{Channel{Subscription(Type::Cluster, protocol), "", false},
                Channel{Subscription(Type::Assignment, protocol), "", false},
                Channel{Subscription(Type::Listener, protocol), "", false},
                Channel{Subscription(Type::RouteConfiguration, protocol), "", false},
                Channel{Subscription(Type::Secret, protocol), "", false}} {}

absl::Status Session::identify(bool has_node, const envoy::config::core::v3::Node& node) {
  if (node_.has_value()) {
    if (has_node && !node.id().empty() && node.id() != node_->id) {
      return absl::InvalidArgumentError(absl::StrCat(
          "node.id changed from \"", node_->id, "\" to \"", node.id(), "\" within one stream"));
    }
  } else {
    absl::StatusOr<NodeIdentity> identity = identityOf(node);
    if (!identity.ok()) return identity.status();
    node_ = std::move(*identity);
  }
  if (has_node) {
    std::optional<ext::NodeReport> report = reportOf(node);
    if (report.has_value()) report_ = std::move(report);
  }
  return absl::OkStatus();
}

Session::Channel* Session::channelOf(const std::string& type_url) {
  const std::optional<Type> type = compile::typeOfUrl(type_url);
  return type.has_value() ? &channels_[indexOf(*type)] : nullptr;
}

void Session::answer(Channel& channel, bool is_error, const google::rpc::Status& error) {
  if (is_error) {
    channel.subscription.refused(detailsOf(error), error.message());
  } else {
    channel.subscription.accepted();
  }
}

absl::Status Session::onRequest(const DeltaRequest& request) {
  absl::Status status = identify(request.has_node(), request.node());
  if (!status.ok()) return status;
  Channel* channel = channelOf(request.type_url());
  if (channel == nullptr) return absl::OkStatus();
  // Subscriptions count whatever the nonce; an answer counts for the newest response only.
  subscribe(*channel, request);
  asked(*compile::typeOfUrl(request.type_url()));
  if (!request.response_nonce().empty() && request.response_nonce() == channel->nonce) {
    answer(*channel, request.has_error_detail(), request.error_detail());
  }
  return absl::OkStatus();
}

void Session::subscribe(Channel& channel, const DeltaRequest& request) {
  Subscription& subscription = channel.subscription;
  const bool first = !channel.requested;
  channel.requested = true;
  if (first) {
    for (const auto& [name, version] : request.initial_resource_versions()) {
      subscription.has(name, version);
      came_back_ = true;
    }
  }
  // A first request without names asks for everything, from the time before "*" was written.
  if (first && request.resource_names_subscribe().empty()) subscription.wantAll();
  for (const std::string& name : request.resource_names_subscribe()) {
    if (name == kEverything) {
      subscription.wantAll();
    } else {
      subscription.want(name);
    }
  }
  for (const std::string& name : request.resource_names_unsubscribe()) {
    if (name == kEverything) {
      subscription.wantAllNoMore();
    } else {
      subscription.wantNoMore(name);
    }
  }
}

absl::Status Session::onRequest(const Request& request) {
  absl::Status status = identify(request.has_node(), request.node());
  if (!status.ok()) return status;
  Channel* channel = channelOf(request.type_url());
  if (channel == nullptr) return absl::OkStatus();
  // A request that answers an older response is followed by one that answers the newest.
  if (channel->requested && request.response_nonce() != channel->nonce) return absl::OkStatus();
  if (!request.response_nonce().empty()) {
    answer(*channel, request.has_error_detail(), request.error_detail());
  }
  subscribe(*channel, request);
  asked(*compile::typeOfUrl(request.type_url()));
  return absl::OkStatus();
}

void Session::subscribe(Channel& channel, const Request& request) {
  Subscription& subscription = channel.subscription;
  const bool first = !channel.requested;
  channel.requested = true;
  std::set<std::string> names(request.resource_names().begin(), request.resource_names().end());
  const bool all =
      names.erase(kEverything) != 0 ||
      (names.empty() && (first || (subscription.wantsAll() && request.resource_names().empty())));
  if (all != subscription.wantsAll()) {
    all ? subscription.wantAll() : subscription.wantAllNoMore();
  }
  const std::set<std::string> before = subscription.names();
  for (const std::string& name : before) {
    if (names.count(name) == 0) subscription.wantNoMore(name);
  }
  for (const std::string& name : names) {
    if (before.count(name) == 0) subscription.want(name);
  }
}

void Session::setView(compile::ViewPtr view, const compile::ViewDifference* changes) {
  for (const Type type : compile::kTypes) {
    of(type).setView(view, changes == nullptr ? nullptr : &(*changes)[indexOf(type)]);
  }
  view_ = std::move(view);
  std::erase_if(unasked_,
                [this](const auto& one) { return view_->find(one.first, one.second) == nullptr; });
}

// What the client will ask for next, if it is one that takes all there is.
void Session::expectRequests(Type sent, const std::vector<compile::EncodedPtr>& resources) {
  if (sent == Type::Cluster) {
    for (const compile::EncodedPtr& cluster : resources) {
      const bool exists = view_->find(Type::Assignment, cluster->name) != nullptr;
      if (exists && !of(Type::Assignment).wants(cluster->name)) {
        unasked_.emplace(Type::Assignment, cluster->name);
      }
    }
  }
  for (const compile::EncodedPtr& user : resources) {
    for (const std::string& name : user->secrets) {
      const bool exists = view_->find(Type::Secret, name) != nullptr;
      if (exists && !of(Type::Secret).wants(name)) unasked_.emplace(Type::Secret, name);
    }
  }
  // Which routes a listener names is inside its bytes; those of the view are of its listeners.
  if (sent == Type::Listener && of(Type::Listener).wantsAll() && !resources.empty()) {
    for (const auto& [name, routes] : view_->of(Type::RouteConfiguration)) {
      if (!of(Type::RouteConfiguration).wants(name)) {
        unasked_.emplace(Type::RouteConfiguration, std::string(name));
      }
    }
  }
}

void Session::asked(Type type) {
  std::erase_if(unasked_, [this, type](const auto& one) {
    return one.first == type && of(type).wants(one.second);
  });
}

bool Session::mayName() const {
  return !of(Type::Cluster).bringsNew() && !of(Type::Assignment).bringsNew() &&
         !of(Type::Secret).bringsNew();
}

bool Session::allSettled(absl::Span<const Type> types) const {
  for (const Type type : types) {
    const Subscription& naming = of(type);
    if (naming.inFlight() || naming.hasAdditions() || naming.hasRemovals()) return false;
  }
  return true;
}

std::optional<Response> Session::take(Type type, bool removals) {
  Channel& channel = channels_[indexOf(type)];
  std::optional<Update> update = removals ? channel.subscription.takeRemovals()
                                          : channel.subscription.takeAdditions(kMostResponseBytes);
  if (!update.has_value()) return std::nullopt;
  if (type == Type::Cluster && !removals) {
    // Envoy warms a changed cluster like a new one and waits for its endpoints, known or not.
    for (const compile::EncodedPtr& cluster : update->resources) {
      of(Type::Assignment).resend(cluster->name);
    }
  }
  if (!removals) expectRequests(type, update->resources);
  channel.nonce = absl::StrCat(++nonces_);
  return Response{protocol_, type, channel.nonce, view_->revision, std::move(*update)};
}

std::optional<Response> Session::next() {
  struct Step {
    Type type;
    bool removals;
    bool allowed;
  };
  const bool may_name = mayName();
  const bool may_remove = may_name && allSettled({Type::Listener, Type::RouteConfiguration});
  const bool may_remove_secrets = may_remove && allSettled({Type::Cluster});
  const Step steps[] = {
      {Type::Cluster, false, true},
      {Type::Assignment, false, true},
      {Type::Secret, false, true},
      {Type::Listener, false, may_name},
      {Type::RouteConfiguration, false, may_name},
      {Type::Listener, true, may_name},
      {Type::RouteConfiguration, true, may_name},
      {Type::Cluster, true, may_remove},
      {Type::Assignment, true, may_remove},
      {Type::Secret, true, may_remove_secrets},
  };
  for (const Step& step : steps) {
    const Subscription& subscription = of(step.type);
    const bool pending = step.removals ? subscription.hasRemovals() : subscription.hasAdditions();
    if (!step.allowed || !pending || subscription.inFlight()) continue;
    if (step.removals && keepsOthers()) continue;
    std::optional<Response> response = take(step.type, step.removals);
    if (response.has_value()) return response;
  }
  return std::nullopt;
}

bool Session::keepsOthers() const {
  return came_back_ && view_ != nullptr && view_->revision == 0;
}

bool Session::settled() const {
  return allSettled(compile::kTypes) && node_.has_value() && view_ != nullptr;
}

std::vector<Refusal> Session::refusals() const {
  std::vector<Refusal> all;
  for (const Channel& channel : channels_) {
    for (const auto& [name, refusal] : channel.subscription.refusals()) all.push_back(refusal);
  }
  return all;
}

}  // namespace convoy::controlplane::push
