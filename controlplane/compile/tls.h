#pragma once

// Certificates -> envoy.extensions.transport_sockets.tls.v3.Secret, by SDS over ADS under the
// certificate's name, so that a renewed certificate touches nothing else; and the transport sockets
// of listeners and pools, which name them.

#include <string>
#include <vector>

#include "api/convoy/v1/certificate.pb.h"
#include "api/convoy/v1/tls.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace convoy::controlplane::compile {

// A certificate to show, or authorities to trust.
envoy::extensions::transport_sockets::tls::v3::Secret compileSecret(
    const v1::Certificate& certificate);

envoy::config::core::v3::TransportSocket compileDownstreamTls(const v1::ListenerTls& tls);
envoy::config::core::v3::TransportSocket compileUpstreamTls(const v1::PoolTls& tls);

// Names of the secrets that these name, sorted, each once.
std::vector<std::string> secretsOf(const v1::ListenerTls& tls);
std::vector<std::string> secretsOf(const v1::PoolTls& tls);

}  // namespace convoy::controlplane::compile
