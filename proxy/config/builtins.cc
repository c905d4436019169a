#include "proxy/config/builtins.h"

#include "api/convoy/ext/client_address.pb.h"
#include "api/convoy/ext/health_check.pb.h"
#include "api/convoy/ext/load_balancing.pb.h"
#include "api/convoy/ext/stateful_session.pb.h"
#include "envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.pb.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/random/v3/random.pb.h"
#include "envoy/extensions/request_id/uuid/v3/uuid.pb.h"
#include "envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.pb.h"
#include "proxy/config/access_log.h"
#include "proxy/config/cluster.h"
#include "proxy/config/dns.h"
#include "proxy/config/header_mutation.h"
#include "proxy/config/health_check.h"
#include "proxy/config/http_connection_manager.h"
#include "proxy/config/load_balancing.h"
#include "proxy/config/request_policy.h"
#include "proxy/config/stateful_session.h"
#include "proxy/config/tls_context.h"
#include "proxy/filter/router/make_spec.h"

namespace convoy::config {
namespace {

namespace extensions = envoy::extensions;

// For extensions whose settings the field table covers wholly.
template <auto kValue>
constexpr auto kAlways = [](const auto&, const Context&, base::FieldReport&) { return kValue; };

// A policy without settings.
template <upstream::Algorithm kAlgorithm>
constexpr auto kBalancing = [](const auto&, const Context&, base::FieldReport&) -> Balancing {
  return upstream::BalancingSpec{.algorithm = kAlgorithm};
};

void registerHttp(Registry& registry) {
  registry.network_filters
      .add<extensions::filters::network::http_connection_manager::v3::HttpConnectionManager>(
          "envoy.filters.network.http_connection_manager", makeConnectionManager);
  registry.http_filters.add<extensions::filters::http::router::v3::Router>(
      filter::router::kKind,
      [](const extensions::filters::http::router::v3::Router& proto, const Context&,
         base::FieldReport&) -> Registry::HttpFilterPtr {
        return filter::router::makeRouterSpec(proto);
      });
  namespace mutation = extensions::filters::http::header_mutation::v3;
  registry.http_filters.add<mutation::HeaderMutation>(
      filter::header_mutation::kKind,
      [](const mutation::HeaderMutation& proto, const Context&, base::FieldReport& report)
          -> Registry::HttpFilterPtr { return makeHeaderMutation(proto, report); });
  registry.per_route_filters.add<mutation::HeaderMutationPerRoute>(
      filter::header_mutation::kKind,
      [](const mutation::HeaderMutationPerRoute& proto, const Context&, base::FieldReport& report)
          -> Registry::PerRoutePtr { return makeHeaderMutationPerRoute(proto, report); });
  registry.request_ids.add<extensions::request_id::uuid::v3::UuidRequestIdConfig>(
      "envoy.request_id.uuid", kAlways<true>);
  registry.ip_detections.add<extensions::http::original_ip_detection::xff::v3::XffConfig>(
      "envoy.http.original_ip_detection.xff", makeXffDetection);
  registry.ip_detections.add<ext::TrustedProxies>(
      "convoy.http.original_ip_detection.trusted_proxies", makeTrustedProxies);
  registry.early_header_mutations.add<ext::ForwardedHeader>(
      "convoy.http.early_header_mutation.forwarded", kAlways<true>);
}

void registerSessions(Registry& registry) {
  namespace filter_v3 = extensions::filters::http::stateful_session::v3;
  namespace states = extensions::http::stateful_session;
  registry.http_filters.add<filter_v3::StatefulSession>(
      filter::stateful_session::kKind,
      [](const filter_v3::StatefulSession& proto, const Context& context, base::FieldReport& report)
          -> Registry::HttpFilterPtr { return makeStatefulSession(proto, context, report); });
  registry.per_route_filters.add<filter_v3::StatefulSessionPerRoute>(
      filter::stateful_session::kKind,
      [](const filter_v3::StatefulSessionPerRoute& proto, const Context& context,
         base::FieldReport& report) -> Registry::PerRoutePtr {
        return makeStatefulSessionPerRoute(proto, context, report);
      });
  registry.session_states.add<states::cookie::v3::CookieBasedSessionState>(
      "envoy.http.stateful_session.cookie", makeAddressCookie);
  registry.session_states.add<states::header::v3::HeaderBasedSessionState>(
      "envoy.http.stateful_session.header", makeAddressHeader);
  registry.session_states.add<ext::SignedCookie>("convoy.http.stateful_session.signed_cookie",
                                                 makeSignedCookie);
  registry.session_states.add<ext::LearnedSession>("convoy.http.stateful_session.learned",
                                                   makeLearnedSession);
}

void registerAccessLogs(Registry& registry) {
  namespace loggers = extensions::access_loggers;
  registry.access_loggers.add<loggers::file::v3::FileAccessLog>("envoy.access_loggers.file",
                                                                makeFileLog);
  registry.access_loggers.add<loggers::stream::v3::StdoutAccessLog>("envoy.access_loggers.stdout",
                                                                    makeStdoutLog);
  registry.access_loggers.add<loggers::stream::v3::StderrAccessLog>("envoy.access_loggers.stderr",
                                                                    makeStderrLog);
}

void registerTransports(Registry& registry) {
  using extensions::transport_sockets::raw_buffer::v3::RawBuffer;
  namespace tls = extensions::transport_sockets::tls::v3;
  const auto plain = [](const RawBuffer&, const Context&,
                        base::FieldReport&) -> Registry::TransportPtr { return nullptr; };
  registry.downstream_transports.add<RawBuffer>("envoy.transport_sockets.raw_buffer", plain);
  registry.downstream_transports.add<tls::DownstreamTlsContext>("envoy.transport_sockets.tls",
                                                                makeDownstreamTls);
  registry.upstream_transports.add<RawBuffer>("envoy.transport_sockets.raw_buffer", plain);
  registry.upstream_transports.add<tls::UpstreamTlsContext>("envoy.transport_sockets.tls",
                                                            makeUpstreamTls);
  registry.listener_filters.add<extensions::filters::listener::tls_inspector::v3::TlsInspector>(
      "envoy.filters.listener.tls_inspector", kAlways<true>);
}

void registerClusters(Registry& registry) {
  namespace policies = extensions::load_balancing_policies;
  using upstream::Algorithm;
  registry.cluster_options.add<extensions::upstreams::http::v3::HttpProtocolOptions>(
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions", makeHttpOptions);
  registry.health_checkers.add<ext::CommandHealthCheck>("convoy.health_checkers.command",
                                                        makeCommandCheck);
  registry.dns_resolvers.add<extensions::network::dns_resolver::cares::v3::CaresDnsResolverConfig>(
      "envoy.network.dns_resolver.cares", makeCaresResolver);
  registry.load_balancers.add<policies::round_robin::v3::RoundRobin>(
      "envoy.load_balancing_policies.round_robin", makeRoundRobin);
  registry.load_balancers.add<policies::least_request::v3::LeastRequest>(
      "envoy.load_balancing_policies.least_request", makeLeastRequest);
  registry.load_balancers.add<policies::random::v3::Random>("envoy.load_balancing_policies.random",
                                                            makeRandom);
  registry.load_balancers.add<policies::ring_hash::v3::RingHash>(
      "envoy.load_balancing_policies.ring_hash", makeRingHash);
  registry.load_balancers.add<policies::maglev::v3::Maglev>("envoy.load_balancing_policies.maglev",
                                                            makeMaglev);
  registry.load_balancers.add<policies::wrr_locality::v3::WrrLocality>(
      "envoy.load_balancing_policies.wrr_locality", makeWrrLocality);
  registry.load_balancers.add<ext::LeastConnections>(
      "convoy.load_balancing_policies.least_connections", kBalancing<Algorithm::LeastConnections>);
  registry.load_balancers.add<ext::WeightedLeastConnections>(
      "convoy.load_balancing_policies.weighted_least_connections",
      kBalancing<Algorithm::WeightedLeastConnections>);
  registry.load_balancers.add<ext::LeastResponseTime>(
      "convoy.load_balancing_policies.least_response_time", makeLeastResponseTime);
  registry.load_balancers.add<ext::PeakEwma>("convoy.load_balancing_policies.peak_ewma",
                                             makePeakEwma);
  registry.load_balancers.add<ext::AdaptiveScore>("convoy.load_balancing_policies.adaptive_score",
                                                  makeAdaptiveScore);
  registry.load_balancers.add<ext::IpHash>("convoy.load_balancing_policies.ip_hash",
                                           kBalancing<Algorithm::IpHash>);
  registry.load_balancers.add<ext::ConsistentHash>("convoy.load_balancing_policies.consistent_hash",
                                                   makeConsistentHash);
}

}  // namespace

void registerBuiltins(Registry& registry) {
  registerHttp(registry);
  registerSessions(registry);
  registerAccessLogs(registry);
  registerTransports(registry);
  registerClusters(registry);
}

const Registry& builtins() {
  static const Registry* const registry = [] {
    auto* made = new Registry;
    registerBuiltins(*made);
    return made;
  }();
  return *registry;
}

}  // namespace convoy::config
