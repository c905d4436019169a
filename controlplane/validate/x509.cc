#include "controlplane/validate/x509.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 8192;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;

BioPtr readerOf(absl::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

BioPtr writer() {
  return BioPtr(BIO_new(BIO_s_mem()));
}

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

std::string subjectOf(X509* certificate) {
  const BioPtr bio = writer();
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  return textOf(bio.get());
}

std::string sanText(const GENERAL_NAME& name) {
  if (name.type != GEN_DNS && name.type != GEN_URI && name.type != GEN_EMAIL &&
      name.type != GEN_IPADD) {
    return "";
  }
  const ASN1_STRING* const value = name.d.ia5;
  const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                          static_cast<size_t>(ASN1_STRING_length(value)));
  if (name.type == GEN_IPADD) {
    char text[INET6_ADDRSTRLEN];
    const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
    if (bytes.size() != 4 && bytes.size() != 16) return "";
    return inet_ntop(family, bytes.data(), text, sizeof(text)) == nullptr
               ? ""
               : absl::StrCat("IP:", text);
  }
  const absl::string_view kind = name.type == GEN_DNS   ? "DNS:"
                                 : name.type == GEN_URI ? "URI:"
                                                        : "email:";
  return absl::StrCat(kind, absl::CHexEscape(bytes));
}

std::vector<std::string> sansOf(X509* certificate) {
  std::vector<std::string> texts;
  auto* const names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    std::string text = sanText(*sk_GENERAL_NAME_value(names, i));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  GENERAL_NAMES_free(names);
  return texts;
}

std::string sha256Of(X509* certificate) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), size));
}

// Asked for the password of an encrypted key; otherwise OpenSSL would ask on the terminal.
int onPassword(char*, int, int, void*) {
  return -1;
}

std::string curveOf(EVP_PKEY* key) {
  char name[64];
  size_t size = 0;
  const bool known = EVP_PKEY_get_group_name(key, name, sizeof(name), &size) == 1;
  ERR_clear_error();
  if (!known) return "";
  const char* const nist = EC_curve_nid2nist(OBJ_txt2nid(name));
  return nist == nullptr ? name : nist;
}

}  // namespace

int64_t secondsOf(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

absl::StatusOr<Certificates> Certificates::parse(absl::string_view pem) {
  ERR_clear_error();
  const BioPtr bio = readerOf(pem);
  Certificates certificates;
  while (X509* const read = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.list_.emplace_back(read);
  }
  const unsigned long error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const char* const reason = ERR_reason_error_string(error);
  ERR_clear_error();
  if (at_end && certificates.list_.empty()) {
    return absl::InvalidArgumentError(
        "no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it");
  }
  if (!at_end) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate ", certificates.size() + 1, " in it cannot be read (",
                     reason == nullptr ? "damaged" : reason, "); write it as the issuer gave it"));
  }
  for (const X509Ptr& certificate : certificates.list_) {
    if (X509_get0_pubkey(certificate.get()) == nullptr) {
      ERR_clear_error();
      return absl::InvalidArgumentError("a certificate in it has a public key of an unknown kind");
    }
  }
  return certificates;
}

std::string Certificates::pem() const {
  const BioPtr bio = writer();
  for (const X509Ptr& certificate : list_) PEM_write_bio_X509(bio.get(), certificate.get());
  return textOf(bio.get());
}

size_t Certificates::firstOutOfOrder() const {
  for (size_t i = 1; i < list_.size(); ++i) {
    X509* const issuer = list_[i].get();
    X509* const issued = list_[i - 1].get();
    const bool signs = X509_check_issued(issuer, issued) == X509_V_OK &&
                       X509_verify(issued, X509_get0_pubkey(issuer)) == 1;
    ERR_clear_error();
    if (!signs) return i;
  }
  return list_.size();
}

std::string Certificates::subject(size_t index) const {
  return subjectOf(list_[index].get());
}

v1::CertificateInfo Certificates::info(size_t index) const {
  X509* const certificate = list_[index].get();
  v1::CertificateInfo info;
  info.set_subject(subjectOf(certificate));
  for (std::string& name : sansOf(certificate)) info.add_subject_alt_names(std::move(name));
  info.mutable_not_before()->set_seconds(secondsOf(X509_get0_notBefore(certificate)));
  info.mutable_not_after()->set_seconds(secondsOf(X509_get0_notAfter(certificate)));
  info.set_sha256(sha256Of(certificate));
  info.set_key_type(keyTypeText(X509_get0_pubkey(certificate)));
  return info;
}

std::string keyTypeText(EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return absl::StrCat("RSA ", EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC:
      return absl::StrCat("ECDSA ", curveOf(key));
    default:
      const char* const name = EVP_PKEY_get0_type_name(key);
      return name == nullptr ? "unknown" : name;
  }
}

absl::StatusOr<KeyPtr> parsePrivateKey(const std::string& pem) {
  ERR_clear_error();
  KeyPtr key(PEM_read_bio_PrivateKey(readerOf(pem).get(), nullptr, onPassword, nullptr));
  ERR_clear_error();
  if (key != nullptr) return key;
  if (absl::StrContains(pem, "ENCRYPTED")) {
    return absl::InvalidArgumentError(
        "the private key is encrypted; decrypt it: openssl pkey -in FILE");
  }
  return absl::InvalidArgumentError(
      "no private key in PEM form (-----BEGIN PRIVATE KEY-----) can be read in it");
}

std::string privateKeyPem(EVP_PKEY* key) {
  const BioPtr bio = writer();
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return textOf(bio.get());
}

absl::Status checkKeyStrength(EVP_PKEY* key) {
  const int type = EVP_PKEY_get_base_id(key);
  const int bits = EVP_PKEY_get_bits(key);
  if (type == EVP_PKEY_RSA) {
    if (bits >= kLeastRsaBits && bits <= kMostRsaBits) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("an RSA key has ", kLeastRsaBits, " to ",
                                                   kMostRsaBits, " bits, this one has ", bits,
                                                   "; make a new one, best of ECDSA P-256"));
  }
  const std::string curve = type == EVP_PKEY_EC ? curveOf(key) : "";
  if (curve == "P-256" || curve == "P-384" || curve == "P-521") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the key is ", keyTypeText(key),
                   "; it must be RSA, or ECDSA on the curve P-256, P-384 or P-521"));
}

bool isKeyOf(EVP_PKEY* key, X509* certificate) {
  const bool matches = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return matches;
}

}  // namespace convoy::controlplane::validate
