#include "proxy/tls/validation.h"

#include <openssl/base64.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/names.h"
#include "proxy/tls/pem.h"

namespace convoy::tls {

namespace {

SanKind kindOf(SanMatch::Type type) {
  switch (type) {
    case SanMatch::Type::Dns:
      return SanKind::Dns;
    case SanMatch::Type::Uri:
      return SanKind::Uri;
    case SanMatch::Type::Email:
      return SanKind::Email;
    case SanMatch::Type::Ip:
      return SanKind::Ip;
  }
  return SanKind::Dns;
}

Failure failureOf(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Failure::PeerCertificateExpired;
    case X509_V_ERR_CERT_REVOKED:
      return Failure::PeerCertificateRevoked;
    default:
      return Failure::PeerCertificateUntrusted;
  }
}

// Time is the one thing that may be wrong when expired certificates are allowed.
int onVerifyError(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return 1;
  const int error = X509_STORE_CTX_get_error(context);
  if (error != X509_V_ERR_CERT_HAS_EXPIRED && error != X509_V_ERR_CERT_NOT_YET_VALID) return 0;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

std::string spkiPin(X509* certificate) {
  uint8_t* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  const bssl::UniquePtr<uint8_t> owned(der);
  if (size < 0) return {};
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<size_t>(size), digest);
  std::string text(45, '\0');
  text.resize(EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), digest, sizeof(digest)));
  return text;
}

template <class T>
void append(const std::vector<T>& more, std::vector<T>* all) {
  all->insert(all->end(), more.begin(), more.end());
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Validation>> Validation::make(const ValidationSpec& spec,
                                                                   const Data& data,
                                                                   const ValidationSpec* extra) {
  const std::shared_ptr<Validation> made(new Validation());
  made->readRules(spec);
  if (extra != nullptr) made->readRules(*extra);
  if (absl::Status status = made->readTrust(data); !status.ok()) return status;
  if (!made->has_ca_ && !made->names_.empty() && !made->accept_untrusted_) {
    return absl::InvalidArgumentError(
        "match_typed_subject_alt_names: names mean nothing in a certificate that anybody may have "
        "made; trusted_ca is needed");
  }
  made->makeFingerprint(data);
  return std::shared_ptr<const Validation>(made);
}

void Validation::readRules(const ValidationSpec& spec) {
  append(spec.names, &names_);
  append(spec.spki_pins, &spki_pins_);
  append(spec.certificate_hashes, &certificate_hashes_);
  allow_expired_ |= spec.allow_expired;
  accept_untrusted_ |= spec.accept_untrusted;
  only_leaf_crl_ |= spec.only_leaf_crl;
  if (spec.max_depth.has_value()) max_depth_ = static_cast<int>(*spec.max_depth);
}

absl::Status Validation::readTrust(const Data& data) {
  ERR_clear_error();
  store_.reset(X509_STORE_new());
  anchors_.reset(sk_X509_new_null());
  if (!data.trusted_ca.empty()) {
    auto read = readPemCertificates(data.trusted_ca);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("trusted_ca: ", read.status().message()));
    }
    for (auto& certificate : *read) {
      expires_at_ = std::min(expires_at_, expiryOf(certificate.get()));
      X509_STORE_add_cert(store_.get(), certificate.get());
      sk_X509_push(anchors_.get(), certificate.release());
    }
    has_ca_ = true;
  }
  if (!data.crl.empty()) {
    auto read = readPem<X509_CRL>(data.crl, {"revocation list", "X509 CRL"}, PEM_read_bio_X509_CRL);
    if (!read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("crl: ", read.status().message()));
    }
    for (const auto& crl : *read) X509_STORE_add_crl(store_.get(), crl.get());
    has_crl_ = true;
  }
  ERR_clear_error();
  return absl::OkStatus();
}

void Validation::makeFingerprint(const Data& data) {
  std::string all =
      absl::StrCat(data.trusted_ca.size(), ":", data.trusted_ca, data.crl.size(), ":", data.crl,
                   allow_expired_, accept_untrusted_, only_leaf_crl_, ":", max_depth_);
  for (const SanMatch& match : names_) {
    absl::StrAppend(&all, "\n", static_cast<int>(match.type), static_cast<int>(match.kind),
                    match.ignore_case, match.value);
  }
  for (const std::string& pin : spki_pins_) absl::StrAppend(&all, "\n", pin);
  for (const std::string& hash : certificate_hashes_) absl::StrAppend(&all, "\n", hash);
  fingerprint_.resize(SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const uint8_t*>(all.data()), all.size(),
         reinterpret_cast<uint8_t*>(fingerprint_.data()));
}

absl::Status Validation::install(SSL_CTX* context, bool announce) const {
  X509_STORE_up_ref(store_.get());
  SSL_CTX_set_cert_store(context, store_.get());
  for (size_t i = 0; announce && i < sk_X509_num(anchors_.get()); ++i) {
    if (SSL_CTX_add_client_CA(context, sk_X509_value(anchors_.get(), i)) != 1) {
      ERR_clear_error();
      return absl::InvalidArgumentError("trusted_ca: the name of a certificate cannot be used");
    }
  }
  return absl::OkStatus();
}

Failure Validation::check(X509_STORE_CTX* context, event::WallTime now) const {
  X509* const leaf = X509_STORE_CTX_get0_cert(context);
  if (leaf == nullptr) return Failure::PeerCertificateMissing;
  if (has_ca_) {
    X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
    if (has_crl_) flags |= X509_V_FLAG_CRL_CHECK | (only_leaf_crl_ ? 0 : X509_V_FLAG_CRL_CHECK_ALL);
    X509_VERIFY_PARAM_set_flags(rules, flags);
    if (max_depth_ >= 0) X509_VERIFY_PARAM_set_depth(rules, max_depth_);
    if (allow_expired_) X509_STORE_CTX_set_verify_cb(context, onVerifyError);
    const bool trusted = X509_verify_cert(context) == 1;
    ERR_clear_error();
    // The context's error becomes the alert.
    if (!trusted && !accept_untrusted_) return failureOf(X509_STORE_CTX_get_error(context));
  }
  Failure failure = checkNames(leaf);
  if (failure == Failure::None) failure = checkPins(leaf);
  X509_STORE_CTX_set_error(
      context, failure == Failure::None ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return failure;
}

event::WallTime Validation::holdsUntil(X509_STORE_CTX* context) const {
  event::WallTime until = event::WallTime::max();
  if (!has_ca_ || accept_untrusted_ || allow_expired_) return until;
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context);
  for (size_t i = 0; i < sk_X509_num(chain); ++i) {
    until = std::min(until, expiryOf(sk_X509_value(chain, i)));
  }
  return until;
}

Failure Validation::checkNames(X509* leaf) const {
  if (names_.empty()) return Failure::None;
  for (const SanMatch& match : names_) {
    for (const std::string& name : subjectAlternativeNames(leaf, kindOf(match.type))) {
      if (sanMatches(match, name)) return Failure::None;
    }
  }
  return Failure::PeerNameMismatch;
}

// Envoy: one that holds suffices, of either kind.
Failure Validation::checkPins(X509* leaf) const {
  if (spki_pins_.empty() && certificate_hashes_.empty()) return Failure::None;
  if (!spki_pins_.empty() && contains(spki_pins_, spkiPin(leaf))) return Failure::None;
  if (contains(certificate_hashes_, sha256Hex(leaf))) return Failure::None;
  return Failure::PeerPinMismatch;
}

}  // namespace convoy::tls
