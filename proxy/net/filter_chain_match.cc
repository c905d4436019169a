#include "proxy/net/filter_chain_match.h"

#include <algorithm>
#include <limits>

namespace convoy::net {

namespace {

// How specifically a chain's criterion matches: higher is narrower, kAny asks for nothing.
using Rank = int;
constexpr Rank kNoMatch = -1;
constexpr Rank kAny = 0;
constexpr Rank kExact = std::numeric_limits<Rank>::max();

Rank rankPort(const FilterChainMatch& match, const FilterChainQuery& query) {
  if (!match.destination_port.has_value()) return kAny;
  return *match.destination_port == query.addresses.destination().port() ? kExact : kNoMatch;
}

// A range of all addresses is as wide as none at all.
Rank rankRanges(const std::vector<CidrRange>& ranges, const Address& address) {
  if (ranges.empty()) return kAny;
  Rank best = kNoMatch;
  for (const CidrRange& range : ranges) {
    if (range.contains(address)) best = std::max<Rank>(best, range.prefix_length);
  }
  return best;
}

Rank rankDestination(const FilterChainMatch& match, const FilterChainQuery& query) {
  return rankRanges(match.destination_ranges, query.addresses.destination());
}

Rank rankServerName(const FilterChainMatch& match, const FilterChainQuery& query) {
  if (match.server_names.empty()) return kAny;
  Rank best = kNoMatch;
  for (const std::string_view name : match.server_names) {
    if (name == query.server_name) return kExact;
    const std::string_view suffix = name.substr(name.starts_with('*') ? 1 : 0);  // ".example.com"
    const bool wildcard = suffix.size() < name.size();
    if (wildcard && query.server_name.size() > suffix.size() &&
        query.server_name.ends_with(suffix)) {
      best = std::max(best, static_cast<Rank>(suffix.size()));
    }
  }
  return best;
}

Rank rankTransportProtocol(const FilterChainMatch& match, const FilterChainQuery& query) {
  if (match.transport_protocol.empty()) return kAny;
  return match.transport_protocol == query.transport_protocol ? kExact : kNoMatch;
}

// The client's first choice that any chain knows decides.
Rank rankApplicationProtocols(const FilterChainMatch& match, const FilterChainQuery& query) {
  if (match.application_protocols.empty()) return kAny;
  for (size_t i = 0; i < query.application_protocols.size(); ++i) {
    const auto& known = match.application_protocols;
    if (std::find(known.begin(), known.end(), query.application_protocols[i]) != known.end()) {
      return kExact - static_cast<Rank>(i);
    }
  }
  return kNoMatch;
}

Rank rankSource(const FilterChainMatch& match, const FilterChainQuery& query) {
  return rankRanges(match.source_ranges, query.addresses.source());
}

Rank rankSourcePort(const FilterChainMatch& match, const FilterChainQuery& query) {
  const std::vector<uint16_t>& ports = match.source_ports;
  if (ports.empty()) return kAny;
  const uint16_t port = query.addresses.source().port();
  return std::find(ports.begin(), ports.end(), port) != ports.end() ? kExact : kNoMatch;
}

using Criterion = Rank (*)(const FilterChainMatch&, const FilterChainQuery&);
constexpr Criterion kUpToTheName[] = {rankPort, rankDestination, rankServerName};
constexpr Criterion kBehindTheName[] = {rankTransportProtocol, rankApplicationProtocols, rankSource,
                                        rankSourcePort};

void narrow(FilterChains& left, std::span<const Criterion> criteria,
            const FilterChainQuery& query) {
  for (const Criterion rank : criteria) {
    Rank best = kAny;
    size_t kept = 0;
    for (const FilterChainSpec* const chain : left) {
      const Rank here = rank(chain->match, query);
      if (here < best || here == kNoMatch) continue;
      if (here > best) kept = 0;
      best = here;
      left[kept++] = chain;
    }
    left.resize(kept);
  }
}

}  // namespace

FilterChains filterChainsOfName(const ListenerSpec& listener, const FilterChainQuery& query) {
  FilterChains left;
  for (const auto& chain : listener.filter_chains) left.push_back(chain.get());
  narrow(left, kUpToTheName, query);
  return left;
}

const FilterChainSpec* chooseFilterChain(const ListenerSpec& listener, FilterChains of_name,
                                         const FilterChainQuery& query) {
  narrow(of_name, kBehindTheName, query);
  // Config refuses two chains with the same match, so this is the one.
  return of_name.empty() ? listener.default_filter_chain.get() : of_name.front();
}

const FilterChainSpec* matchFilterChain(const ListenerSpec& listener,
                                        const FilterChainQuery& query) {
  return chooseFilterChain(listener, filterChainsOfName(listener, query), query);
}

}  // namespace convoy::net
