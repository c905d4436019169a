// What only a kernel's socket can show; the common promises are in connection_test.cc.

#include "proxy/net/socket_connection.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "test/common/raw_socket.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::net {
namespace {

class SocketConnectionTest : public testing::Test {
 protected:
  SocketConnectionTest() { clock_.attach(loop()); }

  event::Loop& loop() { return test_loop_.loop(); }
  [[nodiscard]] bool runUntil(const std::function<bool()>& condition) {
    return test_loop_.runUntil(condition);
  }
  // An accepted connection and its raw peer.
  void accept() {
    const test::RawSocket listener = test::RawSocket::listening();
    peer_ = test::RawSocket::connectedTo(listener.localAddress());
    test::RawSocket accepted = listener.accept();
    const Address remote = accepted.remoteAddress();
    connection_ =
        Connection::adopt(loop(), accepted.release(), {remote, listener.localAddress()}, handler_);
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  test::RecordingHandler handler_;
  test::RawSocket peer_;
  std::unique_ptr<Connection> connection_;
};

// With its handler an idle connection is to stay below 500 bytes.
static_assert(sizeof(SocketConnection) <= 400);

TEST_F(SocketConnectionTest, RefusedConnectIsToldLater) {
  Address nobody;
  {
    const test::RawSocket listener = test::RawSocket::listening();
    nobody = listener.localAddress();
  }
  connection_ = Connection::connect(loop(), nobody, nullptr, handler_);
  EXPECT_FALSE(handler_.closed);
  ASSERT_TRUE(runUntil([&] { return handler_.closed.has_value(); }));
  EXPECT_EQ(handler_.closed, CloseReason::ConnectFailed);
  EXPECT_EQ(connection_->systemError(), ECONNREFUSED);
  EXPECT_FALSE(handler_.connected);
  EXPECT_EQ(connection_->localAddress(), Address());
}

TEST_F(SocketConnectionTest, ConnectThatFailsAtOnceIsToldLaterToo) {
  const struct {
    Address to;
    Address bind_to;
    int error;
  } cases[] = {
      {*Address::parse("unix:@convoy-test-nobody-listens"), Address(), ECONNREFUSED},
      {*Address::parse("unix:/nonexistent/socket"), Address(), ENOENT},
      {*Address::parse("127.0.0.1:1"), *Address::parse("192.0.2.1:0"), EADDRNOTAVAIL},
      {Address(), Address(), EAFNOSUPPORT},
  };
  for (const auto& c : cases) {
    test::RecordingHandler handler;
    const Address* const bind_to = c.bind_to == Address() ? nullptr : &c.bind_to;
    const auto connection = Connection::connect(loop(), c.to, bind_to, handler);
    EXPECT_FALSE(handler.closed) << c.to.text();
    ASSERT_TRUE(runUntil([&] { return handler.closed.has_value(); })) << c.to.text();
    EXPECT_EQ(handler.closed, CloseReason::ConnectFailed) << c.to.text();
    EXPECT_EQ(connection->systemError(), c.error) << c.to.text();
  }
}

TEST_F(SocketConnectionTest, BindsToTheGivenAddress) {
  const test::RawSocket listener = test::RawSocket::listening();
  const Address source = *Address::parse("127.0.0.9:0");
  connection_ = Connection::connect(loop(), listener.localAddress(), &source, handler_);
  const test::RawSocket accepted = listener.accept();
  ASSERT_TRUE(runUntil([&] { return handler_.connected; }));
  EXPECT_EQ(connection_->localAddress().ipText(), "127.0.0.9");
  EXPECT_EQ(connection_->localAddress(), accepted.remoteAddress());
}

TEST_F(SocketConnectionTest, AdoptionThatFailsIsAReset) {
  connection_ = Connection::adopt(loop(), -1, {}, handler_);
  EXPECT_FALSE(handler_.closed);
  ASSERT_TRUE(runUntil([&] { return handler_.closed.has_value(); }));
  EXPECT_EQ(handler_.closed, CloseReason::RemoteReset);
}

TEST_F(SocketConnectionTest, ResetReachesTheWire) {
  accept();
  connection_->close(CloseMode::Reset);
  int error = 0;
  EXPECT_EQ(peer_.receive(&error), "");
  EXPECT_EQ(error, ECONNRESET);
  test_loop_.runReady();
  EXPECT_EQ(handler_.closed, CloseReason::LocalClose);
}

TEST_F(SocketConnectionTest, FlushEndsInAnOrderlyFin) {
  accept();
  connection_->write("last words");
  connection_->close(CloseMode::Flush);
  test_loop_.runReady();
  int error = 0;
  EXPECT_EQ(peer_.receiveAll(&error), "last words");
  EXPECT_EQ(error, 0);
  EXPECT_FALSE(handler_.closed);  // waits for the peer's end
  peer_.close();
  ASSERT_TRUE(runUntil([&] { return handler_.closed.has_value(); }));
}

// The peer's answer is in the receive buffer when our sending finds that it has gone away.
TEST_F(SocketConnectionTest, AnswerIsReadBeforeTheBrokenPipeIsTold) {
  accept();
  peer_.send("early answer");
  connection_->write(std::string(64 * 1024, 'u'));
  connection_->pauseReading();
  test_loop_.runReady();
  peer_.close();  // with bytes unread: a reset
  connection_->resumeReading();
  connection_->write("more");
  ASSERT_TRUE(runUntil([&] { return handler_.closed.has_value(); }));
  EXPECT_EQ(handler_.closed, CloseReason::RemoteReset);
  EXPECT_EQ(handler_.received, "early answer");
  EXPECT_FALSE(handler_.ended);  // cut off, not ended
}

// A stream that ended properly and only then was reset has ended.
TEST_F(SocketConnectionTest, EndBeforeTheResetIsTold) {
  accept();
  connection_->pauseReading();
  peer_.send("whole answer");
  peer_.shutdownSending();
  test_loop_.runReady();
  peer_.close();
  connection_->write("too late");  // answered by a reset
  test_loop_.runReady();
  connection_->resumeReading();
  connection_->write("really");
  ASSERT_TRUE(runUntil([&] { return handler_.closed.has_value(); }));
  EXPECT_EQ(handler_.received, "whole answer");
  EXPECT_TRUE(handler_.ended);
  EXPECT_EQ(handler_.closed, CloseReason::RemoteReset);
}

// Level-triggered readiness that nobody may consume must not turn into a busy loop.
TEST_F(SocketConnectionTest, PausedWithUrgentDataOrHangUpDoesNotSpin) {
  accept();
  connection_->pauseReading();
  peer_.send("data");
  const char urgent = '!';
  ASSERT_EQ(::send(peer_.fd(), &urgent, 1, MSG_OOB), 1);
  test_loop_.runReady();
  int iterations = 0;
  bool woken = false;
  event::SystemClock real;
  uv_timer_t timer;
  uv_timer_init(loop().uv(), &timer);
  timer.data = &woken;
  uv_update_time(loop().uv());
  uv_timer_start(
      &timer, [](uv_timer_t* t) { *static_cast<bool*>(t->data) = true; }, 20, 0);
  while (!woken) {
    loop().runOnce(/*wait=*/true);
    ++iterations;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  EXPECT_LE(iterations, 3);
  connection_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return handler_.received == "data"; }));
}

TEST_F(SocketConnectionTest, OutgoingTcpSendsWithoutDelay) {
  const test::RawSocket listener = test::RawSocket::listening();
  connection_ = Connection::connect(loop(), listener.localAddress(), nullptr, handler_);
  const test::RawSocket accepted = listener.accept();
  ASSERT_TRUE(runUntil([&] { return handler_.connected; }));
  const auto* const socket = static_cast<SocketConnection*>(connection_.get());
  int on = 0;
  socklen_t length = sizeof(on);
  ASSERT_EQ(::getsockopt(socket->fd(), IPPROTO_TCP, TCP_NODELAY, &on, &length), 0);
  EXPECT_NE(on, 0);
}

TEST_F(SocketConnectionTest, TheKernelProbesASilentPeerAsOftenAsItIsTold) {
  const auto option = [this](int level, int name) {
    int value = 0;
    socklen_t length = sizeof(value);
    const int fd = static_cast<SocketConnection*>(connection_.get())->fd();
    EXPECT_EQ(::getsockopt(fd, level, name, &value, &length), 0);
    return value;
  };
  const test::RawSocket listener = test::RawSocket::listening();
  connection_ = Connection::connect(loop(), listener.localAddress(), nullptr, handler_);
  const int systems = option(IPPROTO_TCP, TCP_KEEPIDLE);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 0) << "unless somebody asks for it";
  connection_->setTcpKeepalive({.probes = 3, .idle_seconds = {}, .interval_seconds = 7});
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), systems);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPINTVL), 7);
}

TEST_F(SocketConnectionTest, GivesItsDescriptorBackAtOnce) {
  accept();
  auto* const socket = static_cast<SocketConnection*>(connection_.get());
  EXPECT_GE(socket->fd(), 0);
  connection_->close(CloseMode::Now);
  EXPECT_EQ(socket->fd(), -1);
  EXPECT_EQ(peer_.receive(), "");
}

}  // namespace
}  // namespace convoy::net
