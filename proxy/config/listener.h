#pragma once

// envoy.config.listener.v3.Listener to net::ListenerSpec.

#include <memory>

#include "envoy/config/listener/v3/listener.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/net/spec.h"

namespace convoy::config {

std::shared_ptr<const net::ListenerSpec> toListener(
    const envoy::config::listener::v3::Listener& proto, const Context& context,
    base::FieldReport& report);

}  // namespace convoy::config
