#include "controlplane/compile/request_policy.h"

#include "api/convoy/ext/client_address.pb.h"

namespace convoy::controlplane::compile {

namespace {

namespace core_v3 = envoy::config::core::v3;
namespace hcm_v3 = envoy::extensions::filters::network::http_connection_manager::v3;
using HttpConnectionManager = hcm_v3::HttpConnectionManager;

constexpr char kServerName[] = "convoy";
constexpr int64_t kDefaultHeadSeconds = 10;

void compilePaths(const v1::PathPolicy& paths, HttpConnectionManager* manager) {
  const bool normalize = !paths.has_normalize() || paths.normalize();
  manager->mutable_normalize_path()->set_value(normalize);
  manager->set_merge_slashes(!paths.has_merge_slashes() || paths.merge_slashes());
  switch (paths.escaped_slashes()) {
    case v1::PathPolicy::ESCAPED_SLASHES_KEEP:
      manager->set_path_with_escaped_slashes_action(HttpConnectionManager::KEEP_UNCHANGED);
      return;
    case v1::PathPolicy::ESCAPED_SLASHES_REJECT:
      manager->set_path_with_escaped_slashes_action(HttpConnectionManager::REJECT_REQUEST);
      return;
    case v1::PathPolicy::ESCAPED_SLASHES_DECODE:
      manager->set_path_with_escaped_slashes_action(HttpConnectionManager::UNESCAPE_AND_FORWARD);
      return;
    default:
      manager->set_path_with_escaped_slashes_action(HttpConnectionManager::UNESCAPE_AND_REDIRECT);
  }
}

core_v3::HttpProtocolOptions::HeadersWithUnderscoresAction underscores(
    v1::Listener::Underscores action) {
  switch (action) {
    case v1::Listener::UNDERSCORES_ALLOW:
      return core_v3::HttpProtocolOptions::ALLOW;
    case v1::Listener::UNDERSCORES_DROP:
      return core_v3::HttpProtocolOptions::DROP_HEADER;
    default:
      return core_v3::HttpProtocolOptions::REJECT_REQUEST;
  }
}

// Without proxies before it, the client is whoever connected: X-Forwarded-For gets its address
// appended. With proxies, too; but then it may be one of them.
void compileClientAddress(const v1::Listener& listener, HttpConnectionManager* manager) {
  if (listener.trusted_proxies().empty()) {
    manager->mutable_use_remote_address()->set_value(true);
  } else {
    ext::TrustedProxies proxies;
    *proxies.mutable_cidrs() = listener.trusted_proxies();
    auto* extension = manager->add_original_ip_detection_extensions();
    extension->set_name("convoy.http.original_ip_detection.trusted_proxies");
    extension->mutable_typed_config()->PackFrom(proxies);
  }
  if (listener.forwarded() == v1::Listener::FORWARDED_APPEND) {
    auto* extension = manager->add_early_header_mutation_extensions();
    extension->set_name("convoy.http.early_header_mutation.forwarded");
    extension->mutable_typed_config()->PackFrom(ext::ForwardedHeader());
  }
}

void forward(v1::ClientCertificates::Detail detail, HttpConnectionManager* manager) {
  auto* details = manager->mutable_set_current_client_cert_details();
  switch (detail) {
    case v1::ClientCertificates::SUBJECT:
      details->mutable_subject()->set_value(true);
      return;
    case v1::ClientCertificates::URI:
      details->set_uri(true);
      return;
    case v1::ClientCertificates::DNS:
      details->set_dns(true);
      return;
    case v1::ClientCertificates::CERT:
      details->set_cert(true);
      return;
    case v1::ClientCertificates::CHAIN:
      details->set_chain(true);
      return;
    default:
      return;
  }
}

// Whoever asks for certificates wants backends to know whose they are. A client's own claim never
// passes: SANITIZE is Envoy's default.
void compileClientCertificates(const v1::Listener& listener, HttpConnectionManager* manager) {
  if (!listener.tls().has_client_certificates()) return;
  const auto& chosen = listener.tls().client_certificates().forward();
  if (chosen.size() == 1 && chosen[0] == v1::ClientCertificates::NONE) return;
  manager->set_forward_client_cert_details(HttpConnectionManager::SANITIZE_SET);
  for (const int detail : chosen) {
    forward(static_cast<v1::ClientCertificates::Detail>(detail), manager);
  }
  if (!chosen.empty()) return;
  for (const auto detail : {v1::ClientCertificates::SUBJECT, v1::ClientCertificates::URI,
                            v1::ClientCertificates::DNS}) {
    forward(detail, manager);
  }
}

void compileOwnHeaders(const v1::Listener& listener, HttpConnectionManager* manager) {
  manager->set_server_name(kServerName);
  if (listener.server_header() == v1::Listener::SERVER_HEADER_APPEND_IF_ABSENT) {
    manager->set_server_header_transformation(HttpConnectionManager::APPEND_IF_ABSENT);
  } else if (listener.server_header() == v1::Listener::SERVER_HEADER_PASS_THROUGH) {
    manager->set_server_header_transformation(HttpConnectionManager::PASS_THROUGH);
  }
  manager->set_via(listener.via());
}

void compileTimes(const v1::Listener& listener, HttpConnectionManager* manager) {
  auto* head = manager->mutable_request_headers_timeout();
  if (listener.has_request_headers_timeout()) {
    *head = listener.request_headers_timeout();
  } else {
    head->set_seconds(kDefaultHeadSeconds);
  }
  if (listener.has_request_timeout()) {
    *manager->mutable_request_timeout() = listener.request_timeout();
  }
  auto* common = manager->mutable_common_http_protocol_options();
  if (listener.has_max_connection_duration()) {
    *common->mutable_max_connection_duration() = listener.max_connection_duration();
  }
  if (listener.has_max_stream_duration()) {
    *common->mutable_max_stream_duration() = listener.max_stream_duration();
  }
}

}  // namespace

void compileRequestPolicy(const v1::Listener& listener, HttpConnectionManager* manager) {
  compilePaths(listener.paths(), manager);
  manager->mutable_common_http_protocol_options()->set_headers_with_underscores_action(
      underscores(listener.headers_with_underscores()));
  auto* http1 = manager->mutable_http_protocol_options();
  http1->set_accept_http_10(!listener.has_accept_http10() || listener.accept_http10());
  http1->set_default_host_for_http_10(listener.default_host_for_http10());
  manager->set_strip_matching_host_port(listener.strip_port() == v1::Listener::STRIP_PORT_MATCHING);
  if (listener.strip_port() == v1::Listener::STRIP_PORT_ANY) manager->set_strip_any_host_port(true);
  compileClientAddress(listener, manager);
  compileClientCertificates(listener, manager);
  compileOwnHeaders(listener, manager);
  compileTimes(listener, manager);
}

}  // namespace convoy::controlplane::compile
