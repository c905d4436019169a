#pragma once

// The control plane put together: store, manager, publisher, registry and the two gRPC servers
// (management; xDS), each with the thread that accepts its connections. Made and stopped by main.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include "absl/status/statusor.h"
#include "controlplane/accept_loop.h"
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
#include "proxy/net/listen_socket.h"

namespace convoy::controlplane {

struct ServerOptions {
  std::string store;                           // file
  std::string secrets_key = {};                // file; empty: the store's name and ".key"
  bool new_store = false;                      // make one, even if there was one before
  std::string management = "127.0.0.1:18001";  // address; port 0: a free one
  std::string xds = "127.0.0.1:18000";
  bool insecure = false;          // may listen where other machines reach it
  TlsFiles tls = {};              // of IP addresses; unix sockets have the file's permissions
  int max_connections = 10'000;   // on both addresses together, about
  int descriptor_limit = 65'536;  // the process's
  event::Duration clock_look = std::chrono::minutes(1);  // how often the wall clock is looked at
};

class Server {
 public:
  // Serves on return. `clock` outlives it. Errors name the flag or the file at fault:
  // InvalidArgument for flags that make no sense. No file is made before the flags are looked at
  // and the addresses are ours.
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
  // An address that is ours, and whom it lets in.
  struct Port {
    net::ListenSocket socket;
    std::shared_ptr<grpc::ServerCredentials> credentials;
    AcceptOptions accept;
  };
  // A gRPC server and who brings it connections: the loop goes first.
  struct Listener {
    std::unique_ptr<grpc::Server> server;
    std::unique_ptr<AcceptLoop> loop;
  };

  Server(std::unique_ptr<store::Store> store, std::unique_ptr<manage::ConfigManager> manager,
         const event::Clock* clock);

  static absl::StatusOr<std::unique_ptr<Server>> restore(const ServerOptions& options,
                                                         const event::Clock* clock,
                                                         validate::XdsCheck check);
  static absl::StatusOr<Port> openPort(const std::string& flag, const std::string& text,
                                       const std::string& client_ca, const ServerOptions& options);
  static Listener serve(Port port, const std::vector<grpc::Service*>& services,
                        const event::Clock* clock);
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
  Listener management_listener_;
  Listener xds_listener_;
};

}  // namespace convoy::controlplane
