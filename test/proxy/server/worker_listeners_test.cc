#include "proxy/server/worker_listeners.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "proxy/server/http_terminal.h"
#include "test/proxy/server/echo_chain.h"
#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using std::chrono::seconds;
using test::RawSocket;

class WorkerListenersTest : public testing::Test, protected OneWorker {
 protected:
  WorkerListenersTest() : listeners_(0, loop, filters, services, kDrainTime) {}
  ~WorkerListenersTest() override {
    listeners_.stopAccepting();
    listeners_.closeAll();
    test_loop.runReady();
  }

  // What main makes of a spec, and posts.
  void update(const std::shared_ptr<const net::ListenerSpec>& spec) {
    auto prepared = std::make_shared<PreparedListener>();
    prepared->spec = spec;
    prepared->metrics = listener_metrics_;
    prepared->limit = limit_;
    prepared->process_limit = process_limit_;
    prepared->exhaustion = std::make_shared<ExhaustionLog>();
    std::vector<std::shared_ptr<const net::FilterChainSpec>> chains = spec->filter_chains;
    if (spec->default_filter_chain != nullptr) chains.push_back(spec->default_filter_chain);
    for (const auto& chain : chains) {
      const auto& filter = chain->filters.back();
      TerminalFilter* terminal = &http_;
      if (filter->name == kEcho) terminal = &echo_;
      prepared->chains.push_back({chain, nullptr, terminal->prepare(filter)});
    }
    listeners_.update(std::move(prepared));
    test_loop.runReady();
  }
  net::Address open(const std::string& listener, std::string_view address = "127.0.0.1:0") {
    net::AdoptedSockets none;
    auto sockets = net::openListenSockets(*net::Address::parse(address), 1, {}, none);
    CONVOY_ASSERT(sockets.ok());
    sockets_.push_back(std::move((*sockets)[0][0]));
    listeners_.addSocket(listener, sockets_.back());
    return sockets_.back().address();
  }
  RawSocket connect(const net::Address& address) {
    const size_t before = listeners_.connections();
    RawSocket client = RawSocket::connectedTo(address);
    EXPECT_TRUE(test_loop.runUntil([&] { return listeners_.connections() > before; }));
    return client;
  }
  ListenerMetrics& counters() { return listener_metrics_->slot(0); }

  std::shared_ptr<observe::MetricGroup<ListenerMetrics>> listener_metrics_ =
      std::make_shared<observe::MetricGroup<ListenerMetrics>>(metrics, "listener",
                                                              observe::Labels{}, 2);
  HttpTerminal http_{routes, logs, metrics, 2};
  EchoTerminal echo_;
  std::shared_ptr<ConnectionLimit> limit_ = std::make_shared<ConnectionLimit>(std::nullopt);
  std::shared_ptr<ConnectionLimit> process_limit_;
  std::list<net::ListenSocket> sockets_;
  WorkerListeners listeners_;
};

TEST_F(WorkerListenersTest, AConnectionIsServedByTheChainThatMatches) {
  auto spec = listener("l", {"127.0.0.1:0"}, "loopback");
  auto matched = std::make_shared<net::FilterChainSpec>(*spec->filter_chains[0]);
  matched->match.source_ranges = {{*net::Address::fromIp("127.0.0.0", 0), 8}};
  spec->filter_chains = {matched};
  spec->default_filter_chain = chain(manager(table("inline", "others")), 2);
  update(spec);
  const net::Address at = open("l");
  EXPECT_EQ(ask(connect(at)).body, "loopback");

  auto elsewhere = std::make_shared<net::FilterChainSpec>(*matched);
  elsewhere->match.source_ranges = {{*net::Address::fromIp("192.0.2.0", 0), 24}};
  auto changed = std::make_shared<net::ListenerSpec>(*spec);
  changed->filter_chains = {elsewhere};
  update(changed);
  EXPECT_EQ(ask(connect(at)).body, "others");

  changed = std::make_shared<net::ListenerSpec>(*changed);
  changed->default_filter_chain = nullptr;
  update(changed);
  const RawSocket nobodys = RawSocket::connectedTo(at);
  EXPECT_TRUE(closed(nobodys));
  EXPECT_EQ(counters().no_filter_chain_match.value(), 1u);
  EXPECT_EQ(counters().downstream_cx_total.value(), 2u);
}

TEST_F(WorkerListenersTest, EveryChainKeepsOrDrainsItsOwnConnections) {
  const auto version = [](const std::string& body, uint64_t slice_of_second) {
    auto spec = listener("l", {"127.0.0.1:0"}, body + "/first", 1);
    auto first = std::make_shared<net::FilterChainSpec>(*spec->filter_chains[0]);
    first->match.source_ranges = {{*net::Address::fromIp("127.0.0.1", 0), 32}};
    spec->filter_chains = {first};
    spec->default_filter_chain = chain(manager(table("inline", body + "/second")), slice_of_second);
    return spec;
  };
  update(version("1", 10));
  const net::Address at = open("l");
  const net::Address other_socket = open("l", "[::1]:0");
  const RawSocket on_first = connect(at);
  const RawSocket on_second = connect(other_socket);
  EXPECT_EQ(ask(on_first).body, "1/first");
  EXPECT_EQ(ask(on_second).body, "1/second");
  update(version("2", 11));
  EXPECT_EQ(listeners_.connections(), 2u);
  const test::HttpReply kept = ask(on_first);
  EXPECT_EQ(kept.body, "2/first");
  EXPECT_FALSE(saysClose(kept));
  EXPECT_TRUE(saysClose(ask(on_second)));
  EXPECT_TRUE(closed(on_second));
}

TEST_F(WorkerListenersTest, TheTerminalFilterOfAChainChoosesWhoServesIt) {
  const auto version = [](const std::string& body, uint64_t echo_slice) {
    auto spec = listener("l", {"127.0.0.1:0"}, body, 1);
    spec->default_filter_chain = spec->filter_chains[0];
    auto echo = echoChain(echo_slice);
    echo->match.source_ranges = {{*net::Address::fromIp("127.0.0.1", 0), 32}};
    spec->filter_chains = {echo};
    return spec;
  };
  update(version("http", 10));
  const RawSocket echoed = connect(open("l"));
  const RawSocket web = connect(open("l", "[::1]:0"));
  echoed.send("no request");
  EXPECT_EQ(receive(echoed), "no request");
  EXPECT_EQ(ask(web).body, "http");
  EXPECT_EQ(counters().downstream_cx_active.value(), 2);
  update(version("changed", 10));
  echoed.send("still");
  EXPECT_EQ(receive(echoed), "still");
  EXPECT_EQ(ask(web).body, "changed");
  update(version("changed", 11));
  EXPECT_TRUE(closed(echoed));
  EXPECT_FALSE(saysClose(ask(web)));
  EXPECT_TRUE(test_loop.runUntil([&] { return listeners_.connections() == 1; }));
  EXPECT_EQ(counters().downstream_cx_active.value(), 1);
}

TEST_F(WorkerListenersTest, WhatWasReadToChooseTheChainIsItsFirstInput) {
  auto spec = listenerOf("l", {"127.0.0.1:0"}, echoChain(1));
  spec->inspect_tls = true;
  update(spec);
  const RawSocket client = connect(open("l"));
  client.send("no TLS");
  EXPECT_EQ(receive(client), "no TLS");
  EXPECT_EQ(counters().tls_not_found.value(), 1u);
}

TEST_F(WorkerListenersTest, GaugesFollowConnections) {
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  const net::Address at = open("l");
  RawSocket first = connect(at);
  const RawSocket second = connect(at);
  EXPECT_EQ(counters().downstream_cx_active.value(), 2);
  first.close();
  EXPECT_TRUE(test_loop.runUntil([&] { return listeners_.connections() == 1; }));
  EXPECT_EQ(counters().downstream_cx_active.value(), 1);
  EXPECT_EQ(counters().downstream_cx_destroy.value(), 1u);
  EXPECT_EQ(counters().downstream_cx_total.value(), 2u);
}

TEST_F(WorkerListenersTest, ARemovedListenersConnectionsEndByTheDrainTime) {
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  const net::Address at = open("l");
  const RawSocket stuck = connect(at);
  stuck.send("GET / HTTP/1.1\r\n");
  test_loop.runReady();
  listeners_.remove("l");
  listeners_.remove("l");  // is gone already
  EXPECT_EQ(listeners_.connections(), 1u);
  clock.advance(kDrainTime - seconds(1));
  EXPECT_EQ(listeners_.connections(), 1u);
  clock.advance(seconds(1) + std::chrono::milliseconds(100));
  EXPECT_TRUE(closed(stuck));
  EXPECT_EQ(listeners_.connections(), 0u);
  EXPECT_EQ(counters().downstream_cx_active.value(), 0);
}

TEST_F(WorkerListenersTest, SocketsAreAcceptedOnWhileTheyAreThere) {
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  const net::Address at = open("l");
  const RawSocket open_one = connect(at);
  listeners_.removeSocket("l", sockets_.back().fd());
  listeners_.removeSocket("never heard of", sockets_.back().fd());
  const RawSocket queued = RawSocket::connectedTo(at);
  test_loop.runReady();
  EXPECT_EQ(listeners_.connections(), 1u);
  EXPECT_EQ(ask(open_one).status, 200);
  // The same socket, for another listener: the one that waited is served.
  update(listener("other", {"127.0.0.1:0"}, "other"));
  listeners_.addSocket("other", sockets_.back());
  EXPECT_EQ(ask(queued).body, "other");
}

TEST_F(WorkerListenersTest, StoppingTakesWhoHasConnectedAlready) {
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  const net::Address at = open("l");
  const RawSocket first = RawSocket::connectedTo(at);
  const RawSocket second = RawSocket::connectedTo(at);
  listeners_.drainAll();
  listeners_.stopAccepting();
  EXPECT_EQ(listeners_.connections(), 2u);
  const RawSocket late = RawSocket::connectedTo(at);
  EXPECT_TRUE(saysClose(ask(first)));
  EXPECT_TRUE(saysClose(ask(second)));
  EXPECT_EQ(counters().downstream_cx_total.value(), 2u);
}

TEST_F(WorkerListenersTest, PlacesAreGivenBackWhereTheyWereTaken) {
  limit_ = std::make_shared<ConnectionLimit>(2);
  process_limit_ = std::make_shared<ConnectionLimit>(2);
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  const net::Address at = open("l");
  RawSocket first = connect(at);
  const RawSocket second = connect(at);
  EXPECT_TRUE(closed(RawSocket::connectedTo(at)));
  EXPECT_EQ(counters().downstream_global_cx_overflow.value(), 1u);
  // From here on the listener ignores the process's limit: other connections, other slice.
  const auto counted = std::exchange(process_limit_, nullptr);
  update(listener("l", {"127.0.0.1:0"}, "hello"));
  EXPECT_TRUE(closed(RawSocket::connectedTo(at)));
  EXPECT_EQ(counters().accept.refused.value(), 1u);
  EXPECT_FALSE(counted->tryTake());
  EXPECT_TRUE(saysClose(ask(first)));
  EXPECT_TRUE(closed(first));
  first.close();
  EXPECT_TRUE(test_loop.runUntil([&] { return listeners_.connections() == 1; }));
  EXPECT_TRUE(counted->tryTake());
  EXPECT_FALSE(counted->tryTake());
  RawSocket third = connect(at);
  third.close();
  EXPECT_TRUE(test_loop.runUntil([&] { return listeners_.connections() == 1; }));
  EXPECT_FALSE(counted->tryTake());  // the third never took a place there
}

TEST_F(WorkerListenersTest, ClosingAllEndsWhatDrainsToo) {
  update(listener("l", {"127.0.0.1:0"}, "hello", 1));
  const net::Address at = open("l");
  const RawSocket draining = connect(at);
  update(listener("l", {"127.0.0.1:0"}, "hello", 2));
  const RawSocket serving = connect(at);
  EXPECT_EQ(listeners_.connections(), 2u);
  listeners_.stopAccepting();
  listeners_.closeAll();
  EXPECT_TRUE(closed(draining));
  EXPECT_TRUE(closed(serving));
  test_loop.runReady();
  EXPECT_EQ(listeners_.connections(), 0u);
}

}  // namespace
}  // namespace convoy::server
