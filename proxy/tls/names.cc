#include "proxy/tls/names.h"

#include <algorithm>
#include <string>

#include "proxy/base/strings.h"

namespace convoy::tls {

namespace {

std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = base::asciiLower(c);
  return result;
}

bool holds(SanMatch::Kind kind, std::string_view value, std::string_view name) {
  switch (kind) {
    case SanMatch::Kind::Exact:
      return name == value;
    case SanMatch::Kind::Prefix:
      return name.starts_with(value);
    case SanMatch::Kind::Suffix:
      return name.ends_with(value);
    case SanMatch::Kind::Contains:
      return name.find(value) != std::string_view::npos;
  }
  return false;
}

}  // namespace

bool certificateNameCovers(std::string_view certificate_name, std::string_view host) {
  if (!certificate_name.starts_with("*.")) return base::equalsIgnoreCase(certificate_name, host);
  const std::string_view rest = certificate_name.substr(1);  // ".example.com"
  const size_t dot = host.find('.');
  // "*." alone, or "*.com", would stand for a whole registry.
  if (dot == 0 || dot == std::string_view::npos) return false;
  if (std::count(rest.begin(), rest.end(), '.') < 2) return false;
  return base::equalsIgnoreCase(rest, host.substr(dot));
}

bool sanMatches(const SanMatch& match, std::string_view name) {
  const bool dns = match.type == SanMatch::Type::Dns;
  if (dns && match.kind == SanMatch::Kind::Exact) return certificateNameCovers(name, match.value);
  // Names of hosts have no case.
  if (!dns && !match.ignore_case) return holds(match.kind, match.value, name);
  return holds(match.kind, lowered(match.value), lowered(name));
}

}  // namespace convoy::tls
