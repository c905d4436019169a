#pragma once

// Envoy's TLS messages to specs (tls/spec.h): transport sockets of listeners and clusters, and
// secrets. Files are not read here: the node reads and watches them. What only the TLS library can
// judge (does the key fit the certificate?) is judged by the node when it admits the resource.

#include <memory>
#include <string>
#include <vector>

#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/net/spec.h"
#include "proxy/tls/spec.h"

namespace convoy::config {

std::shared_ptr<const net::TransportSpec> makeDownstreamTls(
    const envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext& proto,
    const Context& context, base::FieldReport& report);

std::shared_ptr<const net::TransportSpec> makeUpstreamTls(
    const envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext& proto,
    const Context& context, base::FieldReport& report);

// The transport of a cluster that names no ALPN protocols offers those of its HTTP protocol, as
// Envoy's does. Null stays null.
std::shared_ptr<const net::TransportSpec> withDefaultAlpn(
    std::shared_ptr<const net::TransportSpec> transport, std::vector<std::string> protocols);
// The same, whatever it offers itself.
std::shared_ptr<const net::TransportSpec> withAlpn(
    std::shared_ptr<const net::TransportSpec> transport, std::vector<std::string> protocols);

std::shared_ptr<const tls::SecretSpec> toSecret(
    const envoy::extensions::transport_sockets::tls::v3::Secret& proto, const Context& context,
    base::FieldReport& report);

}  // namespace convoy::config
