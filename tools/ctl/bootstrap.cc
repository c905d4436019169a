#include "tools/ctl/bootstrap.h"

#include <algorithm>
#include <cctype>

#include "proxy/base/host_name.h"
#include "proxy/net/address.h"
#include "tools/ctl/contexts.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

constexpr size_t kMostIdBytes = 256;

// Whether it may be a zone ("%eth0") of the node, whose interfaces this machine does not know.
bool mayBeZone(const std::string& zone) {
  return zone.size() > 1 && std::all_of(zone.begin() + 1, zone.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == '@';
         });
}

absl::StatusOr<std::string> addressYaml(const std::string& option, const std::string& text) {
  const net::ZonedText parts = net::splitZone(text);
  const absl::StatusOr<net::Address> address = net::Address::parse(parts.address);
  if (!address.ok()) {
    return absl::InvalidArgumentError(option + ": " + std::string(address.status().message()));
  }
  if (!parts.zone.empty() && !mayBeZone(parts.zone)) {
    return absl::InvalidArgumentError(option + ": \"" + text +
                                      "\": the part behind the % is no network interface's name");
  }
  if (!address->isIp()) {
    return "{pipe: {path: " + yamlScalar(std::string(address->unixPath())) + "}}";
  }
  return "{socket_address: {address: \"" + address->ipText() + parts.zone +
         "\", port_value: " + std::to_string(address->port()) + "}}";
}

std::string nodeYaml(const BootstrapOptions& options) {
  std::string yaml = "node:\n  id: " + yamlScalar(options.id) + "\n  cluster: " +
                     yamlScalar(options.cluster.empty() ? "convoy" : options.cluster) + "\n";
  if (!options.zone.empty()) yaml += "  locality:\n    zone: " + yamlScalar(options.zone) + "\n";
  if (options.labels.empty()) return yaml;
  yaml += "  metadata:\n    labels:\n";
  for (const auto& [key, value] : options.labels) {
    // Labels are text, whatever they look like.
    const bool looks_like_text = yamlScalar(value).front() == '"' || value.find('.') == value.npos;
    yaml += "      " + yamlScalar(key) + ": " +
            (looks_like_text ? yamlScalar(value) : "\"" + value + "\"") + "\n";
  }
  return yaml;
}

// Of the control plane: also the name of a host.
absl::StatusOr<std::string> controlPlaneYaml(const std::string& text) {
  if (const absl::Status status = checkAddress(net::splitZone(text).address, "127.0.0.1:18000");
      !status.ok()) {
    return absl::InvalidArgumentError("--control-plane: " + std::string(status.message()));
  }
  const auto named = base::parseNamedAddress(text);
  if (!named.has_value()) return addressYaml("--control-plane", text);
  return "{socket_address: {address: \"" + named->host +
         "\", port_value: " + std::to_string(named->port) + "}}";
}

constexpr char kDynamic[] = R"(dynamic_resources:
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services:
    - envoy_grpc: {cluster_name: control_plane}
  lds_config: {resource_api_version: V3, ads: {}}
  cds_config: {resource_api_version: V3, ads: {}}
static_resources:
  clusters:
  - name: control_plane
    connect_timeout: 5s
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config:
          http2_protocol_options: {}
)";

constexpr char kByAddress[] = "    type: STATIC\n";
constexpr char kByName[] = R"(    type: STRICT_DNS
    dns_lookup_family: V4_PREFERRED
    respect_dns_ttl: true
)";

constexpr char kEndpoint[] = R"(    load_assignment:
      cluster_name: control_plane
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: )";

// The control plane is who its certificate says; this node shows its own, if it has one.
std::string tlsYaml(const BootstrapOptions& options) {
  if (options.tls.empty()) return "";
  const auto named = base::parseNamedAddress(options.control_plane);
  const std::string name =
      options.server_name.empty() && named.has_value() ? named->host : options.server_name;
  const auto file = [](const std::string& path) { return "{filename: " + yamlScalar(path) + "}"; };
  std::string yaml = R"(    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
)";
  if (!name.empty()) yaml += "        sni: " + yamlScalar(name) + "\n";
  yaml +=
      "        common_tls_context:\n"
      "          tls_params: {tls_maximum_protocol_version: TLSv1_3}\n";
  if (!options.tls.certificate.empty()) {
    yaml += "          tls_certificates:\n          - certificate_chain: " +
            file(options.tls.certificate) + "\n            private_key: " + file(options.tls.key) +
            "\n";
  }
  const bool by_name = !name.empty();
  const std::string who =
      by_name ? name : net::Address::parse(net::splitZone(options.control_plane).address)->ipText();
  return yaml + "          validation_context:\n            trusted_ca: " + file(options.tls.ca) +
         "\n            match_typed_subject_alt_names:\n            - {san_type: " +
         (by_name ? "DNS" : "IP_ADDRESS") + ", matcher: {exact: \"" + who + "\"}}\n";
}

absl::Status checkTls(const BootstrapOptions& options) {
  const TlsPaths& tls = options.tls;
  const bool is_name = std::all_of(
      options.server_name.begin(), options.server_name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-'; });
  if (!is_name) {
    return absl::InvalidArgumentError("--server-name: " + options.server_name +
                                      " is no DNS name, such as control.example.com");
  }
  if (!options.server_name.empty() && tls.empty()) {
    return absl::InvalidArgumentError("--server-name: is for TLS; --ca FILE says whom to trust");
  }
  return checkTls(tls, options.control_plane);
}

}  // namespace

absl::StatusOr<std::string> makeBootstrap(const BootstrapOptions& options) {
  if (options.id.empty() || options.id.size() > kMostIdBytes) {
    return absl::InvalidArgumentError(
        "--id: the node's identity has 1 to 256 bytes, unique in the fleet, such as edge-1");
  }
  const auto control = controlPlaneYaml(options.control_plane);
  if (!control.ok()) return control.status();
  if (absl::Status status = checkTls(options); !status.ok()) return status;
  std::string yaml = "# convoy-proxy -c THIS_FILE: a node that takes its configuration from " +
                     options.control_plane + ".\n" + nodeYaml(options);
  if (options.admin != "none") {
    const auto admin = addressYaml("--admin", options.admin);
    if (!admin.ok()) return admin.status();
    yaml += "admin:\n  address: " + *admin + "\n";
  }
  const bool by_name = base::parseNamedAddress(options.control_plane).has_value();
  return yaml + kDynamic + (by_name ? kByName : kByAddress) + tlsYaml(options) + kEndpoint +
         *control + "\n";
}

}  // namespace convoy::tools::ctl
