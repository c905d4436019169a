#include "proxy/http/guarded_names.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "proxy/base/strings.h"
#include "proxy/http/authority.h"
#include "proxy/net/filter_chain_match.h"

namespace convoy::http {

namespace {

bool requiresCertificate(const net::FilterChainSpec* chain) {
  return chain != nullptr && chain->transport != nullptr &&
         chain->transport->requiresPeerCertificate();
}

// A forward proxy's CONNECT names a host that is none of ours.
bool namesAServer(const RequestHead& head) {
  return !head.authority.empty() &&
         (!base::equals(head.method, "CONNECT") || !head.upgrade.empty());
}

}  // namespace

std::shared_ptr<const GuardedNames> GuardedNames::seenFrom(
    std::shared_ptr<const net::ListenerSpec> listener, const net::FilterChainSpec& own) {
  // Without the ClientHello, no chain is chosen by a name.
  if (!listener->inspect_tls || own.transport == nullptr) return nullptr;
  const auto& chains = listener->filter_chains;
  const bool any = std::any_of(chains.begin(), chains.end(), [&own](const auto& chain) {
    return chain.get() != &own && requiresCertificate(chain.get());
  });
  const net::FilterChainSpec* const rest = listener->default_filter_chain.get();
  if (!any && (rest == &own || !requiresCertificate(rest))) return nullptr;
  return std::shared_ptr<const GuardedNames>(new GuardedNames(std::move(listener), own));
}

bool GuardedNames::refuses(const RequestHead& head, const net::ConnectionAddresses& addresses,
                           const net::Transport& transport) const {
  if (!namesAServer(head)) return false;
  std::string_view host = splitAuthority(head.authority).host;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (base::equalsIgnoreCase(host, transport.info().server_name)) return false;
  std::string name(host);
  absl::AsciiStrToLower(&name);
  const std::string_view protocol = transport.protocol();
  const net::FilterChainSpec* const chain = net::matchFilterChain(
      *listener_, {.addresses = addresses,
                   .server_name = name,
                   .transport_protocol = "tls",
                   .application_protocols = {&protocol, protocol.empty() ? size_t{0} : size_t{1}}});
  return chain != own_ && requiresCertificate(chain);
}

}  // namespace convoy::http
