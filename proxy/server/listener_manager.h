#pragma once

// The listeners as main knows them: owns the listening sockets, prepares configuration once for all
// workers, and posts it.
//
// There is one socket per address and worker (SO_REUSEPORT), for the whole life of the address:
// closing one would reset what waits in its accept queue. A new version of a listener is swapped in
// behind its sockets. Thread: main's.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proxy/net/listen_socket.h"
#include "proxy/net/spec.h"
#include "proxy/observe/log_writer.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/prepared.h"
#include "proxy/server/route_tables.h"
#include "proxy/server/worker.h"

namespace convoy::server {

class ListenerManager {
 public:
  ListenerManager(std::vector<Worker*> workers, RouteTables& routes, observe::LogWriter& logs,
                  observe::MetricRegistry& registry, net::AdoptedSockets& adopted);
  ~ListenerManager();

  // Can this listener be had here? Binds the sockets that it needs and that are not open yet, opens
  // its logs, without accepting. The error names address and reason. What was admitted and never
  // applied is given up by remove().
  absl::Status admit(const std::shared_ptr<const net::ListenerSpec>& spec);
  // REQUIRES: admitted.
  void apply(const std::shared_ptr<const net::ListenerSpec>& spec);
  // Stops accepting at once and drains.
  void remove(const std::string& name);
  // Every worker says goodbye on its connections; accepting goes on until stopAccepting().
  void drainAll();
  void stopAccepting();

  struct Active {
    std::shared_ptr<const net::ListenerSpec> spec;  // null: admitted only
    std::vector<net::Address> configured;
    std::vector<net::Address> addresses;  // the same, with the ports that the kernel chose
  };
  // By name, for admin and people.
  std::map<std::string, Active> active() const;

 private:
  struct Socket {
    net::Address configured;
    net::WorkerSockets per_worker;
    bool accepting = false;
  };
  struct Listener {
    std::shared_ptr<const net::ListenerSpec> spec;
    std::vector<Socket> sockets;
    std::shared_ptr<observe::MetricGroup<ListenerMetrics>> metrics;
    std::shared_ptr<std::atomic<uint64_t>> connections = std::make_shared<std::atomic<uint64_t>>(0);
    std::vector<std::string> inline_tables;
  };

  absl::Status openSockets(Listener& listener, const net::ListenerSpec& spec);
  absl::Status checkLogs(const net::ListenerSpec& spec);
  void startAccepting(const std::string& listener, Socket& socket);
  void closeUnused(Listener& listener);
  void closeSocket(const std::string& listener, Socket& socket);
  std::shared_ptr<const PreparedListener> prepare(
      Listener& listener, const std::shared_ptr<const net::ListenerSpec>& spec);
  PreparedManager prepareManager(Listener& listener, const std::string& table_name,
                                 std::shared_ptr<const http::ConnectionManagerSpec> spec);
  std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> managerMetrics(
      const std::string& prefix);

  const std::vector<Worker*> workers_;
  RouteTables& routes_;
  observe::LogWriter& logs_;
  observe::MetricRegistry& registry_;
  net::AdoptedSockets& adopted_;
  std::map<std::string, Listener> listeners_;
  // Several listeners may share a stat_prefix, and so the counters.
  std::map<std::string, std::weak_ptr<observe::MetricGroup<http::ManagerMetrics>>> manager_metrics_;
};

}  // namespace convoy::server
