// The promises of net::Connection, each on memory and on real sockets.

#include "proxy/net/connection.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"

namespace convoy::net {
namespace {

using std::chrono::seconds;
using test::Medium;

// More than any pipe or socket buffer on the way takes.
constexpr size_t kLot = 24 * 1024 * 1024;

class ConnectionTest : public testing::TestWithParam<Medium> {
 protected:
  ConnectionTest() {
    clock_.attach(test_loop_.loop());
    std::tie(a_, b_) = test::connectedPair(GetParam(), loop(), on_a_, on_b_);
    a_->setWriteLimit(lot() / 10);
  }

  event::Loop& loop() { return test_loop_.loop(); }
  [[nodiscard]] bool runUntil(const std::function<bool()>& condition) {
    return test_loop_.runUntil(condition);
  }
  void waitConnected() {
    ASSERT_TRUE(runUntil([&] { return on_a_.connected; }));
  }
  // Byte by byte, a smaller lot is slow enough.
  size_t lot() const { return GetParam() == Medium::MemoryByteByByte ? kLot / 200 : kLot; }
  std::string lotOf(char c) const { return std::string(lot(), c); }
  std::string some(char c) const { return std::string(lot() / 100, c); }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  test::RecordingHandler on_a_;
  test::RecordingHandler on_b_;
  std::unique_ptr<Connection> a_;  // connected to b
  std::unique_ptr<Connection> b_;  // adopted
};

class ConnectionResetTest : public ConnectionTest {};
class ConnectionBulkTest : public ConnectionTest {};

TEST_P(ConnectionTest, ConnectingIsToldLaterAndOnce) {
  EXPECT_FALSE(on_a_.connected);
  EXPECT_FALSE(a_->connected());
  EXPECT_TRUE(b_->connected());
  waitConnected();
  EXPECT_TRUE(a_->connected());
  EXPECT_FALSE(on_b_.connected);
  EXPECT_EQ(a_->systemError(), 0);
}

TEST_P(ConnectionTest, BytesArriveInOrderBothWays) {
  a_->write("written before it is connected, ");
  waitConnected();
  a_->write("and after");
  b_->write("answer");
  ASSERT_TRUE(runUntil([&] { return on_b_.received.ends_with("after"); }));
  ASSERT_TRUE(runUntil([&] { return on_a_.received == "answer"; }));
  EXPECT_EQ(on_b_.received, "written before it is connected, and after");
}

TEST_P(ConnectionTest, EverythingOfATurnIsSentAtItsEnd) {
  waitConnected();
  loop().post([&] {
    a_->write("one ");
    const std::string_view two = "two ";
    std::copy(two.begin(), two.end(), a_->output().reserve(two.size()));
    a_->output().commit(two.size());
    a_->write("three");
    EXPECT_EQ(a_->output().size(), 13u);
  });
  ASSERT_TRUE(runUntil([&] { return on_b_.received.size() == 13; }));
  EXPECT_EQ(on_b_.received, "one two three");
  EXPECT_EQ(on_b_.reads, GetParam() == Medium::MemoryByteByByte ? 13 : 1);
  EXPECT_TRUE(a_->output().empty());
}

TEST_P(ConnectionTest, EchoOfALotKeepsEveryByte) {
  waitConnected();
  on_b_.when_read = [&](std::string_view bytes) { b_->write(bytes); };
  std::string sent;
  for (size_t i = 0; sent.size() < lot(); ++i) sent += std::to_string(i) + ' ';
  a_->write(sent);
  ASSERT_TRUE(runUntil([&] { return on_a_.received.size() == sent.size(); }));
  EXPECT_EQ(on_a_.received, sent);
}

TEST_P(ConnectionTest, BackPressureIsToldAndRelieved) {
  waitConnected();
  b_->pauseReading();
  a_->write(lotOf('x'));
  EXPECT_EQ(on_a_.above_high, 1);
  test_loop_.runReady();
  EXPECT_EQ(on_a_.below_low, 0);
  EXPECT_EQ(on_b_.reads, 0);
  EXPECT_FALSE(a_->output().empty());
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received.size() == lot(); }));
  EXPECT_EQ(on_a_.above_high, 1);
  EXPECT_EQ(on_a_.below_low, 1);
}

TEST_P(ConnectionTest, KnowsHowMuchThePeerHasTaken) {
  waitConnected();
  EXPECT_EQ(a_->acknowledged(), 0U);
  b_->pauseReading();
  a_->write(lotOf('x'));
  test_loop_.runReady();
  const uint32_t before = a_->acknowledged();
  EXPECT_NE(before, lot() - a_->output().size()) << "the kernel has some";
  // What is queued behind it changes nothing.
  a_->write("more");
  test_loop_.runReady();
  EXPECT_EQ(a_->acknowledged(), before);
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received.size() == lot() + 4; }));
  EXPECT_TRUE(runUntil([&] { return a_->acknowledged() == lot() + 4; }));
}

TEST_P(ConnectionTest, WriteLimitMayBeSetAndLifted) {
  waitConnected();
  a_->setWriteLimit(10);
  a_->write("01234567890");
  EXPECT_EQ(on_a_.above_high, 1);
  ASSERT_TRUE(runUntil([&] { return on_a_.below_low == 1; }));
  a_->setWriteLimit(0);
  a_->write(some('x'));
  EXPECT_EQ(on_a_.above_high, 1);
}

TEST_P(ConnectionTest, PausesAreCountedAndNothingGetsLost) {
  waitConnected();
  b_->pauseReading();
  b_->pauseReading();
  a_->write("early");
  test_loop_.runReady();
  b_->resumeReading();
  test_loop_.runReady();
  EXPECT_EQ(on_b_.received, "");
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "early"; }));
  // A pause that no byte met.
  b_->pauseReading();
  b_->resumeReading();
  a_->write(" late");
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "early late"; }));
}

TEST_P(ConnectionTest, EndOfStreamWaitsForThePauseToEnd) {
  waitConnected();
  b_->pauseReading();
  a_->write("last");
  a_->close(CloseMode::Flush);
  test_loop_.runReady();
  EXPECT_FALSE(on_b_.ended);
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.ended; }));
  EXPECT_EQ(on_b_.received, "last");
}

TEST_P(ConnectionTest, PausingInsideOnReadHoldsTheRest) {
  waitConnected();
  on_b_.when_read = [&](std::string_view) { b_->pauseReading(); };
  a_->write("first");
  ASSERT_TRUE(runUntil([&] { return on_b_.reads == 1; }));
  a_->write(", second");
  test_loop_.runReady();
  EXPECT_EQ(on_b_.reads, 1);
  on_b_.when_read = nullptr;
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "first, second"; }));
}

TEST_P(ConnectionTest, HalfCloseLeavesTheOtherDirectionOpen) {
  waitConnected();
  a_->write("question");
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_b_.ended; }));
  EXPECT_TRUE(b_->connected());
  EXPECT_FALSE(on_a_.closed);
  b_->write("the closing side drops this");
  b_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_a_.received, "");
  EXPECT_EQ(on_b_.received, "question");
}

TEST_P(ConnectionTest, EndOfSendingLeavesReadingOpen) {
  waitConnected();
  a_->write(lotOf('q'));
  a_->endSending();
  a_->endSending();  // again: no effect
  ASSERT_TRUE(runUntil([&] { return on_b_.ended; }));
  EXPECT_EQ(on_b_.received.size(), lot());
  EXPECT_FALSE(on_a_.closed);
  b_->write(some('a'));
  ASSERT_TRUE(runUntil([&] { return on_a_.received == some('a'); }));
  b_->endSending();
  ASSERT_TRUE(runUntil([&] { return on_a_.ended; }));
  a_->close(CloseMode::Flush);
  b_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionTest, FlushSendsALotBeforeTheEnd) {
  for (const CloseMode mode : {CloseMode::Flush, CloseMode::FlushNoDrain}) {
    test::RecordingHandler on_first;
    test::RecordingHandler on_second;
    auto [first, second] = test::connectedPair(GetParam(), loop(), on_first, on_second);
    ASSERT_TRUE(runUntil([&] { return on_first.connected; }));
    on_second.when_ended = [&connection = *second] { connection.close(CloseMode::FlushNoDrain); };
    first->write(lotOf('f'));
    first->close(mode);
    first->close(mode);  // again: no effect
    ASSERT_TRUE(runUntil([&] { return on_first.closed && on_second.closed; }));
    EXPECT_EQ(on_first.closed, CloseReason::LocalClose);
    EXPECT_EQ(on_first.closed_calls, 1);
    EXPECT_TRUE(on_second.ended);
    EXPECT_EQ(on_second.received.size(), lot());
  }
}

TEST_P(ConnectionTest, EndOfStreamComesOnceToAConnectionThatCannotSend) {
  waitConnected();
  int ends = 0;
  on_b_.when_ended = [&] { ++ends; };
  a_->pauseReading();
  b_->write(lotOf('x'));
  test_loop_.runReady();
  a_->write("bye");
  a_->close(CloseMode::Flush);  // from now on it takes and drops
  ASSERT_TRUE(runUntil([&] { return ends > 0 && b_->output().empty(); }));
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(on_b_.received, "bye");
}

TEST_P(ConnectionTest, NowDropsWhatIsQueued) {
  waitConnected();
  b_->pauseReading();
  a_->write(lotOf('n'));
  test_loop_.runReady();
  a_->close(CloseMode::Now);
  EXPECT_EQ(on_a_.closed_calls, 0);  // never from inside the call
  EXPECT_FALSE(a_->connected());
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && (on_b_.ended || on_b_.closed); }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_LT(on_b_.received.size(), lot());
  a_->close(CloseMode::Reset);
  a_->write("nowhere");
  a_->pauseReading();
  a_->resumeReading();
  test_loop_.runReady();
  EXPECT_EQ(on_a_.closed_calls, 1);
}

TEST_P(ConnectionResetTest, ResetIsSeenAsAnErrorBehindTheBytesBeforeIt) {
  waitConnected();
  a_->write("partial ans");
  test_loop_.runReady();
  a_->close(CloseMode::Reset);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_b_.closed, CloseReason::RemoteReset);
  EXPECT_EQ(b_->systemError(), ECONNRESET);
  EXPECT_EQ(on_b_.received, "partial ans");
  EXPECT_FALSE(on_b_.ended);
}

TEST_P(ConnectionResetTest, PausedConnectionLearnsOfAReset) {
  waitConnected();
  b_->pauseReading();
  a_->write("x");  // paused with a byte waiting: looks at nothing more
  test_loop_.runReady();
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "x"; }));
  b_->pauseReading();
  a_->close(CloseMode::Reset);
  ASSERT_TRUE(runUntil([&] { return on_b_.closed.has_value(); }));
  EXPECT_EQ(on_b_.closed, CloseReason::RemoteReset);
}

TEST_P(ConnectionResetTest, BytesBeforeAResetWaitForThePauseToEnd) {
  waitConnected();
  b_->pauseReading();
  a_->write("before");
  test_loop_.runReady();
  a_->close(CloseMode::Reset);
  test_loop_.runReady();
  EXPECT_FALSE(on_b_.closed);
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.closed.has_value(); }));
  EXPECT_EQ(on_b_.received, "before");
  EXPECT_EQ(on_b_.closed, CloseReason::RemoteReset);
}

// A server refuses a large upload early: the client must get the answer, not an error.
TEST_P(ConnectionTest, AnswerSurvivesBytesThatNobodyReads) {
  waitConnected();
  a_->write(lotOf('u') + lotOf('u'));
  ASSERT_TRUE(runUntil([&] { return on_b_.reads > 0; }));
  b_->write("413 too large");
  b_->close(CloseMode::Flush);
  on_a_.when_ended = [&] { a_->close(CloseMode::Now); };
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_a_.received, "413 too large");
  EXPECT_TRUE(on_a_.ended);
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionTest, LingeringIsBoundedInTime) {
  waitConnected();
  b_->write("bye");
  b_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_a_.ended; }));
  clock_.advance(Connection::kLingerTime - event::Duration(1));
  EXPECT_FALSE(on_b_.closed);
  clock_.advance(event::Duration(1));
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionBulkTest, LingeringIsBoundedInBytes) {
  waitConnected();
  b_->close(CloseMode::Flush);
  on_a_.when_below_low = [&] { a_->write(std::string(4 * 1024 * 1024, 'x')); };
  a_->write(std::string(4 * 1024 * 1024, 'x'));
  ASSERT_TRUE(runUntil([&] { return on_b_.closed.has_value(); }));
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionTest, FlushToAPeerThatTakesNothingIsBoundedInTime) {
  waitConnected();
  b_->pauseReading();
  a_->write(lotOf('s'));
  a_->close(CloseMode::Flush);
  test_loop_.runReady();
  clock_.advance(Connection::kFlushStallTime - event::Duration(1));
  EXPECT_FALSE(on_a_.closed);
  clock_.advance(event::Duration(1));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionTest, AHarderCloseEndsALingeringOne) {
  waitConnected();
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_b_.ended; }));
  EXPECT_FALSE(on_a_.closed);
  a_->close(CloseMode::Now);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed.has_value(); }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
}

TEST_P(ConnectionTest, CloseInsideOnReadStopsReading) {
  waitConnected();
  on_b_.when_read = [&](std::string_view) {
    b_->write("enough");
    b_->close(CloseMode::Flush);
  };
  a_->write("one");
  ASSERT_TRUE(runUntil([&] { return on_a_.received == "enough"; }));
  a_->write("two");
  a_->close(CloseMode::FlushNoDrain);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_b_.reads, 1);
  EXPECT_FALSE(on_b_.ended);
}

TEST_P(ConnectionTest, WritingToAPeerThatIsGoneEndsInAReset) {
  waitConnected();
  b_.reset();
  ASSERT_TRUE(runUntil([&] { return on_a_.ended; }));
  a_->write("into");
  test_loop_.runReady();
  if (!on_a_.closed) a_->write(" the void");
  ASSERT_TRUE(runUntil([&] { return on_a_.closed.has_value(); }));
  EXPECT_EQ(on_a_.closed, CloseReason::RemoteReset);
  EXPECT_NE(a_->systemError(), 0);
}

TEST_P(ConnectionTest, CloseWithGivesItsReason) {
  b_.reset();
  a_->closeWith(CloseReason::ConnectTimeout);
  EXPECT_EQ(on_a_.closed_calls, 0);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed.has_value(); }));
  EXPECT_EQ(on_a_.closed, CloseReason::ConnectTimeout);
  EXPECT_FALSE(on_a_.connected);
}

TEST_P(ConnectionTest, FlushWhileConnectingGivesUp) {
  a_->write("never sent");
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && (on_b_.ended || on_b_.closed); }));
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_b_.received, "");
}

TEST_P(ConnectionTest, AnotherHandlerMayTakeOver) {
  waitConnected();
  test::RecordingHandler next;
  on_b_.when_read = [&](std::string_view) { b_->setHandler(next); };
  a_->write("first");
  ASSERT_TRUE(runUntil([&] { return on_b_.reads == 1; }));
  a_->write("second");
  a_->close(CloseMode::FlushNoDrain);
  ASSERT_TRUE(runUntil([&] { return next.ended; }));
  EXPECT_EQ((on_b_.received + next.received), "firstsecond");
  EXPECT_FALSE(on_b_.ended);
}

// Each callback in turn destroys the connection that calls it.
TEST_P(ConnectionTest, MayBeDestroyedInAnyCallback) {
  enum class In { Connected, Read, Ended, Closed, AboveHigh, BelowLow };
  for (const In in :
       {In::Connected, In::Read, In::Ended, In::Closed, In::AboveHigh, In::BelowLow}) {
    test::RecordingHandler on_first;
    test::RecordingHandler on_second;
    auto [first, second] = test::connectedPair(GetParam(), loop(), on_first, on_second);
    bool destroyed = false;
    const auto destroy = [&destroyed, &first = first] {
      first.reset();
      destroyed = true;
    };
    if (in == In::Connected) on_first.when_connected = destroy;
    if (in == In::Read) on_first.when_read = [&](std::string_view) { destroy(); };
    if (in == In::Ended) on_first.when_ended = destroy;
    if (in == In::Closed) on_first.when_closed = destroy;
    if (in == In::AboveHigh) on_first.when_above_high = destroy;
    if (in == In::BelowLow) on_first.when_below_low = destroy;
    first->setWriteLimit(lot() / 10);
    ASSERT_TRUE(runUntil([&] { return on_first.connected; }));
    if (in == In::Read) {
      second->write("x");
      second->close(CloseMode::FlushNoDrain);
    } else if (in == In::Ended) {
      second->close(CloseMode::FlushNoDrain);
    } else if (in == In::Closed) {
      first->close(CloseMode::Now);
    } else if (in != In::Connected) {
      first->write(lotOf('x'));
    }
    ASSERT_TRUE(runUntil([&] { return destroyed; })) << static_cast<int>(in);
    test_loop_.runReady();
    EXPECT_EQ(on_first.closed_calls, in == In::Closed ? 1 : 0);
  }
}

TEST_P(ConnectionTest, DestroyedWithWorkPendingStaysSilent) {
  waitConnected();
  b_->write("pending");
  a_->write("pending");
  a_.reset();
  b_->close(CloseMode::Now);
  b_.reset();
  test_loop_.runReady();
  EXPECT_EQ(on_a_.closed_calls + on_b_.closed_calls, 0);
  EXPECT_EQ(on_a_.reads + on_b_.reads, 0);
}

TEST_P(ConnectionTest, KnowsItsAddresses) {
  waitConnected();
  EXPECT_EQ(a_->remoteAddress(), b_->localAddress());
  EXPECT_EQ(a_->localAddress(), b_->remoteAddress());
  EXPECT_EQ(&a_->loop(), &loop());
}

// Another proxy in between: who is on the wire does not change.
TEST_P(ConnectionTest, KeepsTheOriginalAddressesBesideItsOwn) {
  waitConnected();
  const ConnectionAddresses& addresses = b_->addresses();
  EXPECT_EQ(addresses.source(), b_->remoteAddress());
  EXPECT_EQ(addresses.destination(), b_->localAddress());
  const Address remote = b_->remoteAddress();
  const Address local = b_->localAddress();
  const Address client = *Address::parse("198.51.100.7:5555");
  const Address reached = *Address::parse("[2001:db8::1]:443");
  b_->setOriginalAddresses(client, reached);
  EXPECT_EQ(addresses.source(), client);
  EXPECT_EQ(addresses.destination(), reached);
  EXPECT_EQ(b_->remoteAddress(), remote);
  EXPECT_EQ(b_->localAddress(), local);
  a_->write("still joined");
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "still joined"; }));
}

std::string mediumName(const testing::TestParamInfo<Medium>& param) {
  return std::string(test::name(param.param));
}

INSTANTIATE_TEST_SUITE_P(Media, ConnectionTest, testing::ValuesIn(test::kAllMedia), mediumName);
// Unix sockets have no reset.
INSTANTIATE_TEST_SUITE_P(Media, ConnectionResetTest,
                         testing::Values(Medium::Memory, Medium::MemoryByteByByte, Medium::Tcp),
                         mediumName);
// Byte by byte it would take minutes.
INSTANTIATE_TEST_SUITE_P(Media, ConnectionBulkTest,
                         testing::Values(Medium::Memory, Medium::Tcp, Medium::Unix), mediumName);

}  // namespace
}  // namespace convoy::net
