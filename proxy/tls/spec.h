#pragma once

// Immutable configuration of TLS: what config/ makes of Envoy's DownstreamTlsContext,
// UpstreamTlsContext and Secret. Plain data: no TLS library, no file is read here. An unset field
// means what Envoy documents, but for what no longer is safe: TLS 1.2 is the least.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/net/spec.h"

namespace convoy::tls {

// Bytes, or a file that has them (and is watched).
struct DataSpec {
  std::string path;   // empty: the bytes below
  std::string bytes;  // may be a private key: never logged
  bool empty() const { return path.empty() && bytes.empty(); }
  friend bool operator==(const DataSpec&, const DataSpec&) = default;
};

struct CertificateSpec {
  DataSpec chain;  // PEM, the leaf first
  DataSpec key;    // PEM
  DataSpec password;
  DataSpec ocsp_staple;  // DER of an OCSPResponse
  friend bool operator==(const CertificateSpec&, const CertificateSpec&) = default;
};

// One condition on a subject alternative name. One that holds suffices.
struct SanMatch {
  enum class Type : uint8_t { Dns, Uri, Email, Ip };
  enum class Kind : uint8_t { Exact, Prefix, Suffix, Contains };
  Type type = Type::Dns;
  Kind kind = Kind::Exact;
  std::string value;  // Exact Dns: "*.example.com" in the certificate matches "a.example.com" here
  bool ignore_case = false;
  friend bool operator==(const SanMatch&, const SanMatch&) = default;
};

// What is asked of the peer's certificate.
struct ValidationSpec {
  DataSpec trusted_ca = {};  // PEM; empty: nothing is verified but pins
  DataSpec crl = {};         // PEM
  std::vector<SanMatch> names = {};
  std::vector<std::string> spki_pins = {};           // base64 of SHA-256
  std::vector<std::string> certificate_hashes = {};  // hexadecimal SHA-256, lower case, no colons
  bool allow_expired = false;
  bool accept_untrusted = false;
  bool only_leaf_crl = false;
  std::optional<uint32_t> max_depth = {};  // certificates above the leaf
  friend bool operator==(const ValidationSpec&, const ValidationSpec&) = default;
};

// Each 80 bytes: name (16), HMAC key (32), AES key (32), as Envoy's. The first encrypts.
struct TicketKeysSpec {
  std::vector<DataSpec> keys;
  friend bool operator==(const TicketKeysSpec&, const TicketKeysSpec&) = default;
};

struct SecretSpec {
  std::string name;
  std::variant<CertificateSpec, ValidationSpec, TicketKeysSpec> value;
  std::string version;  // of the resource; empty for static ones
};

// A secret in place, or the name of one that comes by SDS or from the bootstrap.
struct SecretRef {
  std::string name = {};
  std::shared_ptr<const SecretSpec> value = nullptr;  // null: by name
  bool by_sds = false;                                // else from the bootstrap
  std::chrono::milliseconds fetch_timeout{15'000};    // wait for the first value; 0: for ever
};

enum class Version : uint8_t { Tls12, Tls13 };

struct CommonSpec {
  Version min_version = Version::Tls12;
  Version max_version = Version::Tls13;
  std::vector<std::string> cipher_suites;  // of TLS 1.2, BoringSSL's names; empty: all safe ones
  std::vector<std::string> curves;         // empty: X25519, P-256, P-384
  std::vector<SecretRef> certificates;
  std::optional<SecretRef> validation;
  // Settings that hold in addition to those of `validation` (Envoy's combined context).
  std::optional<ValidationSpec> validation_extra;
  std::vector<std::string> alpn;  // in the order of preference
};

enum class OcspPolicy : uint8_t {
  Lenient,     // without a valid response nothing is stapled
  Strict,      // an expired response fails the handshake; none is fine
  MustStaple,  // no handshake without a valid response
};

struct ServerSpec final : net::TransportSpec {
  bool requiresPeerCertificate() const override { return require_client_certificate; }

  CommonSpec common;
  bool require_client_certificate = false;
  bool require_sni = false;
  bool full_scan =
      false;  // an unknown server name gets the certificate that the client can use best
  bool tickets = true;
  std::optional<SecretRef> ticket_keys;  // none: keys of this process
  std::optional<std::chrono::seconds> session_timeout;
  OcspPolicy ocsp_policy = OcspPolicy::Lenient;
};

struct ClientSpec final : net::TransportSpec {
  CommonSpec common;
  std::string sni;  // empty: none is sent
  uint32_t max_sessions = 1;
};

}  // namespace convoy::tls
