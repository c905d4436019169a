#include "proxy/config/listener.h"

#include <map>

#include "proxy/base/strings.h"
#include "proxy/config/http_connection_manager.h"
#include "proxy/config/registry.h"
#include "proxy/config/stable_hash.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::listener::v3;

template <typename Ranges>
std::vector<net::CidrRange> toCidrRanges(const Ranges& ranges, std::string_view field,
                                         base::FieldReport& report) {
  std::vector<net::CidrRange> converted;
  for (int i = 0; i < ranges.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    if (auto range = toCidrRange(ranges[i], report); range.has_value()) {
      converted.push_back(*std::move(range));
    }
  }
  return converted;
}

net::FilterChainMatch toMatch(const proto::FilterChainMatch& match, base::FieldReport& report) {
  net::FilterChainMatch converted;
  if (match.has_destination_port()) {
    converted.destination_port = static_cast<uint16_t>(match.destination_port().value());
  }
  converted.destination_ranges = toCidrRanges(match.prefix_ranges(), "prefix_ranges", report);
  for (int i = 0; i < match.server_names_size(); ++i) {
    std::string name = match.server_names(i);
    for (char& c : name) c = base::asciiLower(c);
    if (name.find('*') != std::string::npos && (!name.starts_with("*.") || name.rfind('*') != 0)) {
      auto at = report.in("server_names", static_cast<size_t>(i));
      report.error("domain", name, "must be a host name, or one that begins with \"*.\"");
    }
    converted.server_names.push_back(std::move(name));
  }
  converted.transport_protocol = match.transport_protocol();
  converted.application_protocols.assign(match.application_protocols().begin(),
                                         match.application_protocols().end());
  converted.source_ranges =
      toCidrRanges(match.source_prefix_ranges(), "source_prefix_ranges", report);
  for (const uint32_t port : match.source_ports()) {
    converted.source_ports.push_back(static_cast<uint16_t>(port));
  }
  return converted;
}

// What makes connections of the chain different from others: all but what requests pick up anew.
uint64_t contentHash(proto::FilterChain chain) {
  for (proto::Filter& filter : *chain.mutable_filters()) {
    if (filter.has_typed_config()) {
      *filter.mutable_typed_config() = connectionPart(filter.typed_config());
    }
  }
  chain.clear_name();
  chain.clear_metadata();
  return stableHash(chain);
}

std::shared_ptr<const net::FilterChainSpec> toFilterChain(const proto::FilterChain& chain,
                                                          const Context& context,
                                                          base::FieldReport& report) {
  auto spec = std::make_shared<net::FilterChainSpec>();
  spec->name = chain.name();
  {
    auto at = report.in("filter_chain_match");
    spec->match = toMatch(chain.filter_chain_match(), report);
  }
  if (chain.has_transport_socket()) {
    auto at = report.in("transport_socket");
    auto in = report.in("typed_config");
    spec->transport = context.registry->downstream_transports.make(
        chain.transport_socket().typed_config(), context, report);
  }
  if (chain.has_transport_socket_connect_timeout()) {
    spec->transport_timeout = toMilliseconds(chain.transport_socket_connect_timeout(),
                                             "transport_socket_connect_timeout", report);
  }
  if (chain.filters_size() == 0) {
    report.error("filters", "required", "", "a filter chain needs a network filter");
  }
  for (int i = 0; i < chain.filters_size(); ++i) {
    auto at = report.in("filters", static_cast<size_t>(i));
    std::string kind;
    Registry::NetworkFilterPtr made;
    {
      auto in = report.in("typed_config");
      made = context.registry->network_filters.make(chain.filters(i).typed_config(), context,
                                                    report, &kind);
    }
    if (made == nullptr) continue;
    if (i + 1 != chain.filters_size()) {
      report.error("order", chain.filters(i).name(),
                   kind + " ends the filter chain: nothing may follow it");
    }
    spec->filters.push_back(std::move(made));
  }
  spec->content_hash = contentHash(chain);
  return spec;
}

void setAddresses(const proto::Listener& proto, net::ListenerSpec* spec,
                  base::FieldReport& report) {
  const auto take = [&](const envoy::config::core::v3::Address& address) {
    std::optional<net::Address> converted = toAddress(address, Port::Any, report);
    if (!converted.has_value()) return;
    for (const net::Address& other : spec->addresses) {
      if (other == *converted && (other.port() != 0 || !other.isIp())) {
        report.error("duplicate", converted->text(), "the listener has this address already");
      }
    }
    spec->addresses.push_back(*std::move(converted));
    if (address.socket_address().ipv4_compat()) spec->ipv4_compat = true;
    if (address.has_pipe() && address.pipe().mode() != 0) {
      spec->unix_mode = address.pipe().mode();
    }
  };
  if (!proto.has_address()) {
    report.error("address", "required", "", "a listener needs an address");
  } else {
    auto at = report.in("address");
    take(proto.address());
  }
  for (int i = 0; i < proto.additional_addresses_size(); ++i) {
    auto at = report.in("additional_addresses", static_cast<size_t>(i));
    auto in = report.in("address");
    take(proto.additional_addresses(i).address());
  }
}

void setFilterChains(const proto::Listener& proto, const Context& context, net::ListenerSpec* spec,
                     base::FieldReport& report) {
  std::map<std::string, int> matches;
  for (int i = 0; i < proto.filter_chains_size(); ++i) {
    auto at = report.in("filter_chains", static_cast<size_t>(i));
    spec->filter_chains.push_back(toFilterChain(proto.filter_chains(i), context, report));
    const auto [other, fresh] =
        matches.emplace(stableBytes(proto.filter_chains(i).filter_chain_match()), i);
    if (!fresh) {
      report.error("filter_chain_match", "duplicate", "",
                   "filter_chains[" + std::to_string(other->second) +
                       "] has the same conditions, so this one would never be chosen");
    }
  }
  if (proto.has_default_filter_chain()) {
    auto at = report.in("default_filter_chain");
    spec->default_filter_chain = toFilterChain(proto.default_filter_chain(), context, report);
  }
  if (proto.filter_chains_size() == 0 && !proto.has_default_filter_chain()) {
    report.error("filter_chains", "required", "", "a listener needs a filter chain");
  }
}

bool needsClientHello(const net::FilterChainSpec& chain) {
  const net::FilterChainMatch& match = chain.match;
  if (!match.transport_protocol.empty()) return match.transport_protocol == "tls";
  return !match.server_names.empty() || !match.application_protocols.empty();
}

// Which listener filters there are. Without tls_inspector a match that needs one gets it, as
// Envoy's does.
void setListenerFilters(const proto::Listener& proto, const Context& context,
                        net::ListenerSpec* spec, base::FieldReport& report) {
  for (int i = 0; i < proto.listener_filters_size(); ++i) {
    auto at = report.in("listener_filters", static_cast<size_t>(i));
    auto in = report.in("typed_config");
    spec->inspect_tls |= context.registry->listener_filters.make(
        proto.listener_filters(i).typed_config(), context, report);
  }
  for (const auto& chain : spec->filter_chains) spec->inspect_tls |= needsClientHello(*chain);
  if (proto.has_listener_filters_timeout()) {
    spec->inspect_timeout =
        toMilliseconds(proto.listener_filters_timeout(), "listener_filters_timeout", report);
  }
  spec->continue_after_inspect_timeout = proto.continue_on_listener_filters_timeout();
}

}  // namespace

std::shared_ptr<const net::ListenerSpec> toListener(const proto::Listener& proto,
                                                    const Context& context,
                                                    base::FieldReport& report) {
  auto spec = std::make_shared<net::ListenerSpec>();
  spec->name = proto.name();
  spec->version = context.version;
  spec->stat_prefix = proto.stat_prefix();
  setAddresses(proto, spec.get(), report);
  setFilterChains(proto, context, spec.get(), report);
  setListenerFilters(proto, context, spec.get(), report);
  if (proto.has_per_connection_buffer_limit_bytes()) {
    spec->per_connection_buffer_limit_bytes = proto.per_connection_buffer_limit_bytes().value();
    spec->send_queue_bytes = spec->per_connection_buffer_limit_bytes;
  }
  spec->ignore_global_limit = proto.ignore_global_conn_limit();
  if (proto.has_tcp_backlog_size()) spec->tcp_backlog = proto.tcp_backlog_size().value();
  if (spec->name.empty() && !spec->addresses.empty()) spec->name = spec->addresses[0].text();
  return spec;
}

}  // namespace convoy::config
