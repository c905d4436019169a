#pragma once

// Certificates -> envoy.extensions.transport_sockets.tls.v3.Secret, by SDS over ADS under the
// certificate's name, so that a renewed certificate touches nothing else; and the transport sockets
// of listeners and pools, which name them.

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "api/convoy/v1/certificate.pb.h"
#include "api/convoy/v1/tls.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace convoy::controlplane::compile {

// A certificate to show, or authorities to trust.
envoy::extensions::transport_sockets::tls::v3::Secret compileSecret(
    const v1::Certificate& certificate);

// The secret with the fleet's ticket keys. No certificate's name has a slash.
inline constexpr char kTicketSecret[] = "convoy/session_tickets";
// How long a session may be resumed.
inline constexpr int64_t kSessionSeconds = 24 * 3600;

// Each of `keys` is 80 bytes; the first encrypts, all decrypt.
envoy::extensions::transport_sockets::tls::v3::Secret compileTicketKeys(
    absl::Span<const std::string> keys);

envoy::config::core::v3::TransportSocket compileDownstreamTls(const v1::ListenerTls& tls);
envoy::config::core::v3::TransportSocket compileUpstreamTls(const v1::PoolTls& tls);

// Names of the secrets that these name, sorted, each once.
std::vector<std::string> secretsOf(const v1::ListenerTls& tls);
std::vector<std::string> secretsOf(const v1::PoolTls& tls);

}  // namespace convoy::controlplane::compile
