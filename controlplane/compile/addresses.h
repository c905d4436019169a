#pragma once

// Canonical address text of the stored configuration -> Envoy's Address.

#include <string>

#include "envoy/config/core/v3/address.pb.h"

namespace convoy::controlplane::compile {

// REQUIRES: `text` is what validation made: net::Address::text(), or "name:port".
envoy::config::core::v3::Address compileAddress(const std::string& text);

}  // namespace convoy::controlplane::compile
