#pragma once

// Listener -> envoy.config.listener.v3.Listener, whose routes come by RDS and whose certificates by
// SDS over ADS.

#include <string>

#include "api/convoy/v1/listener.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"

namespace convoy::controlplane::compile {

// Name of the RouteConfiguration that a listener uses: its table's, or "listener/NAME" for its own
// routes (no table's name has a slash).
std::string routeConfigName(const v1::Listener& listener);

// sessions: it has routes to pools with sticky sessions.
envoy::config::listener::v3::Listener compileListener(const v1::Listener& listener,
                                                      bool sessions = false);

}  // namespace convoy::controlplane::compile
