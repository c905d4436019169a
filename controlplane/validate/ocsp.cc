#include "controlplane/validate/ocsp.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::validate {

namespace {

struct Free {
  void operator()(OCSP_RESPONSE* response) const { OCSP_RESPONSE_free(response); }
  void operator()(OCSP_BASICRESP* response) const { OCSP_BASICRESP_free(response); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  // What is in it belongs to others.
  void operator()(STACK_OF(X509) * list) const { sk_X509_free(list); }
};
using BasicPtr = std::unique_ptr<OCSP_BASICRESP, Free>;

bool isHashOf(const EVP_MD* hash, const unsigned char* data, size_t size,
              const ASN1_OCTET_STRING* value) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  return EVP_Digest(data, size, digest, &length, hash, nullptr) == 1 &&
         absl::string_view(reinterpret_cast<const char*>(digest), length) ==
             absl::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                               static_cast<size_t>(ASN1_STRING_length(value)));
}

bool isHashOfName(const EVP_MD* hash, const X509_NAME* name, const ASN1_OCTET_STRING* value) {
  const unsigned char* der = nullptr;
  size_t size = 0;
  return X509_NAME_get0_der(name, &der, &size) == 1 && isHashOf(hash, der, size, value);
}

bool isHashOfKey(const EVP_MD* hash, X509* certificate, const ASN1_OCTET_STRING* value) {
  const ASN1_BIT_STRING* const key = X509_get0_pubkey_bitstr(certificate);
  return isHashOf(hash, ASN1_STRING_get0_data(key), static_cast<size_t>(ASN1_STRING_length(key)),
                  value);
}

bool isAbout(const OCSP_CERTID* id, const Certificates& certificates) {
  ASN1_OBJECT* algorithm = nullptr;
  ASN1_OCTET_STRING* name = nullptr;
  ASN1_OCTET_STRING* key = nullptr;
  ASN1_INTEGER* serial = nullptr;
  // The function takes no const, but changes nothing.
  OCSP_id_get0_info(&name, &algorithm, &key, &serial, const_cast<OCSP_CERTID*>(id));
  X509* const leaf = certificates.leaf();
  if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)) != 0) return false;
  const EVP_MD* const hash = EVP_get_digestbyobj(algorithm);
  if (hash == nullptr) return true;
  X509* const issuer = certificates.issuerOfLeaf();
  return isHashOfName(hash, X509_get_issuer_name(leaf), name) &&
         (issuer == nullptr || isHashOfKey(hash, issuer, key));
}

absl::StatusOr<BasicPtr> parse(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<OCSP_RESPONSE, Free> response(
      d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
  const bool whole =
      response != nullptr && at == reinterpret_cast<const unsigned char*>(der.data()) + der.size();
  if (whole && OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
    return absl::InvalidArgumentError(absl::StrCat(
        "is an error of the responder: its status is ",
        OCSP_response_status_str(OCSP_response_status(response.get())), "; fetch it anew"));
  }
  BasicPtr basic(whole ? OCSP_response_get1_basic(response.get()) : nullptr);
  ERR_clear_error();
  if (basic != nullptr && OCSP_resp_count(basic.get()) > 0) return basic;
  return absl::InvalidArgumentError(
      "is no OCSP response in DER form; fetch it anew: openssl ocsp -respout FILE");
}

// YYYYMMDDHHMMSSZ, the only form that DER has (RFC 5280 4.1.2.5.2).
bool isDer(const ASN1_GENERALIZEDTIME* time) {
  constexpr int kLength = 15;
  return ASN1_STRING_length(time) == kLength && ASN1_GENERALIZEDTIME_check(time) == 1;
}

absl::Status checkAlgorithm(const OCSP_BASICRESP* basic) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, OCSP_resp_get0_tbs_sigalg(basic));
  int digest = NID_undef;
  int key = NID_undef;
  OBJ_find_sigid_algs(OBJ_obj2nid(object), &digest, &key);
  if (digest == NID_sha1) {
    return absl::InvalidArgumentError(
        "is signed with SHA-1, which can be forged; take one that is signed with SHA-256");
  }
  const bool known = (key == NID_rsaEncryption || key == NID_X9_62_id_ecPublicKey) &&
                     (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512);
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the algorithm of its signature is not RSA or ECDSA with SHA-256, SHA-384 or SHA-512; take "
      "one that is signed with one of them");
}

// `signer` becomes who signed it, which lives as long as the response and the issuer.
absl::Status checkSigner(OCSP_BASICRESP* basic, X509* issuer, X509** signer) {
  const std::unique_ptr<X509_STORE, Free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), issuer);
  // Whatever signed the issuer, and when: it is in force, for this certificate.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
  const std::unique_ptr<STACK_OF(X509), Free> known(sk_X509_new_null());
  sk_X509_push(known.get(), issuer);
  ERR_clear_error();
  const bool good = OCSP_basic_verify(basic, known.get(), store.get(), OCSP_NOEXPLICIT) == 1;
  const bool forged = ERR_GET_REASON(ERR_peek_last_error()) == OCSP_R_SIGNATURE_FAILURE;
  ERR_clear_error();
  if (good) {
    OCSP_resp_get0_signer(basic, signer, known.get());
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      forged ? "its signature is wrong, so it is damaged or forged; fetch it anew"
             : "is signed neither by the certificate's issuer nor by a responder whose certificate "
               "is in it, signed by the issuer, with the extended key usage OCSPSigning; fetch it "
               "from the issuer's responder");
}

}  // namespace

absl::Status checkOcsp(const std::string& der, const Certificates& certificates,
                       v1::CertificateInfo* info) {
  const absl::StatusOr<BasicPtr> read = parse(der);
  if (!read.ok()) return read.status();
  OCSP_BASICRESP* const basic = read->get();
  OCSP_SINGLERESP* const entry = OCSP_resp_get0(basic, 0);
  ASN1_GENERALIZEDTIME* from = nullptr;
  ASN1_GENERALIZEDTIME* next = nullptr;
  const int status = OCSP_single_get0_status(entry, nullptr, nullptr, &from, &next);
  if (!isDer(OCSP_resp_get0_produced_at(basic)) || !isDer(from) ||
      (next != nullptr && !isDer(next))) {
    return absl::InvalidArgumentError(
        "has a time that is not valid DER; producedAt, thisUpdate and nextUpdate must be times of "
        "the form YYYYMMDDHHMMSSZ; fetch it anew");
  }
  if (next == nullptr) {
    return absl::InvalidArgumentError(
        "has no nextUpdate, so it would never be stapled; take one that says how long it holds");
  }
  if (OCSP_resp_count(basic) != 1) {
    return absl::InvalidArgumentError(
        "is about several certificates; fetch one that is about this one only");
  }
  if (!isAbout(OCSP_SINGLERESP_get0_id(entry), certificates)) {
    return absl::InvalidArgumentError(
        "is about another certificate; fetch one for this certificate");
  }
  if (status != V_OCSP_CERTSTATUS_GOOD) {
    return absl::InvalidArgumentError(
        "says that the certificate is revoked or unknown; take another certificate");
  }
  int64_t until = secondsOf(next);
  if (X509* const issuer = certificates.issuerOfLeaf(); issuer != nullptr) {
    if (absl::Status good = checkAlgorithm(basic); !good.ok()) return good;
    X509* signer = nullptr;
    if (absl::Status good = checkSigner(basic, issuer, &signer); !good.ok()) return good;
    if (signer != issuer) until = std::min(until, secondsOf(X509_get0_notAfter(signer)));
  }
  info->mutable_ocsp_next_update()->set_seconds(until);
  return absl::OkStatus();
}

}  // namespace convoy::controlplane::validate
