#include "proxy/admin/caller.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/http/authority.h"
#include "proxy/net/address.h"

namespace convoy::admin {

namespace {

std::string_view withoutBrackets(std::string_view host) {
  const bool has = host.starts_with('[') && host.ends_with(']');
  return has ? host.substr(1, host.size() - 2) : host;
}

// Nobody else's DNS can say where these are.
bool isOurs(std::string_view host, const std::vector<std::string>& machine) {
  std::string_view name = withoutBrackets(http::splitAuthority(host).host);
  if (net::Address::fromIp(name, 0).ok()) return true;
  if (name.ends_with('.')) name.remove_suffix(1);
  return base::equalsIgnoreCase(name, "localhost") ||
         std::any_of(machine.begin(), machine.end(),
                     [name](const std::string& own) { return base::equalsIgnoreCase(name, own); });
}

bool isSameOrigin(std::string_view origin, std::string_view host) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme)) {
      return base::equalsIgnoreCase(origin.substr(scheme.size()), host);
    }
  }
  return false;
}

}  // namespace

std::string problemWith(const Caller& caller, const std::vector<std::string>& machine) {
  if (!caller.host.empty() && !isOurs(caller.host, machine)) {
    return absl::StrCat("Host: ", base::toAbsl(caller.host),
                        ": a page that changes something is asked for by IP address, localhost or "
                        "this machine's host name, so that no web page can do it\n");
  }
  if (caller.origin.has_value() && !isSameOrigin(*caller.origin, caller.host)) {
    return absl::StrCat("Origin: ", base::toAbsl(*caller.origin),
                        ": a web page from elsewhere may not change anything here\n");
  }
  return {};
}

}  // namespace convoy::admin
