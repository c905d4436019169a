#pragma once

// envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager to
// http::ConnectionManagerSpec: the network filter that is HTTP.

#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/config/registry.h"

namespace convoy::config {

Registry::NetworkFilterPtr makeConnectionManager(
    const envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager&
        proto,
    const Context& context, base::FieldReport& report);

// What connections of the manager pin (and not requests), for FilterChainSpec::content_hash: the
// rest of the manager may change without draining them.
google::protobuf::Any connectionPart(const google::protobuf::Any& any);

}  // namespace convoy::config
