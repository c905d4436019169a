#include "proxy/config/cross_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "proxy/filter/stateful_session/spec.h"
#include "proxy/http/spec.h"
#include "proxy/tls/spec.h"

namespace convoy::config {
namespace {

namespace session = filter::stateful_session;

class CrossCheck {
 public:
  CrossCheck(const BootstrapSpec& spec, base::FieldReport& report) : spec_(spec), report_(report) {}

  void run() {
    {
      auto at = report_.in("static_resources");
      checkSecrets();
      checkClusters();
      checkListeners();
    }
    checkAds();
  }

 private:
  void checkSecrets() {
    for (size_t i = 0; i < spec_.secrets.size(); ++i) {
      auto at = report_.in("secrets", i);
      if (!secrets_.insert(spec_.secrets[i]->name).second) {
        report_.error("name", "duplicate", spec_.secrets[i]->name, "another secret has this name");
      }
    }
  }

  void checkRef(const tls::SecretRef& ref) {
    if (ref.value != nullptr) return;
    if (ref.by_sds && !spec_.ads.has_value()) {
      report_.error("required", ref.name, "dynamic_resources.ads_config says where ADS is; add it");
    } else if (!ref.by_sds && !secrets_.contains(ref.name)) {
      report_.error("not_found", ref.name,
                    "static_resources.secrets has none of this name; for SDS write sds_config");
    }
  }

  void checkTransport(const net::TransportSpec* transport) {
    const auto* server = dynamic_cast<const tls::ServerSpec*>(transport);
    const auto* client = dynamic_cast<const tls::ClientSpec*>(transport);
    if (server == nullptr && client == nullptr) return;
    const tls::CommonSpec& common = server != nullptr ? server->common : client->common;
    auto at = report_.in("transport_socket");
    auto in = report_.in("typed_config");
    {
      auto inner = report_.in("common_tls_context");
      for (size_t i = 0; i < common.certificates.size(); ++i) {
        auto one = report_.in("tls_certificate_sds_secret_configs", i);
        checkRef(common.certificates[i]);
      }
      if (common.validation.has_value()) {
        auto one = report_.in("validation_context_sds_secret_config");
        checkRef(*common.validation);
      }
    }
    if (server != nullptr && server->ticket_keys.has_value()) {
      auto one = report_.in("session_ticket_keys_sds_secret_config");
      checkRef(*server->ticket_keys);
    }
  }

  void checkClusters() {
    for (size_t i = 0; i < spec_.clusters.size(); ++i) {
      const upstream::ClusterSpec& cluster = *spec_.clusters[i];
      auto at = report_.in("clusters", i);
      if (!clusters_.emplace(cluster.name, &cluster).second) {
        report_.error("name", "duplicate", cluster.name, "another cluster has this name");
      }
      checkTransport(cluster.transport.get());
      if (cluster.discovery == upstream::ClusterSpec::Discovery::Eds && !spec_.ads.has_value()) {
        report_.error("eds_cluster_config.eds_config", "required", cluster.name,
                      "dynamic_resources.ads_config says where ADS is; add it");
      }
    }
  }

  void checkListeners() {
    std::set<std::string> names;
    std::map<std::string, std::string> addresses;
    for (size_t i = 0; i < spec_.listeners.size(); ++i) {
      const net::ListenerSpec& listener = *spec_.listeners[i];
      auto at = report_.in("listeners", i);
      if (!names.insert(listener.name).second) {
        report_.error("name", "duplicate", listener.name, "another listener has this name");
      }
      for (const net::Address& address : listener.addresses) {
        if (address.isIp() && address.port() == 0) continue;
        const auto [other, fresh] = addresses.emplace(address.text(), listener.name);
        if (!fresh) {
          report_.error("address", "duplicate", address.text(),
                        "the listener \"" + other->second + "\" has this address already");
        }
      }
      for (size_t j = 0; j < listener.filter_chains.size(); ++j) {
        auto in = report_.in("filter_chains", j);
        checkFilterChain(*listener.filter_chains[j]);
      }
      if (listener.default_filter_chain != nullptr) {
        auto in = report_.in("default_filter_chain");
        checkFilterChain(*listener.default_filter_chain);
      }
    }
  }

  void checkFilterChain(const net::FilterChainSpec& chain) {
    checkTransport(chain.transport.get());
    for (size_t i = 0; i < chain.filters.size(); ++i) {
      const auto* manager =
          dynamic_cast<const http::ConnectionManagerSpec*>(chain.filters[i].get());
      if (manager == nullptr) continue;
      auto at = report_.in("filters", i);
      auto in = report_.in("typed_config");
      checkSessions(*manager);
      if (manager->routes == nullptr) {
        if (!spec_.ads.has_value()) {
          report_.error("rds.config_source", "required", "",
                        "dynamic_resources.ads_config says where ADS is; add it");
        }
        continue;
      }
      // With CDS the clusters may come later.
      if (!manager->routes->validate_clusters.value_or(!spec_.cds)) continue;
      auto table = report_.in("route_config");
      checkRoutes(*manager->routes);
    }
  }

  // Clusters that learned sessions are shared through.
  void checkSessions(const http::ConnectionManagerSpec& manager) {
    for (size_t i = 0; i < manager.filters.size(); ++i) {
      const auto* filter =
          dynamic_cast<const session::StatefulSessionSpec*>(manager.filters[i].get());
      if (filter == nullptr) continue;
      auto at = report_.in("http_filters", i);
      auto in = report_.in("typed_config");
      checkSession(filter->session);
    }
    if (manager.routes == nullptr) return;
    auto table = report_.in("route_config");
    checkSessions(manager.routes->filters);
    for (size_t i = 0; i < manager.routes->virtual_hosts.size(); ++i) {
      const route::VirtualHost& host = manager.routes->virtual_hosts[i];
      auto at = report_.in("virtual_hosts", i);
      checkSessions(host.filters);
      for (size_t j = 0; j < host.routes.size(); ++j) {
        auto in = report_.in("routes", j);
        checkSessions(host.routes[j].filters);
      }
    }
  }

  using PerRoute = std::map<std::string, std::shared_ptr<const route::PerRouteFilterSpec>>;
  void checkSessions(const PerRoute& filters) {
    for (const auto& [name, filter] : filters) {
      if (filter->kind != session::kKind) continue;
      auto at = report_.in("typed_per_filter_config", std::string_view(name));
      auto in = report_.in("stateful_session");
      checkSession(static_cast<const session::PerRouteSpec&>(*filter).session);
    }
  }

  void checkSession(const session::SessionSpec& spec) {
    const auto* learned = std::get_if<session::Learned>(&spec.state);
    // With CDS the cluster may come later.
    if (learned == nullptr || !learned->shared.has_value() || spec_.cds) return;
    auto at = report_.in("session_state");
    auto in = report_.in("typed_config");
    auto redis = report_.in("redis");
    checkCluster("cluster", learned->shared->server.cluster);
  }

  void checkRoutes(const route::RouteTableSpec& table) {
    for (size_t i = 0; i < table.virtual_hosts.size(); ++i) {
      auto at = report_.in("virtual_hosts", i);
      const std::vector<route::Route>& routes = table.virtual_hosts[i].routes;
      for (size_t j = 0; j < routes.size(); ++j) {
        const auto* forward = std::get_if<route::Forward>(&routes[j].action);
        if (forward == nullptr) continue;
        auto in = report_.in("routes", j);
        auto action = report_.in("route");
        if (forward->weighted.empty()) checkCluster("cluster", forward->cluster);
        for (size_t k = 0; k < forward->weighted.size(); ++k) {
          auto weighted = report_.in("weighted_clusters");
          auto one = report_.in("clusters", k);
          checkCluster("name", forward->weighted[k].name);
        }
        if (forward->terminates_connect) checkConnect(*forward);
      }
    }
  }

  void checkCluster(std::string_view field, const std::string& name) {
    if (clusters_.contains(name)) return;
    report_.error(field, "not_found", name,
                  "no cluster has this name; add it to static_resources.clusters");
  }

  // The bytes of the tunnel alone: there is no such thing inside HTTP/2.
  void checkConnect(const route::Forward& forward) {
    const auto check = [this](const std::string& name) {
      const auto found = clusters_.find(name);
      if (found == clusters_.end() ||
          found->second->protocol == upstream::UpstreamProtocol::Http1) {
        return;
      }
      report_.error("upgrade_configs", "conflict", name,
                    "connect_config needs a cluster that speaks HTTP/1.1 only; remove "
                    "connect_config, or name another cluster");
    };
    if (forward.weighted.empty()) check(forward.cluster);
    for (const auto& weighted : forward.weighted) check(weighted.name);
  }

  void checkAds() {
    if (!spec_.ads.has_value()) return;
    auto at = report_.in("dynamic_resources");
    auto in = report_.in("ads_config");
    const auto found =
        std::find_if(spec_.clusters.begin(), spec_.clusters.end(),
                     [this](const auto& cluster) { return cluster->name == spec_.ads->cluster; });
    if (found == spec_.clusters.end()) {
      report_.error("grpc_services[0].envoy_grpc.cluster_name", "not_found", spec_.ads->cluster,
                    "no static cluster has this name; add it to static_resources.clusters");
    } else if ((*found)->discovery == upstream::ClusterSpec::Discovery::Eds) {
      report_.error("grpc_services[0].envoy_grpc.cluster_name", "unsupported_value",
                    spec_.ads->cluster,
                    "the cluster of the control plane must be of type STATIC, STRICT_DNS or "
                    "LOGICAL_DNS");
    } else {
      checkAdsSecrets((*found)->transport.get());
    }
  }

  // What opens the connection cannot come over it.
  void checkAdsSecrets(const net::TransportSpec* transport) {
    const auto* client = dynamic_cast<const tls::ClientSpec*>(transport);
    if (client == nullptr) return;
    std::vector<tls::SecretRef> refs = client->common.certificates;
    if (client->common.validation.has_value()) refs.push_back(*client->common.validation);
    for (const tls::SecretRef& ref : refs) {
      if (ref.value != nullptr || !ref.by_sds) continue;
      report_.error("grpc_services[0].envoy_grpc.cluster_name", "unsupported_value",
                    spec_.ads->cluster,
                    "the secret " + ref.name +
                        " of this cluster comes by SDS, over the very connection that needs it; "
                        "name files, or one of static_resources.secrets");
    }
  }

  const BootstrapSpec& spec_;
  base::FieldReport& report_;
  std::map<std::string, const upstream::ClusterSpec*> clusters_;
  std::set<std::string> secrets_;
};

}  // namespace

void crossCheck(const BootstrapSpec& spec, base::FieldReport& report) {
  CrossCheck(spec, report).run();
}

}  // namespace convoy::config
