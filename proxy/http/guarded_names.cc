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
  const std::shared_ptr<const GuardedNames> names(new GuardedNames(std::move(listener), own));
  const auto& chains = names->listener_->filter_chains;
  const bool any = std::any_of(chains.begin(), chains.end(), [&names](const auto& chain) {
    return names->isGuarded(chain.get());
  });
  const bool rest = names->isGuarded(names->listener_->default_filter_chain.get());
  return any || rest ? names : nullptr;
}

bool GuardedNames::isGuarded(const net::FilterChainSpec* chain) const {
  return chain != nullptr && chain != own_ && chain->transport != nullptr &&
         chain->transport->requiresPeerCertificate();
}

bool GuardedNames::refuses(const RequestHead& head, const net::ConnectionAddresses& addresses,
                           const net::Transport& transport) const {
  if (!namesAServer(head)) return false;
  std::string_view host = splitAuthority(head.authority).host;
  while (host.ends_with('.')) host.remove_suffix(1);
  // Its chain was chosen by that name, if it had come in time.
  if (!listener_->continue_after_inspect_timeout &&
      base::equalsIgnoreCase(host, transport.info().server_name)) {
    return false;
  }
  std::string name(host);
  absl::AsciiStrToLower(&name);
  const std::string_view protocol = transport.protocol();
  const net::FilterChainQuery query = {
      .addresses = addresses,
      .server_name = name,
      .transport_protocol = "tls",
      .application_protocols = {&protocol, protocol.empty() ? size_t{0} : size_t{1}}};
  const net::FilterChains chains = net::filterChainsOfName(*listener_, query);
  if (std::find(chains.begin(), chains.end(), own_) != chains.end()) return false;
  const bool any = std::any_of(chains.begin(), chains.end(),
                               [this](const auto* chain) { return isGuarded(chain); });
  return any || isGuarded(net::chooseFilterChain(*listener_, chains, query));
}

}  // namespace convoy::http
