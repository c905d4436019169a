#include "controlplane/validate/certificates.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/ocsp.h"
#include "controlplane/validate/scalars.h"
#include "controlplane/validate/x509.h"
#include "google/protobuf/util/time_util.h"

namespace convoy::controlplane::validate {

namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kMostCertificateBytes = 512 << 10;
constexpr size_t kMostOtherBytes = 64 << 10;
constexpr size_t kMostInChain = 16;
constexpr size_t kMostAuthorities = 1000;
// Clocks differ a little, and a certificate is often used in the minute in which it is made.
constexpr std::chrono::hours kEarly{1};

void checkFiles(v1::Certificate* certificate, const Place& place) {
  const auto check = [&place](std::string* file, absl::string_view field) {
    if (file->empty()) return;
    place.field(absl::StrCat(field, "_file"))
        .refuse("client_only", *file,
                absl::StrCat("the control plane reads no files: send the content as ", field,
                             ", as convoyctl does"));
    file->clear();
  };
  check(certificate->mutable_certificate_file(), "certificate");
  check(certificate->mutable_private_key_file(), "private_key");
  check(certificate->mutable_ocsp_response_file(), "ocsp_response");
}

// False, having complained, if it is too long.
bool checkSize(const std::string& value, size_t most, const Place& place) {
  if (value.size() <= most) return true;
  place.refuse("too_many", "",
               absl::StrCat("has ", value.size(), " bytes; the most is ", most >> 10, " KiB"));
  return false;
}

// None if it complained.
std::optional<Certificates> readCertificates(const v1::Certificate& certificate,
                                             const Place& place) {
  const std::string& pem = certificate.certificate();
  if (pem.empty()) {
    place.refuse(
        "required", "",
        "a certificate is needed, in PEM; with convoyctl, certificate_file names its file");
    return std::nullopt;
  }
  if (!checkSize(pem, kMostCertificateBytes, place)) return std::nullopt;
  if (absl::StrContains(pem, "PRIVATE KEY-----")) {
    place.refuse("private_key", "",
                 "a private key is in it, where only certificates may be; move it to private_key");
    return std::nullopt;
  }
  absl::StatusOr<Certificates> read = Certificates::parse(pem);
  if (!read.ok()) {
    place.refuse("certificate", "", read.status().message());
    return std::nullopt;
  }
  return std::move(*read);
}

// The authority that expires first stands for all.
v1::CertificateInfo infoOfAuthorities(const Certificates& certificates) {
  v1::CertificateInfo first = certificates.info(0);
  for (size_t i = 1; i < certificates.size(); ++i) {
    v1::CertificateInfo other = certificates.info(i);
    if (other.not_after() < first.not_after()) first = std::move(other);
  }
  return first;
}

// Names, hash and key of the leaf, until the first of the chain expires.
v1::CertificateInfo infoOfChain(const Certificates& certificates) {
  v1::CertificateInfo leaf = certificates.info(0);
  for (size_t i = 1; i < certificates.size(); ++i) {
    const v1::CertificateInfo other = certificates.info(i);
    if (other.not_after() < leaf.not_after()) *leaf.mutable_not_after() = other.not_after();
  }
  return leaf;
}

void checkChain(const Certificates& certificates, const Place& place) {
  if (certificates.size() > kMostInChain) {
    place.refuse("too_many", absl::StrCat(certificates.size()),
                 absl::StrCat("a chain has at most ", kMostInChain,
                              " certificates: the certificate itself, then what signs it"));
    return;
  }
  const size_t wrong = certificates.firstOutOfOrder();
  if (wrong == certificates.size()) return;
  place.refuse("order", certificates.subject(wrong),
               absl::StrCat("certificate ", wrong + 1, " did not sign certificate ", wrong,
                            "; write the certificate itself first, then each one's signer"));
}

void checkKey(v1::Certificate* certificate, const Certificates& certificates, const Place& place) {
  if (!checkSize(certificate->private_key(), kMostOtherBytes, place)) return;
  const absl::StatusOr<KeyPtr> key = parsePrivateKey(certificate->private_key());
  if (!key.ok()) {
    place.refuse("private_key", "", key.status().message());
    return;
  }
  const absl::Status strength = checkKeyStrength(key->get());
  if (!strength.ok()) {
    place.refuse("key_strength", keyTypeText(key->get()), strength.message());
    return;
  }
  if (!isKeyOf(key->get(), certificates.leaf())) {
    place.refuse("mismatch", "",
                 absl::StrCat("is not the key of the certificate of ", certificates.subject(0),
                              ", which stands first; give the two that belong together"));
    return;
  }
  certificate->set_private_key(privateKeyPem(key->get()));
}

void checkOcspResponse(const v1::Certificate& certificate, const Certificates& certificates,
                       const Place& place, v1::CertificateInfo* info) {
  const std::string& der = certificate.ocsp_response();
  if (der.empty() || !checkSize(der, kMostOtherBytes, place)) return;
  if (certificate.private_key().empty()) {
    place.refuse("conflict", "",
                 "only a certificate with a private key has a use for it; remove it");
    return;
  }
  const absl::Status status = checkOcsp(der, certificates, info);
  if (!status.ok()) place.refuse("ocsp", "", status.message());
}

}  // namespace

void checkCertificate(v1::Certificate* certificate, const Place& place) {
  checkName(certificate->name(), place.field("name"));
  checkFiles(certificate, place);
  certificate->clear_info();
  const Place at = place.field("certificate");
  const std::optional<Certificates> certificates = readCertificates(*certificate, at);
  if (!certificates.has_value()) return;
  certificate->set_certificate(certificates->pem());
  const bool has_key = !certificate->private_key().empty();
  v1::CertificateInfo info =
      has_key ? infoOfChain(*certificates) : infoOfAuthorities(*certificates);
  info.set_count(static_cast<uint32_t>(certificates->size()));
  info.set_has_private_key(has_key);
  if (has_key) {
    checkChain(*certificates, at);
    checkKey(certificate, *certificates, place.field("private_key"));
  } else if (certificates->size() > kMostAuthorities) {
    at.refuse("too_many", absl::StrCat(certificates->size()),
              absl::StrCat("at most ", kMostAuthorities, " authorities"));
  }
  checkOcspResponse(*certificate, *certificates, place.field("ocsp_response"), &info);
  *certificate->mutable_info() = std::move(info);
}

void checkCertificateTimes(const v1::Certificate& certificate, event::WallTime now,
                           const Place& place) {
  if (!certificate.has_info()) return;  // it has been complained about
  const auto seconds = [](event::WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  };
  const v1::CertificateInfo& info = certificate.info();
  const Place at = place.field("certificate");
  if (info.not_after().seconds() < seconds(now)) {
    at.refuse("expired", TimeUtil::ToString(info.not_after()),
              absl::StrCat(info.count() == 1 ? "the certificate" : "one of the certificates",
                           " has expired; clients would refuse it: renew it"));
  }
  if (info.not_before().seconds() > seconds(now + kEarly)) {
    at.refuse("not_yet_valid", TimeUtil::ToString(info.not_before()),
              "the certificate does not hold yet; apply it when it does, or check the clock of "
              "the control plane");
  }
  if (info.has_ocsp_next_update() && info.ocsp_next_update().seconds() < seconds(now)) {
    place.field("ocsp_response")
        .refuse("expired", TimeUtil::ToString(info.ocsp_next_update()),
                "the OCSP response is out of date; fetch it anew, or leave it out");
  }
}

}  // namespace convoy::controlplane::validate
