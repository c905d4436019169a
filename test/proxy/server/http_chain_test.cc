#include "proxy/server/http_chain.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>

#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using test::RawSocket;

class HttpChainTest : public testing::Test, protected OneWorker {
 protected:
  HttpChainTest() : chain_({0, filters, services, [this] { ++closed_; }}) {}
  ~HttpChainTest() override {
    chain_.closeAll();
    test_loop.runReady();
  }

  void update(std::shared_ptr<http::ConnectionManagerSpec> spec) {
    PreparedChain prepared;
    prepared.spec = std::make_shared<net::FilterChainSpec>();
    auto manager = std::make_shared<PreparedManager>();
    manager->metrics = manager_metrics_;
    ASSERT_TRUE(routes.put(spec->routes).ok());
    manager->routes = routes.slot(spec->routes->name);
    manager->spec = std::move(spec);
    prepared.terminal = std::move(manager);
    chain_.update(prepared, std::make_shared<const net::ListenerSpec>());
    test_loop.runReady();
  }
  static net::ConnectionAddresses addresses() {
    return {*net::Address::parse("192.0.2.7:1234"), *net::Address::parse("192.0.2.1:80")};
  }
  RawSocket connect() { return connect(addresses()); }
  RawSocket connect(net::ConnectionAddresses addresses) {
    int ends[2];
    CONVOY_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    const event::Loop::TurnScope turn(loop);
    chain_.accept(ends[0], std::move(addresses));
    test_loop.runReady();
    return RawSocket(ends[1]);
  }

  std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> manager_metrics_ =
      std::make_shared<observe::MetricGroup<http::ManagerMetrics>>(metrics, "http",
                                                                   observe::Labels{}, 2);
  int closed_ = 0;
  HttpChain chain_;
};

TEST_F(HttpChainTest, ServesAndCountsItsConnections) {
  update(manager(table("t", "hello")));
  EXPECT_EQ(chain_.connections(), 0u);
  RawSocket first = connect();
  const RawSocket second = connect();
  EXPECT_EQ(chain_.connections(), 2u);
  EXPECT_EQ(ask(first).body, "hello");
  EXPECT_EQ(ask(second).body, "hello");
  first.close();
  EXPECT_TRUE(test_loop.runUntil([&] { return closed_ == 1; }));
  EXPECT_EQ(chain_.connections(), 1u);
}

// A request pins the configuration of its moment; the next one on the connection takes the new one.
TEST_F(HttpChainTest, ARequestThatRunsKeepsTheConfigurationThatItBeganWith) {
  const RawSocket backend = RawSocket::listening();
  upstream::ClusterChanges changes;
  changes.clusters = {clusterOf("web", backend.localAddress())};
  clusters.apply(changes);
  const auto version = [](const std::string& server_name) {
    auto spec = manager(tableTo("t", "web"));
    spec->server_name = server_name;
    return spec;
  };
  update(version("old"));
  const RawSocket client = connect();
  client.send(request());
  ASSERT_TRUE(test_loop.runUntil([&] { return readable(backend); }));
  const RawSocket upstream = backend.accept();
  EXPECT_NE(receive(upstream), "");
  update(version("new"));
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  upstream.send(answer);
  EXPECT_NE(receive(client).find("\r\nserver: old\r\n"), std::string::npos);
  client.send(request());
  EXPECT_NE(receive(upstream), "");
  upstream.send(answer);
  EXPECT_NE(receive(client).find("\r\nserver: new\r\n"), std::string::npos);
}

// Behind a proxy that tells where the client comes from (PROXY protocol): hosts and logs hear of
// the client, and of the proxy where they ask for it.
TEST_F(HttpChainTest, TheOriginalAddressesAreTheClientsAndTheRealOnesAreKept) {
  const RawSocket backend = RawSocket::listening();
  upstream::ClusterChanges changes;
  changes.clusters = {clusterOf("web", backend.localAddress())};
  clusters.apply(changes);
  const auto routes = tableTo("t", "web");
  const auto format = http::parseLogFormat(
      "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
      "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_LOCAL_ADDRESS%");
  ASSERT_TRUE(format.ok()) << format.status();
  routes->edits.request.push_back({.name = "x-addresses", .value = {}, .format = *format});
  auto spec = manager(routes);
  spec->use_remote_address = true;
  update(std::move(spec));
  net::ConnectionAddresses through_a_proxy = addresses();
  through_a_proxy.setOriginal(*net::Address::parse("198.51.100.9:5555"),
                              *net::Address::parse("[2001:db8::1]:443"));
  const RawSocket client = connect(std::move(through_a_proxy));
  client.send(request());
  ASSERT_TRUE(test_loop.runUntil([&] { return readable(backend); }));
  const std::string sent = receive(backend.accept());
  EXPECT_NE(sent.find("\r\nx-forwarded-for: 198.51.100.9\r\n"), std::string::npos) << sent;
  EXPECT_NE(sent.find("\r\nx-addresses: 198.51.100.9:5555 [2001:db8::1]:443 192.0.2.7:1234 "
                      "192.0.2.1:80\r\n"),
            std::string::npos)
      << sent;
}

TEST_F(HttpChainTest, DrainingHoldsForOpenAndForNewConnections) {
  update(manager(table("t", "hello")));
  const RawSocket before = connect();
  EXPECT_FALSE(saysClose(ask(before)));
  chain_.drain();
  const RawSocket after = connect();
  EXPECT_TRUE(saysClose(ask(before)));
  EXPECT_TRUE(saysClose(ask(after)));
  EXPECT_TRUE(closed(before));
  // An update does not end it.
  update(manager(table("t", "hello")));
  EXPECT_TRUE(saysClose(ask(connect())));
}

TEST_F(HttpChainTest, ClosingAllEndsWhatRuns) {
  update(manager(table("t", "hello")));
  const RawSocket idle = connect();
  const RawSocket half = connect();
  half.send("GET / HTTP/1.1\r\n");
  test_loop.runReady();
  chain_.closeAll();
  EXPECT_TRUE(closed(idle));
  EXPECT_TRUE(closed(half));
  test_loop.runReady();
  EXPECT_EQ(chain_.connections(), 0u);
  EXPECT_EQ(closed_, 2);
}

TEST_F(HttpChainTest, ADisabledFilterIsLeftOut) {
  auto spec = manager(table("t", "hello"));
  auto disabled = std::make_shared<http::HttpFilterSpec>();
  disabled->kind = "nobody.has.this";
  disabled->disabled = true;
  spec->filters.insert(spec->filters.begin(), disabled);
  update(spec);
  EXPECT_EQ(ask(connect()).status, 200);
}

}  // namespace
}  // namespace convoy::server
