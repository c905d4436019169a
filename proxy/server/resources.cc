#include "proxy/server/resources.h"

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"

namespace convoy::server {

namespace {

constexpr char kClusterType[] = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
constexpr char kListenerType[] = "type.googleapis.com/envoy.config.listener.v3.Listener";

ext::ResourceError nameTaken(const char* type, const std::string& name) {
  ext::ResourceError error;
  error.set_type_url(type);
  error.set_name(name);
  error.set_field_path("name");
  error.set_rule("static");
  error.set_value(name);
  error.set_reason(
      "the node's bootstrap has a static resource of this name, which stays; rename one of them");
  return error;
}

}  // namespace

std::vector<ext::ResourceError> Resources::admit(const xds::Changes& proposed) {
  std::vector<ext::ResourceError> errors;
  const std::set<std::string> leaving(proposed.removed_listeners.begin(),
                                      proposed.removed_listeners.end());
  for (const auto& cluster : proposed.clusters) {
    if (static_clusters_.contains(cluster->name)) {
      errors.push_back(nameTaken(kClusterType, cluster->name));
    }
  }
  for (const auto& listener : proposed.listeners) {
    if (static_listeners_.contains(listener->name)) {
      errors.push_back(nameTaken(kListenerType, listener->name));
      continue;
    }
    const absl::Status admitted = listeners_.admit(listener, leaving);
    if (admitted.ok()) continue;
    ext::ResourceError& error = errors.emplace_back();
    error.set_type_url(kListenerType);
    error.set_name(listener->name);
    error.set_field_path("address");
    error.set_rule("the address can be listened on");
    error.set_value(listener->addresses.front().text());
    error.set_reason(std::string(admitted.message()));
  }
  return errors;
}

void Resources::apply(const xds::Changes& changes) {
  upstream::ClusterChanges clusters;
  clusters.clusters = changes.clusters;
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
  if (!changes.removed_clusters.empty()) clusters_.apply({{}, {}, changes.removed_clusters});
  const bool listeners_changed = !changes.listeners.empty() || !changes.removed_listeners.empty();
  if (listeners_changed && on_listeners_changed_) on_listeners_changed_();
}

}  // namespace convoy::server
