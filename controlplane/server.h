#pragma once

// The control plane put together: store, manager, publisher, registry and the two gRPC servers
// (management; xDS). Made and stopped by main.

#include <chrono>
#include <memory>
#include <string>

#include <grpcpp/server.h>
#include "absl/status/statusor.h"
#include "controlplane/base/stop_signal.h"
#include "controlplane/fleet/fleet_service.h"
#include "controlplane/fleet/registry.h"
#include "controlplane/manage/config_manager.h"
#include "controlplane/manage/config_service.h"
#include "controlplane/manage/ticket_keys.h"
#include "controlplane/push/ads_service.h"
#include "controlplane/push/publisher.h"
#include "controlplane/server_tls.h"
#include "controlplane/store/store.h"
#include "controlplane/validate/xds_check.h"
#include "proxy/event/clock.h"
#include "proxy/net/address.h"

namespace convoy::controlplane {

struct ServerOptions {
  std::string store;                           // file
  std::string secrets_key = {};                // file; empty: the store's name and ".key"
  std::string management = "127.0.0.1:18001";  // address; port 0: a free one
  std::string xds = "127.0.0.1:18000";
  bool insecure = false;  // may listen where other machines reach it
  TlsFiles tls = {};      // of IP addresses; unix sockets have the file\'s permissions
  event::Duration clock_look = std::chrono::minutes(1);  // how often the wall clock is looked at
};

class Server {
 public:
  // Serves on return. `clock` outlives it. Errors name the flag or the file at fault.
  static absl::StatusOr<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                       const event::Clock* clock,
                                                       validate::XdsCheck check);
  // Ends every stream, lets calls in flight finish for a moment, and closes.
  ~Server();

  // As they really are: with their ports.
  const net::Address& management() const { return management_; }
  const net::Address& xds() const { return xds_; }
  store::RevisionNumber head() const { return manager_->head(); }

 private:
  Server(std::unique_ptr<store::Store> store, std::unique_ptr<manage::ConfigManager> manager,
         const event::Clock* clock);

  absl::Status listen(const ServerOptions& options);
  void rotateTicketKeys(const store::SecretsKey& key, const event::Clock* clock,
                        event::Duration look);

  const std::unique_ptr<store::Store> store_;
  const std::unique_ptr<manage::ConfigManager> manager_;
  StopSignal stop_;
  fleet::Registry registry_;
  push::Publisher publisher_;
  push::AdsService ads_;
  manage::ConfigService config_;
  fleet::FleetService fleet_;
  std::unique_ptr<manage::TicketRotation> ticket_keys_;
  net::Address management_;
  net::Address xds_;
  std::unique_ptr<grpc::Server> management_server_;
  std::unique_ptr<grpc::Server> xds_server_;
};

}  // namespace convoy::controlplane
