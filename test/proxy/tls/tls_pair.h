#pragma once

// A TLS client and a TLS server joined in memory, with certificates of test_ca.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/tls/context.h"
#include "proxy/tls/tls_transport.h"
#include "test/common/recording_handler.h"
#include "test/common/stream_medium.h"
#include "test/common/test_ca.h"
#include "test/common/test_loop.h"

namespace convoy::tls {

inline std::shared_ptr<const Certificate> certificateOf(const std::string& name,
                                                        bool stapled = false) {
  return Certificate::make({.chain = test::caFile(name + ".pem"),
                            .key = test::caFile(name + ".key"),
                            .password = {},
                            .ocsp = stapled ? test::caFile(name + ".ocsp") : ""})
      .value();
}

inline std::shared_ptr<const Validation> validationOf(const std::string& ca,
                                                      std::vector<SanMatch> names = {}) {
  ValidationSpec spec;
  spec.names = std::move(names);
  return Validation::make(spec, {.trusted_ca = test::caFile(ca), .crl = {}}, nullptr).value();
}

// What both sides are made of; a case changes what it is about.
struct Sides {
  ServerSpec server;
  Material server_material{
      .certificates = {certificateOf("ecdsa")}, .validation = nullptr, .ticket_keys = nullptr};
  ClientSpec client;
  Material client_material{
      .certificates = {}, .validation = validationOf("ca.pem"), .ticket_keys = nullptr};

  std::shared_ptr<const ServerContext> serverContext(const event::Clock& clock) const {
    return ServerContext::make(std::make_shared<ServerSpec>(server), server_material, clock)
        .value();
  }
  std::shared_ptr<const ClientContext> clientContext(const event::Clock& clock) const {
    return ClientContext::make(std::make_shared<ClientSpec>(client), client_material, clock)
        .value();
  }
};

// The library ages sessions by the system's clock, or by a function without an argument: makes it
// the test's clock, the same one for all contexts. Before the context's first session.
inline const event::Clock* library_clock = nullptr;
inline void useClockInLibrary(const event::Clock& clock, const Context& context) {
  library_clock = &clock;
  SSL_CTX_set_current_time_cb(SSL_get_SSL_CTX(context.newSsl().get()), [](const SSL*,
                                                                          timeval* now) {
    *now = {.tv_sec = std::chrono::system_clock::to_time_t(library_clock->wallNow()), .tv_usec = 0};
  });
}

struct TlsPair {
  explicit TlsPair(test::Medium medium = test::Medium::Memory) : medium(medium) {}

  void join(const Sides& setup) { join(setup.clientContext(clock), setup.serverContext(clock)); }
  void join(std::shared_ptr<const Context> client_context,
            std::shared_ptr<const Context> server_context) {
    client = {};
    server = {};
    connections = test::connectedPair(medium, loop.loop(), client, server);
    connections.second->setTransport(
        std::make_unique<TlsTransport>(std::move(server_context), server_metrics));
    connections.first->setTransport(
        std::make_unique<TlsTransport>(std::move(client_context), client_metrics));
  }
  void goToTheLastHourOf(const std::string& file) {
    const auto read = readPemCertificates(test::caFile(file)).value();
    pass(expiryOf(read.front().get()) - std::chrono::hours(1) - clock.wallNow());
  }
  // True: both sides are connected; false: both have failed.
  bool handshake() {
    const bool settled = loop.runUntil([this] {
      return (client.connected && server.connected) ||
             (client.closed.has_value() && server.closed.has_value());
    });
    EXPECT_TRUE(settled);
    return client.connected && server.connected && !client.closed && !server.closed;
  }
  bool joinAndHandshake(const Sides& setup) {
    join(setup);
    return handshake();
  }
  void pass(event::Duration time) { clock.shift = clock.shift.load() + time; }
  // One message each way, so that tickets have arrived, and the end.
  void exchange() {
    connections.first->write("request");
    EXPECT_TRUE(loop.runUntil([this] { return server.received == "request"; }));
    connections.second->write("response");
    EXPECT_TRUE(loop.runUntil([this] { return client.received == "response"; }));
  }
  SSL* clientSsl() {
    return static_cast<TlsTransport*>(connections.first->transport())->sslForTest();
  }
  // The subject of the server's certificate, as the client was shown it.
  std::string shownCertificate() {
    const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(clientSsl()));
    return certificate == nullptr ? "" : identityOf(certificate.get()).subject;
  }
  net::TransportInfo clientInfo() { return connections.first->transport()->info(); }
  net::TransportInfo serverInfo() { return connections.second->transport()->info(); }

  const test::Medium medium;
  test::ShiftedClock clock;
  test::TestLoop loop{clock};
  TlsMetrics client_metrics;
  TlsMetrics server_metrics;
  test::RecordingHandler client;
  test::RecordingHandler server;
  test::ConnectionPair connections;
};

}  // namespace convoy::tls
