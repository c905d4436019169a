// Large pieces that are sent at once, and bytes that go from socket to socket.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <future>
#include <string>

#include "proxy/net/connection.h"
#include "test/common/raw_socket.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"

namespace convoy::net {
namespace {

using Kind = SpliceResult::Kind;

// The kernel's buffers do not hold as much for a peer that does not read.
constexpr size_t kTooMuch = 8'000'000;

std::string lot(size_t bytes) {
  std::string text;
  for (size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  text.resize(bytes);
  return text;
}

// A connection on a kernel's socket, and its far side.
struct End {
  explicit End(event::Loop& loop) {
    const test::RawSocket listener = test::RawSocket::listening();
    peer = test::RawSocket::connectedTo(listener.localAddress());
    test::RawSocket accepted = listener.accept();
    const Address remote = accepted.remoteAddress();
    connection =
        Connection::adopt(loop, accepted.release(), {remote, listener.localAddress()}, handler);
  }

  test::RecordingHandler handler;
  test::RawSocket peer;
  std::unique_ptr<Connection> connection;
};

class ConnectionDirectTest : public testing::Test {
 protected:
  ConnectionDirectTest() {
    ::signal(SIGPIPE, SIG_IGN);
    clock_.attach(loop());
    from_.handler.when_spliceable = [this] {
      const SpliceResult result = to_.connection->spliceFrom(*from_.connection, most_);
      kinds_ += "CNMLEF"[static_cast<size_t>(result.kind)];
      moved_ += result.bytes;
      return result;
    };
  }

  event::Loop& loop() { return test_loop_.loop(); }
  [[nodiscard]] bool runUntil(const std::function<bool()>& condition) {
    return test_loop_.runUntil(condition);
  }
  // Little is shown instead of moved, as to a handler that writes it on.
  void relay() {
    from_.connection->expectBody();
    from_.handler.when_read = [this](std::string_view bytes) {
      to_.connection->write(bytes);
      from_.connection->expectBody();
    };
  }
  // All that the far side of to_ reads, until as much has come.
  std::string received(size_t bytes) {
    std::string all;
    while (all.size() < bytes) {
      test_loop_.runReady();
      char buffer[64 * 1024];
      const ssize_t got = ::recv(to_.peer.fd(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (got > 0) {
        all.append(buffer, static_cast<size_t>(got));
      } else if (!runUntil([&] {
                   char byte;
                   return ::recv(to_.peer.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
                 })) {
        break;
      }
      if (got == 0) break;
    }
    return all;
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  End from_{loop()};
  End to_{loop()};
  uint64_t most_ = UINT64_MAX;
  std::string kinds_;  // first letters, but F(ailed)
  uint64_t moved_ = 0;
};

TEST_F(ConnectionDirectTest, BytesGoUnseenOnceABodyIsExpected) {
  from_.peer.send("shown");
  ASSERT_TRUE(runUntil([&] { return from_.handler.received == "shown"; }));
  from_.connection->expectBody();
  from_.peer.send("unseen");
  EXPECT_EQ(received(6), "unseen");
  EXPECT_EQ(from_.handler.received, "shown");
  EXPECT_EQ(moved_, 6U);
  EXPECT_FALSE(to_.connection->unsent());
}

TEST_F(ConnectionDirectTest, BytesKeepTheirPlaceAmongThoseWritten) {
  const std::string first = lot(kTooMuch), second = lot(50'000), third = lot(5'000);
  to_.connection->write(first);
  from_.connection->expectBody();
  from_.peer.send(second);
  ASSERT_TRUE(runUntil([&] { return moved_ > 0; }));
  const std::string spliced = second.substr(0, moved_);
  to_.connection->write(third);
  from_.connection->pauseReading();
  EXPECT_TRUE(received(kTooMuch + moved_ + 5'000) == first + spliced + third);
}

TEST_F(ConnectionDirectTest, WhatTheSocketDoesNotTakeIsBackPressure) {
  const std::string sent = lot(kTooMuch);
  relay();
  to_.handler.when_above_high = [this] { from_.connection->pauseReading(); };
  to_.handler.when_below_low = [this] { from_.connection->resumeReading(); };
  auto writer = std::async(std::launch::async, [&] { from_.peer.send(sent); });
  ASSERT_TRUE(runUntil([&] { return to_.handler.above_high > 0; }));
  EXPECT_TRUE(to_.connection->unsent());
  EXPECT_LT(moved_, sent.size());
  // One pipe at a time.
  EXPECT_EQ(to_.connection->spliceFrom(*from_.connection, 1).kind, Kind::Copy);
  EXPECT_TRUE(received(sent.size()) == sent);
  EXPECT_GT(moved_, sent.size() / 2);
  test_loop_.runReady();
  EXPECT_EQ(to_.handler.above_high, to_.handler.below_low);
  writer.get();
}

TEST_F(ConnectionDirectTest, LittleIsShownTheNextTime) {
  from_.connection->expectBody();
  from_.peer.send("unseen");
  EXPECT_EQ(received(6), "unseen");
  from_.peer.send("shown");
  ASSERT_TRUE(runUntil([&] { return from_.handler.received == "shown"; }));
  EXPECT_EQ(kinds_, "M");
}

TEST_F(ConnectionDirectTest, AQueueThatFillsBehindAPipeIsToldAgain) {
  to_.connection->setWriteLimit(10'000'000);
  to_.connection->write(lot(kTooMuch));
  from_.connection->expectBody();
  from_.peer.send("x");
  ASSERT_TRUE(runUntil([&] { return to_.handler.above_high == 1; }));
  to_.connection->write(lot(10'000'000));
  EXPECT_EQ(to_.handler.above_high, 2);
  EXPECT_EQ(received(kTooMuch + 10'000'001).size(), kTooMuch + 10'000'001U);
  ASSERT_TRUE(runUntil([&] { return to_.handler.below_low == 1; }));
}

TEST_F(ConnectionDirectTest, NoMoreThanAskedFor) {
  most_ = 3;
  from_.connection->expectBody();
  from_.peer.send("abcdef");
  ASSERT_TRUE(runUntil([&] { return moved_ == 3; }));
  from_.handler.when_spliceable = nullptr;  // declines
  ASSERT_TRUE(runUntil([&] { return from_.handler.received == "def"; }));
  EXPECT_EQ(received(3), "abc");
}

TEST_F(ConnectionDirectTest, TheEndAndErrorsOfTheSource) {
  from_.connection->expectBody();
  from_.peer.shutdownSending();
  ASSERT_TRUE(runUntil([&] { return from_.handler.ended; }));
  EXPECT_EQ(kinds_, "E");
  End other(loop());
  other.connection->expectBody();
  other.handler.when_spliceable = [&] {
    return to_.connection->spliceFrom(*other.connection, most_);
  };
  other.peer.reset();
  ASSERT_TRUE(runUntil([&] { return other.handler.closed.has_value(); }));
  EXPECT_EQ(other.handler.closed, CloseReason::RemoteReset);
  EXPECT_EQ(other.connection->systemError(), ECONNRESET);
}

TEST_F(ConnectionDirectTest, AFlushingCloseSendsWhatIsInThePipe) {
  const std::string first = lot(kTooMuch);
  to_.connection->write(first);
  from_.connection->expectBody();
  from_.peer.send("last words");
  ASSERT_TRUE(runUntil([&] { return moved_ == 10; }));
  to_.connection->close(CloseMode::FlushNoDrain);
  EXPECT_TRUE(received(kTooMuch + 10) == first + "last words");
  ASSERT_TRUE(runUntil([&] { return to_.handler.closed.has_value(); }));
}

TEST_F(ConnectionDirectTest, APeerThatIsGone) {
  const std::string sent = lot(kTooMuch);
  relay();
  to_.handler.when_above_high = [this] { from_.connection->pauseReading(); };
  auto writer = std::async(std::launch::async, [&] {
    size_t at = 0;
    ssize_t took = 0;
    do {
      took = ::send(from_.peer.fd(), sent.data() + at, sent.size() - at, MSG_NOSIGNAL);
      at += took > 0 ? static_cast<size_t>(took) : 0;
    } while (took > 0 && at < sent.size());
  });
  ASSERT_TRUE(runUntil([&] { return to_.handler.above_high > 0; }));
  to_.peer.reset();
  ASSERT_TRUE(runUntil([&] { return to_.handler.closed.has_value(); }));
  EXPECT_EQ(to_.handler.closed, CloseReason::RemoteReset);
  EXPECT_FALSE(to_.connection->unsent());
  EXPECT_EQ(to_.connection->spliceFrom(*from_.connection, 1).kind, Kind::Copy);
  from_.connection->close(CloseMode::Reset);
  writer.get();
}

TEST_F(ConnectionDirectTest, OnlyBetweenTcpSockets) {
  for (const test::Medium medium : {test::Medium::Memory, test::Medium::Unix}) {
    test::RecordingHandler on_a, on_b;
    const auto [a, b] = test::connectedPair(medium, loop(), on_a, on_b);
    EXPECT_EQ(to_.connection->spliceFrom(*a, 1).kind, Kind::Copy) << medium;
    EXPECT_EQ(a->spliceFrom(*from_.connection, 1).kind, Kind::Copy) << medium;
  }
}

TEST_F(ConnectionDirectTest, SendsALargePieceAtOnceBehindWhatIsQueued) {
  to_.connection->write("head ");
  const std::string body = lot(20'000);
  EXPECT_EQ(to_.connection->sendNow(body), body.size());
  EXPECT_FALSE(to_.connection->unsent());
  EXPECT_TRUE(received(20'005) == "head " + body);
}

TEST_F(ConnectionDirectTest, WhatIsNotTakenAtOnceIsForTheQueue) {
  const std::string body = lot(kTooMuch);
  const size_t taken = to_.connection->sendNow(body);
  EXPECT_GT(taken, 0U);
  ASSERT_LT(taken, body.size());
  EXPECT_EQ(to_.connection->sendNow(body), 0U);  // the socket is full
  to_.connection->write(std::string_view(body).substr(taken));
  EXPECT_EQ(to_.connection->sendNow("x"), 0U);  // and others wait
  EXPECT_TRUE(received(body.size()) == body);
}

TEST_F(ConnectionDirectTest, APieceThatCannotBeSentEndsTheConnectionLater) {
  to_.peer.reset();
  EXPECT_EQ(to_.connection->sendNow("x"), 0U);
  EXPECT_FALSE(to_.handler.closed.has_value());
  EXPECT_EQ(to_.connection->sendNow("x"), 0U);
  ASSERT_TRUE(runUntil([&] { return to_.handler.closed.has_value(); }));
  EXPECT_EQ(to_.handler.closed, CloseReason::RemoteReset);
  EXPECT_EQ(to_.connection->systemError(), ECONNRESET);
}

}  // namespace
}  // namespace convoy::net
