#pragma once

// The listeners as main knows them: prepares configuration once for all workers, and posts it;
// listen_sockets.h keeps their addresses open. Thread: main's.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proxy/net/listen_socket.h"
#include "proxy/net/spec.h"
#include "proxy/observe/log_writer.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/listen_sockets.h"
#include "proxy/server/prepared.h"
#include "proxy/server/route_tables.h"
#include "proxy/server/terminal_filter.h"
#include "proxy/server/worker.h"
#include "proxy/tls/secret_manager.h"

namespace convoy::server {

// How many connections may be open at the same time. Unset, or not named: as many as come.
struct ConnectionLimits {
  std::optional<uint64_t> process;            // over all listeners
  std::map<std::string, uint64_t> listeners;  // by name
  // Over all listeners; accepting pauses instead of closing.
  std::optional<uint64_t> descriptors = {};
};

class ListenerManager {
 public:
  // Everything but the limits outlives this object.
  ListenerManager(event::Loop& main, std::vector<Worker*> workers, RouteTables& routes,
                  observe::LogWriter& logs, observe::MetricRegistry& registry,
                  tls::SecretManager& secrets, net::AdoptedSockets& adopted,
                  ConnectionLimits limits);
  ~ListenerManager();

  // Another network filter that may end a chain; HTTP's is there. Before the first listener.
  void addTerminal(std::string name, std::unique_ptr<TerminalFilter> filter);

  // Can this listener be had here? Loads the certificates that it holds, binds the sockets that it
  // needs and that are not open yet, opens its logs, without accepting. `leaving`: listeners that
  // are removed by the same change, whose addresses may be taken over. The error names address and
  // reason, or has kFieldPath (terminal_filter.h) if it is not about the address. What was admitted
  // and never applied is given up by remove().
  absl::Status admit(const std::shared_ptr<const net::ListenerSpec>& spec,
                     const std::set<std::string>& leaving = {});
  // REQUIRES: admitted.
  void apply(const std::shared_ptr<const net::ListenerSpec>& spec);
  // Stops accepting at once and drains.
  void remove(const std::string& name);
  // Every worker says goodbye on its connections; accepting goes on until stopAccepting().
  void drainAll();
  // Whoever is connecting may finish; nobody else begins. A moment before stopAccepting().
  void lastCall() { sockets_.lastCall(); }
  // For good. Who has connected already is taken; the addresses are free then, for a successor,
  // and new clients are refused instead of waiting for nobody.
  void stopAccepting();
  // Closes the listening sockets; a listener that comes again opens its own again.
  void stopListening();

  struct Active {
    std::shared_ptr<const net::ListenerSpec> spec;  // null: admitted only
    std::vector<net::Address> configured;
    std::vector<net::Address> addresses;  // the same, with the ports that the kernel chose
  };
  // By name, for admin and people.
  std::map<std::string, Active> active() const;

 private:
  struct Listener {
    std::shared_ptr<const net::ListenerSpec> spec;
    std::shared_ptr<const PreparedListener> prepared;
    std::string label;  // of its metrics, for good
    std::shared_ptr<observe::MetricGroup<ListenerMetrics>> metrics;
    std::shared_ptr<ConnectionLimit> limit;
  };

  absl::Status checkChains(const net::ListenerSpec& spec);
  absl::Status checkChain(const net::FilterChainSpec& chain, const std::string& field);
  std::shared_ptr<net::TransportFactory> transportOf(const Listener& listener,
                                                     const net::FilterChainSpec& chain);
  std::shared_ptr<ConnectionLimit> makeLimit(const std::string& listener) const;
  std::shared_ptr<const PreparedListener> prepare(
      Listener& listener, const std::shared_ptr<const net::ListenerSpec>& spec);
  TerminalFilter& terminalOf(const net::FilterChainSpec& chain) const;

  const std::vector<Worker*> workers_;
  observe::MetricRegistry& registry_;
  tls::SecretManager& secrets_;
  const ConnectionLimits limits_;
  const std::shared_ptr<ConnectionLimit> process_limit_;
  const std::shared_ptr<ConnectionLimit> descriptors_;
  const std::shared_ptr<ExhaustionLog> exhaustion_ = std::make_shared<ExhaustionLog>();
  ListenSockets sockets_;
  std::map<std::string, Listener> listeners_;
  TerminalFilters terminals_;
};

}  // namespace convoy::server
