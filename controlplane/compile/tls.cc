#include "controlplane/compile/tls.h"

#include <set>

#include "controlplane/compile/any.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "google/protobuf/repeated_field.h"

namespace convoy::controlplane::compile {

namespace {

namespace tls_v3 = envoy::extensions::transport_sockets::tls::v3;
using envoy::config::core::v3::TransportSocket;
using NameMatches = google::protobuf::RepeatedPtrField<v1::NameMatch>;
using SanMatcher = tls_v3::SubjectAltNameMatcher;

void nameSecret(const std::string& name, tls_v3::SdsSecretConfig* out) {
  out->set_name(name);
  out->mutable_sds_config()->mutable_ads();
  out->mutable_sds_config()->set_resource_api_version(envoy::config::core::v3::V3);
}

void setVersions(v1::TlsVersion least, tls_v3::CommonTlsContext* common) {
  auto* params = common->mutable_tls_params();
  params->set_tls_minimum_protocol_version(least == v1::TLS_1_3 ? tls_v3::TlsParameters::TLSv1_3
                                                                : tls_v3::TlsParameters::TLSv1_2);
  params->set_tls_maximum_protocol_version(tls_v3::TlsParameters::TLSv1_3);
}

void compileNameMatch(const v1::NameMatch& match, SanMatcher* out) {
  switch (match.name_case()) {
    case v1::NameMatch::kDns:
      out->set_san_type(SanMatcher::DNS);
      out->mutable_matcher()->set_exact(match.dns());
      break;
    case v1::NameMatch::kUri:
      out->set_san_type(SanMatcher::URI);
      out->mutable_matcher()->set_exact(match.uri());
      break;
    case v1::NameMatch::kUriPrefix:
      out->set_san_type(SanMatcher::URI);
      out->mutable_matcher()->set_prefix(match.uri_prefix());
      break;
    case v1::NameMatch::kEmail:
      out->set_san_type(SanMatcher::EMAIL);
      out->mutable_matcher()->set_exact(match.email());
      break;
    case v1::NameMatch::kIp:
      out->set_san_type(SanMatcher::IP_ADDRESS);
      out->mutable_matcher()->set_exact(match.ip());
      break;
    case v1::NameMatch::NAME_NOT_SET:
      break;
  }
}

// The authorities come as a secret; the names are the listener's or pool's own.
void setValidation(const std::string& ca, const NameMatches& names,
                   tls_v3::CommonTlsContext* common) {
  if (names.empty()) {
    nameSecret(ca, common->mutable_validation_context_sds_secret_config());
    return;
  }
  auto* combined = common->mutable_combined_validation_context();
  nameSecret(ca, combined->mutable_validation_context_sds_secret_config());
  for (const v1::NameMatch& match : names) {
    compileNameMatch(
        match, combined->mutable_default_validation_context()->add_match_typed_subject_alt_names());
  }
}

void setTickets(v1::ListenerTls::SessionTickets tickets, tls_v3::DownstreamTlsContext* context) {
  if (tickets == v1::ListenerTls::OFF) {
    context->set_disable_stateless_session_resumption(true);
    return;
  }
  context->mutable_session_timeout()->set_seconds(kSessionSeconds);
  if (tickets == v1::ListenerTls::NODE) return;
  nameSecret(kTicketSecret, context->mutable_session_ticket_keys_sds_secret_config());
}

bool usesFleetTickets(const v1::ListenerTls& tls) {
  return !tls.certificates().empty() && tls.session_tickets() != v1::ListenerTls::NODE &&
         tls.session_tickets() != v1::ListenerTls::OFF;
}

TransportSocket socketOf(const google::protobuf::Message& context) {
  TransportSocket socket;
  socket.set_name("envoy.transport_sockets.tls");
  pack(context, socket.mutable_typed_config());
  return socket;
}

std::vector<std::string> sorted(std::set<std::string> names) {
  names.erase("");
  return {names.begin(), names.end()};
}

}  // namespace

tls_v3::Secret compileSecret(const v1::Certificate& certificate) {
  tls_v3::Secret secret;
  secret.set_name(certificate.name());
  if (certificate.private_key().empty()) {
    secret.mutable_validation_context()->mutable_trusted_ca()->set_inline_string(
        certificate.certificate());
    return secret;
  }
  auto* out = secret.mutable_tls_certificate();
  out->mutable_certificate_chain()->set_inline_string(certificate.certificate());
  out->mutable_private_key()->set_inline_string(certificate.private_key());
  if (!certificate.ocsp_response().empty()) {
    out->mutable_ocsp_staple()->set_inline_bytes(certificate.ocsp_response());
  }
  return secret;
}

tls_v3::Secret compileTicketKeys(absl::Span<const std::string> keys) {
  tls_v3::Secret secret;
  secret.set_name(kTicketSecret);
  for (const std::string& key : keys) {
    secret.mutable_session_ticket_keys()->add_keys()->set_inline_bytes(key);
  }
  return secret;
}

TransportSocket compileDownstreamTls(const v1::ListenerTls& tls) {
  tls_v3::DownstreamTlsContext context;
  auto* common = context.mutable_common_tls_context();
  setVersions(tls.min_version(), common);
  for (const std::string& name : tls.certificates()) {
    nameSecret(name, common->add_tls_certificate_sds_secret_configs());
  }
  common->add_alpn_protocols("h2");
  common->add_alpn_protocols("http/1.1");
  if (tls.has_client_certificates()) {
    const v1::ClientCertificates& clients = tls.client_certificates();
    context.mutable_require_client_certificate()->set_value(!clients.optional());
    setValidation(clients.ca(), clients.names(), common);
  }
  setTickets(tls.session_tickets(), &context);
  return socketOf(context);
}

TransportSocket compileUpstreamTls(const v1::PoolTls& tls) {
  tls_v3::UpstreamTlsContext context;
  auto* common = context.mutable_common_tls_context();
  context.set_sni(tls.server_name());
  setVersions(tls.min_version(), common);
  if (!tls.certificate().empty()) {
    nameSecret(tls.certificate(), common->add_tls_certificate_sds_secret_configs());
  }
  // Without a validation context nothing is verified.
  if (!tls.insecure_skip_verification()) {
    NameMatches names = tls.names();
    if (names.empty()) names.Add()->set_dns(tls.server_name());
    setValidation(tls.ca(), names, common);
  }
  return socketOf(context);
}

std::vector<std::string> secretsOf(const v1::ListenerTls& tls) {
  std::set<std::string> names(tls.certificates().begin(), tls.certificates().end());
  names.insert(tls.client_certificates().ca());
  if (usesFleetTickets(tls)) names.insert(kTicketSecret);
  return sorted(std::move(names));
}

std::vector<std::string> secretsOf(const v1::PoolTls& tls) {
  return sorted({tls.certificate(), tls.ca()});
}

}  // namespace convoy::controlplane::compile
