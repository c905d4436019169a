#pragma once

// How a cluster finds out that a connection is dead: by PINGs of HTTP/2, by probes of the kernel.
// Ranges of durations and percentages are rules of the fields' own types.

#include "envoy/config/core/v3/address.pb.h"
#include "envoy/config/core/v3/protocol.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/net/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

upstream::KeepaliveSpec toKeepalive(const envoy::config::core::v3::KeepaliveSettings& proto,
                                    base::FieldReport& report);

net::TcpKeepalive toTcpKeepalive(const envoy::config::core::v3::TcpKeepalive& proto,
                                 base::FieldReport& report);

}  // namespace convoy::config
