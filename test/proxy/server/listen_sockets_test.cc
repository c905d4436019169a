#include "proxy/server/listen_sockets.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using test::RawSocket;

// Sockets that the test claims itself, beside those of the plane's own listeners.
class ListenSocketsTest : public testing::Test {
 protected:
  ListenSocketsTest() {
    std::vector<Worker*> workers;
    for (const auto& worker : plane.workers) workers.push_back(worker.get());
    sockets = std::make_unique<ListenSockets>(plane.main, workers, plane.adopted, places);
  }

  absl::Status claim(const std::string& name, const std::vector<std::string>& addresses,
                     const std::set<std::string>& leaving = {}) {
    return sockets->claim(*listener(name, addresses, ""), leaving);
  }
  net::Address addressOf(const std::string& name, size_t index = 0) {
    return sockets->boundBy(name).at(index).real;
  }

  DataPlane plane{2};
  std::shared_ptr<ConnectionLimit> places = std::make_shared<ConnectionLimit>(3);
  std::unique_ptr<ListenSockets> sockets;
};

TEST_F(ListenSocketsTest, ClaimsOpenEachAddressOnce) {
  ASSERT_TRUE(claim("a", {"127.0.0.1:0", "[::1]:0"}).ok());
  const net::Address at = addressOf("a");
  EXPECT_NE(at.port(), 0);
  ASSERT_TRUE(claim("a", {"127.0.0.1:0", "[::1]:0"}).ok());
  EXPECT_EQ(sockets->boundBy("a").size(), 2u);
  EXPECT_EQ(addressOf("a"), at);
  // Port 0 is another port for everybody.
  ASSERT_TRUE(claim("b", {"127.0.0.1:0"}).ok());
  EXPECT_NE(addressOf("b"), at);
  EXPECT_TRUE(sockets->boundBy("c").empty());
}

TEST_F(ListenSocketsTest, EachSocketTakesAClientsPlaceWhileItIsOpen) {
  ASSERT_TRUE(claim("a", {"127.0.0.1:0"}).ok());  // one socket for each of two workers
  places->take();
  EXPECT_TRUE(places->full());
  sockets->release("a");
  plane.settle();
  EXPECT_FALSE(places->full());
}

TEST_F(ListenSocketsTest, AnAddressHasOneListenerUnlessTheOtherOneLeaves) {
  const net::Address at = test::uniqueUnixAddress();
  ASSERT_TRUE(claim("a", {at.text()}).ok());
  const absl::Status second = claim("b", {at.text()});
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.message().find("the listener a has this address"), std::string::npos) << second;
  EXPECT_FALSE(claim("b", {at.text()}, {"c"}).ok());
  ASSERT_TRUE(claim("b", {at.text()}, {"a"}).ok());
  EXPECT_EQ(addressOf("a"), addressOf("b"));
  sockets->release("a");
  plane.settle();
  EXPECT_FALSE(refused(at));
  sockets->release("b");
  plane.settle();
  EXPECT_TRUE(refused(at));
}

// By whoever started the process: who connected before it ran is served.
TEST_F(ListenSocketsTest, AdoptedSocketsAreTheirAddress) {
  RawSocket passed = RawSocket::listening();
  RawSocket local = RawSocket::listeningOn(test::uniqueUnixAddress());
  RawSocket spare = RawSocket::listening();
  const net::Address at = passed.localAddress();
  const net::Address local_at = local.localAddress();
  const std::string spare_text = spare.localAddress().text();
  const RawSocket early = RawSocket::connectedTo(at);
  const int first = test::passDescriptors({passed.fd(), local.fd(), spare.fd()}, "web:local:spare");
  auto adopted = net::AdoptedSockets::fromEnvironment(first);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  plane.adopted = *std::move(adopted);
  for (RawSocket* ours : {&passed, &local, &spare}) ours->close();

  plane.put(listener("a", {"127.0.0.1:0"}, "plane"));
  ASSERT_TRUE(claim("a", {at.text(), local_at.text()}).ok());
  EXPECT_EQ(addressOf("a"), at);
  EXPECT_EQ(plane.adopted.unclaimed(), std::vector<std::string>{"spare (" + spare_text + ")"});
  sockets->serve(*listener("a", {at.text(), local_at.text()}, ""));
  EXPECT_EQ(ask(early).body, "plane");
  EXPECT_EQ(askAt(at).body, "plane");
  EXPECT_EQ(askAt(local_at).body, "plane");
  // They are ours: given up, they are closed.
  sockets->release("a");
  plane.settle();
  EXPECT_TRUE(refused(at));
  EXPECT_TRUE(refused(local_at));
}

TEST_F(ListenSocketsTest, AFailedClaimLeavesThingsAsTheyWere) {
  const net::Address kept = test::uniqueUnixAddress();
  const net::Address fresh = test::uniqueUnixAddress();
  const RawSocket taken = RawSocket::listening();
  ASSERT_TRUE(claim("a", {kept.text()}).ok());
  EXPECT_FALSE(claim("a", {kept.text(), fresh.text(), taken.localAddress().text()}).ok());
  plane.settle();
  EXPECT_TRUE(refused(fresh));
  EXPECT_FALSE(refused(kept));
  EXPECT_EQ(sockets->boundBy("a").size(), 1u);
}

TEST_F(ListenSocketsTest, ServingGivesUpWhatTheListenerLeft) {
  plane.put(listener("a", {"127.0.0.1:0"}, "plane"));  // so that the workers know a listener "a"
  const net::Address old = test::uniqueUnixAddress();
  const net::Address now = test::uniqueUnixAddress();
  ASSERT_TRUE(claim("a", {old.text()}).ok());
  sockets->serve(*listener("a", {old.text()}, ""));
  EXPECT_EQ(askAt(old).body, "plane");
  ASSERT_TRUE(claim("a", {now.text()}).ok());
  EXPECT_EQ(askAt(old).body, "plane");
  sockets->serve(*listener("a", {now.text()}, ""));
  plane.settle();
  EXPECT_TRUE(refused(old));
  EXPECT_EQ(askAt(now).body, "plane");
  sockets->release("a");
  plane.settle();
}

TEST_F(ListenSocketsTest, ClaimedAgainBeforeItIsClosedASocketStays) {
  const net::Address at = test::uniqueUnixAddress();
  ASSERT_TRUE(claim("a", {at.text()}).ok());
  const RawSocket queued = RawSocket::connectedTo(at);
  sockets->release("a");
  ASSERT_TRUE(claim("b", {at.text()}).ok());
  sockets->release("b");
  ASSERT_TRUE(claim("a", {at.text()}).ok());
  plane.settle();
  EXPECT_FALSE(refused(at));
  plane.put(listener("a", {"127.0.0.1:0"}, "plane"));
  sockets->serve(*listener("a", {at.text()}, ""));
  EXPECT_EQ(ask(queued).body, "plane");  // it waited all the time
  sockets->release("a");
  plane.settle();
  EXPECT_TRUE(refused(at));
}

TEST_F(ListenSocketsTest, ReleasingAllIsForGood) {
  const net::Address at = test::uniqueUnixAddress();
  ASSERT_TRUE(claim("a", {at.text(), "127.0.0.1:0"}).ok());
  ASSERT_TRUE(claim("b", {at.text()}, {"a"}).ok());
  sockets->releaseAll();
  plane.settle();
  EXPECT_TRUE(refused(at));
  EXPECT_TRUE(claim("c", {at.text()}).ok());
  sockets->serve(*listener("c", {at.text()}, ""));
  EXPECT_TRUE(sockets->boundBy("c").empty());
  EXPECT_TRUE(refused(at));
}

TEST_F(ListenSocketsTest, WhatIsClosingWhenItEndsIsClosed) {
  const net::Address at = test::uniqueUnixAddress();
  ASSERT_TRUE(claim("a", {at.text()}).ok());
  sockets->release("a");
  sockets.reset();
  plane.settle();
  EXPECT_TRUE(refused(at));
}

}  // namespace
}  // namespace convoy::server
