#pragma once

// A listener as main prepares it once for all workers: what is shared (metrics, limits, what its
// chains' filters need) is here; what a worker needs of its own (filters, deadlines, streams) it
// builds from this. Immutable after being posted.

#include <memory>
#include <string>
#include <vector>

#include "proxy/event/worker_slot.h"
#include "proxy/http/route_matcher.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/spec.h"
#include "proxy/net/transport.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/connection_limit.h"
#include "proxy/server/exhaustion_log.h"

namespace convoy::server {

// One route table by name, for all workers. Shared by the listeners that use it.
using RouteTableSlot = event::WorkerSlot<http::RouteMatcher>;

class ChainHandler;
struct HandlerContext;

// What main made of the filter that ends a chain. It chooses what becomes of the chain's
// connections; any worker.
class PreparedTerminal {
 public:
  virtual ~PreparedTerminal() = default;
  virtual std::unique_ptr<ChainHandler> makeHandler(HandlerContext context) const = 0;
};

struct PreparedChain {
  std::shared_ptr<const net::FilterChainSpec> spec;
  std::shared_ptr<net::TransportFactory> transport;  // null: plain text
  std::shared_ptr<const PreparedTerminal> terminal;
};

struct ListenerMetrics {
  net::AcceptMetrics accept;
  observe::Counter downstream_cx_total;
  observe::Gauge downstream_cx_active;
  observe::Counter downstream_cx_destroy;
  observe::Counter downstream_global_cx_overflow;
  observe::Counter no_filter_chain_match;
  observe::Gauge downstream_pre_cx_active;
  observe::Counter downstream_pre_cx_timeout;
  observe::Counter hello_invalid;
  observe::Counter tls_found;
  observe::Counter tls_not_found;
  observe::Counter sni_found;
  observe::Counter sni_not_found;
  observe::Counter alpn_found;
  observe::Counter alpn_not_found;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    net::AcceptMetrics::visit(self.accept, visitor);
    visitor("downstream_cx_total", self.downstream_cx_total, "Connections given to a filter chain");
    visitor("downstream_cx_active", self.downstream_cx_active, "Connections open");
    visitor("downstream_cx_destroy", self.downstream_cx_destroy, "Connections closed");
    visitor("downstream_global_cx_overflow", self.downstream_global_cx_overflow,
            "Connections closed at once because the process's connection limit was reached");
    visitor("no_filter_chain_match", self.no_filter_chain_match,
            "Connections closed because no filter chain matched");
    visitor("downstream_pre_cx_active", self.downstream_pre_cx_active,
            "Connections whose ClientHello is waited for");
    visitor("downstream_pre_cx_timeout", self.downstream_pre_cx_timeout,
            "Connections whose ClientHello did not come in time");
    visitor("tls_inspector.client_hello_invalid", self.hello_invalid,
            "Connections closed because their ClientHello is malformed or too large");
    visitor("tls_inspector.tls_found", self.tls_found, "Connections that begin with TLS");
    visitor("tls_inspector.tls_not_found", self.tls_not_found, "Connections that do not");
    visitor("tls_inspector.sni_found", self.sni_found, "ClientHellos with a server name");
    visitor("tls_inspector.sni_not_found", self.sni_not_found, "ClientHellos without one");
    visitor("tls_inspector.alpn_found", self.alpn_found, "ClientHellos with ALPN");
    visitor("tls_inspector.alpn_not_found", self.alpn_not_found, "ClientHellos without ALPN");
  }
};

struct PreparedListener {
  std::shared_ptr<const net::ListenerSpec> spec;
  std::shared_ptr<observe::MetricGroup<ListenerMetrics>> metrics;
  std::shared_ptr<ConnectionLimit> limit;          // of this listener
  std::shared_ptr<ConnectionLimit> process_limit;  // null: does not hold for this listener
  // Places for clients' descriptors, of all listeners; accepting pauses while none is free.
  // Null: as many as come.
  std::shared_ptr<ConnectionLimit> descriptors;
  std::shared_ptr<ExhaustionLog> exhaustion;
  std::vector<PreparedChain> chains;  // in the spec's order, then the default chain if there is one
};

}  // namespace convoy::server
