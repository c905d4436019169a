#pragma once

// The bootstrap of a node that takes everything else from a control plane, by delta ADS; and that
// of the control plane of xds_server.h, where nothing more is said.

#include <string>

#include "absl/strings/str_cat.h"
#include "proxy/net/address.h"

namespace convoy::test {

// What a test adds, as YAML in flow form.
struct AdsBootstrapFields {
  std::string host = "127.0.0.1";  // of the control plane
  std::string grpc = {};           // of envoy_grpc: "authority: a, ..."
  std::string cluster = {};        // of the control plane's cluster: "type: STRICT_DNS"
  std::string resources = {};      // static ones: "listeners: [...]"
  std::string node = {};           // of the whole: "typed_dns_resolver_config: {...}"
};

inline std::string adsBootstrap(const net::Address& control_plane,
                                const AdsBootstrapFields& more = {}) {
  return absl::StrCat(R"(
node: {id: node-1, cluster: edge}
)",
                      more.node, R"(
dynamic_resources:
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services: [{envoy_grpc: {cluster_name: control)",
                      more.grpc.empty() ? "" : ", ", more.grpc, R"(}}]
  lds_config: {ads: {}, resource_api_version: V3}
  cds_config: {ads: {}, resource_api_version: V3}
static_resources:
  )",
                      more.resources, R"(
  clusters:
  - name: control
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {}}
    load_assignment:
      cluster_name: control
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: )",
                      more.host, ", port_value: ", control_plane.port(), R"(}}}
    )",
                      more.cluster, "\n");
}

}  // namespace convoy::test
