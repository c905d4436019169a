#include "proxy/http/client_cert.h"

#include <algorithm>
#include <string>

#include "proxy/http/h1_scan.h"
#include "proxy/http/quoted.h"

namespace convoy::http {

namespace {

// PEM in a URL's form, with the characters that Envoy escapes.
void appendUrlEncoded(std::string_view pem, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : pem) {
    if (c == '\n' || c == ' ' || c == '+' || c == '/' || c == '=') {
      const auto byte = static_cast<unsigned char>(c);
      *out += '%';
      *out += kHex[byte >> 4];
      *out += kHex[byte & 15];
    } else {
      *out += c;
    }
  }
}

// What separates or quotes, and all that is no visible ASCII: a space at the end of a field's value
// is an error in HTTP/2 (RFC 9113 8.2.1).
bool needsQuotes(std::string_view value) {
  static constexpr std::string_view kSpecial = ",;=\"\\";
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || kSpecial.find(c) != std::string_view::npos;
  });
}

void appendKey(std::string_view key, std::string* out) {
  if (!out->empty()) *out += ';';
  *out += key;
}

// False: the name is left out, for a control character would end the field, or worse.
bool appendName(std::string_view key, std::string_view value, std::string* out) {
  if (!h1::all(h1::ValueChar, value)) return false;
  appendKey(key, out);
  const bool quoted = needsQuotes(value);
  if (quoted) *out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') *out += '\\';
    *out += c;
  }
  if (quoted) *out += '"';
  return true;
}

// RFC 2253 has quotation marks, backslashes and control characters escaped already.
void appendSubject(std::string_view subject, std::string* out) {
  if (!h1::all(h1::ValueChar, subject)) return;
  appendKey("Subject=", out);
  *out += '"';
  *out += subject;
  *out += '"';
}

void appendUris(const net::PeerIdentity& peer, std::string* out) {
  bool any = false;
  for (const std::string& uri : peer.uris) any |= appendName("URI=", uri, out);
  if (!any) appendKey("URI=", out);
}

std::string elementOf(const net::PeerIdentity& peer, const net::Transport& transport,
                      const ClientCertDetails& details) {
  std::string element;
  for (const std::string& uri : peer.our_uris) appendName("By=", uri, &element);
  appendName("Hash=", peer.sha256, &element);
  if (details.cert) {
    element += ";Cert=\"";
    appendUrlEncoded(peer.pem, &element);
    element += '"';
  }
  if (details.chain) {
    element += ";Chain=\"";
    appendUrlEncoded(transport.peerChainPem(), &element);
    element += '"';
  }
  if (details.subject) appendSubject(peer.subject, &element);
  if (details.uri) appendUris(peer, &element);
  if (details.dns) {
    for (const std::string& name : peer.dns_names) appendName("DNS=", name, &element);
  }
  return element;
}

// Empty also for a list that breaks off inside of a quotation: our element would be a part of it.
std::string received(const HeaderList& headers) {
  std::string list;
  for (const HeaderField& field : headers) {
    if (field.id != HeaderName::XForwardedClientCert) continue;
    if (!list.empty()) list += ',';
    list += field.value;
  }
  if (!quotesAreBalanced(list)) list.clear();
  return list;
}

}  // namespace

// The strings are rare and short-lived: only clients with certificates cost them.
void prepareClientCert(HeaderList& headers, const ConnectionManagerSpec& spec, base::Arena& arena,
                       const StreamInfo& info) {
  if (spec.client_cert == ClientCertPolicy::AlwaysForwardOnly) return;
  if (spec.client_cert == ClientCertPolicy::Sanitize || info.downstream_transport == nullptr) {
    if (headers.mayHave(HeaderName::XForwardedClientCert)) {
      headers.remove(HeaderName::XForwardedClientCert);
    }
    return;
  }
  const net::PeerIdentity* const peer = info.downstream_transport->info().peer;
  if (peer == nullptr) {
    headers.remove(HeaderName::XForwardedClientCert);
    return;
  }
  if (spec.client_cert == ClientCertPolicy::ForwardOnly) return;
  std::string list;
  if (spec.client_cert == ClientCertPolicy::AppendForward) list = received(headers);
  if (!list.empty()) list += ',';
  list += elementOf(*peer, *info.downstream_transport, spec.client_cert_details);
  headers.set(HeaderName::XForwardedClientCert, arena.copy(list));
}

}  // namespace convoy::http
