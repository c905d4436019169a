#include "proxy/server/listener_manager.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "test/proxy/server/echo_chain.h"
#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using std::chrono::seconds;
using test::RawSocket;

constexpr char kAnyPort[] = "127.0.0.1:0";

class ListenerManagerTest : public testing::Test {
 protected:
  ListenerManagerTest() {
    std::string pattern = "/tmp/lm_XXXXXX";  // a socket's path must be short
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ListenerManagerTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_;
};

TEST_F(ListenerManagerTest, ServesOnEveryAddressOfEveryFamily) {
  DataPlane plane;
  const std::string path = directory_ + "/socket";
  plane.put(listener("l", {kAnyPort, "[::1]:0", "unix:" + path}, "hello"));
  for (size_t i = 0; i < 3; ++i) {
    const net::Address at = plane.address("l", i);
    EXPECT_EQ(askAt(at).body, "hello") << at.text();
  }
  plane.listeners->remove("l");
  plane.settle();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerManagerTest, MetricsHaveEnvoysNameForAListener) {
  DataPlane plane(1);
  const std::string path = directory_ + "/socket";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{kAnyPort, "[::1]:0"}, "127.0.0.1_0"}, {{"[::1]:0"}, "[__1]_0"}, {{"unix:" + path}, path}};
  for (const auto& [addresses, label] : cases) {
    auto spec = std::make_shared<net::ListenerSpec>(*listener(label, addresses, "hello"));
    spec->stat_prefix.clear();
    plane.put(spec);
    EXPECT_EQ(plane.metricOf("listener." + label + ".downstream_cx_total"), 0) << label;
  }
  auto named = std::make_shared<net::ListenerSpec>(*listener("named", {kAnyPort}, "hello"));
  named->stat_prefix = "a:b";
  plane.put(named);
  EXPECT_EQ(plane.metricOf("listener.a_b.downstream_cx_total"), 0);
}

TEST_F(ListenerManagerTest, EveryWorkerAcceptsForTheSameAddress) {
  DataPlane plane(4);
  plane.put(listener("l", {kAnyPort}, "hello"));
  std::vector<RawSocket> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(RawSocket::connectedTo(plane.address("l")));
    EXPECT_EQ(ask(clients.back()).status, 200);
  }
  EXPECT_EQ(plane.connections(), 64u);
}

TEST_F(ListenerManagerTest, AChangeInPlaceKeepsAddressesAndConnections) {
  DataPlane plane(1);
  plane.put(listener("l", {kAnyPort}, "old"));
  const net::Address before = plane.address("l");
  const RawSocket open = RawSocket::connectedTo(before);
  EXPECT_EQ(ask(open).body, "old");
  plane.put(listener("l", {kAnyPort}, "new"));
  EXPECT_EQ(plane.address("l"), before);
  const test::HttpReply reply = ask(open);
  EXPECT_EQ(reply.body, "new");  // a request takes the configuration of its moment
  EXPECT_FALSE(saysClose(reply));
  EXPECT_EQ(askAt(before).body, "new");
}

TEST_F(ListenerManagerTest, AChangeOfTheSliceDrainsWhatWasAcceptedUnderTheOldOne) {
  DataPlane plane(1);
  plane.put(listener("l", {kAnyPort}, "old", 1));
  const RawSocket open = RawSocket::connectedTo(plane.address("l"));
  EXPECT_EQ(ask(open).body, "old");
  plane.put(listener("l", {kAnyPort}, "new", 2));
  const RawSocket fresh = RawSocket::connectedTo(plane.address("l"));
  EXPECT_EQ(ask(fresh).body, "new");
  const test::HttpReply last = ask(open);
  EXPECT_EQ(last.body, "old");
  EXPECT_TRUE(saysClose(last));
  EXPECT_EQ(open.receive(), "");
  EXPECT_FALSE(saysClose(ask(fresh)));
}

TEST_F(ListenerManagerTest, AddressesComeAndGoWithoutTheOthersNoticing) {
  DataPlane plane(1);
  const std::string left = "unix:" + directory_ + "/left";
  plane.put(listener("l", {kAnyPort, left}, "one"));
  const RawSocket on_left = RawSocket::connectedTo(plane.address("l", 1));
  const RawSocket on_kept = RawSocket::connectedTo(plane.address("l", 0));
  EXPECT_EQ(ask(on_left).status, 200);
  EXPECT_EQ(ask(on_kept).status, 200);
  plane.put(listener("l", {kAnyPort, "[::1]:0"}, "two"));
  EXPECT_EQ(plane.listeners->active().at("l").addresses.size(), 2u);
  EXPECT_EQ(askAt(plane.address("l", 1)).body, "two");
  EXPECT_TRUE(refused(*net::Address::parse(left)));
  EXPECT_EQ(ask(on_left).body, "two");  // accepted there: lives on
  EXPECT_EQ(ask(on_kept).body, "two");
}

TEST_F(ListenerManagerTest, ARemovedListenerStopsAcceptingAndDrains) {
  DataPlane plane(1);
  plane.put(listener("l", {kAnyPort}, "hello"));
  const net::Address at = plane.address("l");
  RawSocket open = RawSocket::connectedTo(at);
  const RawSocket idle = RawSocket::connectedTo(at);
  EXPECT_EQ(ask(open).status, 200);
  EXPECT_EQ(ask(idle).status, 200);
  plane.listeners->remove("l");
  plane.settle();
  EXPECT_TRUE(refused(at));
  EXPECT_TRUE(plane.listeners->active().empty());
  EXPECT_TRUE(saysClose(ask(open)));
  EXPECT_EQ(open.receive(), "");
  open.close();
  EXPECT_TRUE(plane.until([&] { return plane.connections() == 1; }));
  plane.clock.advance(seconds(6));  // the connection manager's drain time-out
  EXPECT_EQ(idle.receive(), "");
}

TEST_F(ListenerManagerTest, WhatDoesNotEndByItselfIsClosedWhenTheDrainTimeIsOver) {
  DataPlane plane(1);
  plane.put(listener("l", {kAnyPort}, "hello"));
  const RawSocket half = RawSocket::connectedTo(plane.address("l"));
  EXPECT_EQ(ask(half).status, 200);
  half.send("GET / HTTP/1.1\r\n");  // and no more
  const auto sent = static_cast<int64_t>(request().size() + 16);
  ASSERT_TRUE(plane.until(
      [&] { return plane.metricOf("http.test.downstream_cx_rx_bytes_total") == sent; }));
  plane.listeners->remove("l");
  plane.settle();
  plane.clock.advance(kDrainTime - seconds(1));
  EXPECT_EQ(plane.connections(), 1u);
  plane.clock.advance(seconds(2));
  EXPECT_EQ(half.receive(), "");
}

TEST_F(ListenerManagerTest, RefusalsNameAddressAndReasonAndChangeNothing) {
  DataPlane plane(2);
  const RawSocket taken = RawSocket::listening();
  const std::string foreign = taken.localAddress().text();
  const std::string path = "unix:" + directory_ + "/first";
  const std::string spare = "unix:" + directory_ + "/spare";
  plane.put(listener("first", {path, kAnyPort}, "first"));
  plane.put(listener("l", {kAnyPort}, "in force"));
  auto bad_log = listener("l", {kAnyPort}, "x");
  auto with_log = manager(table("inline", "x"));
  with_log->access_logs.push_back(logOfCodes(directory_ + "/missing/log"));
  bad_log->filter_chains = {chain(with_log)};
  auto bad_default_log = listener("l", {kAnyPort}, "x");
  bad_default_log->default_filter_chain = chain(with_log);
  struct Case {
    std::shared_ptr<const net::ListenerSpec> spec;
    std::string error;
  };
  const Case cases[] = {
      {listener("l", {spare, foreign}, "x"),
       "cannot listen on " + foreign + ": address already in use; another process"},
      {listener("l", {spare, path}, "x"),
       "cannot listen on " + path + ": the listener first has this address"},
      {listener("l", {spare, "192.0.2.1:80"}, "x"),
       "cannot listen on 192.0.2.1:80: cannot assign requested address; this machine has no such"},
      {listener("l", {spare, "unix:" + directory_ + "/missing/socket"}, "x"),
       "create the socket's directory"},
      {bad_log, directory_ + "/missing/log"},
      {bad_default_log, directory_ + "/missing/log"},
  };
  for (const Case& c : cases) {
    const absl::Status status = plane.listeners->admit(c.spec);
    EXPECT_NE(std::string(status.message()).find(c.error), std::string::npos) << status;
    plane.settle();
    EXPECT_TRUE(refused(*net::Address::parse(spare))) << c.error;
    EXPECT_EQ(askAt(plane.address("l")).body, "in force");
    EXPECT_EQ(plane.listeners->active().at("l").addresses.size(), 1u);
    // The same for a listener that would be new.
    auto fresh = std::make_shared<net::ListenerSpec>(*c.spec);
    fresh->name = "fresh";
    EXPECT_FALSE(plane.listeners->admit(fresh).ok()) << c.error;
    EXPECT_FALSE(plane.listeners->active().contains("fresh"));
  }
  EXPECT_EQ(askAt(plane.address("first", 1)).body, "first");
}

// Renaming a listener is a removal and an addition in one change.
TEST_F(ListenerManagerTest, AnAddressIsTakenOverFromAListenerThatGoesAway) {
  DataPlane plane(2);
  plane.put(listener("old", {kAnyPort}, "old"));
  const net::Address at = plane.address("old");
  const auto renamed = listener("new", {at.text()}, "new");
  EXPECT_FALSE(plane.listeners->admit(renamed).ok());
  // Its configured address has port 0: it cannot be the same one by configuration.
  plane.listeners->remove("old");
  plane.settle();
  plane.put(listener("old", {at.text()}, "old"));
  const RawSocket open = RawSocket::connectedTo(at);
  EXPECT_EQ(ask(open).body, "old");

  ASSERT_TRUE(plane.listeners->admit(renamed, {"old"}).ok());
  EXPECT_EQ(askAt(at).body, "old");  // until the change is in force
  plane.listeners->remove("old");
  plane.settle();
  // Between the two nobody accepts, and nobody is refused either.
  const RawSocket queued = RawSocket::connectedTo(at);
  plane.listeners->apply(renamed);
  EXPECT_EQ(ask(queued).body, "new");
  EXPECT_TRUE(saysClose(ask(open)));

  // In the other order, as one publication has it.
  ASSERT_TRUE(plane.listeners->admit(listener("old", {at.text()}, "again"), {"new"}).ok());
  plane.listeners->apply(listener("old", {at.text()}, "again"));
  plane.listeners->remove("new");
  plane.settle();
  EXPECT_EQ(askAt(at).body, "again");
}

TEST_F(ListenerManagerTest, AnAddressThatIsBeingClosedCanBeHadAgainAtOnce) {
  DataPlane plane(2);
  const std::string path = "unix:" + directory_ + "/socket";
  plane.put(listener("l", {path}, "one"));
  for (int i = 0; i < 3; ++i) {
    plane.listeners->remove("l");
    const auto again = listener("l", {path}, "two");
    ASSERT_TRUE(plane.listeners->admit(again).ok());
    plane.listeners->apply(again);
  }
  plane.settle();
  EXPECT_EQ(askAt(*net::Address::parse(path)).body, "two");
  plane.listeners->remove("l");
  plane.settle();
  EXPECT_TRUE(refused(*net::Address::parse(path)));
}

TEST_F(ListenerManagerTest, WhatWasAdmittedAndNeverAppliedIsGivenUp) {
  DataPlane plane(2);
  ASSERT_TRUE(plane.listeners->admit(listener("l", {kAnyPort}, "x")).ok());
  const net::Address at = plane.address("l");
  EXPECT_EQ(plane.listeners->active().at("l").spec, nullptr);
  EXPECT_FALSE(refused(at));
  plane.listeners->remove("l");
  plane.listeners->remove("never heard of");
  plane.settle();
  EXPECT_TRUE(refused(at));
  EXPECT_TRUE(plane.listeners->active().empty());
}

TEST_F(ListenerManagerTest, AListenersLimitHoldsForAllWorkersTogether) {
  DataPlane plane(3, {.process = std::nullopt, .listeners = {{"l", 4}}});
  plane.put(listener("l", {kAnyPort}, "hello"));
  plane.put(listener("free", {kAnyPort}, "hello"));
  std::vector<RawSocket> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(RawSocket::connectedTo(plane.address("l")));
    EXPECT_EQ(ask(clients.back()).status, 200);
  }
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(RawSocket::connectedTo(plane.address("l")).receive(), "");
    EXPECT_EQ(askAt(plane.address("free")).status, 200);
  }
  EXPECT_EQ(ask(clients[0]).status, 200);
  // A change in place does not forget who is there.
  plane.put(listener("l", {kAnyPort}, "changed"));
  EXPECT_EQ(RawSocket::connectedTo(plane.address("l")).receive(), "");
  // A place that is given back is taken again.
  clients.pop_back();
  ASSERT_TRUE(plane.until([&] { return plane.connections() == 3; }));
  EXPECT_EQ(askAt(plane.address("l")).body, "changed");
}

TEST_F(ListenerManagerTest, TheProcessLimitHoldsForAllListenersThatDoNotIgnoreIt) {
  DataPlane plane(2, {.process = 2, .listeners = {}});
  auto a = listener("a", {kAnyPort}, "hello");
  a->stat_prefix = "a";
  auto b = listener("b", {kAnyPort}, "hello");
  b->stat_prefix = "b";
  auto apart = listener("apart", {kAnyPort}, "hello");
  apart->ignore_global_limit = true;
  plane.put(a);
  plane.put(b);
  plane.put(apart);
  const RawSocket first = RawSocket::connectedTo(plane.address("a"));
  RawSocket second = RawSocket::connectedTo(plane.address("b"));
  EXPECT_EQ(ask(first).status, 200);
  EXPECT_EQ(ask(second).status, 200);
  EXPECT_EQ(RawSocket::connectedTo(plane.address("a")).receive(), "");
  EXPECT_EQ(RawSocket::connectedTo(plane.address("b")).receive(), "");
  EXPECT_EQ(RawSocket::connectedTo(plane.address("b")).receive(), "");
  EXPECT_EQ(askAt(plane.address("apart")).status, 200);
  EXPECT_EQ(plane.metricOf("listener.a.downstream_global_cx_overflow"), 1);
  EXPECT_EQ(plane.metricOf("listener.b.downstream_global_cx_overflow"), 2);
  EXPECT_EQ(plane.metricOf("listener.b.downstream_cx_overflow"), 0);
  second.close();
  ASSERT_TRUE(plane.until([&] { return plane.connections() == 1; }));
  EXPECT_EQ(askAt(plane.address("a")).status, 200);
}

TEST_F(ListenerManagerTest, WhoFindsNoDescriptorLeftForClientsWaits) {
  // Two of them are the listening sockets'.
  DataPlane plane(1, {.process = std::nullopt, .listeners = {}, .descriptors = 4});
  auto a = listener("a", {kAnyPort}, "hello");
  a->stat_prefix = "a";
  auto b = listener("b", {kAnyPort}, "hello");
  b->ignore_global_limit = true;
  plane.put(a);
  plane.put(b);
  RawSocket first = RawSocket::connectedTo(plane.address("a"));
  RawSocket second = RawSocket::connectedTo(plane.address("b"));
  EXPECT_EQ(ask(first).status, 200);
  EXPECT_EQ(ask(second).status, 200);
  const RawSocket waiting = RawSocket::connectedTo(plane.address("a"));
  ASSERT_TRUE(
      plane.until([&] { return plane.metricOf("listener.a.downstream_accept_paused") == 1; }));
  // A change of the listener forgets nobody.
  plane.put(a);
  plane.clock.advance(net::Acceptor::kExhaustedPause);
  plane.settle();
  EXPECT_EQ(plane.connections(), 2u);
  EXPECT_EQ(ask(first).status, 200) << "served on";
  second.close();
  ASSERT_TRUE(plane.until([&] { return plane.connections() == 1; }));
  plane.clock.advance(net::Acceptor::kExhaustedPause);
  EXPECT_EQ(ask(waiting).status, 200);
}

TEST_F(ListenerManagerTest, AListeningSocketGivesItsPlaceBackWhenItIsClosed) {
  DataPlane plane(1, {.process = std::nullopt, .listeners = {}, .descriptors = 3});
  auto a = listener("a", {kAnyPort}, "hello");
  a->stat_prefix = "a";
  plane.put(a);
  plane.put(listener("b", {kAnyPort}, "hello"));
  RawSocket first = RawSocket::connectedTo(plane.address("a"));
  EXPECT_EQ(ask(first).status, 200);
  const RawSocket second = RawSocket::connectedTo(plane.address("a"));
  ASSERT_TRUE(
      plane.until([&] { return plane.metricOf("listener.a.downstream_accept_paused") == 1; }));
  plane.listeners->remove("b");
  plane.settle();
  plane.clock.advance(net::Acceptor::kExhaustedPause);
  EXPECT_EQ(ask(second).status, 200);
}

TEST_F(ListenerManagerTest, ALimitOfZeroLetsNobodyIn) {
  DataPlane plane(1, {.process = std::nullopt, .listeners = {{"l", 0}}});
  auto spec = listener("l", {kAnyPort}, "hello");
  spec->stat_prefix = "l";
  plane.put(spec);
  EXPECT_EQ(RawSocket::connectedTo(plane.address("l")).receive(), "");
  EXPECT_EQ(plane.metricOf("listener.l.downstream_cx_overflow"), 1);
  EXPECT_EQ(plane.metricOf("listener.l.downstream_cx_total"), 0);
}

TEST_F(ListenerManagerTest, DrainingSaysGoodbyeAndAcceptsUntilItIsStopped) {
  DataPlane plane(1);
  plane.put(listener("l", {kAnyPort}, "hello"));
  plane.listeners->drainAll();
  plane.settle();
  EXPECT_TRUE(saysClose(askAt(plane.address("l"))));
  // Listeners that come later, too.
  plane.put(listener("late", {kAnyPort}, "hello"));
  EXPECT_TRUE(saysClose(askAt(plane.address("late"))));
  const net::Address at = plane.address("l");
  const RawSocket open = RawSocket::connectedTo(at);
  EXPECT_EQ(ask(open).status, 200);
  plane.listeners->stopAccepting();
  plane.settle();
  EXPECT_TRUE(refused(at));  // so that clients go elsewhere, and a successor can have it
  // What the control plane still sends finds no address any more.
  plane.put(listener("l", {kAnyPort}, "changed"));
  plane.put(listener("new", {kAnyPort}, "x"));
  EXPECT_TRUE(refused(at));
  plane.listeners->remove("l");
  plane.settle();
}

TEST_F(ListenerManagerTest, LogsAndSharedCountersAreThoseOfTheirNames) {
  DataPlane plane(1);
  auto with_log = manager(table("inline", "hello"));
  with_log->access_logs.push_back(logOfCodes(directory_ + "/log"));
  plane.put(listenerOf("a", {kAnyPort}, chain(with_log)));
  plane.put(listener("b", {kAnyPort}, "hello"));
  EXPECT_EQ(askAt(plane.address("a")).status, 200);
  EXPECT_EQ(askAt(plane.address("b")).status, 200);
  plane.settle();
  EXPECT_EQ(plane.metricOf("http.test.downstream_rq_total"), 2);  // one stat_prefix
  plane.clock.advance(seconds(2));
  plane.logs.flush();
  EXPECT_EQ(std::filesystem::file_size(directory_ + "/log"), 4u);
}

TEST_F(ListenerManagerTest, AChainMayEndWithAnotherFilterThanHttp) {
  DataPlane plane(2);
  plane.listeners->addTerminal(kEcho, std::make_unique<EchoTerminal>());
  plane.put(listenerOf("l", {kAnyPort}, echoChain(1)));
  const RawSocket client = RawSocket::connectedTo(plane.address("l"));
  client.send("no request");
  EXPECT_EQ(client.receive(), "no request");
}

TEST_F(ListenerManagerTest, InlineRoutesAreNobodyElses) {
  DataPlane plane(1);
  auto two = listener("l", {kAnyPort}, "first", 1);
  two->default_filter_chain = chain(manager(table("inline", "default")), 2);
  plane.put(two);
  EXPECT_TRUE(plane.routes->tables().empty());
  EXPECT_EQ(askAt(plane.address("l")).body, "first");
  auto broken = table("inline", "x");
  broken->virtual_hosts[0].domains = {"*", "*"};
  plane.put(listenerOf("l", {kAnyPort}, chain(manager(broken))));
  EXPECT_EQ(askAt(plane.address("l")).status, 404);
}

}  // namespace
}  // namespace convoy::server
