#include "proxy/tls/responder.h"

#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

namespace convoy::tls {

namespace {

const uint8_t* dataOf(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

// Is it the one that the response says has signed it?
bool isNamed(X509* certificate, const OcspSignature& signature) {
  if (signature.by == OcspSignature::By::Name) {
    const uint8_t* at = dataOf(signature.responder);
    const bssl::UniquePtr<X509_NAME> name(
        d2i_X509_NAME(nullptr, &at, static_cast<long>(signature.responder.size())));
    return name != nullptr && X509_NAME_cmp(name.get(), X509_get_subject_name(certificate)) == 0;
  }
  const ASN1_BIT_STRING* const key = X509_get0_pubkey_bitstr(certificate);
  uint8_t digest[SHA_DIGEST_LENGTH];
  SHA1(ASN1_STRING_get0_data(key), static_cast<size_t>(ASN1_STRING_length(key)), digest);
  return signature.responder ==
         std::string_view(reinterpret_cast<const char*>(digest), sizeof(digest));
}

// Of those that came with the response; null: none is the signer.
bssl::UniquePtr<X509> findResponder(const OcspSignature& signature) {
  for (const std::string_view der : signature.certificates) {
    const uint8_t* at = dataOf(der);
    bssl::UniquePtr<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    if (certificate != nullptr && isNamed(certificate.get(), signature)) return certificate;
  }
  return nullptr;
}

bool isAuthorised(X509* responder, X509* issuer) {
  const uint32_t flags = X509_get_extension_flags(responder);
  return (flags & EXFLAG_CRITICAL) == 0 && (flags & EXFLAG_XKUSAGE) != 0 &&
         (X509_get_extended_key_usage(responder) & XKU_OCSP_SIGN) != 0 && signs(issuer, responder);
}

struct Algorithm {
  int digest = NID_undef;
  int key = NID_undef;
};

absl::Status readAlgorithm(const OcspSignature& signature, Algorithm* algorithm) {
  CBS oid;
  CBS_init(&oid, dataOf(signature.algorithm), signature.algorithm.size());
  OBJ_find_sigid_algs(OBJ_cbs2nid(&oid), &algorithm->digest, &algorithm->key);
  if (algorithm->digest == NID_sha1) {
    return absl::InvalidArgumentError(
        "it is signed with SHA-1, which can be forged; take one that is signed with SHA-256");
  }
  const bool known =
      (algorithm->key == NID_rsaEncryption || algorithm->key == NID_X9_62_id_ecPublicKey) &&
      (algorithm->digest == NID_sha256 || algorithm->digest == NID_sha384 ||
       algorithm->digest == NID_sha512);
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the algorithm of its signature is not RSA or ECDSA with SHA-256, SHA-384 or SHA-512; take "
      "one that is signed with one of them");
}

bool verifies(X509* signer, const OcspSignature& signature, const Algorithm& algorithm) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(signer));
  bssl::ScopedEVP_MD_CTX context;
  return key != nullptr && EVP_PKEY_id(key.get()) == algorithm.key &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_get_digestbynid(algorithm.digest),
                              nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), dataOf(signature.bytes), signature.bytes.size(),
                          dataOf(signature.data), signature.data.size()) == 1;
}

}  // namespace

bool signs(X509* issuer, X509* issued) {
  const bssl::UniquePtr<EVP_PKEY> key(X509_get_pubkey(issuer));
  const bool signs = X509_check_issued(issuer, issued) == X509_V_OK && key != nullptr &&
                     X509_verify(issued, key.get()) == 1;
  ERR_clear_error();
  return signs;
}

absl::StatusOr<bssl::UniquePtr<X509>> checkResponder(const OcspSignature& signature, X509* issuer) {
  Algorithm algorithm;
  if (absl::Status status = readAlgorithm(signature, &algorithm); !status.ok()) return status;
  bssl::UniquePtr<X509> responder;
  if (!isNamed(issuer, signature)) {
    responder = findResponder(signature);
    if (responder == nullptr || !isAuthorised(responder.get(), issuer)) {
      ERR_clear_error();
      return absl::InvalidArgumentError(
          "it is signed neither by the certificate's issuer nor by a responder whose certificate "
          "is in it, signed by the issuer, with the extended key usage OCSPSigning; fetch it from "
          "the issuer's responder");
    }
  }
  const bool good = verifies(responder == nullptr ? issuer : responder.get(), signature, algorithm);
  ERR_clear_error();
  if (good) return responder;
  return absl::InvalidArgumentError(
      "its signature is wrong, so it is damaged or forged; fetch it anew");
}

}  // namespace convoy::tls
