#include "controlplane/validate/tls.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"
#include "google/protobuf/repeated_field.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int kMostCertificates = 100;
constexpr int kMostNames = 100;
constexpr size_t kMostNameBytes = 2048;

void checkVersion(v1::TlsVersion version, const Place& place) {
  if (v1::TlsVersion_IsValid(version)) return;
  place.refuse("enum", absl::StrCat(static_cast<int>(version)),
               "the versions are tls_1_2 and tls_1_3");
}

// A DNS name: no wildcard, no address.
void checkDnsName(const std::string& name, const Place& place) {
  if (absl::StartsWith(name, "*") || absl::StartsWith(name, "[")) {
    place.refuse("syntax", name,
                 "must be one DNS name, such as \"a.example.com\"; a certificate for "
                 "\"*.example.com\" matches that too");
    return;
  }
  checkHost(name, place);
}

void checkNameMatch(const v1::NameMatch& match, const Place& place) {
  const auto check_text = [](const std::string& value, const Place& at) {
    const bool printable =
        std::all_of(value.begin(), value.end(), [](char c) { return absl::ascii_isgraph(c); });
    if (!value.empty() && value.size() <= kMostNameBytes && printable) return;
    at.refuse(value.empty() ? "required" : "syntax", value,
              "must be 1 to 2048 printable characters without blanks");
  };
  switch (match.name_case()) {
    case v1::NameMatch::kDns:
      checkDnsName(match.dns(), place.field("dns"));
      break;
    case v1::NameMatch::kUri:
      check_text(match.uri(), place.field("uri"));
      break;
    case v1::NameMatch::kUriPrefix:
      check_text(match.uri_prefix(), place.field("uri_prefix"));
      break;
    case v1::NameMatch::kEmail:
      check_text(match.email(), place.field("email"));
      break;
    case v1::NameMatch::kIp: {
      const bool is_v6 = absl::StrContains(match.ip(), ":");
      const auto parsed = net::Address::parse(is_v6 ? absl::StrCat("[", match.ip(), "]:1")
                                                    : absl::StrCat(match.ip(), ":1"));
      if (!parsed.ok() || !parsed->isIp()) {
        place.field("ip").refuse("address", match.ip(),
                                 "must be an IP address without port, such as \"10.0.0.1\"");
      }
      break;
    }
    case v1::NameMatch::NAME_NOT_SET:
      place.refuse("required", "", "set one of dns, uri, uri_prefix, email and ip");
  }
}

void checkNames(const google::protobuf::RepeatedPtrField<v1::NameMatch>& names,
                const Place& place) {
  if (names.size() > kMostNames) {
    place.field("names").refuse("too_many", absl::StrCat(names.size()),
                                absl::StrCat("at most ", kMostNames, " names"));
  }
  for (int i = 0; i < names.size(); ++i) checkNameMatch(names[i], place.element("names", i));
}

void checkForward(const v1::ClientCertificates& clients, const Place& place) {
  std::set<int> seen;
  for (int i = 0; i < clients.forward_size(); ++i) {
    const int detail = clients.forward(i);
    const Place at = place.element("forward", i);
    if (!v1::ClientCertificates::Detail_IsValid(detail) ||
        detail == v1::ClientCertificates::DETAIL_UNSPECIFIED) {
      at.refuse("enum", absl::StrCat(detail),
                "the choices are subject, uri, dns, cert, chain and none");
    } else if (!seen.insert(detail).second) {
      at.refuse("duplicate", v1::ClientCertificates::Detail_Name(clients.forward(i)),
                "it is forwarded already; remove one");
    }
  }
  if (seen.contains(v1::ClientCertificates::NONE) && seen.size() > 1) {
    place.field("forward").refuse("conflict", "NONE",
                                  "none forwards nothing, the others something; remove one");
  }
}

}  // namespace

void checkListenerTls(const v1::ListenerTls& tls, const Place& place) {
  const Place certificates = place.field("certificates");
  if (tls.certificates().empty()) {
    certificates.refuse("required", "",
                        "TLS needs a certificate; write certificates: [NAME], and the certificate "
                        "of that name");
  }
  if (tls.certificates_size() > kMostCertificates) {
    certificates.refuse("too_many", absl::StrCat(tls.certificates_size()),
                        absl::StrCat("a listener has at most ", kMostCertificates,
                                     " certificates; use several listeners with one route table"));
  }
  std::set<std::string> seen;
  for (int i = 0; i < tls.certificates_size(); ++i) {
    const Place at = place.element("certificates", i);
    checkName(tls.certificates(i), at);
    if (!seen.insert(tls.certificates(i)).second) {
      at.refuse("duplicate", tls.certificates(i), "the listener has it already; remove one");
    }
  }
  checkVersion(tls.min_version(), place.field("min_version"));
  if (!v1::ListenerTls::SessionTickets_IsValid(tls.session_tickets())) {
    place.field("session_tickets")
        .refuse("enum", absl::StrCat(static_cast<int>(tls.session_tickets())),
                "the choices are fleet, node and off");
  }
  if (!tls.has_client_certificates()) return;
  const Place client = place.field("client_certificates");
  if (tls.client_certificates().ca().empty()) {
    client.field("ca").refuse("required", "",
                              "name the certificate that holds the authorities of the clients");
  } else {
    checkName(tls.client_certificates().ca(), client.field("ca"));
  }
  checkNames(tls.client_certificates().names(), client);
  checkForward(tls.client_certificates(), client);
}

void checkPoolTls(const v1::PoolTls& tls, const Place& place) {
  if (!tls.server_name().empty()) checkDnsName(tls.server_name(), place.field("server_name"));
  if (!tls.ca().empty()) checkName(tls.ca(), place.field("ca"));
  if (!tls.certificate().empty()) checkName(tls.certificate(), place.field("certificate"));
  checkNames(tls.names(), place);
  checkVersion(tls.min_version(), place.field("min_version"));
  if (tls.insecure_skip_verification()) {
    if (!tls.ca().empty() || !tls.names().empty()) {
      place.field("insecure_skip_verification")
          .refuse("conflict", "true",
                  "ca and names say what to verify, this says to verify nothing; remove one");
    }
    return;
  }
  if (tls.ca().empty()) {
    place.field("ca").refuse("required", "",
                             "name the certificate that holds the authorities of the backends; "
                             "insecure_skip_verification: true verifies nothing");
  }
  if (tls.server_name().empty() && tls.names().empty()) {
    place.field("server_name")
        .refuse("required", "",
                "say what is in the backends' certificates: server_name or names; otherwise any "
                "certificate of the authorities would do");
  }
}

}  // namespace convoy::controlplane::validate
