#pragma once

// Sticky sessions of a pool -> Envoy's HTTP filter stateful_session, with a session state of ours,
// in every route to the pool; and the filter itself in the listeners that have such a route.

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "api/convoy/v1/pool.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace convoy::controlplane::compile {

// The cluster that holds the address of a pool's sticky.redis. No pool's name has a slash.
std::string redisClusterOf(absl::string_view pool);

// store::SecretsKey::derive(): so many bytes of key for a purpose, always the same.
using DeriveKey = std::function<std::string(absl::string_view purpose, size_t bytes)>;

// REQUIRES: pool.has_sticky(). Without `derive` a cookie gets no keys, and every node refuses it.
void compileSticky(const v1::Pool& pool, const DeriveKey& derive,
                   envoy::config::route::v3::Route* out);

// Without configuration of its own it does nothing but for routes that have some.
void addSessionFilter(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager*
        manager);

}  // namespace convoy::controlplane::compile
