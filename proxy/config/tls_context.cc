#include "proxy/config/tls_context.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto_tls = envoy::extensions::transport_sockets::tls::v3;
namespace core = envoy::config::core::v3;
using envoy::type::matcher::v3::StringMatcher;

// As tls::load() takes from a file.
constexpr size_t kMaxDataBytes = 1024 * 1024;

// ECDHE with AEAD: others are no longer safe.
constexpr std::array<std::string_view, 6> kCiphers = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",   "ECDHE-RSA-CHACHA20-POLY1305"};
constexpr std::array<std::string_view, 4> kCurves = {"X25519", "P-256", "P-384", "P-521"};

template <size_t N>
std::string listOf(const std::array<std::string_view, N>& words) {
  std::string list;
  for (const std::string_view word : words) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

template <size_t N>
bool has(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool given(const core::DataSource& proto) {
  return proto.specifier_case() != core::DataSource::SPECIFIER_NOT_SET;
}

// Files stay files; everything else is taken over.
tls::DataSpec toData(bool is_set, const core::DataSource& proto, std::string_view field,
                     const Context& context, base::FieldReport& report) {
  tls::DataSpec data;
  if (!is_set || !given(proto)) return data;
  auto at = report.in(field);
  if (proto.specifier_case() == core::DataSource::kFilename) {
    data.path = proto.filename();
  } else {
    data.bytes = readDataSource(proto, kMaxDataBytes, context, report);
  }
  return data;
}

// --- secrets ---

tls::CertificateSpec toCertificate(const proto_tls::TlsCertificate& proto, const Context& context,
                                   base::FieldReport& report) {
  tls::CertificateSpec spec;
  if (!given(proto.certificate_chain())) {
    report.error("certificate_chain", "required", "", "a certificate needs its chain in PEM");
  }
  if (!given(proto.private_key())) {
    report.error("private_key", "required", "", "a certificate needs its private key in PEM");
  }
  spec.chain = toData(proto.has_certificate_chain(), proto.certificate_chain(), "certificate_chain",
                      context, report);
  spec.key = toData(proto.has_private_key(), proto.private_key(), "private_key", context, report);
  spec.password = toData(proto.has_password(), proto.password(), "password", context, report);
  spec.ocsp_staple =
      toData(proto.has_ocsp_staple(), proto.ocsp_staple(), "ocsp_staple", context, report);
  return spec;
}

// A matcher with its kind; false: it is refused.
bool setMatcher(const StringMatcher& proto, tls::SanMatch* match, base::FieldReport& report) {
  using Kind = tls::SanMatch::Kind;
  match->ignore_case = proto.ignore_case();
  switch (proto.match_pattern_case()) {
    case StringMatcher::kExact:
      match->kind = Kind::Exact;
      match->value = proto.exact();
      return true;
    case StringMatcher::kPrefix:
      match->kind = Kind::Prefix;
      match->value = proto.prefix();
      return true;
    case StringMatcher::kSuffix:
      match->kind = Kind::Suffix;
      match->value = proto.suffix();
      return true;
    case StringMatcher::kContains:
      match->kind = Kind::Contains;
      match->value = proto.contains();
      return true;
    case StringMatcher::kSafeRegex:
      report.error("safe_regex", "unsupported_field", proto.safe_regex().regex(),
                   "names in certificates are not matched by regular expressions; write exact, "
                   "prefix, suffix or contains");
      return false;
    default:
      return false;  // refused by validate.rules
  }
}

void addName(const proto_tls::SubjectAltNameMatcher& proto, tls::ValidationSpec* spec,
             base::FieldReport& report) {
  using Proto = proto_tls::SubjectAltNameMatcher;
  tls::SanMatch match;
  switch (proto.san_type()) {
    case Proto::DNS:
      match.type = tls::SanMatch::Type::Dns;
      break;
    case Proto::URI:
      match.type = tls::SanMatch::Type::Uri;
      break;
    case Proto::EMAIL:
      match.type = tls::SanMatch::Type::Email;
      break;
    case Proto::IP_ADDRESS:
      match.type = tls::SanMatch::Type::Ip;
      break;
    case Proto::OTHER_NAME:
      report.error("san_type", "unsupported_value", "OTHER_NAME",
                   "write DNS, URI, EMAIL or IP_ADDRESS");
      return;
    default:
      return;  // refused by validate.rules
  }
  auto at = report.in("matcher");
  if (setMatcher(proto.matcher(), &match, report)) spec->names.push_back(std::move(match));
}

// The older form says no type: any of them may fit.
void addUntypedName(const StringMatcher& proto, tls::ValidationSpec* spec,
                    base::FieldReport& report) {
  using Type = tls::SanMatch::Type;
  tls::SanMatch match;
  if (!setMatcher(proto, &match, report)) return;
  for (const Type type : {Type::Dns, Type::Uri, Type::Email, Type::Ip}) {
    match.type = type;
    spec->names.push_back(match);
  }
}

// Hexadecimal SHA-256, with colons or without, to lower case without.
std::string toHash(std::string_view text, base::FieldReport& report) {
  std::string hash;
  for (const char c : text) {
    if (c != ':') hash += base::asciiLower(c);
  }
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    report.error("format", text, "must be a SHA-256 in hexadecimal, with or without colons");
  }
  return hash;
}

tls::ValidationSpec toValidation(const proto_tls::CertificateValidationContext& proto,
                                 const Context& context, base::FieldReport& report) {
  tls::ValidationSpec spec;
  spec.trusted_ca =
      toData(proto.has_trusted_ca(), proto.trusted_ca(), "trusted_ca", context, report);
  spec.crl = toData(proto.has_crl(), proto.crl(), "crl", context, report);
  for (int i = 0; i < proto.match_typed_subject_alt_names_size(); ++i) {
    auto at = report.in("match_typed_subject_alt_names", static_cast<size_t>(i));
    addName(proto.match_typed_subject_alt_names(i), &spec, report);
  }
  for (int i = 0; i < proto.match_subject_alt_names_size(); ++i) {
    auto at = report.in("match_subject_alt_names", static_cast<size_t>(i));
    addUntypedName(proto.match_subject_alt_names(i), &spec, report);
  }
  spec.spki_pins.assign(proto.verify_certificate_spki().begin(),
                        proto.verify_certificate_spki().end());
  for (int i = 0; i < proto.verify_certificate_hash_size(); ++i) {
    auto at = report.in("verify_certificate_hash", static_cast<size_t>(i));
    spec.certificate_hashes.push_back(toHash(proto.verify_certificate_hash(i), report));
  }
  spec.allow_expired = proto.allow_expired_certificate();
  spec.accept_untrusted =
      proto.trust_chain_verification() == proto_tls::CertificateValidationContext::ACCEPT_UNTRUSTED;
  spec.only_leaf_crl = proto.only_verify_leaf_cert_crl();
  if (proto.has_max_verify_depth()) spec.max_depth = proto.max_verify_depth().value();
  return spec;
}

tls::TicketKeysSpec toTicketKeys(const proto_tls::TlsSessionTicketKeys& proto,
                                 const Context& context, base::FieldReport& report) {
  constexpr size_t kKeyBytes = 80;
  tls::TicketKeysSpec spec;
  for (int i = 0; i < proto.keys_size(); ++i) {
    auto at = report.in("keys", static_cast<size_t>(i));
    tls::DataSpec key = toData(true, proto.keys(i), "", context, report);
    const bool known =
        key.path.empty() && (context.read_files || proto.keys(i).environment_variable().empty());
    if (known && key.bytes.size() != kKeyBytes) {
      report.error("length", std::to_string(key.bytes.size()), "a ticket key has 80 bytes");
    }
    spec.keys.push_back(std::move(key));
  }
  return spec;
}

template <class Value>
tls::SecretRef inPlace(Value value) {
  auto secret = std::make_shared<tls::SecretSpec>();
  secret->value = std::move(value);
  return {.value = std::move(secret)};
}

tls::SecretRef byName(const proto_tls::SdsSecretConfig& proto, base::FieldReport& report) {
  tls::SecretRef ref{.name = proto.name()};
  if (!proto.has_sds_config()) return ref;  // of static_resources
  auto at = report.in("sds_config");
  ref.by_sds = true;
  ref.fetch_timeout = toFetchTimeout(proto.sds_config(), report);
  return ref;
}

// --- contexts ---

tls::Version toVersion(proto_tls::TlsParameters::TlsProtocol proto, tls::Version otherwise,
                       std::string_view field, base::FieldReport& report) {
  switch (proto) {
    case proto_tls::TlsParameters::TLS_AUTO:
      return otherwise;
    case proto_tls::TlsParameters::TLSv1_2:
      return tls::Version::Tls12;
    case proto_tls::TlsParameters::TLSv1_3:
      return tls::Version::Tls13;
    default:
      report.error(field, "unsupported_value", proto_tls::TlsParameters::TlsProtocol_Name(proto),
                   "is no longer safe (RFC 8996); write TLSv1_2 or TLSv1_3");
      return otherwise;
  }
}

// "NAME", or "[NAME|NAME]" for names of equal preference.
void checkCipher(std::string_view element, base::FieldReport& report) {
  std::string_view names = element;
  if (names.starts_with('[') && names.ends_with(']')) names = names.substr(1, names.size() - 2);
  while (true) {
    const size_t bar = names.find('|');
    if (!has(kCiphers, names.substr(0, bar))) {
      report.error("unsupported_value", element,
                   "is not among the cipher suites of TLS 1.2 that are safe: " + listOf(kCiphers));
      return;
    }
    if (bar == std::string_view::npos) return;
    names.remove_prefix(bar + 1);
  }
}

void setParameters(const proto_tls::TlsParameters& proto, bool server, tls::CommonSpec* spec,
                   base::FieldReport& report) {
  spec->min_version = toVersion(proto.tls_minimum_protocol_version(), tls::Version::Tls12,
                                "tls_minimum_protocol_version", report);
  // Envoy's default of clients is TLS 1.2, but that it may then exclude every version.
  const bool newest = server || spec->min_version == tls::Version::Tls13;
  spec->max_version = toVersion(proto.tls_maximum_protocol_version(),
                                newest ? tls::Version::Tls13 : tls::Version::Tls12,
                                "tls_maximum_protocol_version", report);
  if (spec->min_version > spec->max_version) {
    report.error("tls_minimum_protocol_version", "range", "TLSv1_3",
                 "is above tls_maximum_protocol_version");
  }
  for (int i = 0; i < proto.cipher_suites_size(); ++i) {
    auto at = report.in("cipher_suites", static_cast<size_t>(i));
    checkCipher(proto.cipher_suites(i), report);
    spec->cipher_suites.push_back(proto.cipher_suites(i));
  }
  for (int i = 0; i < proto.ecdh_curves_size(); ++i) {
    auto at = report.in("ecdh_curves", static_cast<size_t>(i));
    if (!has(kCurves, proto.ecdh_curves(i))) {
      report.error("unsupported_value", proto.ecdh_curves(i), "write one of " + listOf(kCurves));
    }
    spec->curves.push_back(proto.ecdh_curves(i));
  }
}

void setCertificates(const proto_tls::CommonTlsContext& proto, const Context& context,
                     tls::CommonSpec* spec, base::FieldReport& report) {
  for (int i = 0; i < proto.tls_certificates_size(); ++i) {
    auto at = report.in("tls_certificates", static_cast<size_t>(i));
    spec->certificates.push_back(
        inPlace(toCertificate(proto.tls_certificates(i), context, report)));
  }
  // Envoy uses the ones in place if there are any.
  if (!spec->certificates.empty()) {
    if (proto.tls_certificate_sds_secret_configs_size() > 0) {
      report.error("tls_certificate_sds_secret_configs", "conflict", "",
                   "tls_certificates are there already; write one of the two");
    }
    return;
  }
  for (int i = 0; i < proto.tls_certificate_sds_secret_configs_size(); ++i) {
    auto at = report.in("tls_certificate_sds_secret_configs", static_cast<size_t>(i));
    spec->certificates.push_back(byName(proto.tls_certificate_sds_secret_configs(i), report));
  }
}

void setValidation(const proto_tls::CommonTlsContext& proto, const Context& context,
                   tls::CommonSpec* spec, base::FieldReport& report) {
  if (proto.has_validation_context()) {
    auto at = report.in("validation_context");
    spec->validation = inPlace(toValidation(proto.validation_context(), context, report));
  } else if (proto.has_validation_context_sds_secret_config()) {
    auto at = report.in("validation_context_sds_secret_config");
    spec->validation = byName(proto.validation_context_sds_secret_config(), report);
  } else if (proto.has_combined_validation_context()) {
    auto at = report.in("combined_validation_context");
    const auto& combined = proto.combined_validation_context();
    {
      auto in = report.in("default_validation_context");
      spec->validation_extra = toValidation(combined.default_validation_context(), context, report);
      if (!spec->validation_extra->trusted_ca.empty() || !spec->validation_extra->crl.empty()) {
        report.error("unsupported_field", "",
                     "trusted_ca and crl come with the secret; remove them here");
      }
    }
    auto in = report.in("validation_context_sds_secret_config");
    spec->validation = byName(combined.validation_context_sds_secret_config(), report);
  }
}

tls::CommonSpec toCommon(const proto_tls::CommonTlsContext& proto, bool server,
                         const Context& context, base::FieldReport& report) {
  auto at = report.in("common_tls_context");
  tls::CommonSpec spec;
  {
    auto in = report.in("tls_params");
    setParameters(proto.tls_params(), server, &spec, report);
  }
  setCertificates(proto, context, &spec, report);
  setValidation(proto, context, &spec, report);
  for (int i = 0; i < proto.alpn_protocols_size(); ++i) {
    const std::string& protocol = proto.alpn_protocols(i);
    auto in = report.in("alpn_protocols", static_cast<size_t>(i));
    if (protocol.empty() || protocol.size() > 255) {
      report.error("length", protocol, "a protocol's name has 1 to 255 bytes (RFC 7301)");
    }
    spec.alpn.push_back(protocol);
  }
  return spec;
}

tls::OcspPolicy toPolicy(proto_tls::DownstreamTlsContext::OcspStaplePolicy proto) {
  switch (proto) {
    case proto_tls::DownstreamTlsContext::STRICT_STAPLING:
      return tls::OcspPolicy::Strict;
    case proto_tls::DownstreamTlsContext::MUST_STAPLE:
      return tls::OcspPolicy::MustStaple;
    default:
      return tls::OcspPolicy::Lenient;
  }
}

void setSessions(const proto_tls::DownstreamTlsContext& proto, const Context& context,
                 tls::ServerSpec* spec, base::FieldReport& report) {
  spec->tickets = !proto.disable_stateless_session_resumption();
  if (proto.has_session_ticket_keys()) {
    auto at = report.in("session_ticket_keys");
    spec->ticket_keys = inPlace(toTicketKeys(proto.session_ticket_keys(), context, report));
  } else if (proto.has_session_ticket_keys_sds_secret_config()) {
    auto at = report.in("session_ticket_keys_sds_secret_config");
    spec->ticket_keys = byName(proto.session_ticket_keys_sds_secret_config(), report);
  }
  if (proto.has_session_timeout()) {
    spec->session_timeout = std::chrono::duration_cast<std::chrono::seconds>(
        toMilliseconds(proto.session_timeout(), "session_timeout", report));
  }
}

}  // namespace

std::shared_ptr<const net::TransportSpec> makeDownstreamTls(
    const proto_tls::DownstreamTlsContext& proto, const Context& context,
    base::FieldReport& report) {
  auto spec = std::make_shared<tls::ServerSpec>();
  spec->common = toCommon(proto.common_tls_context(), /*server=*/true, context, report);
  spec->require_client_certificate = proto.require_client_certificate().value();
  spec->require_sni = proto.require_sni().value();
  spec->full_scan = proto.full_scan_certs_on_sni_mismatch().value();
  spec->ocsp_policy = toPolicy(proto.ocsp_staple_policy());
  setSessions(proto, context, spec.get(), report);
  if (spec->common.certificates.empty()) {
    report.error("common_tls_context.tls_certificates", "required", "",
                 "a listener that speaks TLS needs a certificate: tls_certificates or "
                 "tls_certificate_sds_secret_configs");
  }
  if (spec->require_client_certificate && !spec->common.validation.has_value()) {
    report.error("common_tls_context.validation_context", "required", "",
                 "require_client_certificate needs it: which certificates are trusted?");
  }
  return spec;
}

std::shared_ptr<const net::TransportSpec> makeUpstreamTls(
    const proto_tls::UpstreamTlsContext& proto, const Context& context, base::FieldReport& report) {
  auto spec = std::make_shared<tls::ClientSpec>();
  spec->common = toCommon(proto.common_tls_context(), /*server=*/false, context, report);
  spec->sni = proto.sni();
  if (proto.has_max_session_keys()) spec->max_sessions = proto.max_session_keys().value();
  if (spec->common.certificates.size() > 1) {
    report.error("common_tls_context.tls_certificates", "unsupported_value",
                 std::to_string(spec->common.certificates.size()),
                 "a cluster shows one certificate at most");
  }
  return spec;
}

std::shared_ptr<const net::TransportSpec> withDefaultAlpn(
    std::shared_ptr<const net::TransportSpec> transport, std::vector<std::string> protocols) {
  const auto* const client = dynamic_cast<const tls::ClientSpec*>(transport.get());
  if (client == nullptr || !client->common.alpn.empty()) return transport;
  return withAlpn(transport, std::move(protocols));
}

std::shared_ptr<const net::TransportSpec> withAlpn(
    std::shared_ptr<const net::TransportSpec> transport, std::vector<std::string> protocols) {
  const auto* const client = dynamic_cast<const tls::ClientSpec*>(transport.get());
  if (client == nullptr) return transport;
  auto copy = std::make_shared<tls::ClientSpec>(*client);
  copy->common.alpn = std::move(protocols);
  return copy;
}

std::shared_ptr<const tls::SecretSpec> toSecret(const proto_tls::Secret& proto,
                                                const Context& context, base::FieldReport& report) {
  auto spec = std::make_shared<tls::SecretSpec>();
  spec->name = proto.name();
  spec->version = context.version;
  if (proto.name().empty()) report.error("name", "required", "", "a secret needs a name");
  switch (proto.type_case()) {
    case proto_tls::Secret::kTlsCertificate: {
      auto at = report.in("tls_certificate");
      spec->value = toCertificate(proto.tls_certificate(), context, report);
      break;
    }
    case proto_tls::Secret::kValidationContext: {
      auto at = report.in("validation_context");
      spec->value = toValidation(proto.validation_context(), context, report);
      break;
    }
    case proto_tls::Secret::kSessionTicketKeys: {
      auto at = report.in("session_ticket_keys");
      spec->value = toTicketKeys(proto.session_ticket_keys(), context, report);
      break;
    }
    default:
      report.error("required", "",
                   "a secret is a tls_certificate, a validation_context or session_ticket_keys");
  }
  return spec;
}

}  // namespace convoy::config
