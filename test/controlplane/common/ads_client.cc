#include "test/controlplane/common/ads_client.h"

#include <algorithm>
#include <chrono>

#include "api/convoy/ext/resource_error.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"

namespace convoy::controlplane {

namespace {

constexpr std::chrono::seconds kPatience{20};

const char* const kTypes[][2] = {
    {"Cluster", "type.googleapis.com/envoy.config.cluster.v3.Cluster"},
    {"ClusterLoadAssignment", "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"},
    {"Listener", "type.googleapis.com/envoy.config.listener.v3.Listener"},
    {"RouteConfiguration", "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"},
    {"Secret", "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"},
};

std::string urlOf(const std::string& type) {
  for (const auto& [name, url] : kTypes) {
    if (type == name) return url;
  }
  return "";
}

std::string typeOf(const std::string& url) {
  return url.substr(url.rfind('.') + 1);
}

}  // namespace

AdsClient::AdsClient(const std::string& address, const std::string& id,
                     const std::map<std::string, std::string>& labels)
    : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
      stub_(envoy::service::discovery::v3::AggregatedDiscoveryService::NewStub(channel_)),
      stream_(stub_->DeltaAggregatedResources(&context_)) {
  DeltaRequest request;
  request.mutable_node()->set_id(id);
  auto& fields = *(*request.mutable_node()->mutable_metadata()->mutable_fields())["labels"]
                      .mutable_struct_value()
                      ->mutable_fields();
  for (const auto& [key, value] : labels) fields[key].set_string_value(value);
  request.set_type_url(urlOf("Cluster"));
  send(request);
  request.Clear();
  request.set_type_url(urlOf("Listener"));
  send(request);
  thread_ = std::thread([this] { run(); });
}

AdsClient::~AdsClient() {
  context_.TryCancel();
  thread_.join();
}

void AdsClient::send(const DeltaRequest& request) {
  std::lock_guard lock(writing_);
  stream_->Write(request);
}

void AdsClient::ask(const std::string& type, const std::set<std::string>& names) {
  DeltaRequest request;
  request.set_type_url(urlOf(type));
  for (const std::string& name : names) request.add_resource_names_subscribe(name);
  send(request);
}

void AdsClient::refuse(const std::string& name) {
  std::lock_guard lock(mutex_);
  refused_.insert(name);
}

void AdsClient::run() {
  DeltaResponse response;
  while (stream_->Read(&response)) {
    handle(response);
    response.Clear();
  }
  const grpc::Status status = stream_->Finish();
  std::lock_guard lock(mutex_);
  ended_ = true;
  status_ = status;
  changed_.notify_all();
}

void AdsClient::subscribe(const std::string& type, const std::set<std::string>& names) {
  DeltaRequest request;
  request.set_type_url(urlOf(type));
  std::set<std::string>& subscribed = subscribed_[type];
  for (const std::string& name : names) {
    if (subscribed.count(name) == 0) request.add_resource_names_subscribe(name);
  }
  for (const std::string& name : subscribed) {
    if (names.count(name) == 0) request.add_resource_names_unsubscribe(name);
  }
  subscribed = names;
  const bool changes =
      !request.resource_names_subscribe().empty() || !request.resource_names_unsubscribe().empty();
  if (changes) send(request);
}

// Subscribes to what the clusters and listeners of a response name.
void AdsClient::follow(const DeltaResponse& response) {
  namespace hcm_v3 = envoy::extensions::filters::network::http_connection_manager::v3;
  const std::string type = typeOf(response.type_url());
  if (type != "Cluster" && type != "Listener") return;
  followSecrets(response);
  const std::string wanted = type == "Cluster" ? "ClusterLoadAssignment" : "RouteConfiguration";
  std::set<std::string> names = subscribed_[wanted];
  for (const auto& resource : response.resources()) {
    if (type == "Cluster") {
      names.insert(resource.name());
      continue;
    }
    envoy::config::listener::v3::Listener listener;
    hcm_v3::HttpConnectionManager manager;
    resource.resource().UnpackTo(&listener);
    listener.filter_chains(0).filters(0).typed_config().UnpackTo(&manager);
    names.insert(manager.rds().route_config_name());
  }
  if (type == "Cluster") {
    // What only a cluster needed goes with it.
    std::lock_guard lock(mutex_);
    for (const std::string& name : response.removed_resources()) {
      names.erase(name);
      held_.erase("ClusterLoadAssignment/" + name);
    }
  }
  subscribe(wanted, names);
}

void AdsClient::followSecrets(const DeltaResponse& response) {
  namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;
  const std::string type = typeOf(response.type_url());
  for (const auto& resource : response.resources()) {
    std::set<std::string>& names = secrets_[type + "/" + resource.name()];
    names.clear();
    tls_v3::CommonTlsContext common;
    envoy::config::listener::v3::Listener listener;
    envoy::config::cluster::v3::Cluster cluster;
    tls_v3::DownstreamTlsContext downstream;
    tls_v3::UpstreamTlsContext upstream;
    if (resource.resource().UnpackTo(&listener)) {
      listener.filter_chains(0).transport_socket().typed_config().UnpackTo(&downstream);
      common = downstream.common_tls_context();
      names.insert(downstream.session_ticket_keys_sds_secret_config().name());
    } else if (resource.resource().UnpackTo(&cluster)) {
      cluster.transport_socket().typed_config().UnpackTo(&upstream);
      common = upstream.common_tls_context();
    }
    for (const auto& sds : common.tls_certificate_sds_secret_configs()) names.insert(sds.name());
    names.insert(common.validation_context_sds_secret_config().name());
    names.insert(
        common.combined_validation_context().validation_context_sds_secret_config().name());
    names.erase("");
  }
  for (const std::string& name : response.removed_resources()) secrets_.erase(type + "/" + name);
  std::set<std::string> all;
  for (const auto& [user, names] : secrets_) all.insert(names.begin(), names.end());
  {
    std::lock_guard lock(mutex_);
    for (const std::string& name : subscribed_["Secret"]) {
      if (all.count(name) == 0) held_.erase("Secret/" + name);
    }
  }
  subscribe("Secret", all);
}

void AdsClient::handle(const DeltaResponse& response) {
  const std::string type = typeOf(response.type_url());
  DeltaRequest answer;
  answer.set_type_url(response.type_url());
  answer.set_response_nonce(response.nonce());
  {
    std::lock_guard lock(mutex_);
    received_ += response.ByteSizeLong();
    for (const auto& resource : response.resources()) {
      const std::string key = type + "/" + resource.name();
      log_.push_back(key);
      contents_[key] = resource.resource().value();
      if (refused_.count(resource.name()) == 0) {
        held_[key] = resource.version();
        continue;
      }
      ext::ResourceError error;
      error.set_type_url(response.type_url());
      error.set_name(resource.name());
      error.set_field_path("name");
      error.set_rule("test");
      error.set_reason("this test refuses it");
      answer.mutable_error_detail()->set_message("refused");
      answer.mutable_error_detail()->add_details()->PackFrom(error);
    }
    for (const std::string& name : response.removed_resources()) {
      log_.push_back("-" + type + "/" + name);
      held_.erase(type + "/" + name);
    }
    changed_.notify_all();
  }
  follow(response);
  send(answer);
}

bool AdsClient::waitFor(const std::string& resource, bool present) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this, &resource, present] {
    return (held_.count(resource) != 0) == present;
  });
}

grpc::Status AdsClient::waitForEnd() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [this] { return ended_; });
  return ended_ ? status_ : grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "still there");
}

std::map<std::string, std::string> AdsClient::held() {
  std::lock_guard lock(mutex_);
  return held_;
}

std::vector<std::string> AdsClient::log() {
  std::lock_guard lock(mutex_);
  return log_;
}

bool AdsClient::waitForLog(const std::string& entry, int times) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [this, &entry, times] {
    return std::count(log_.begin(), log_.end(), entry) >= times;
  });
}

std::string AdsClient::content(const std::string& resource) {
  std::lock_guard lock(mutex_);
  return contents_[resource];
}

size_t AdsClient::received() {
  std::lock_guard lock(mutex_);
  return received_;
}

}  // namespace convoy::controlplane
