#pragma once

// Immutable configuration of a listener: what config/ makes of envoy.config.listener.v3.Listener.
// Plain data, no socket. An unset field means what Envoy documents.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/net/address.h"

namespace convoy::net {

// An IP range. Family None matches nothing.
struct CidrRange {
  Address address;
  uint8_t prefix_length = 0;
  bool contains(const Address& address) const;
};

// envoy.config.listener.v3.FilterChainMatch; an empty member matches everything. Criteria are tried
// in Envoy's order.
struct FilterChainMatch {
  std::optional<uint16_t> destination_port;
  std::vector<CidrRange> destination_ranges;
  std::vector<std::string> server_names;  // lower case; "*.example.com" allowed
  std::string transport_protocol;         // "", "raw_buffer", "tls"
  std::vector<std::string> application_protocols;
  std::vector<CidrRange> source_ranges;
  std::vector<uint16_t> source_ports;
};

// One L4 filter's configuration. HTTP is one of them (http::ConnectionManagerSpec). The name is
// Envoy's extension name: it says what the connections of a chain that ends with it are given to.
struct NetworkFilterSpec {
  virtual ~NetworkFilterSpec() = default;
  std::string name;
};

// The kernel's own probes of a TCP connection on which nothing moves (tcp(7)). Unset: the system's.
struct TcpKeepalive {
  std::optional<uint16_t> probes;            // 1 to 127
  std::optional<uint16_t> idle_seconds;      // 1 to 32767
  std::optional<uint16_t> interval_seconds;  // likewise
};

// How bytes are wrapped (tls/spec.h). Absent means plain text.
struct TransportSpec {
  virtual ~TransportSpec() = default;
  // Of a listener's: connections whose client shows no certificate fail.
  virtual bool requiresPeerCertificate() const { return false; }
};

struct FilterChainSpec {
  std::string name;
  FilterChainMatch match;
  std::shared_ptr<const TransportSpec> transport;  // null: plain text
  std::chrono::milliseconds transport_timeout{0};  // for the transport's handshake; 0: none
  std::vector<std::shared_ptr<const NetworkFilterSpec>> filters;
  uint64_t content_hash = 0;  // equal hashes: connections need not be drained
};

struct ListenerSpec {
  std::string name;
  std::vector<Address> addresses;  // at least one
  std::vector<std::shared_ptr<const FilterChainSpec>> filter_chains;
  std::shared_ptr<const FilterChainSpec> default_filter_chain;  // may be null
  std::string stat_prefix;                                      // empty: the address
  // What filters may collect of a body, and what is kept of one to send it again.
  uint32_t per_connection_buffer_limit_bytes = 1024 * 1024;
  // What waits in a connection before the far side is not read any more; 0: no limit. The same as
  // above where that is configured.
  uint32_t send_queue_bytes = 256 * 1024;
  uint32_t tcp_backlog = 4096;
  bool ipv4_compat = false;
  std::optional<uint32_t> unix_mode;  // permission bits of a unix socket
  bool ignore_global_limit = false;   // connections do not count against the process's limit
  // The ClientHello is read before the filter chain is chosen: for server names and ALPN.
  bool inspect_tls = false;
  std::chrono::milliseconds inspect_timeout{15'000};  // 0: none
  bool continue_after_inspect_timeout = false;        // with what is known; else closed
  std::string version;                                // of the resource; empty for static ones
};

}  // namespace convoy::net
