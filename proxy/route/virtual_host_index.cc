#include "proxy/route/virtual_host_index.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::route {

namespace {

// Host names are shorter (RFC 1035 2.3.4: 255, and a port). Longer texts are matched like any
// other, so that length leads nobody out of the virtual host that is theirs, but are allocated for.
constexpr size_t kUsualHost = 264;

}  // namespace

absl::Status VirtualHostIndex::add(const std::vector<std::string>& domains,
                                   std::shared_ptr<const PathIndex> routes) {
  for (const std::string& configured : domains) {
    const std::string domain = absl::AsciiStrToLower(configured);
    const size_t star = domain.find('*');
    const auto twice = [&] {
      return absl::InvalidArgumentError(absl::StrCat(
          "domain \"", configured, "\" is given twice; a domain belongs to one virtual host"));
    };
    if (domain == "*") {
      if (any_ != nullptr) return twice();
      any_ = routes;
    } else if (star == std::string::npos) {
      if (!exact_.emplace(domain, routes).second) return twice();
    } else if (star == 0 && domain.find('*', 1) == std::string::npos) {
      if (!addWildcard(suffixes_, domain.substr(1), routes).ok()) return twice();
    } else if (star == domain.size() - 1) {
      if (!addWildcard(prefixes_, domain.substr(0, star), routes).ok()) return twice();
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "domain \"", configured, "\": \"*\" may stand once, at the beginning or at the end"));
    }
  }
  only_any_ = exact_.empty() && suffixes_.empty() && prefixes_.empty();
  return absl::OkStatus();
}

absl::Status VirtualHostIndex::addWildcard(std::vector<Wildcards>& wildcards,
                                           const std::string& text,
                                           const std::shared_ptr<const PathIndex>& routes) {
  auto at = std::lower_bound(wildcards.begin(), wildcards.end(), text.size(),
                             [](const Wildcards& w, size_t l) { return w.length > l; });
  if (at == wildcards.end() || at->length != text.size()) {
    at = wildcards.insert(at, {text.size(), {}});
  }
  if (at->hosts.emplace(text, routes).second) return absl::OkStatus();
  return absl::AlreadyExistsError(text);
}

const PathIndex* VirtualHostIndex::find(std::string_view authority) const {
  if (only_any_) return any_.get();
  char usual[kUsualHost];
  std::string unusual;
  char* lower = usual;
  if (authority.size() > kUsualHost) {
    unusual.resize(authority.size());
    lower = unusual.data();
  }
  for (size_t i = 0; i < authority.size(); ++i) lower[i] = base::asciiLower(authority[i]);
  const absl::string_view host(lower, authority.size());
  if (const auto found = exact_.find(host); found != exact_.end()) return found->second.get();
  for (const Wildcards& wildcards : suffixes_) {
    if (wildcards.length >= host.size()) continue;  // "*" stands for at least one byte
    const auto found = wildcards.hosts.find(host.substr(host.size() - wildcards.length));
    if (found != wildcards.hosts.end()) return found->second.get();
  }
  for (const Wildcards& wildcards : prefixes_) {
    if (wildcards.length >= host.size()) continue;
    const auto found = wildcards.hosts.find(host.substr(0, wildcards.length));
    if (found != wildcards.hosts.end()) return found->second.get();
  }
  return any_.get();
}

}  // namespace convoy::route
