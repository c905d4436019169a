#include "controlplane/compile/listener.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/compile/addresses.h"
#include "controlplane/compile/any.h"
#include "controlplane/compile/headers.h"
#include "controlplane/compile/request_policy.h"
#include "controlplane/compile/sticky.h"
#include "controlplane/compile/tls.h"
#include "envoy/config/accesslog/v3/accesslog.pb.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb.h"
#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"

namespace convoy::controlplane::compile {

namespace {

namespace hcm_v3 = envoy::extensions::filters::network::http_connection_manager::v3;
using HttpConnectionManager = hcm_v3::HttpConnectionManager;

constexpr int64_t kDefaultIdleSeconds = 3600;
constexpr int64_t kHandshakeSeconds = 10;  // Envoy sets no limit
constexpr uint32_t kDefaultHeadersKib = 60;
constexpr uint32_t kDefaultHeadersCount = 100;
constexpr char kNoUpgrades[] = "none";

// Field of the JSON log -> Envoy's format operators.
constexpr std::pair<const char*, const char*> kJsonLog[] = {
    {"authority", "%REQ(:AUTHORITY)%"},
    {"bytes_received", "%BYTES_RECEIVED%"},
    {"bytes_sent", "%BYTES_SENT%"},
    {"downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"},
    {"duration_ms", "%DURATION%"},
    {"method", "%REQ(:METHOD)%"},
    {"path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"},
    {"pool", "%UPSTREAM_CLUSTER%"},
    {"protocol", "%PROTOCOL%"},
    {"request_id", "%REQ(X-REQUEST-ID)%"},
    {"response_code", "%RESPONSE_CODE%"},
    {"response_code_details", "%RESPONSE_CODE_DETAILS%"},
    {"response_flags", "%RESPONSE_FLAGS%"},
    {"route", "%ROUTE_NAME%"},
    {"start_time", "%START_TIME%"},
    {"upstream_host", "%UPSTREAM_HOST%"},
    {"user_agent", "%REQ(USER-AGENT)%"},
    {"x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"},
};

void compileAccessLog(const v1::AccessLog& log, envoy::config::accesslog::v3::AccessLog* out) {
  envoy::extensions::access_loggers::file::v3::FileAccessLog file;
  file.set_path(log.path().empty() ? "/dev/stdout" : log.path());
  if (log.format() == v1::AccessLog::JSON) {
    auto& fields = *file.mutable_log_format()->mutable_json_format()->mutable_fields();
    for (const auto& [name, value] : kJsonLog) fields[name].set_string_value(value);
  }
  out->set_name("envoy.access_loggers.file");
  pack(file, out->mutable_typed_config());
}

// HTTP/2 may ask, too (RFC 8441); what nobody has allowed is answered with 403.
void compileUpgrades(const v1::Listener& listener, HttpConnectionManager* manager) {
  manager->mutable_http2_protocol_options()->set_allow_connect(true);
  if (listener.upgrades().empty()) manager->add_upgrade_configs()->set_upgrade_type("websocket");
  for (const std::string& protocol : listener.upgrades()) {
    if (protocol != kNoUpgrades) manager->add_upgrade_configs()->set_upgrade_type(protocol);
  }
}

HttpConnectionManager compileManager(const v1::Listener& listener, bool sessions) {
  HttpConnectionManager manager;
  manager.set_stat_prefix(listener.name());
  auto* rds = manager.mutable_rds();
  rds->set_route_config_name(routeConfigName(listener));
  rds->mutable_config_source()->mutable_ads();
  rds->mutable_config_source()->set_resource_api_version(envoy::config::core::v3::V3);
  auto* idle = manager.mutable_common_http_protocol_options()->mutable_idle_timeout();
  if (listener.has_idle_timeout()) {
    *idle = listener.idle_timeout();
  } else {
    idle->set_seconds(kDefaultIdleSeconds);
  }
  compileRequestPolicy(listener, &manager);
  manager.mutable_max_request_headers_kb()->set_value(listener.max_request_headers_kib() == 0
                                                          ? kDefaultHeadersKib
                                                          : listener.max_request_headers_kib());
  manager.mutable_common_http_protocol_options()->mutable_max_headers_count()->set_value(
      listener.max_request_headers_count() == 0 ? kDefaultHeadersCount
                                                : listener.max_request_headers_count());
  compileUpgrades(listener, &manager);
  if (listener.has_access_log()) {
    compileAccessLog(listener.access_log(), manager.add_access_log());
  }
  if (hasEdits(listener.headers())) {
    auto* mutation = manager.add_http_filters();
    mutation->set_name("envoy.filters.http.header_mutation");
    pack(compileHeaderMutation(listener.headers()), mutation->mutable_typed_config());
  }
  if (sessions) addSessionFilter(&manager);
  auto* router = manager.add_http_filters();
  router->set_name("envoy.filters.http.router");
  envoy::extensions::filters::http::router::v3::Router settings;
  // A node before this one may say how long it waits (Retries.tell_next_hop).
  settings.set_respect_expected_rq_timeout(true);
  pack(settings, router->mutable_typed_config());
  return manager;
}

}  // namespace

std::string routeConfigName(const v1::Listener& listener) {
  return listener.route_table().empty() ? absl::StrCat("listener/", listener.name())
                                        : listener.route_table();
}

envoy::config::listener::v3::Listener compileListener(const v1::Listener& listener, bool sessions) {
  envoy::config::listener::v3::Listener out;
  out.set_name(listener.name());
  std::vector<std::string> addresses(listener.addresses().begin(), listener.addresses().end());
  if (!listener.address().empty()) addresses.insert(addresses.begin(), listener.address());
  *out.mutable_address() = compileAddress(addresses.front());
  for (size_t i = 1; i < addresses.size(); ++i) {
    *out.add_additional_addresses()->mutable_address() = compileAddress(addresses[i]);
  }
  auto* chain = out.add_filter_chains();
  if (listener.has_tls()) {
    *chain->mutable_transport_socket() = compileDownstreamTls(listener.tls());
    chain->mutable_transport_socket_connect_timeout()->set_seconds(kHandshakeSeconds);
  }
  auto* filter = chain->add_filters();
  filter->set_name("envoy.filters.network.http_connection_manager");
  pack(compileManager(listener, sessions), filter->mutable_typed_config());
  return out;
}

}  // namespace convoy::controlplane::compile
