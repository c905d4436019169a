#include "proxy/config/cluster.h"

#include <set>

#include "proxy/config/assignment.h"
#include "proxy/config/dns.h"
#include "proxy/config/failure_policy.h"
#include "proxy/config/grouping.h"
#include "proxy/config/health_check.h"
#include "proxy/config/host_policy.h"
#include "proxy/config/http2_options.h"
#include "proxy/config/keepalive.h"
#include "proxy/config/load_balancing.h"
#include "proxy/config/origins.h"
#include "proxy/config/stable_hash.h"
#include "proxy/config/tls_context.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
namespace core = envoy::config::core::v3;

std::vector<std::string> alpnOf(upstream::UpstreamProtocol protocol) {
  switch (protocol) {
    case upstream::UpstreamProtocol::Http1:
      return {"http/1.1"};
    case upstream::UpstreamProtocol::Http2:
      return {"h2"};
    case upstream::UpstreamProtocol::Auto:
      return {"h2", "http/1.1"};
  }
  return {};
}

void setDiscovery(const Cluster& proto, const Context& context, upstream::ClusterSpec* spec,
                  base::FieldReport& report) {
  switch (proto.type()) {
    case Cluster::EDS: {
      spec->discovery = upstream::ClusterSpec::Discovery::Eds;
      spec->eds_service_name = proto.eds_cluster_config().service_name();
      auto at = report.in("eds_cluster_config");
      if (!proto.eds_cluster_config().has_eds_config()) {
        report.error("eds_config", "required", "", "write eds_config: {ads: {}}");
        return;
      }
      auto in = report.in("eds_config");
      spec->eds_fetch_timeout = toFetchTimeout(proto.eds_cluster_config().eds_config(), report);
      return;
    }
    case Cluster::STATIC: {
      auto at = report.in("load_assignment");
      if (!proto.has_load_assignment()) {
        report.error("required", "", "a cluster of type STATIC needs its endpoints");
        return;
      }
      spec->assignment = toAssignment(proto.load_assignment(), context, report);
      return;
    }
    case Cluster::STRICT_DNS:
    case Cluster::LOGICAL_DNS:
      spec->discovery = upstream::ClusterSpec::Discovery::Dns;
      spec->dns = toDns(proto, context, report);
      spec->wait_for_warm =
          !proto.has_wait_for_warm_on_init() || proto.wait_for_warm_on_init().value();
      return;
    default:
      report.error("type", "unsupported_value", Cluster::DiscoveryType_Name(proto.type()),
                   "write STATIC, EDS, STRICT_DNS or LOGICAL_DNS");
  }
}

void setCommonOptions(const core::HttpProtocolOptions& proto, upstream::ClusterSpec* spec,
                      base::FieldReport& report) {
  if (proto.has_idle_timeout()) {
    spec->idle_timeout = toMilliseconds(proto.idle_timeout(), "idle_timeout", report);
  }
  if (proto.has_max_connection_duration()) {
    spec->max_connection_duration =
        toMilliseconds(proto.max_connection_duration(), "max_connection_duration", report);
  }
  if (proto.max_requests_per_connection().value() != 0) {
    spec->max_requests_per_connection = proto.max_requests_per_connection().value();
  }
  const auto refuse = [&report](bool set, std::string_view field) {
    if (!set) return;
    report.error(field, "unsupported_field", "",
                 "is supported for listeners only; remove it from the cluster");
  };
  refuse(proto.has_max_stream_duration(), "max_stream_duration");
  refuse(proto.has_max_headers_count(), "max_headers_count");
  refuse(proto.headers_with_underscores_action() != core::HttpProtocolOptions::ALLOW,
         "headers_with_underscores_action");
}

void setHttp2(const core::Http2ProtocolOptions& proto, upstream::ClusterSpec* spec,
              base::FieldReport& report) {
  spec->protocol = upstream::UpstreamProtocol::Http2;
  spec->http2 = toHttp2Options(proto, report);
  if (proto.has_connection_keepalive()) {
    auto at = report.in("connection_keepalive");
    spec->http2_keepalive = toKeepalive(proto.connection_keepalive(), report);
  }
}

void applyOptions(const Cluster& proto, const Context& context, upstream::ClusterSpec* spec,
                  base::FieldReport& report) {
  // Deprecated forms first: HttpProtocolOptions replaces them.
  if (proto.has_common_http_protocol_options()) {
    auto at = report.in("common_http_protocol_options");
    setCommonOptions(proto.common_http_protocol_options(), spec, report);
  }
  if (proto.max_requests_per_connection().value() != 0) {
    spec->max_requests_per_connection = proto.max_requests_per_connection().value();
  }
  if (proto.has_http2_protocol_options()) {
    auto at = report.in("http2_protocol_options");
    setHttp2(proto.http2_protocol_options(), spec, report);
  }
  for (const auto& [name, any] : proto.typed_extension_protocol_options()) {
    auto at = report.in("typed_extension_protocol_options", std::string_view(name));
    const Registry::ClusterOptions apply =
        context.registry->cluster_options.make(any, context, report);
    if (apply) apply(*spec);
  }
  if (spec->protocol == upstream::UpstreamProtocol::Auto && !proto.has_transport_socket()) {
    report.error("auto_config", "unsupported_value", "",
                 "the protocol is chosen by TLS (ALPN), which this cluster does not speak; write "
                 "explicit_http_config");
  }
}

// Which hosts the session of a request may name: what upstream/host_groups.h has.
void checkOverrideStatus(const core::HealthStatusSet& proto, base::FieldReport& report) {
  std::set<int> statuses(proto.statuses().begin(), proto.statuses().end());
  if (statuses == std::set<int>{core::UNKNOWN, core::HEALTHY, core::DEGRADED}) return;
  auto at = report.in("common_lb_config");
  report.error("override_host_status", "unsupported_value", "",
               "must be UNKNOWN, HEALTHY and DEGRADED; or remove it");
}

void setConnections(const Cluster& proto, const Context& context, upstream::ClusterSpec* spec,
                    base::FieldReport& report) {
  spec->origins = originsAt(context, report);
  if (proto.has_connect_timeout()) {
    spec->connect_timeout = toMilliseconds(proto.connect_timeout(), "connect_timeout", report);
    noteOrigin(base::Timer::Connect, context, report, &spec->origins);
  }
  if (proto.has_per_connection_buffer_limit_bytes()) {
    spec->per_connection_buffer_limit_bytes = proto.per_connection_buffer_limit_bytes().value();
  }
  if (proto.upstream_bind_config().has_source_address()) {
    auto at = report.in("upstream_bind_config");
    auto in = report.in("source_address");
    spec->bind_to = toAddress(proto.upstream_bind_config().source_address(), Port::Any, report);
  }
  if (proto.upstream_connection_options().has_tcp_keepalive()) {
    auto at = report.in("upstream_connection_options");
    auto in = report.in("tcp_keepalive");
    spec->tcp_keepalive =
        toTcpKeepalive(proto.upstream_connection_options().tcp_keepalive(), report);
  }
}

}  // namespace

std::shared_ptr<const upstream::ClusterSpec> toCluster(const Cluster& proto, const Context& context,
                                                       base::FieldReport& report) {
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = proto.name();
  spec->version = context.version;
  if (proto.cluster_discovery_type_case() != Cluster::kClusterType) {
    setDiscovery(proto, context, spec.get(), report);
  }
  spec->balancing = toBalancing(proto, context, report);
  setGrouping(proto, spec.get(), report);
  {
    auto at = report.in("circuit_breakers");
    setBreakers(proto.circuit_breakers(), spec.get(), report);
  }
  applyOptions(proto, context, spec.get(), report);
  if (proto.common_lb_config().has_override_host_status()) {
    checkOverrideStatus(proto.common_lb_config().override_host_status(), report);
  }
  setConnections(proto, context, spec.get(), report);
  if (proto.has_transport_socket()) {
    auto at = report.in("transport_socket");
    auto in = report.in("typed_config");
    spec->transport = context.registry->upstream_transports.make(
        proto.transport_socket().typed_config(), context, report);
    spec->transport = withDefaultAlpn(spec->transport, alpnOf(spec->protocol));
    spec->transport_hash = stableHash(proto.transport_socket());
  }
  spec->health_check = toHealthCheck(proto, spec->transport, context, report);
  // A logical host's former address is no host of its own, whatever its checks say.
  spec->ignore_health_on_removal =
      proto.ignore_health_on_host_removal() || proto.type() == Cluster::LOGICAL_DNS;
  setFailurePolicy(proto, spec.get(), report);
  setHostPolicy(proto, spec.get(), report);
  return spec;
}

Registry::ClusterOptions makeHttpOptions(const HttpProtocolOptions& proto, const Context&,
                                         base::FieldReport& report) {
  upstream::ClusterSpec read;
  {
    auto at = report.in("common_http_protocol_options");
    setCommonOptions(proto.common_http_protocol_options(), &read, report);
  }
  if (proto.explicit_http_config().has_http2_protocol_options()) {
    auto at = report.in("explicit_http_config");
    auto in = report.in("http2_protocol_options");
    setHttp2(proto.explicit_http_config().http2_protocol_options(), &read, report);
  }
  if (proto.has_auto_config()) {
    auto at = report.in("auto_config");
    auto in = report.in("http2_protocol_options");
    setHttp2(proto.auto_config().http2_protocol_options(), &read, report);
    read.protocol = upstream::UpstreamProtocol::Auto;
  }
  return [read](upstream::ClusterSpec& spec) {
    spec.idle_timeout = read.idle_timeout;
    spec.max_connection_duration = read.max_connection_duration;
    spec.max_requests_per_connection = read.max_requests_per_connection;
    spec.protocol = read.protocol;
    spec.http2 = read.http2;
    spec.http2_keepalive = read.http2_keepalive;
  };
}

}  // namespace convoy::config
