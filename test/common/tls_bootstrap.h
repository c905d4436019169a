#pragma once

// Pieces of bootstraps with TLS, in YAML's flow form, on certificates of test_ca.h.

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proxy/net/address.h"
#include "test/common/test_ca.h"

namespace convoy::test {

inline std::string certificateFiles(const std::string& name) {
  return absl::StrCat("{certificate_chain: {filename: ", caPath(name + ".pem"),
                      "}, private_key: {filename: ", caPath(name + ".key"), "}}");
}

// "{name: tls, typed_config: ...}" for a listener; `common` and `more` are lists of fields.
inline std::string downstreamTls(const std::string& common, const std::string& more = "") {
  return absl::StrCat(
      "{name: tls, typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext, common_tls_context: {",
      common, "}, ", more, "}}");
}
inline std::string upstreamTls(const std::string& common, const std::string& more = "") {
  return absl::StrCat(
      "{name: tls, typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext, common_tls_context: {",
      common, "}, ", more, "}}");
}
inline std::string inspector() {
  return "{name: tls_inspector, typed_config: {\"@type\": type.googleapis.com/"
         "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}}";
}

// An HTTP connection manager whose only route goes to `cluster`; `fields` are more of its own.
inline std::string managerTo(const std::string& cluster, const std::string& fields = "") {
  return absl::StrCat(
      "{name: hcm, typed_config: {\"@type\": type.googleapis.com/"
      "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "
      "stat_prefix: public, ",
      fields, fields.empty() ? "" : ", ",
      "route_config: {name: r, virtual_hosts: [{name: all, domains: ['*'], routes: [{match: "
      "{prefix: /}, route: {cluster: ",
      cluster,
      "}}]}]}, http_filters: [{name: router, typed_config: {\"@type\": "
      "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]}}");
}

// A filter chain; `match` and `transport` may be empty.
inline std::string chain(const std::string& transport, const std::string& match = "",
                         const std::string& manager = managerTo("web")) {
  return absl::StrCat(
      "{filters: [", manager, "]", transport.empty() ? "" : ", transport_socket: ", transport,
      match.empty() ? "" : ", filter_chain_match: {", match, match.empty() ? "}" : "}}");
}

inline std::string cluster(const std::string& name, const net::Address& host,
                           const std::string& transport = "") {
  return absl::StrCat(
      "{name: ", name,
      ", type: STATIC, connect_timeout: 5s, load_assignment: {cluster_name: ", name,
      ", endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: ",
      "127.0.0.1, port_value: ", host.port(), "}}}}]}]}",
      transport.empty() ? "" : ", transport_socket: ", transport, "}");
}

// One listener "public" with these chains, and these clusters; both are lists. `listener` and
// `resources` are more fields.
inline std::string tlsBootstrap(const std::string& chains, const std::string& clusters,
                                const std::string& listener = "",
                                const std::string& resources = "") {
  return absl::StrCat(
      "static_resources: {listeners: [{name: public, stat_prefix: public, address: "
      "{socket_address: {address: 127.0.0.1, port_value: 0}}, filter_chains: [",
      chains, "]", listener.empty() ? "" : ", ", listener, "}], clusters: [", clusters, "]",
      resources.empty() ? "" : ", ", resources, "}\n");
}

}  // namespace convoy::test
