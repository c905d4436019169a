#include "proxy/upstream/health/tcp_probe.h"

#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

class TcpProbeTest : public test::HealthTest {
 protected:
  void makeTcp(TcpCheckSpec spec, bool reuse = true) {
    auto check = test::tcpCheck();
    check->checker = std::move(spec);
    check->reuse_connection = reuse;
    make(owner(check), target());
  }
};

TEST_F(TcpProbeTest, AConnectionSuffices) {
  makeTcp({});
  for (int i = 1; i <= 2; ++i) {
    start();
    run();
    EXPECT_EQ(result(), "Pass");
    EXPECT_EQ(io_.connects, i);  // each check makes one
    EXPECT_TRUE(peer().handler.ended || peer().handler.closed.has_value());
  }
}

TEST_F(TcpProbeTest, ARefusedConnectionFails) {
  io_.all_down = true;
  makeTcp({});
  start();
  run();
  EXPECT_EQ(result(), "Network: connection failed: Connection refused");
}

TEST_F(TcpProbeTest, SendsAndWaitsForTheAnswer) {
  makeTcp({.send = "PING\r\n", .receive = {"PO", "G"}});
  start();
  run();
  EXPECT_EQ(peer().take(), "PING\r\n");
  EXPECT_EQ(probe_->missing(), "no answer");
  peer().send("+PO");
  run();
  EXPECT_EQ(result(), "none");
  peer().send("NG\r\n");
  run();
  EXPECT_EQ(result(), "Pass");
  // The next check is on the same connection, with an answer of its own.
  start();
  run();
  EXPECT_EQ(io_.connects, 1);
  EXPECT_EQ(peer().take(), "PING\r\n");
  EXPECT_EQ(result(), "none");
  peer().send("PONG");
  run();
  EXPECT_EQ(result(), "Pass");
}

TEST_F(TcpProbeTest, KeepsNoConnectionIfItMayNot) {
  makeTcp({.send = "", .receive = {"hi"}}, /*reuse=*/false);
  for (int i = 1; i <= 2; ++i) {
    start();
    run();
    peer().send("hi");
    run();
    EXPECT_EQ(result(), "Pass");
    EXPECT_EQ(io_.connects, i);
  }
}

TEST_F(TcpProbeTest, AnEndBeforeTheAnswerFails) {
  makeTcp({.send = "", .receive = {"hi"}});
  start();
  run();
  peer().connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(result(), "Network: the host closed the connection without the expected answer");
}

TEST_F(TcpProbeTest, AKeptConnectionThatHasEndedIsMadeAnew) {
  makeTcp({.send = "a", .receive = {"b"}});
  start();
  run();
  peer().send("b");
  run();
  ASSERT_EQ(result(), "Pass");
  // Both at once: the host's end is on its way when the next check begins.
  peer().connection->close(net::CloseMode::Now);
  start();
  run();
  EXPECT_EQ(result(), "none");
  EXPECT_EQ(io_.connects, 2);
  peer().send("b");
  run();
  EXPECT_EQ(result(), "Pass");
}

TEST_F(TcpProbeTest, AnEndlessAnswerFails) {
  makeTcp({.send = "", .receive = {"hi"}});
  start();
  run();
  peer().send(std::string(TcpProbe::kMostBytes + 1, 'x'));
  run();
  EXPECT_EQ(result(), "Fail: the answer is long and does not have what is expected");
}

TEST_F(TcpProbeTest, MayBeBrokenOffAtAnyTime) {
  makeTcp({.send = "a", .receive = {"b"}});
  start();
  probe_.reset();
  run();
  makeTcp({.send = "a", .receive = {"b"}});
  start();
  run();
  probe_.reset();
  peer().send("b");
  run();
  EXPECT_EQ(result(), "none");
}

}  // namespace
}  // namespace convoy::upstream
