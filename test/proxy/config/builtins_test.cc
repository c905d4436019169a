#include "proxy/config/builtins.h"

#include <algorithm>

#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace convoy::config {
namespace {

TEST(Builtins, EveryExtensionPointSaysWhatItHas) {
  const Registry& registry = builtins();
  EXPECT_EQ(registry.network_filters.kinds(), "envoy.filters.network.http_connection_manager");
  EXPECT_EQ(registry.http_filters.kinds(),
            "envoy.filters.http.header_mutation, envoy.filters.http.router, "
            "envoy.filters.http.stateful_session");
  EXPECT_EQ(registry.per_route_filters.kinds(),
            "envoy.filters.http.header_mutation, envoy.filters.http.stateful_session");
  EXPECT_EQ(registry.session_states.kinds(),
            "convoy.http.stateful_session.learned, convoy.http.stateful_session.signed_cookie, "
            "envoy.http.stateful_session.cookie, envoy.http.stateful_session.header");
  EXPECT_EQ(registry.access_loggers.kinds(),
            "envoy.access_loggers.file, envoy.access_loggers.stderr, envoy.access_loggers.stdout");
  EXPECT_EQ(registry.load_balancers.kinds(),
            "convoy.load_balancing_policies.adaptive_score, "
            "convoy.load_balancing_policies.consistent_hash, "
            "convoy.load_balancing_policies.ip_hash, "
            "convoy.load_balancing_policies.least_connections, "
            "convoy.load_balancing_policies.least_response_time, "
            "convoy.load_balancing_policies.peak_ewma, "
            "convoy.load_balancing_policies.weighted_least_connections, "
            "envoy.load_balancing_policies.least_request, envoy.load_balancing_policies.maglev, "
            "envoy.load_balancing_policies.random, envoy.load_balancing_policies.ring_hash, "
            "envoy.load_balancing_policies.round_robin, "
            "envoy.load_balancing_policies.wrr_locality");
  EXPECT_EQ(registry.downstream_transports.kinds(),
            "envoy.transport_sockets.raw_buffer, envoy.transport_sockets.tls");
  EXPECT_EQ(registry.upstream_transports.kinds(),
            "envoy.transport_sockets.raw_buffer, envoy.transport_sockets.tls");
  EXPECT_EQ(registry.listener_filters.kinds(), "envoy.filters.listener.tls_inspector");
  EXPECT_EQ(registry.cluster_options.kinds(),
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
  EXPECT_EQ(registry.request_ids.kinds(), "envoy.request_id.uuid");
}

TEST(Builtins, EveryTypeIsLinked) {
  std::vector<std::string> types = builtins().types();
  EXPECT_GE(types.size(), 12u);
  for (const std::string& type : types) {
    EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type),
              nullptr)
        << type;
  }
}

TEST(Builtins, ThereIsOneRegistry) {
  EXPECT_EQ(&builtins(), &builtins());
  Registry own;
  registerBuiltins(own);
  EXPECT_EQ(own.types(), builtins().types());
}

}  // namespace
}  // namespace convoy::config
