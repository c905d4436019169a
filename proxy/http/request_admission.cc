#include "proxy/http/request_admission.h"

#include <charconv>

#include "proxy/base/strings.h"
#include "proxy/http/authority.h"

namespace convoy::http {

namespace {

bool isPort(std::string_view text, uint16_t port) {
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value == port;
}

void stripHost(RequestHead& head, const ConnectionManagerSpec& spec, const StreamInfo& info,
               base::Arena& arena) {
  auto [host, port] = splitAuthority(head.authority);
  const bool strips = spec.strip_port == StripPort::Any ||
                      (spec.strip_port == StripPort::Matching && !port.empty() &&
                       isPort(port.substr(1), info.downstream_local->port()));
  if (strips) port = {};
  if (spec.strip_trailing_host_dot && host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  if (host.size() + port.size() == head.authority.size()) return;
  char* const text = arena.allocate(host.size() + port.size());
  const size_t size = host.copy(text, host.size());
  head.authority = {text, size + port.copy(text + size, port.size())};
}

bool hasUnderscore(const HeaderField& field) {
  // No name that the proxy knows has one.
  return field.id == HeaderName::Other && field.name.find('_') != std::string_view::npos;
}

std::optional<LocalReply> admitNames(HeaderList& headers, const ConnectionManagerSpec& spec,
                                     ManagerMetrics& metrics) {
  HeaderList::Fields& fields = headers.fields();
  size_t kept = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (hasUnderscore(fields[i])) {
      if (spec.underscores == UnderscoresAction::RejectRequest) {
        metrics.requests_rejected_with_underscores_in_headers.add();
        return LocalReply{.failure = Failure::BadRequest, .details = "unexpected_underscore"};
      }
      metrics.dropped_headers_with_underscores.add();
      continue;
    }
    if (kept != i) fields[kept] = fields[i];
    ++kept;
  }
  fields.truncate(kept);
  return std::nullopt;
}

bool isGrpc(const RequestHead& head) {
  constexpr std::string_view kGrpc = "application/grpc";
  return head.headers.valueOr(HeaderName::ContentType, "").substr(0, kGrpc.size()) == kGrpc;
}

std::optional<LocalReply> admitPath(RequestHead& head, const PathPolicy& policy, base::Arena& arena,
                                    ManagerMetrics& metrics) {
  PathVerdict verdict = applyPathPolicy(policy, head.target, arena);
  // A call does not follow redirects.
  if (verdict == PathVerdict::Redirect && isGrpc(head)) verdict = PathVerdict::RefuseSlashes;
  switch (verdict) {
    case PathVerdict::Forward:
      return std::nullopt;
    case PathVerdict::Redirect:
      metrics.downstream_rq_redirected_with_normalized_path.add();
      return LocalReply{.failure = Failure::DirectResponse,
                        .status = 307,
                        .details = "path_normalization_redirect",
                        .location = head.target,
                        .empty_body = true};
    case PathVerdict::Refuse:
    case PathVerdict::RefuseSlashes:
      break;
  }
  metrics.downstream_rq_rejected_path.add();
  return LocalReply{.failure = Failure::BadRequest,
                    .details = verdict == PathVerdict::Refuse ? "path_normalization_failed"
                                                              : "escaped_slashes_in_path"};
}

LocalReply missingHost() {
  return {.failure = Failure::BadRequest, .details = "missing_host"};
}

// Envoy's rules: HTTP/1.0 is switched on, and a request without a host gets one by configuration.
std::optional<LocalReply> admitHttp10(RequestHead& head, const ConnectionManagerSpec& spec) {
  if (!spec.accept_http_10) return LocalReply{.failure = Failure::LowVersion};
  if (!head.authority.empty()) return std::nullopt;
  head.authority = spec.default_host_for_http_10;
  if (!head.authority.empty()) return std::nullopt;
  return missingHost();
}

}  // namespace

std::optional<LocalReply> admitRequest(RequestHead& head, const ConnectionManagerSpec& spec,
                                       const StreamInfo& info, base::Arena& arena,
                                       ManagerMetrics& metrics) {
  std::optional<LocalReply> reply;
  if (head.protocol == Protocol::Http10) {
    reply = admitHttp10(head, spec);
  } else if (head.authority.empty()) {
    // An empty Host: http has no such target (RFC 9110 4.2.1), and HTTP/2 no way to say it.
    reply = missingHost();
  }
  if (!reply && spec.underscores != UnderscoresAction::Allow) {
    reply = admitNames(head.headers, spec, metrics);
  }
  if (reply || base::equals(head.method, "CONNECT")) return reply;
  if (spec.strip_port != StripPort::None || spec.strip_trailing_host_dot) {
    stripHost(head, spec, info, arena);
  }
  if (spec.path == PathPolicy()) return std::nullopt;
  return admitPath(head, spec.path, arena, metrics);
}

std::optional<LocalReply> admitTrailers(HeaderList& trailers, const ConnectionManagerSpec& spec,
                                        ManagerMetrics& metrics) {
  if (spec.underscores == UnderscoresAction::Allow) return std::nullopt;
  return admitNames(trailers, spec, metrics);
}

}  // namespace convoy::http
