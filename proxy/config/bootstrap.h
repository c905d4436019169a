#pragma once

// What a node is told before it knows anything: the Envoy bootstrap
// (envoy.config.bootstrap.v3.Bootstrap) as specs. Plain data; config/bootstrap_loader.h makes it of
// a file.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/http/spec.h"
#include "proxy/net/spec.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/dns/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

struct NodeIdentity {
  std::string id;
  std::string cluster;
  std::map<std::string, std::string> labels;  // node.metadata.labels
  upstream::LocalityName locality;
  std::string encoded;  // serialised envoy.config.core.v3.Node, as sent on the stream
};

// Where a kind of resource comes from: the ADS stream of this cluster. No other config source
// exists.
struct AdsSpec {
  std::string cluster;    // name of a static cluster
  std::string authority;  // :authority of the stream; empty: the cluster's name
  bool incremental = true;
  uint32_t max_response_bytes = 64 * 1024 * 1024;  // a larger one ends the stream
};

struct AdminSpec {
  net::Address address;
  std::string access_log_path;
};

struct BootstrapSpec {
  // The whole, serialised, with the node as it tells of itself: for /config_dump.
  std::string encoded;
  NodeIdentity node;
  std::string local_cluster;  // the cluster that this node is part of; empty: none is named
  std::optional<AdminSpec> admin;
  std::vector<std::shared_ptr<const net::ListenerSpec>> listeners;
  std::vector<std::shared_ptr<const upstream::ClusterSpec>> clusters;
  std::vector<std::shared_ptr<const tls::SecretSpec>> secrets;
  // Who resolves host names, for clusters that say nothing of it.
  upstream::DnsResolverSpec dns;
  std::optional<AdsSpec> ads;
  bool lds = false;  // dynamic_resources.lds_config / cds_config are set (to ads)
  bool cds = false;
  // Their initial_fetch_timeout; 0: for ever.
  std::chrono::milliseconds lds_fetch_timeout{15'000};
  std::chrono::milliseconds cds_fetch_timeout{15'000};
  // layered_runtime: overload.global_downstream_max_connections, over all listeners. As
  // Envoy's: unset means no limit, 0 that nobody is let in.
  std::optional<uint64_t> max_downstream_connections;
  // layered_runtime: envoy.resource_limits.listener.NAME.connection_limit, by NAME; of static and
  // dynamic listeners.
  std::map<std::string, uint64_t> listener_connection_limits;
};

}  // namespace convoy::config
