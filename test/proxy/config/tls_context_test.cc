#include "proxy/config/tls_context.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

namespace proto = envoy::extensions::transport_sockets::tls::v3;

struct Made {
  std::shared_ptr<const net::TransportSpec> spec;
  Lines errors;
};

template <class Proto, class Convert>
Made make(const std::string& yaml, Convert convert) {
  base::FieldReport report;
  const Context context = testContext();
  Made made;
  made.spec = convert(fromYaml<Proto>(yaml), context, report);
  made.errors = brief(report.errors());
  return made;
}
Made server(const std::string& yaml) {
  return make<proto::DownstreamTlsContext>(yaml, makeDownstreamTls);
}
Made client(const std::string& yaml) {
  return make<proto::UpstreamTlsContext>(yaml, makeUpstreamTls);
}

const std::string kCertificate =
    "tls_certificates: [{certificate_chain: {filename: /c.pem}, private_key: {inline_string: k}, "
    "password: {inline_bytes: cA==}, ocsp_staple: {filename: /o.der}}]";

TEST(TlsContext, EveryHonouredFieldOfAListener) {
  const Made made = server(
      "{common_tls_context: {tls_params: {tls_minimum_protocol_version: TLSv1_2, "
      "tls_maximum_protocol_version: TLSv1_3, cipher_suites: ['[ECDHE-RSA-AES128-GCM-SHA256|"
      "ECDHE-RSA-CHACHA20-POLY1305]', ECDHE-ECDSA-AES256-GCM-SHA384], ecdh_curves: [P-256]}, " +
      kCertificate +
      ", validation_context: {trusted_ca: {filename: /ca.pem}, crl: {inline_string: r}, "
      "match_typed_subject_alt_names: [{san_type: URI, matcher: {prefix: 'spiffe://a/', "
      "ignore_case: true}}, {san_type: DNS, matcher: {exact: a}}], verify_certificate_hash: ['" +
      std::string(62, 'A') +
      "BC'], allow_expired_certificate: true, only_verify_leaf_cert_crl: "
      "true, max_verify_depth: 3, trust_chain_verification: ACCEPT_UNTRUSTED}, "
      "alpn_protocols: [h2, http/1.1]}, require_client_certificate: true, require_sni: true, "
      "full_scan_certs_on_sni_mismatch: true, ocsp_staple_policy: MUST_STAPLE, session_timeout: "
      "60s, session_ticket_keys: {keys: [{filename: /t.key}]}}");
  ASSERT_EQ(made.errors, Lines());
  const auto& spec = dynamic_cast<const tls::ServerSpec&>(*made.spec);
  EXPECT_EQ(spec.common.min_version, tls::Version::Tls12);
  EXPECT_EQ(spec.common.max_version, tls::Version::Tls13);
  EXPECT_EQ(spec.common.cipher_suites.size(), 2u);
  EXPECT_EQ(spec.common.curves, Lines{"P-256"});
  EXPECT_EQ(spec.common.alpn, (Lines{"h2", "http/1.1"}));
  ASSERT_EQ(spec.common.certificates.size(), 1u);
  EXPECT_EQ(std::get<tls::CertificateSpec>(spec.common.certificates[0].value->value),
            (tls::CertificateSpec{.chain = {.path = "/c.pem", .bytes = ""},
                                  .key = {.path = "", .bytes = "k"},
                                  .password = {.path = "", .bytes = "p"},
                                  .ocsp_staple = {.path = "/o.der", .bytes = ""}}));
  const auto& validation = std::get<tls::ValidationSpec>(spec.common.validation->value->value);
  EXPECT_EQ(validation.trusted_ca.path, "/ca.pem");
  EXPECT_EQ(validation.crl.bytes, "r");
  ASSERT_EQ(validation.names.size(), 2u);
  EXPECT_EQ(validation.names[0], (tls::SanMatch{.type = tls::SanMatch::Type::Uri,
                                                .kind = tls::SanMatch::Kind::Prefix,
                                                .value = "spiffe://a/",
                                                .ignore_case = true}));
  EXPECT_EQ(validation.certificate_hashes, Lines{std::string(62, 'a') + "bc"});
  EXPECT_TRUE(validation.allow_expired && validation.only_leaf_crl && validation.accept_untrusted);
  EXPECT_EQ(validation.max_depth, 3u);
  EXPECT_TRUE(spec.require_client_certificate && spec.require_sni && spec.full_scan);
  EXPECT_EQ(spec.ocsp_policy, tls::OcspPolicy::MustStaple);
  EXPECT_EQ(spec.session_timeout, std::chrono::seconds(60));
  EXPECT_EQ(std::get<tls::TicketKeysSpec>(spec.ticket_keys->value->value).keys[0].path, "/t.key");
  EXPECT_TRUE(spec.tickets);
}

TEST(TlsContext, WhatIsUnsetIsAsEnvoyDocuments) {
  const Made listener = server("{common_tls_context: {" + kCertificate + "}}");
  const auto& spec = dynamic_cast<const tls::ServerSpec&>(*listener.spec);
  EXPECT_EQ(spec.common.min_version, tls::Version::Tls12);
  EXPECT_EQ(spec.common.max_version, tls::Version::Tls13);
  EXPECT_FALSE(spec.common.validation.has_value());
  EXPECT_EQ(spec.ocsp_policy, tls::OcspPolicy::Lenient);
  const Made cluster = client("{}");
  const auto& upstream = dynamic_cast<const tls::ClientSpec&>(*cluster.spec);
  EXPECT_EQ(upstream.common.max_version, tls::Version::Tls12);
  EXPECT_EQ(upstream.max_sessions, 1u);
  EXPECT_EQ(upstream.sni, "");
}

TEST(TlsContext, SecretsByNameSayWhereTheyComeFrom) {
  const Made made = server(
      "{common_tls_context: {tls_certificate_sds_secret_configs: [{name: a}, {name: b, sds_config: "
      "{ads: {}, resource_api_version: V3, initial_fetch_timeout: 3s}}], "
      "combined_validation_context: {default_validation_context: {match_typed_subject_alt_names: "
      "[{san_type: DNS, matcher: {exact: a}}]}, validation_context_sds_secret_config: {name: c, "
      "sds_config: {ads: {}}}}}, session_ticket_keys_sds_secret_config: {name: d}}");
  ASSERT_EQ(made.errors, Lines());
  const auto& spec = dynamic_cast<const tls::ServerSpec&>(*made.spec);
  ASSERT_EQ(spec.common.certificates.size(), 2u);
  EXPECT_EQ(spec.common.certificates[0].name, "a");
  EXPECT_FALSE(spec.common.certificates[0].by_sds);
  EXPECT_TRUE(spec.common.certificates[1].by_sds);
  EXPECT_EQ(spec.common.certificates[1].fetch_timeout, std::chrono::seconds(3));
  EXPECT_EQ(spec.common.validation->name, "c");
  EXPECT_EQ(spec.common.validation->fetch_timeout, std::chrono::seconds(15));
  EXPECT_EQ(spec.common.validation_extra->names.size(), 1u);
  EXPECT_EQ(spec.ticket_keys->name, "d");
}

TEST(TlsContext, AClusterOffersTheProtocolsOfItsHttp) {
  const Made unset = client("{sni: a.example, max_session_keys: 0}");
  const auto filled = withDefaultAlpn(unset.spec, {"http/1.1"});
  EXPECT_EQ(dynamic_cast<const tls::ClientSpec&>(*filled).common.alpn, Lines{"http/1.1"});
  EXPECT_EQ(dynamic_cast<const tls::ClientSpec&>(*filled).sni, "a.example");
  EXPECT_EQ(dynamic_cast<const tls::ClientSpec&>(*filled).max_sessions, 0u);
  const Made set = client("{common_tls_context: {alpn_protocols: [x]}}");
  EXPECT_EQ(withDefaultAlpn(set.spec, {"http/1.1"}), set.spec);
  EXPECT_EQ(withDefaultAlpn(nullptr, {"http/1.1"}), nullptr);
}

TEST(TlsContext, RefusesByName) {
  const auto with = [](const std::string& common, const std::string& more = "") {
    return "{common_tls_context: {" + kCertificate + ", " + common + "}, " + more + "}";
  };
  const std::string at = "common_tls_context.";
  const ErrorCase cases[] = {
      {"{}", {at + "tls_certificates: required: "}},
      {"{common_tls_context: {tls_certificates: [{}]}}",
       {at + "tls_certificates[0].certificate_chain: required: ",
        at + "tls_certificates[0].private_key: required: "}},
      {with("tls_params: {tls_minimum_protocol_version: TLSv1_1}"),
       {at + "tls_params.tls_minimum_protocol_version: unsupported_value: TLSv1_1"}},
      {with("tls_params: {tls_minimum_protocol_version: TLSv1_3, tls_maximum_protocol_version: "
            "TLSv1_2}"),
       {at + "tls_params.tls_minimum_protocol_version: range: TLSv1_3"}},
      {with("tls_params: {cipher_suites: [AES128-SHA]}"),
       {at + "tls_params.cipher_suites[0]: unsupported_value: AES128-SHA"}},
      {with("tls_params: {ecdh_curves: [secp224r1]}"),
       {at + "tls_params.ecdh_curves[0]: unsupported_value: secp224r1"}},
      {with("alpn_protocols: ['']"), {at + "alpn_protocols[0]: length: "}},
      {with("tls_certificate_sds_secret_configs: [{name: a}]"),
       {at + "tls_certificate_sds_secret_configs: conflict: "}},
      {with("validation_context: {match_typed_subject_alt_names: [{san_type: DNS, matcher: "
            "{safe_regex: {regex: a}}}]}"),
       {at + "validation_context.match_typed_subject_alt_names[0].matcher.safe_regex: "
             "unsupported_field: a"}},
      {with("validation_context: {verify_certificate_hash: ['" + std::string(64, 'x') + "']}"),
       {at + "validation_context.verify_certificate_hash[0]: format: " + std::string(64, 'x')}},
      {with("", "require_client_certificate: true"), {at + "validation_context: required: "}},
      {with("", "session_ticket_keys: {keys: [{inline_string: short}]}"),
       {"session_ticket_keys.keys[0]: length: 5"}},
  };
  for (const ErrorCase& c : cases) EXPECT_EQ(server(c.yaml).errors, c.errors) << c.yaml;
  const std::string two =
      "{common_tls_context: {tls_certificate_sds_secret_configs: [{name: a}, "
      "{name: b}]}}";
  EXPECT_EQ(client(two).errors, Lines{at + "tls_certificates: unsupported_value: 2"});
}

TEST(TlsContext, Secrets) {
  const auto secret = [](const std::string& yaml) {
    base::FieldReport report;
    const auto spec = toSecret(fromYaml<proto::Secret>(yaml), testContext(), report);
    return std::pair(spec, brief(report.errors()));
  };
  const auto [keys, no_errors] = secret("{name: k, session_ticket_keys: {keys: [{filename: /k}]}}");
  EXPECT_EQ(no_errors, Lines());
  EXPECT_EQ(keys->name, "k");
  EXPECT_TRUE(std::holds_alternative<tls::TicketKeysSpec>(keys->value));
  EXPECT_TRUE(std::holds_alternative<tls::ValidationSpec>(
      secret("{name: v, validation_context: {trusted_ca: {filename: /v}}}").first->value));
  EXPECT_EQ(secret("{name: g}").second, Lines{": required: "});
  EXPECT_EQ(secret("{tls_certificate: {certificate_chain: {filename: /c}, private_key: {filename: "
                   "/k}}}")
                .second,
            Lines{"name: required: "});
}

}  // namespace
}  // namespace convoy::config
