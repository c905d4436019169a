#include "proxy/server/control_plane.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/xds/references.h"

namespace convoy::server {

namespace {

std::vector<net::Address> addressesOf(const upstream::AssignmentSpec& assignment) {
  std::vector<net::Address> addresses;
  for (const auto& locality : assignment.localities) {
    for (const auto& endpoint : locality.endpoints) addresses.push_back(endpoint.address);
  }
  return addresses;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::make(
    event::Loop& loop, const config::BootstrapSpec& bootstrap, const Transport& transport,
    bool reject_unknown_fields, xds::ResourceSink& sink, observe::MetricRegistry& registry) {
  const std::string& name = bootstrap.ads->cluster;
  const auto& clusters = bootstrap.clusters;
  const auto cluster = std::find_if(clusters.begin(), clusters.end(),
                                    [&](const auto& c) { return c->name == name; });
  grpc::ClientOptions client;
  const bool by_name = cluster != clusters.end() && (*cluster)->dns != nullptr;
  if (by_name || (cluster != clusters.end() && (*cluster)->assignment != nullptr)) {
    client.connect_timeout = (*cluster)->connect_timeout;
    if ((*cluster)->transport != nullptr) {
      client.transport = transport.make(**cluster);
      client.transport_slot = transport.slot;
    }
    if (!by_name) client.addresses = addressesOf(*(*cluster)->assignment);
  }
  if (client.addresses.empty() && !by_name) {
    return absl::InvalidArgumentError(absl::StrCat("dynamic_resources.ads_config names cluster ",
                                                   name,
                                                   "; it must be one of static_resources.clusters, "
                                                   "of type STATIC, STRICT_DNS or LOGICAL_DNS, "
                                                   "with at least one endpoint"));
  }
  client.authority = bootstrap.ads->authority.empty() ? name : bootstrap.ads->authority;
  xds::AdsOptions ads;
  ads.encoded_node = bootstrap.node.encoded;
  ads.listeners = bootstrap.lds;
  ads.clusters = bootstrap.cds;
  ads.listeners_timeout = bootstrap.lds_fetch_timeout;
  ads.clusters_timeout = bootstrap.cds_fetch_timeout;
  ads.reject_unknown_fields = reject_unknown_fields;
  ads.max_response_bytes = bootstrap.ads->max_response_bytes;
  std::map<std::string, event::Duration> secrets;
  const auto addSecrets = [&secrets](const std::vector<xds::SecretUse>& uses) {
    for (const xds::SecretUse& use : uses) secrets.emplace(use.name, use.fetch_timeout);
  };
  for (const auto& named : bootstrap.clusters) addSecrets(xds::secretsOf(*named));
  for (const auto& listener : bootstrap.listeners) addSecrets(xds::secretsOf(*listener));
  for (const auto& [secret, timeout] : secrets) ads.static_secrets.push_back({secret, timeout});
  return std::unique_ptr<ControlPlane>(
      new ControlPlane(loop, std::move(client), std::move(ads), sink, registry));
}

void ControlPlane::setAddresses(const upstream::AssignmentSpec& found) {
  client_.setAddresses(addressesOf(found));
}

void ControlPlane::start(std::function<void()> ready) {
  ads_.onInitialized(std::move(ready));
  ads_.start();
}

}  // namespace convoy::server
