#pragma once

// The fields of a listener that say which requests are admitted and what the next hop is told, to
// those of Envoy's HttpConnectionManager. convoy.v1's defaults are written out.

#include "api/convoy/v1/listener.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace convoy::controlplane::compile {

void compileRequestPolicy(
    const v1::Listener& listener,
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager*
        manager);

}  // namespace convoy::controlplane::compile
