#include "controlplane/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <utility>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include "absl/strings/str_cat.h"
#include "controlplane/base/version.h"
#include "controlplane/compile/encoded.h"
#include "controlplane/compile/tls.h"
#include "controlplane/listen_address.h"
#include "controlplane/model/model.h"
#include "controlplane/store/sealed_store.h"
#include "controlplane/store/sqlite_store.h"

namespace convoy::controlplane {

namespace {

constexpr int kMostMessageBytes = 64 << 20;
constexpr int kPingMs = 30'000;  // to find connections that died without a word
constexpr int kPingPatienceMs = 10'000;
constexpr int kLeastClientPingMs = 5'000;
constexpr std::chrono::seconds kFinishPatience{2};

// Why the port cannot be had, which gRPC does not say.
std::string troubleWith(const net::Address& address) {
  sockaddr_storage where;
  const socklen_t size = address.toSockaddr(&where);
  const int fd = ::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return absl::StrCat(": ", strerror(errno));
  const int one = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  const bool bound =
      ::bind(fd, reinterpret_cast<const sockaddr*>(&where), size) == 0 && ::listen(fd, 1) == 0;
  const int error = errno;
  ::close(fd);
  return bound ? "" : absl::StrCat(": ", strerror(error));
}

// Where a server is, and whom it lets in.
struct Listening {
  const char* flag;
  net::Address* address;
  const std::string& client_ca;
};

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentialsOf(const Listening& listening,
                                                                       const TlsFiles& tls) {
  if (!tls.enabled() || !listening.address->isIp()) return grpc::InsecureServerCredentials();
  return serverCredentials(tls, listening.client_ca);
}

absl::StatusOr<std::unique_ptr<grpc::Server>> serve(const std::vector<grpc::Service*>& services,
                                                    const Listening& listening,
                                                    const TlsFiles& tls) {
  const auto credentials = credentialsOf(listening, tls);
  if (!credentials.ok()) return credentials.status();
  net::Address* const address = listening.address;
  grpc::ServerBuilder builder;
  // Two control planes on one port would each get some of the nodes.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingPatienceMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastClientPingMs);
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  int port = 0;
  builder.AddListeningPort(grpcAddress(*address), *credentials, &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    return absl::UnavailableError(absl::StrCat(
        listening.flag, " ", address->text(), ": cannot listen there", troubleWith(*address),
        "; check that no other process does, and that the address is one of this machine"));
  }
  if (address->isIp()) *address = address->withPort(static_cast<uint16_t>(port));
  return server;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                      const event::Clock* clock,
                                                      validate::XdsCheck check) {
  absl::StatusOr<std::unique_ptr<store::SqliteStore>> sqlite =
      store::SqliteStore::open({.path = options.store, .vfs = ""});
  if (!sqlite.ok()) return sqlite.status();
  absl::StatusOr<std::unique_ptr<store::SealedStore>> store = store::SealedStore::open(
      std::move(*sqlite),
      {.store_file = options.store,
       .key_file =
           options.secrets_key.empty() ? absl::StrCat(options.store, ".key") : options.secrets_key,
       .kinds = {std::begin(model::kSecretKinds), std::end(model::kSecretKinds)}});
  if (!store.ok()) return store.status();
  const store::SecretsKey key = (*store)->key();
  absl::StatusOr<std::unique_ptr<manage::ConfigManager>> manager = manage::ConfigManager::open(
      store->get(), clock, std::move(check),
      [key](absl::string_view purpose, size_t bytes) { return key.derive(purpose, bytes); });
  if (!manager.ok()) return manager.status();
  std::unique_ptr<Server> server(new Server(std::move(*store), std::move(*manager), clock));
  // Before a node can ask.
  server->rotateTicketKeys(key, clock, options.clock_look);
  absl::Status status = server->listen(options);
  if (!status.ok()) return status;
  return server;
}

Server::Server(std::unique_ptr<store::Store> store, std::unique_ptr<manage::ConfigManager> manager,
               const event::Clock* clock)
    : store_(std::move(store)),
      manager_(std::move(manager)),
      registry_(clock),
      publisher_(manager_->snapshot()),
      ads_(&publisher_, &registry_, absl::StrCat("convoy-control/", kVersion)),
      config_(manager_.get(), store_.get(), &registry_, &stop_),
      fleet_(
          &registry_, [this] { return manager_->head(); }, &stop_) {
  manager_->setPublish(
      [this](const compile::SnapshotPtr& snapshot) { publisher_.publish(snapshot); });
}

void Server::rotateTicketKeys(const store::SecretsKey& key, const event::Clock* clock,
                              event::Duration look) {
  ticket_keys_ = std::make_unique<manage::TicketRotation>(
      key, clock, look, [this](const std::vector<std::string>& keys) {
        manager_->putSecret(compile::encode(compile::Type::Secret, compile::kTicketSecret,
                                            compile::compileTicketKeys(keys)));
      });
}

absl::Status Server::listen(const ServerOptions& options) {
  const TlsFiles& tls = options.tls;
  absl::StatusOr<net::Address> management =
      listenAddress("--listen", options.management, options.insecure || !tls.client_ca.empty());
  if (!management.ok()) return management.status();
  absl::StatusOr<net::Address> xds =
      listenAddress("--xds-listen", options.xds, options.insecure || !tls.nodesCa().empty());
  if (!xds.ok()) return xds.status();
  management_ = *management;
  xds_ = *xds;
  absl::StatusOr<std::unique_ptr<grpc::Server>> server =
      serve({&config_, &fleet_}, {"--listen", &management_, tls.client_ca}, tls);
  if (!server.ok()) return server.status();
  management_server_ = std::move(*server);
  server = serve({&ads_}, {"--xds-listen", &xds_, tls.nodesCa()}, tls);
  if (!server.ok()) return server.status();
  xds_server_ = std::move(*server);
  return absl::OkStatus();
}

Server::~Server() {
  ticket_keys_.reset();
  stop_.stop();
  publisher_.stop();
  // Relative, so that no clock is read here.
  const gpr_timespec patience = gpr_time_from_seconds(kFinishPatience.count(), GPR_TIMESPAN);
  for (grpc::Server* server : {management_server_.get(), xds_server_.get()}) {
    if (server != nullptr) server->Shutdown(patience);
  }
}

}  // namespace convoy::controlplane
