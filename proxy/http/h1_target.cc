#include "proxy/http/h1_target.h"

#include <algorithm>

#include "proxy/base/strings.h"
#include "proxy/http/authority.h"

namespace convoy::http {

namespace {

H1Error resolveAbsoluteForm(RequestHead& head, std::string& composed) {
  std::string_view rest = head.target;
  const size_t scheme_end = rest.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return H1Error::TargetForm;
  const std::string_view scheme = rest.substr(0, scheme_end);
  if (base::equalsIgnoreCase(scheme, "http")) {
    head.scheme = "http";
  } else if (base::equalsIgnoreCase(scheme, "https")) {
    head.scheme = "https";
  } else {
    return H1Error::UnsupportedScheme;
  }
  rest.remove_prefix(scheme_end + 3);
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, authority_end);
  if (!isAuthority(head.authority, PortRule::Optional)) return H1Error::InvalidHost;
  rest.remove_prefix(authority_end);
  if (rest.empty()) {
    head.target = base::equals(head.method, "OPTIONS") ? "*" : "/";
  } else if (rest[0] == '/') {
    head.target = rest;
  } else {
    composed.assign("/").append(rest);
    head.target = composed;
  }
  return H1Error::None;
}

}  // namespace

H1Error resolveTarget(RequestHead& head, std::string& composed) {
  if (base::equals(head.method, "CONNECT")) {
    head.authority = head.target;
    return isAuthority(head.target, PortRule::Required) ? H1Error::None : H1Error::TargetForm;
  }
  if (head.target[0] == '/') return H1Error::None;
  if (head.target == "*") {
    return base::equals(head.method, "OPTIONS") ? H1Error::None : H1Error::TargetForm;
  }
  return resolveAbsoluteForm(head, composed);
}

}  // namespace convoy::http
