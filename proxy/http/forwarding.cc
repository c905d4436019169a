#include "proxy/http/forwarding.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>

#include "proxy/base/strings.h"
#include "proxy/http/quoted.h"

namespace convoy::http {

namespace {

constexpr size_t kIpTextBytes = 46;

std::string_view peerIp(const net::Address& remote, base::Arena& arena) {
  char* text = arena.allocate(kIpTextBytes);
  return {text, remote.writeIpText(text)};
}

std::string_view concat(std::initializer_list<std::string_view> parts, base::Arena& arena) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  char* const text = arena.allocate(size);
  char* at = text;
  for (const std::string_view part : parts) at += part.copy(at, part.size());
  return {text, size};
}

std::string_view join(std::string_view list, std::string_view element, base::Arena& arena) {
  if (element.empty()) return list;  // a value must not end with a space
  return list.empty() ? element : concat({list, ", ", element}, arena);
}

// Several fields of one name are one list (RFC 9110 5.3).
std::string_view combined(const HeaderList& headers, HeaderName id, base::Arena& arena) {
  std::string_view list;
  for (const HeaderField& field : headers) {
    if (field.id == id) list = join(list, field.value, arena);
  }
  return list;
}

// Takes the last entry off the list; empty if there is none, or nothing but blanks.
std::string_view takeLast(std::string_view& list) {
  const size_t comma = list.rfind(',');
  const std::string_view entry = comma == std::string_view::npos ? list : list.substr(comma + 1);
  list = list.substr(0, comma == std::string_view::npos ? 0 : comma);
  return base::trimmed(entry);
}

// The entry `hops` places from the right (0: the last); the leftmost if the list is shorter; empty
// if there is none.
std::string_view fromTheRight(std::string_view list, uint32_t hops) {
  std::string_view entry = takeLast(list);
  for (; hops > 0 && !entry.empty() && !list.empty(); --hops) entry = takeLast(list);
  return entry;
}

bool isTrusted(const ConnectionManagerSpec& spec, const net::Address& address) {
  return std::any_of(spec.trusted_proxies.begin(), spec.trusted_proxies.end(),
                     [&](const net::CidrRange& range) { return range.contains(address); });
}

// An entry that is an address; some balancers write its port behind it, which is left out.
struct Hop {
  std::string_view text;
  net::Address address;
};

std::optional<Hop> hopOf(std::string_view entry) {
  if (const auto bare = net::Address::fromIp(entry, 0); bare.ok()) return Hop{entry, *bare};
  const auto with_port = net::Address::parse(entry);
  if (!with_port.ok() || !with_port->isIp()) return std::nullopt;
  const bool bracketed = entry.starts_with('[');
  return Hop{bracketed ? entry.substr(1, entry.find(']') - 1) : entry.substr(0, entry.rfind(':')),
             *with_port};
}

// From the right to the left over proxies that are ours. What is no address was written by nobody
// whom we trust: the walk ends before it.
std::string_view walk(const ConnectionManagerSpec& spec, std::string_view list,
                      std::string_view peer, const net::Address& remote) {
  std::string_view client = peer;
  if (!isTrusted(spec, remote)) return client;
  while (!list.empty()) {
    const auto hop = hopOf(takeLast(list));
    if (!hop.has_value()) return client;
    client = hop->text;
    if (!isTrusted(spec, hop->address)) return client;
  }
  return client;
}

// Returns whether what the peer says of the hop before it is to be believed.
bool prepareForwardedFor(RequestHead& head, const ConnectionManagerSpec& spec,
                         std::string_view peer, base::Arena& arena, StreamInfo& info) {
  const std::string_view received = combined(head.headers, HeaderName::XForwardedFor, arena);
  info.downstream_ip = peer;
  info.forwarded_for = received;
  if (!spec.use_remote_address) {
    const auto client = hopOf(fromTheRight(received, spec.xff_num_trusted_hops));
    if (client.has_value()) info.downstream_ip = client->text;
    return true;
  }
  bool trusts_peer = spec.xff_num_trusted_hops > 0;
  if (!spec.trusted_proxies.empty()) {
    trusts_peer = isTrusted(spec, *info.downstream_remote);
    info.downstream_ip = walk(spec, received, peer, *info.downstream_remote);
  } else if (trusts_peer && !received.empty()) {
    // The peer itself is the first hop that we know; trusted hops are those before it.
    const auto client = hopOf(fromTheRight(received, spec.xff_num_trusted_hops - 1));
    if (client.has_value()) info.downstream_ip = client->text;
  }
  // A unix socket has no address to be told.
  if (!spec.skip_xff_append && !peer.empty()) {
    head.headers.set(HeaderName::XForwardedFor, join(received, peer, arena));
  }
  return trusts_peer;
}

// What Envoy takes as an order, and therefore from inside only, whoever has passed it on: a proxy
// that we trust to know its client's address passes on what the client says, too.
constexpr std::string_view kOrders[] = {
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-original-url",
};
// Who the sender says it is: not from outside either where this is the first proxy of ours.
constexpr std::string_view kClaims[] = {
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
};

template <size_t kCount>
bool isOneOf(std::string_view name, const std::string_view (&names)[kCount]) {
  return std::any_of(std::begin(names), std::end(names),
                     [name](std::string_view one) { return base::equalsIgnoreCase(name, one); });
}

// Whether a request from outside may not say this.
bool isForInside(std::string_view name, const ConnectionManagerSpec& spec, bool trusts_peer,
                 const StreamInfo& info) {
  constexpr std::string_view kPrefix = "x-envoy-";
  if (!base::equalsIgnoreCase(name.substr(0, kPrefix.size()), kPrefix)) return false;
  // It can only make a request end earlier: the hop before may say it, which the router looks at.
  if (base::equalsIgnoreCase(name, "x-envoy-expected-rq-timeout-ms")) {
    return !isInternalAddress(*info.downstream_remote, spec);
  }
  if (spec.use_remote_address && !trusts_peer) return true;
  return isOneOf(name, kOrders) || (spec.use_remote_address && isOneOf(name, kClaims));
}

// Envoy's names for what one proxy tells the next one: nobody else may say it. X-Envoy-Internal is
// said to nobody: hosts of ours would have to know who else could have written it.
void removeProxyHeaders(RequestHead& head, const ConnectionManagerSpec& spec, bool trusts_peer,
                        const StreamInfo& info) {
  if (!head.headers.mayHaveOfProxies()) return;
  const bool outside = !isInternal(info, spec);
  head.headers.removeIf([&](const HeaderField& field) {
    if (field.id != HeaderName::Other || !mayBeOfProxies(field.name)) return false;
    return base::equalsIgnoreCase(field.name, "x-envoy-internal") ||
           (outside && isForInside(field.name, spec, trusts_peer, info));
  });
}

std::string_view schemeOf(std::string_view told) {
  // Some proxies say it of a WebSocket.
  if (base::equalsIgnoreCase(told, "http") || base::equalsIgnoreCase(told, "ws")) return "http";
  if (base::equalsIgnoreCase(told, "https") || base::equalsIgnoreCase(told, "wss")) return "https";
  return {};
}

// What all entries of all fields agree on; empty if they do not: a backend that takes another of
// them would see another scheme than we do.
std::string_view toldScheme(const HeaderList& headers) {
  std::string_view told;
  for (const HeaderField& field : headers) {
    if (field.id != HeaderName::XForwardedProto) continue;
    std::string_view rest = field.value;
    if (rest.starts_with(',')) return {};
    do {
      const std::string_view scheme = schemeOf(takeLast(rest));
      if (scheme.empty() || (!told.empty() && scheme != told)) return {};
      told = scheme;
    } while (!rest.empty());
  }
  return told;
}

// The scheme is what the connection is, whatever the target says, or what a trusted hop says.
void prepareScheme(RequestHead& head, bool trusts_peer, const StreamInfo& info) {
  if (trusts_peer && head.headers.mayHave(HeaderName::XForwardedProto)) {
    const std::string_view told = toldScheme(head.headers);
    if (!told.empty()) {
      head.scheme = told;
      return;
    }
  }
  const net::Transport* const transport = info.downstream_transport;
  head.scheme = transport != nullptr && transport->encrypts() ? "https" : "http";
  head.headers.set(HeaderName::XForwardedProto, head.scheme);
}

// RFC 7239 4: IPv6 addresses and ports need quotes. The host has been checked: it has no quote.
// What was received goes in front, unless our element would be inside a quote that it leaves open.
void appendForwarded(RequestHead& head, std::string_view peer, const net::Address& remote,
                     base::Arena& arena) {
  std::string_view node = "unknown";
  if (remote.family() == net::Address::Family::Ipv4) node = peer;
  if (remote.family() == net::Address::Family::Ipv6) node = concat({"\"[", peer, "]\""}, arena);
  std::string_view element = concat({"for=", node, ";proto=", head.scheme}, arena);
  if (!head.authority.empty()) {
    element = concat({element, ";host=\"", head.authority, "\""}, arena);
  }
  std::string_view received = combined(head.headers, HeaderName::Forwarded, arena);
  if (!quotesAreBalanced(received)) received = {};
  head.headers.set(HeaderName::Forwarded, join(received, element, arena));
}

}  // namespace

bool isInternalAddress(const net::Address& address, const ConnectionManagerSpec& spec) {
  if (address.family() == net::Address::Family::Unix) return spec.unix_sockets_are_internal;
  static const auto* const usual = new std::vector<net::CidrRange>{
      {*net::Address::fromIp("10.0.0.0", 0), 8},     {*net::Address::fromIp("172.16.0.0", 0), 12},
      {*net::Address::fromIp("192.168.0.0", 0), 16}, {*net::Address::fromIp("127.0.0.0", 0), 8},
      {*net::Address::fromIp("fc00::", 0), 7},       {*net::Address::fromIp("::1", 0), 128}};
  const auto& ranges = spec.internal_ranges.empty() ? *usual : spec.internal_ranges;
  return std::any_of(ranges.begin(), ranges.end(),
                     [&address](const net::CidrRange& range) { return range.contains(address); });
}

bool isInternal(const StreamInfo& info, const ConnectionManagerSpec& spec) {
  const net::Address& peer = *info.downstream_remote;
  if (info.forwarded_for.empty() || peer.family() == net::Address::Family::Unix) {
    return isInternalAddress(peer, spec);
  }
  if (spec.use_remote_address) return false;
  const auto only = net::Address::fromIp(info.forwarded_for, 0);  // a list is none
  return only.ok() && isInternalAddress(*only, spec);
}

void prepareForwarding(RequestHead& head, const ConnectionManagerSpec& spec, base::Arena& arena,
                       StreamInfo& info) {
  const std::string_view peer = peerIp(*info.downstream_remote, arena);
  const bool trusts_peer = prepareForwardedFor(head, spec, peer, arena, info);
  removeProxyHeaders(head, spec, trusts_peer, info);
  prepareScheme(head, trusts_peer, info);
  if (spec.append_forwarded) appendForwarded(head, peer, *info.downstream_remote, arena);
}

}  // namespace convoy::http
