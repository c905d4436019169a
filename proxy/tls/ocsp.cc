#include "proxy/tls/ocsp.h"

#include <openssl/bytestring.h>

#include "absl/strings/str_cat.h"

namespace convoy::tls {

namespace {

constexpr size_t kMaxBytes = 64 * 1024;

// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1
constexpr std::string_view kBasicResponse("\x2b\x06\x01\x05\x05\x07\x30\x01\x01", 9);

constexpr unsigned kContext = CBS_ASN1_CONTEXT_SPECIFIC;
constexpr unsigned kContextConstructed = CBS_ASN1_CONTEXT_SPECIFIC | CBS_ASN1_CONSTRUCTED;

absl::Status malformed(std::string_view place) {
  return absl::InvalidArgumentError(absl::StrCat(
      "OCSP response: ", absl::string_view(place.data(), place.size()), " is not valid DER"));
}

std::string_view bytesOf(const CBS& cbs) {
  return {reinterpret_cast<const char*>(CBS_data(&cbs)), CBS_len(&cbs)};
}

// Exactly n digits.
bool takeNumber(std::string_view& text, size_t n, int* value) {
  if (text.size() < n) return false;
  *value = 0;
  for (size_t i = 0; i < n; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    *value = *value * 10 + (text[i] - '0');
  }
  text.remove_prefix(n);
  return true;
}

// GeneralizedTime of DER (RFC 5280 4.1.2.5.2): YYYYMMDDHHMMSSZ.
bool parseTime(std::string_view text, event::WallTime* time) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!takeNumber(text, 4, &year) || !takeNumber(text, 2, &month) || !takeNumber(text, 2, &day) ||
      !takeNumber(text, 2, &hour) || !takeNumber(text, 2, &minute) ||
      !takeNumber(text, 2, &second) || text != "Z") {
    return false;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return false;
  *time = event::wallTimeOf(std::chrono::sys_days(date) + std::chrono::hours(hour) +
                            std::chrono::minutes(minute) + std::chrono::seconds(second));
  return true;
}

bool takeTime(CBS* from, event::WallTime* time) {
  CBS text;
  return CBS_get_asn1(from, &text, CBS_ASN1_GENERALIZEDTIME) && parseTime(bytesOf(text), time);
}

// CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber }
bool takeCertificateId(CBS* single, OcspResponse* response) {
  CBS id, algorithm, oid, name, key, serial;
  if (!CBS_get_asn1(single, &id, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&id, &algorithm, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) || CBS_len(&oid) == 0 ||
      !CBS_get_asn1(&id, &name, CBS_ASN1_OCTETSTRING) ||
      !CBS_get_asn1(&id, &key, CBS_ASN1_OCTETSTRING) ||
      !CBS_get_asn1(&id, &serial, CBS_ASN1_INTEGER) || CBS_len(&id) != 0 || CBS_len(&serial) == 0) {
    return false;
  }
  response->hash_algorithm = bytesOf(oid);
  response->issuer_name_hash = bytesOf(name);
  response->issuer_key_hash = bytesOf(key);
  response->serial = bytesOf(serial);
  return true;
}

// CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }
bool takeStatus(CBS* single, OcspResponse* response) {
  CBS content;
  unsigned tag = 0;
  if (!CBS_get_any_asn1(single, &content, &tag)) return false;
  switch (tag) {
    case kContext | 0:
      response->status = OcspResponse::Status::Good;
      return CBS_len(&content) == 0;
    case kContextConstructed | 1:
      response->status = OcspResponse::Status::Revoked;
      return true;
    case kContext | 2:
      response->status = OcspResponse::Status::Unknown;
      return CBS_len(&content) == 0;
    default:
      return false;
  }
}

// ResponderID ::= CHOICE { byName [1] Name, byKey [2] OCTET STRING }
bool takeResponder(CBS* data, OcspSignature* signature) {
  CBS id, value;
  unsigned tag = 0;
  if (!CBS_get_any_asn1(data, &id, &tag)) return false;
  const bool by_key = tag == (kContextConstructed | 2);
  if (!by_key && tag != (kContextConstructed | 1)) return false;
  signature->by = by_key ? OcspSignature::By::Key : OcspSignature::By::Name;
  if (by_key ? !CBS_get_asn1(&id, &value, CBS_ASN1_OCTETSTRING)
             : !CBS_get_asn1_element(&id, &value, CBS_ASN1_SEQUENCE)) {
    return false;
  }
  signature->responder = bytesOf(value);
  return CBS_len(&id) == 0;
}

// SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0], extensions [1] }
bool takeSingle(CBS* responses, OcspResponse* response, int* has_next) {
  CBS single, next;
  if (!CBS_get_asn1(responses, &single, CBS_ASN1_SEQUENCE) ||
      !takeCertificateId(&single, response) || !takeStatus(&single, response) ||
      !takeTime(&single, &response->this_update) ||
      !CBS_get_optional_asn1(&single, &next, has_next, kContextConstructed | 0)) {
    return false;
  }
  if (*has_next != 0 && (!takeTime(&next, &response->next_update) || CBS_len(&next) != 0)) {
    return false;
  }
  CBS extensions;
  return CBS_get_optional_asn1(&single, &extensions, nullptr, kContextConstructed | 1) &&
         CBS_len(&single) == 0;
}

// ResponseData ::= SEQUENCE { version [0], responderID, producedAt, responses, extensions [1] }
absl::StatusOr<OcspResponse> parseData(CBS* basic, OcspSignature* signature) {
  CBS whole, data, version, responses, extensions;
  event::WallTime produced;
  if (!CBS_get_asn1_element(basic, &whole, CBS_ASN1_SEQUENCE)) return malformed("tbsResponseData");
  signature->data = bytesOf(whole);
  if (!CBS_get_asn1(&whole, &data, CBS_ASN1_SEQUENCE) ||
      !CBS_get_optional_asn1(&data, &version, nullptr, kContextConstructed | 0) ||
      !takeResponder(&data, signature)) {
    return malformed("tbsResponseData");
  }
  if (!takeTime(&data, &produced)) return malformed("producedAt");
  if (!CBS_get_asn1(&data, &responses, CBS_ASN1_SEQUENCE) ||
      !CBS_get_optional_asn1(&data, &extensions, nullptr, kContextConstructed | 1) ||
      CBS_len(&data) != 0) {
    return malformed("responses");
  }
  OcspResponse response;
  int has_next = 0;
  if (!takeSingle(&responses, &response, &has_next)) return malformed("the first of responses");
  if (CBS_len(&responses) != 0) {
    return absl::InvalidArgumentError(
        "OCSP response: it is about several certificates; staple one that is about this one only");
  }
  if (has_next == 0) {
    return absl::InvalidArgumentError(
        "OCSP response: it has no nextUpdate, so it would never be stapled; take one that says how "
        "long it holds");
  }
  return response;
}

// signatureAlgorithm, signature, certs [0]: what is left of BasicOCSPResponse.
bool takeSignature(CBS* basic, OcspSignature* signature) {
  CBS algorithm, oid, bits, certificates;
  uint8_t unused = 0;
  int has_certificates = 0;
  if (!CBS_get_asn1(basic, &algorithm, CBS_ASN1_SEQUENCE) ||
      !CBS_get_asn1(&algorithm, &oid, CBS_ASN1_OBJECT) || CBS_len(&oid) == 0 ||
      !CBS_get_asn1(basic, &bits, CBS_ASN1_BITSTRING) || !CBS_get_u8(&bits, &unused) ||
      unused != 0 ||
      !CBS_get_optional_asn1(basic, &certificates, &has_certificates, kContextConstructed | 0) ||
      CBS_len(basic) != 0) {
    return false;
  }
  signature->algorithm = bytesOf(oid);
  signature->bytes = bytesOf(bits);
  if (has_certificates == 0) return true;
  CBS list, one;
  if (!CBS_get_asn1(&certificates, &list, CBS_ASN1_SEQUENCE) || CBS_len(&certificates) != 0) {
    return false;
  }
  while (CBS_len(&list) != 0) {
    if (!CBS_get_asn1_element(&list, &one, CBS_ASN1_SEQUENCE)) return false;
    signature->certificates.push_back(bytesOf(one));
  }
  return true;
}

}  // namespace

absl::StatusOr<OcspResponse> parseOcspResponse(std::string_view der, OcspSignature* signature) {
  if (der.size() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("OCSP response: larger than ", kMaxBytes, " bytes"));
  }
  CBS input, outer, status, explicit_bytes, bytes, type, octets;
  CBS_init(&input, reinterpret_cast<const uint8_t*>(der.data()), der.size());
  if (!CBS_get_asn1(&input, &outer, CBS_ASN1_SEQUENCE) || CBS_len(&input) != 0 ||
      !CBS_get_asn1(&outer, &status, CBS_ASN1_ENUMERATED) || CBS_len(&status) != 1) {
    return malformed("the outermost sequence");
  }
  // OCSPResponseStatus: successful (0)
  if (const uint8_t code = CBS_data(&status)[0]; code != 0) {
    return absl::InvalidArgumentError(absl::StrCat("OCSP response: its status is ",
                                                   static_cast<int>(code), ", not successful (0)"));
  }
  if (!CBS_get_asn1(&outer, &explicit_bytes, kContextConstructed | 0) || CBS_len(&outer) != 0 ||
      !CBS_get_asn1(&explicit_bytes, &bytes, CBS_ASN1_SEQUENCE) || CBS_len(&explicit_bytes) != 0 ||
      !CBS_get_asn1(&bytes, &type, CBS_ASN1_OBJECT) ||
      !CBS_get_asn1(&bytes, &octets, CBS_ASN1_OCTETSTRING) || CBS_len(&bytes) != 0) {
    return malformed("responseBytes");
  }
  if (bytesOf(type) != kBasicResponse) {
    return absl::InvalidArgumentError("OCSP response: its type is not id-pkix-ocsp-basic");
  }
  // BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature, certs [0] }
  CBS basic;
  if (!CBS_get_asn1(&octets, &basic, CBS_ASN1_SEQUENCE) || CBS_len(&octets) != 0) {
    return malformed("BasicOCSPResponse");
  }
  OcspSignature ignored;
  if (signature == nullptr) signature = &ignored;
  *signature = {};
  absl::StatusOr<OcspResponse> response = parseData(&basic, signature);
  if (response.ok() && !takeSignature(&basic, signature)) return malformed("the signature");
  return response;
}

}  // namespace convoy::tls
