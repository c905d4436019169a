#include "controlplane/server.h"

#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include "absl/strings/str_cat.h"
#include "controlplane/base/event_log.h"
#include "controlplane/base/version.h"
#include "controlplane/compile/encoded.h"
#include "controlplane/compile/tls.h"
#include "controlplane/listen_address.h"
#include "controlplane/model/model.h"
#include "controlplane/store/sealed_store.h"
#include "controlplane/store/sqlite_store.h"
#include "proxy/base/assert.h"
#include "proxy/base/descriptor_limit.h"

namespace convoy::controlplane {

namespace {

using Acceptor = grpc::experimental::ExternalConnectionAcceptor;
using Builder = grpc::ServerBuilder::experimental_type;

constexpr int kMostMessageBytes = 64 << 20;
constexpr int kPingMs = 30'000;  // to find connections that died without a word
constexpr int kPingPatienceMs = 10'000;
constexpr int kLeastClientPingMs = 5'000;
// For TLS and the beginning of HTTP/2: who only connects is gone then.
constexpr int kHandshakeMs = 10'000;
constexpr std::chrono::seconds kFinishPatience{2};

}  // namespace

absl::StatusOr<Server::Port> Server::openPort(const std::string& flag, const std::string& text,
                                              const std::string& client_ca,
                                              const ServerOptions& options) {
  absl::StatusOr<net::Address> address =
      listenAddress(flag, text, {.certificates = !client_ca.empty(), .insecure = options.insecure});
  if (!address.ok()) return address.status();
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.tls.enabled() && address->isIp()) {
    auto secure = serverCredentials(options.tls, client_ca);
    if (!secure.ok()) return secure.status();
    credentials = *std::move(secure);
  }
  net::AdoptedSockets none;
  absl::StatusOr<net::WorkerSockets> sockets =
      net::openListenSockets(*address, 1, {.ipv4_compat = true}, none);
  if (!sockets.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(flag, " ", text, ": ", sockets.status().message()));
  }
  return Port{std::move(sockets->front().front()), std::move(credentials), {.name = flag}};
}

absl::StatusOr<std::unique_ptr<Server>> Server::restore(const ServerOptions& options,
                                                        const event::Clock* clock,
                                                        validate::XdsCheck check) {
  const std::string key_file =
      options.secrets_key.empty() ? absl::StrCat(options.store, ".key") : options.secrets_key;
  absl::StatusOr<std::unique_ptr<store::SqliteStore>> sqlite = store::SqliteStore::open(
      {.path = options.store, .vfs = "", .key_file = key_file, .new_store = options.new_store});
  if (!sqlite.ok()) return sqlite.status();
  if ((*sqlite)->isNew()) logEvent("store_made", {{"store", options.store}});
  absl::StatusOr<std::unique_ptr<store::SealedStore>> store = store::SealedStore::open(
      std::move(*sqlite),
      {.store_file = options.store,
       .key_file = key_file,
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
  return server;
}

absl::StatusOr<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                      const event::Clock* clock,
                                                      validate::XdsCheck check) {
  absl::Status enough = enoughDescriptors(options.descriptor_limit, base::openDescriptors());
  if (!enough.ok()) return enough;
  const TlsFiles& tls = options.tls;
  absl::StatusOr<Port> management =
      openPort("--listen", options.management, tls.client_ca, options);
  if (!management.ok()) return management.status();
  absl::StatusOr<Port> xds = openPort("--xds-listen", options.xds, tls.nodesCa(), options);
  if (!xds.ok()) return xds.status();
  const DescriptorShares shares =
      shareDescriptors(options.descriptor_limit, options.max_connections);
  management->accept.most_descriptors = shares.management;
  xds->accept.most_descriptors = shares.xds;
  absl::StatusOr<std::unique_ptr<Server>> server = restore(options, clock, std::move(check));
  if (!server.ok()) return server.status();
  Server& made = **server;
  made.management_ = management->socket.address();
  made.xds_ = xds->socket.address();
  made.management_listener_ = serve(*std::move(management), {&made.config_, &made.fleet_}, clock);
  made.xds_listener_ = serve(*std::move(xds), {&made.ads_}, clock);
  return server;
}

Server::Listener Server::serve(Port port, const std::vector<grpc::Service*>& services,
                               const event::Clock* clock) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kPingMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingPatienceMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kLeastClientPingMs);
  builder.SetMaxReceiveMessageSize(kMostMessageBytes);
  std::shared_ptr<Acceptor> acceptor = builder.experimental().AddExternalConnectionAcceptor(
      Builder::ExternalConnectionType::FROM_FD, port.credentials);
  for (grpc::Service* service : services) builder.RegisterService(service);
  Listener listener;
  listener.server = builder.BuildAndStart();
  CONVOY_ASSERT(listener.server != nullptr);  // it opens nothing itself
  const int listening = port.socket.fd();
  listener.loop = std::make_unique<AcceptLoop>(std::move(port.socket), std::move(port.accept),
                                               clock, [acceptor, listening](int fd) {
                                                 Acceptor::NewConnectionParameters connection;
                                                 connection.listener_fd = listening;
                                                 connection.fd = fd;
                                                 acceptor->HandleNewConnection(&connection);
                                               });
  return listener;
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

Server::~Server() {
  ticket_keys_.reset();
  stop_.stop();
  publisher_.stop();
  // Relative, so that no clock is read here.
  const gpr_timespec patience = gpr_time_from_seconds(kFinishPatience.count(), GPR_TIMESPAN);
  for (Listener* listener : {&management_listener_, &xds_listener_}) {
    listener->loop.reset();
    if (listener->server != nullptr) listener->server->Shutdown(patience);
  }
}

}  // namespace convoy::controlplane
