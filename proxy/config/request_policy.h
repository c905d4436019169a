#pragma once

// The fields of envoy's HttpConnectionManager that say which requests are admitted, what is made of
// their paths and hosts, and how the client's address is found.

#include <optional>

#include "api/convoy/ext/client_address.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/http/original_ip_detection/xff/v3/xff.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/http/spec.h"

namespace convoy::config {

void setRequestPolicy(
    const envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&
        proto,
    const Context& context, http::ConnectionManagerSpec* spec, base::FieldReport& report);

// Factories, for the registry.
std::optional<http::IpDetection> makeXffDetection(
    const envoy::extensions::http::original_ip_detection::xff::v3::XffConfig& proto,
    const Context& context, base::FieldReport& report);
std::optional<http::IpDetection> makeTrustedProxies(const ext::TrustedProxies& proto,
                                                    const Context& context,
                                                    base::FieldReport& report);

}  // namespace convoy::config
