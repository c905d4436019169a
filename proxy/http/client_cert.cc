#include "proxy/http/client_cert.h"

#include <string>

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

// A control character would end the field, or worse.
void appendClean(std::string_view value, bool escape, std::string* out) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) continue;
    if (escape && (c == '"' || c == '\\')) *out += '\\';
    *out += c;
  }
}

void appendName(std::string_view key, std::string_view value, std::string* out) {
  if (!out->empty()) *out += ';';
  *out += key;
  const bool quoted = value.find_first_of(",;=\"\\") != std::string_view::npos;
  if (quoted) *out += '"';
  appendClean(value, quoted, out);
  if (quoted) *out += '"';
}

// RFC 2253 has quotation marks and backslashes escaped already.
void appendQuoted(std::string_view key, std::string_view value, std::string* out) {
  if (!out->empty()) *out += ';';
  *out += key;
  *out += '"';
  appendClean(value, false, out);
  *out += '"';
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
  if (details.subject) appendQuoted("Subject=", peer.subject, &element);
  if (details.uri) {
    if (peer.uris.empty()) element += ";URI=";
    for (const std::string& uri : peer.uris) appendName("URI=", uri, &element);
  }
  if (details.dns) {
    for (const std::string& name : peer.dns_names) appendName("DNS=", name, &element);
  }
  return element;
}

std::string received(const HeaderList& headers) {
  std::string list;
  for (const HeaderField& field : headers) {
    if (field.id != HeaderName::XForwardedClientCert) continue;
    if (!list.empty()) list += ',';
    list += field.value;
  }
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
