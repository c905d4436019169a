#include "proxy/tls/certificate.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/bytestring.h>
#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/nid.h>
#include <openssl/obj.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/tls/pem.h"
#include "proxy/tls/responder.h"

namespace convoy::tls {

namespace {

constexpr int kMinRsaBits = 2048;
constexpr size_t kMaxChain = 16;

bssl::UniquePtr<BIO> bioOf(std::string_view bytes) {
  return bssl::UniquePtr<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string textOf(BIO* bio) {
  const uint8_t* data = nullptr;
  size_t size = 0;
  if (!BIO_mem_contents(bio, &data, &size)) return {};
  return {reinterpret_cast<const char*>(data), size};
}

std::string textOf(X509_NAME* name) {
  bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  return textOf(bio.get());
}

// The password, or "none": asking on the terminal is what the library would do otherwise.
int onPassword(char* into, int room, int, void* context) {
  const auto& password = *static_cast<const std::string*>(context);
  if (password.empty() || password.size() > static_cast<size_t>(room)) return -1;
  std::memcpy(into, password.data(), password.size());
  return static_cast<int>(password.size());
}

// Empty: the algorithm is not known.
std::string hashOf(std::string_view algorithm, const uint8_t* data, size_t size) {
  CBS oid;
  CBS_init(&oid, reinterpret_cast<const uint8_t*>(algorithm.data()), algorithm.size());
  const EVP_MD* const kind = EVP_get_digestbynid(OBJ_cbs2nid(&oid));
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (kind == nullptr || EVP_Digest(data, size, digest, &length, kind, nullptr) != 1) return {};
  return {reinterpret_cast<const char*>(digest), length};
}

std::string commonName(X509* certificate) {
  X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  const ASN1_STRING* const data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(data)),
          static_cast<size_t>(ASN1_STRING_length(data))};
}

bool isSanOf(const GENERAL_NAME& name, SanKind kind) {
  switch (kind) {
    case SanKind::Dns:
      return name.type == GEN_DNS;
    case SanKind::Uri:
      return name.type == GEN_URI;
    case SanKind::Email:
      return name.type == GEN_EMAIL;
    case SanKind::Ip:
      return name.type == GEN_IPADD;
  }
  return false;
}

std::string sanText(const GENERAL_NAME& name) {
  const std::string bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name.d.ia5)),
                          static_cast<size_t>(ASN1_STRING_length(name.d.ia5)));
  if (name.type != GEN_IPADD) return bytes;
  char text[INET6_ADDRSTRLEN];
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return ::inet_ntop(family, bytes.data(), text, sizeof(text)) == nullptr ? "" : text;
}

}  // namespace

absl::StatusOr<std::vector<bssl::UniquePtr<X509>>> readPemCertificates(std::string_view pem) {
  return readPem<X509>(pem, {"certificate", "CERTIFICATE"}, PEM_read_bio_X509);
}

std::vector<std::string> subjectAlternativeNames(X509* certificate, SanKind kind) {
  std::vector<std::string> result;
  const bssl::UniquePtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return result;
  for (size_t i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME& name = *sk_GENERAL_NAME_value(names.get(), i);
    if (!isSanOf(name, kind)) continue;
    std::string text = sanText(name);
    // A NUL inside is an attempt to be taken for another name.
    if (!text.empty() && text.find('\0') == std::string::npos) result.push_back(std::move(text));
  }
  return result;
}

namespace {

event::WallTime toWallTime(const ASN1_TIME* time) {
  const bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  ASN1_TIME_diff(&days, &seconds, epoch.get(), time);
  return event::wallTimeOf(std::chrono::sys_days(std::chrono::days(days)) +
                           std::chrono::seconds(seconds));
}

}  // namespace

event::WallTime expiryOf(X509* certificate) {
  return toWallTime(X509_get0_notAfter(certificate));
}

event::WallTime validFrom(X509* certificate) {
  return toWallTime(X509_get0_notBefore(certificate));
}

std::string serialOf(X509* certificate) {
  const bssl::UniquePtr<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  if (number == nullptr) return {};
  char* const hex = BN_bn2hex(number.get());
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  for (char& c : text) c = base::asciiLower(c);
  return text;
}

std::string sha256Hex(X509* certificate) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string pemOf(X509* certificate) {
  const bssl::UniquePtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return textOf(bio.get());
}

net::PeerIdentity identityOf(X509* certificate) {
  net::PeerIdentity identity;
  identity.subject = textOf(X509_get_subject_name(certificate));
  identity.uris = subjectAlternativeNames(certificate, SanKind::Uri);
  identity.dns_names = subjectAlternativeNames(certificate, SanKind::Dns);
  identity.sha256 = sha256Hex(certificate);
  identity.pem = pemOf(certificate);
  return identity;
}

absl::StatusOr<std::shared_ptr<const Certificate>> Certificate::make(const CertificateData& data) {
  ERR_clear_error();
  const std::shared_ptr<Certificate> made(new Certificate());
  if (absl::Status status = made->readChain(data.chain); !status.ok()) return status;
  if (absl::Status status = made->readKey(data); !status.ok()) return status;
  if (!data.ocsp.empty()) {
    if (absl::Status status = made->readOcsp(data.ocsp); !status.ok()) return status;
  }
  return std::shared_ptr<const Certificate>(made);
}

absl::Status Certificate::readChain(const std::string& pem) {
  auto read = readPemCertificates(pem);
  if (!read.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("certificate_chain: ", read.status().message()));
  }
  auto& certificates = *read;
  if (certificates.size() > kMaxChain) {
    return absl::InvalidArgumentError(
        absl::StrCat("certificate_chain: has more than ", kMaxChain,
                     " certificates; write the leaf and what signs it"));
  }
  expires_at_ = expiryOf(certificates.front().get());
  for (size_t i = 1; i < certificates.size(); ++i) {
    X509* const issuer = certificates[i].get();
    if (!signs(issuer, certificates[i - 1].get())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "certificate_chain: certificate ", i + 1, " (", textOf(X509_get_subject_name(issuer)),
          ") did not sign certificate ", i, "; write the leaf first, then each one's signer"));
    }
    expires_at_ = std::min(expires_at_, expiryOf(issuer));
  }
  leaf_ = std::move(certificates.front());
  chain_.reset(sk_X509_new_null());
  for (size_t i = 1; i < certificates.size(); ++i) {
    sk_X509_push(chain_.get(), certificates[i].release());
  }
  names_ = subjectAlternativeNames(leaf_.get(), SanKind::Dns);
  if (names_.empty()) {
    if (std::string name = commonName(leaf_.get()); !name.empty()) names_.push_back(name);
  }
  for (std::string& name : names_) {
    for (char& c : name) c = base::asciiLower(c);
  }
  return absl::OkStatus();
}

absl::Status Certificate::readKey(const CertificateData& data) {
  std::string password = data.password;
  key_.reset(PEM_read_bio_PrivateKey(bioOf(data.key).get(), nullptr, onPassword, &password));
  ERR_clear_error();
  if (key_ == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "private_key: cannot be read as a private key in PEM form",
        password.empty() ? "; if it is encrypted, password is needed" : ", or password is wrong"));
  }
  if (X509_check_private_key(leaf_.get(), key_.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(
        "private_key: is not the key of the first certificate of certificate_chain");
  }
  switch (EVP_PKEY_id(key_.get())) {
    case EVP_PKEY_RSA:
      kind_ = Kind::Rsa;
      if (EVP_PKEY_bits(key_.get()) >= kMinRsaBits) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat("private_key: an RSA key needs at least ",
                                                     kMinRsaBits, " bits; it has ",
                                                     EVP_PKEY_bits(key_.get())));
    case EVP_PKEY_EC:
      switch (EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(key_.get())))) {
        case NID_X9_62_prime256v1:
          kind_ = Kind::EcdsaP256;
          return absl::OkStatus();
        case NID_secp384r1:
          kind_ = Kind::EcdsaP384;
          return absl::OkStatus();
        case NID_secp521r1:
          kind_ = Kind::EcdsaP521;
          return absl::OkStatus();
        default:
          break;
      }
      break;
    default:
      break;
  }
  return absl::InvalidArgumentError(
      "private_key: must be RSA, or ECDSA with the curve P-256, P-384 or P-521");
}

absl::Status Certificate::readOcsp(const std::string& der) {
  const auto refused = [](std::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("ocsp_staple: ", base::toAbsl(why)));
  };
  OcspSignature signature;
  absl::StatusOr<OcspResponse> response = parseOcspResponse(der, &signature);
  if (!response.ok()) return refused(base::fromAbsl(response.status().message()));
  X509* const issuer = sk_X509_num(chain_.get()) > 0 ? sk_X509_value(chain_.get(), 0) : nullptr;
  if (const char* const part = differenceTo(*response, issuer); part != nullptr) {
    return refused("is about another certificate: its " + std::string(part) +
                   " is not that of the leaf; fetch one for this certificate");
  }
  if (response->status != OcspResponse::Status::Good) {
    return refused("says that the certificate is revoked or unknown; take another certificate");
  }
  // Without the issuer's key there is nothing to check the signature with.
  if (issuer != nullptr) {
    const auto responder = checkResponder(signature, issuer);
    if (!responder.ok()) return refused(base::fromAbsl(responder.status().message()));
    if (X509* const certificate = responder->get(); certificate != nullptr) {
      response->this_update = std::max(response->this_update, validFrom(certificate));
      response->next_update = std::min(response->next_update, expiryOf(certificate));
    }
  }
  ocsp_ = *std::move(response);
  ocsp_bytes_ = der;
  return absl::OkStatus();
}

const char* Certificate::differenceTo(const OcspResponse& response, X509* issuer) const {
  const bssl::UniquePtr<BIGNUM> ours(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf_.get()), nullptr));
  const bssl::UniquePtr<BIGNUM> theirs(BN_bin2bn(
      reinterpret_cast<const uint8_t*>(response.serial.data()), response.serial.size(), nullptr));
  if (ours == nullptr || BN_cmp(ours.get(), theirs.get()) != 0) return "serial number";

  uint8_t* name = nullptr;
  const int size = i2d_X509_NAME(X509_get_issuer_name(leaf_.get()), &name);
  const bssl::UniquePtr<uint8_t> owned(name);
  if (size < 0) return "issuer";
  const std::string hash = hashOf(response.hash_algorithm, name, static_cast<size_t>(size));
  if (!hash.empty() && hash != response.issuer_name_hash) return "issuer's name";
  if (issuer == nullptr) return nullptr;
  const ASN1_BIT_STRING* const key = X509_get0_pubkey_bitstr(issuer);
  const std::string key_hash = hashOf(response.hash_algorithm, ASN1_STRING_get0_data(key),
                                      static_cast<size_t>(ASN1_STRING_length(key)));
  return !key_hash.empty() && key_hash != response.issuer_key_hash ? "issuer's key" : nullptr;
}

}  // namespace convoy::tls
