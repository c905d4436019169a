#include "proxy/server/resources.h"

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"
#include "proxy/upstream/health/spec.h"

namespace convoy::server {

namespace {

constexpr char kClusterType[] = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
constexpr char kListenerType[] = "type.googleapis.com/envoy.config.listener.v3.Listener";
constexpr char kSecretType[] =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

ext::ResourceError errorAbout(const char* type, const std::string& name, std::string reason) {
  ext::ResourceError error;
  error.set_type_url(type);
  error.set_name(name);
  error.set_reason(std::move(reason));
  return error;
}

void setSecretRule(ext::ResourceError& error, std::string field) {
  error.set_field_path(std::move(field));
  error.set_rule("secret");
}

ext::ResourceError nameTaken(const char* type, const std::string& name) {
  ext::ResourceError error = errorAbout(
      type, name,
      "the node's bootstrap has a static resource of this name, which stays; rename one of them");
  error.set_field_path("name");
  error.set_rule("static");
  error.set_value(name);
  return error;
}

}  // namespace

std::vector<ext::ResourceError> Resources::admit(const xds::Changes& proposed) {
  std::vector<ext::ResourceError> errors;
  const std::set<std::string> leaving(proposed.removed_listeners.begin(),
                                      proposed.removed_listeners.end());
  for (const auto& listener : proposed.listeners) {
    if (static_listeners_.contains(listener->name)) {
      errors.push_back(nameTaken(kListenerType, listener->name));
      continue;
    }
    const absl::Status admitted = listeners_.admit(listener, leaving);
    if (admitted.ok()) continue;
    ext::ResourceError& error = errors.emplace_back(
        errorAbout(kListenerType, listener->name, std::string(admitted.message())));
    if (const auto field = admitted.GetPayload(kFieldPath); field.has_value()) {
      error.set_field_path(std::string(*field));
      error.set_rule(std::string(admitted.GetPayload(kRule).value_or(absl::Cord())));
    } else {
      error.set_field_path("address");
      error.set_rule("bind");
      error.set_value(listener->addresses.front().text());
    }
  }
  for (const auto& secret : proposed.secrets) {
    const absl::Status admitted = secrets_.admit(*secret);
    if (admitted.ok()) continue;
    setSecretRule(
        errors.emplace_back(errorAbout(kSecretType, secret->name, std::string(admitted.message()))),
        "");
  }
  for (const auto& cluster : proposed.clusters) {
    if (static_clusters_.contains(cluster->name)) {
      errors.push_back(nameTaken(kClusterType, cluster->name));
      continue;
    }
    if (!commands_allowed_ && upstream::runsCheckCommands(*cluster)) {
      ext::ResourceError& error =
          errors.emplace_back(errorAbout(kClusterType, cluster->name, kCommandsNotAllowed));
      error.set_field_path("health_checks[0].custom_health_check.typed_config.command");
      error.set_rule("command");
      continue;
    }
    if (cluster->transport != nullptr) {
      const absl::Status admitted = secrets_.admit(*cluster->transport);
      if (!admitted.ok()) {
        setSecretRule(errors.emplace_back(
                          errorAbout(kClusterType, cluster->name, std::string(admitted.message()))),
                      "transport_socket");
        continue;
      }
    }
    dns_.prepare(cluster);
  }
  return errors;
}

void Resources::apply(const xds::Changes& changes) {
  for (const auto& secret : changes.secrets) {
    if (absl::Status put = secrets_.put(secret); !put.ok()) {
      base::logError(absl::StrCat(put.message(), "; it is not put in force"));
    }
  }
  upstream::ClusterChanges clusters;
  clusters.clusters = changes.clusters;
  for (const auto& cluster : changes.clusters) {
    auto found = dns_.putInForce(cluster);
    if (found != nullptr) clusters.assignments.emplace_back(cluster->name, std::move(found));
  }
  for (const auto& endpoints : changes.endpoints) {
    clusters.assignments.emplace_back(endpoints.cluster, endpoints.assignment);
  }
  if (!clusters.clusters.empty() || !clusters.assignments.empty()) clusters_.apply(clusters);
  for (const auto& table : changes.routes) {
    if (absl::Status put = routes_.put(table); !put.ok()) {
      base::logError(
          absl::StrCat("route table ", table->name, " is not put in force: ", put.ToString()));
    }
  }
  for (const auto& listener : changes.listeners) listeners_.apply(listener);
  for (const std::string& name : changes.removed_listeners) listeners_.remove(name);
  for (const std::string& name : changes.removed_routes) routes_.remove(name);
  for (const std::string& name : changes.removed_clusters) dns_.forget(name);
  if (!changes.removed_clusters.empty()) clusters_.apply({{}, {}, changes.removed_clusters});
  for (const std::string& name : changes.removed_secrets) secrets_.forget(name);
  const bool listeners_changed = !changes.listeners.empty() || !changes.removed_listeners.empty();
  if (listeners_changed && on_listeners_changed_) on_listeners_changed_();
}

}  // namespace convoy::server
