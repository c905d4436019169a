#include "proxy/config/http_connection_manager.h"

#include <set>
#include <utility>

#include "proxy/config/access_log.h"
#include "proxy/config/http2_options.h"
#include "proxy/config/origins.h"
#include "proxy/config/request_policy.h"
#include "proxy/config/route_action.h"
#include "proxy/config/route_table.h"
#include "proxy/config/values.h"
#include "proxy/filter/router/spec.h"

namespace convoy::config {
namespace {

namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
namespace core = envoy::config::core::v3;
using hcm::HttpConnectionManager;
using http::ConnectionManagerSpec;

bool boolOr(bool has, const google::protobuf::BoolValue& value, bool otherwise) {
  return has ? value.value() : otherwise;
}

void setCodec(const HttpConnectionManager& proto, ConnectionManagerSpec* spec,
              base::FieldReport& report) {
  switch (proto.codec_type()) {
    case HttpConnectionManager::AUTO:
      spec->codec = ConnectionManagerSpec::Codec::Auto;
      return;
    case HttpConnectionManager::HTTP1:
      spec->codec = ConnectionManagerSpec::Codec::Http1;
      return;
    case HttpConnectionManager::HTTP2:
      spec->codec = ConnectionManagerSpec::Codec::Http2;
      return;
    default:
      report.error("codec_type", "unsupported_value", "HTTP3", "write HTTP1, HTTP2 or AUTO");
  }
}

void setRoutes(const HttpConnectionManager& proto, const Context& context,
               ConnectionManagerSpec* spec, base::FieldReport& report) {
  if (proto.has_route_config()) {
    auto at = report.in("route_config");
    spec->routes = toRouteTable(proto.route_config(), context, report);
  } else if (proto.has_rds()) {
    auto at = report.in("rds");
    {
      auto in = report.in("config_source");
      spec->rds_fetch_timeout = toFetchTimeout(proto.rds().config_source(), report);
    }
    spec->rds_name = proto.rds().route_config_name();
    if (spec->rds_name.empty()) {
      report.error("route_config_name", "required", "", "the name of a route table is needed");
    }
  }
}

void setHttpFilters(const HttpConnectionManager& proto, const Context& context,
                    ConnectionManagerSpec* spec, base::FieldReport& report) {
  std::set<std::string> names;
  for (int i = 0; i < proto.http_filters_size(); ++i) {
    auto at = report.in("http_filters", static_cast<size_t>(i));
    const hcm::HttpFilter& filter = proto.http_filters(i);
    if (filter.is_optional() &&
        context.registry->http_filters.find(typeName(filter.typed_config())) == nullptr) {
      report.note("typed_config", "this build has no such filter, and the filter is optional");
      continue;
    }
    Registry::HttpFilterPtr made;
    std::string kind;
    {
      auto in = report.in("typed_config");
      made = context.registry->http_filters.make(filter.typed_config(), context, report, &kind);
    }
    if (made == nullptr) continue;
    made->name = filter.name();
    made->kind = kind;
    made->disabled = filter.disabled();
    if (!names.insert(filter.name()).second) {
      report.error("name", "duplicate", filter.name(), "another HTTP filter has this name");
    }
    const bool last = i + 1 == proto.http_filters_size();
    const bool terminal = kind == filter::router::kKind;
    if (terminal && !last) {
      report.error("order", filter.name(), "the router ends the list: nothing may follow it");
    }
    if (terminal && filter.disabled()) {
      report.error("disabled", "unsupported_value", "true", "the router cannot be disabled");
    }
    spec->filters.push_back(std::move(made));
  }
  if (report.ok() &&
      (spec->filters.empty() || spec->filters.back()->kind != filter::router::kKind)) {
    report.error("http_filters", "required", "",
                 "the last HTTP filter must be the router "
                 "(type.googleapis.com/envoy.extensions.filters.http.router.v3.Router)");
  }
}

void setForwarding(const HttpConnectionManager& proto, ConnectionManagerSpec* spec) {
  spec->use_remote_address = proto.use_remote_address().value();
  spec->xff_num_trusted_hops = proto.xff_num_trusted_hops();
  spec->skip_xff_append = proto.skip_xff_append();
  spec->generate_request_id =
      boolOr(proto.has_generate_request_id(), proto.generate_request_id(), true);
  spec->preserve_external_request_id = proto.preserve_external_request_id();
  spec->always_set_request_id_in_response = proto.always_set_request_id_in_response();
  if (!proto.server_name().empty()) spec->server_name = proto.server_name();
  switch (proto.server_header_transformation()) {
    case HttpConnectionManager::APPEND_IF_ABSENT:
      spec->server_header = http::ServerHeaderPolicy::AppendIfAbsent;
      break;
    case HttpConnectionManager::PASS_THROUGH:
      spec->server_header = http::ServerHeaderPolicy::PassThrough;
      break;
    default:
      break;
  }
  spec->via = proto.via();
}

http::ClientCertPolicy toPolicy(HttpConnectionManager::ForwardClientCertDetails proto) {
  switch (proto) {
    case HttpConnectionManager::FORWARD_ONLY:
      return http::ClientCertPolicy::ForwardOnly;
    case HttpConnectionManager::APPEND_FORWARD:
      return http::ClientCertPolicy::AppendForward;
    case HttpConnectionManager::SANITIZE_SET:
      return http::ClientCertPolicy::SanitizeSet;
    case HttpConnectionManager::ALWAYS_FORWARD_ONLY:
      return http::ClientCertPolicy::AlwaysForwardOnly;
    default:
      return http::ClientCertPolicy::Sanitize;
  }
}

void setClientCert(const HttpConnectionManager& proto, ConnectionManagerSpec* spec) {
  spec->client_cert = toPolicy(proto.forward_client_cert_details());
  const auto& details = proto.set_current_client_cert_details();
  spec->client_cert_details = {.subject = details.subject().value(),
                               .cert = details.cert(),
                               .chain = details.chain(),
                               .dns = details.dns(),
                               .uri = details.uri()};
}

void setProtocolOptions(const core::HttpProtocolOptions& proto, ConnectionManagerSpec* spec,
                        base::FieldReport& report) {
  if (proto.has_idle_timeout()) {
    spec->idle_timeout = toMilliseconds(proto.idle_timeout(), "idle_timeout", report);
  }
  if (proto.has_max_connection_duration()) {
    spec->max_connection_duration =
        toMilliseconds(proto.max_connection_duration(), "max_connection_duration", report);
  }
  if (proto.has_max_stream_duration()) {
    spec->max_stream_duration =
        toMilliseconds(proto.max_stream_duration(), "max_stream_duration", report);
  }
  if (proto.has_max_headers_count()) spec->max_headers_count = proto.max_headers_count().value();
  if (proto.max_requests_per_connection().value() != 0) {
    spec->max_requests_per_connection = proto.max_requests_per_connection().value();
  }
}

void setUpgrades(const HttpConnectionManager& proto, ConnectionManagerSpec* spec,
                 base::FieldReport& report) {
  for (int i = 0; i < proto.upgrade_configs_size(); ++i) {
    auto at = report.in("upgrade_configs", static_cast<size_t>(i));
    const HttpConnectionManager::UpgradeConfig& upgrade = proto.upgrade_configs(i);
    addUpgrade(upgrade.upgrade_type(), boolOr(upgrade.has_enabled(), upgrade.enabled(), true),
               &spec->upgrades, report);
  }
}

void setLimits(const HttpConnectionManager& proto, ConnectionManagerSpec* spec,
               base::FieldReport& report) {
  if (proto.has_common_http_protocol_options()) {
    auto at = report.in("common_http_protocol_options");
    setProtocolOptions(proto.common_http_protocol_options(), spec, report);
  }
  if (proto.has_http2_protocol_options()) {
    auto at = report.in("http2_protocol_options");
    const core::Http2ProtocolOptions& http2 = proto.http2_protocol_options();
    spec->http2 = toHttp2Options(http2, report);
    if (http2.has_connection_keepalive()) {
      report.error("connection_keepalive", "unsupported_field", "",
                   "is not supported for listeners; remove it");
    }
  }
  if (proto.has_max_request_headers_kb()) {
    spec->max_request_headers_kb = proto.max_request_headers_kb().value();
  }
  const auto set = [&report](bool has, const google::protobuf::Duration& duration,
                             std::string_view field, Milliseconds* out) {
    if (has) *out = toMilliseconds(duration, field, report);
  };
  set(proto.has_stream_idle_timeout(), proto.stream_idle_timeout(), "stream_idle_timeout",
      &spec->stream_idle_timeout);
  set(proto.has_request_timeout(), proto.request_timeout(), "request_timeout",
      &spec->request_timeout);
  set(proto.has_request_headers_timeout(), proto.request_headers_timeout(),
      "request_headers_timeout", &spec->request_headers_timeout);
  set(proto.has_drain_timeout(), proto.drain_timeout(), "drain_timeout", &spec->drain_timeout);
}

void noteOrigins(const HttpConnectionManager& proto, const Context& context,
                 ConnectionManagerSpec* spec, base::FieldReport& report) {
  using base::Timer;
  spec->origins = originsAt(context, report);
  const std::pair<Timer, bool> timers[] = {
      {Timer::StreamIdle, proto.has_stream_idle_timeout()},
      {Timer::Request, proto.has_request_timeout()},
      {Timer::RequestHeaders, proto.has_request_headers_timeout()},
      {Timer::ManagerStreamDuration, spec->max_stream_duration.has_value()},
      {Timer::ConnectionIdle, proto.common_http_protocol_options().has_idle_timeout()},
      {Timer::ConnectionAge, spec->max_connection_duration.has_value()},
  };
  for (const auto& [timer, is_set] : timers) {
    if (is_set) noteOrigin(timer, context, report, &spec->origins);
  }
}

}  // namespace

Registry::NetworkFilterPtr makeConnectionManager(const HttpConnectionManager& proto,
                                                 const Context& context,
                                                 base::FieldReport& report) {
  auto spec = std::make_shared<ConnectionManagerSpec>();
  spec->stat_prefix = proto.stat_prefix();
  setCodec(proto, spec.get(), report);
  setRoutes(proto, context, spec.get(), report);
  setHttpFilters(proto, context, spec.get(), report);
  spec->access_logs = toAccessLogs(proto.access_log(), "access_log", context, report);
  setForwarding(proto, spec.get());
  setRequestPolicy(proto, context, spec.get(), report);
  setUpgrades(proto, spec.get(), report);
  setClientCert(proto, spec.get());
  setLimits(proto, spec.get(), report);
  noteOrigins(proto, context, spec.get(), report);
  if (proto.request_id_extension().has_typed_config()) {
    auto at = report.in("request_id_extension");
    auto in = report.in("typed_config");
    context.registry->request_ids.make(proto.request_id_extension().typed_config(), context,
                                       report);
  }
  return spec;
}

google::protobuf::Any connectionPart(const google::protobuf::Any& any) {
  HttpConnectionManager whole;
  google::protobuf::Any part;
  if (!any.UnpackTo(&whole)) return any;
  HttpConnectionManager pinned;
  pinned.set_codec_type(whole.codec_type());
  part.PackFrom(pinned);
  return part;
}

}  // namespace convoy::config
