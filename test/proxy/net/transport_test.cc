// How a connection treats the transport on it, with a toy one: a handshake of one byte, every byte
// XORed, an end of its own.

#include "proxy/net/transport.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proxy/net/connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"

namespace convoy::net {
namespace {

using test::Medium;

constexpr char kHello = 'H';
constexpr char kMask = 0x2a;
constexpr char kEnd = '\x7f';
constexpr char kBad = '\x01';  // a byte that no peer of ours sends

std::string masked(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c ^ kMask);
  return result;
}

class ToyTransport final : public Transport {
 public:
  void attach(TransportCallbacks& callbacks) override { callbacks_ = &callbacks; }
  void onSocketConnected() override {
    callbacks_->socketOutput().append({&kHello, 1});
    callbacks_->scheduleFlush();
  }
  void onSocketRead(std::string_view bytes) override {
    if (!established_) {
      if (bytes[0] != kHello) {
        callbacks_->socketOutput().append("alert");
        callbacks_->onTransportFailed();
        return;
      }
      bytes.remove_prefix(1);
      established_ = true;
      callbacks_->onTransportConnected();
    }
    const bool end = bytes.ends_with(kEnd);
    if (end) bytes.remove_suffix(1);
    // Two records per read, as TLS may find several.
    const std::string plain = masked(bytes);
    const std::string_view first = std::string_view(plain).substr(0, plain.size() / 2);
    const std::string_view second = std::string_view(plain).substr(plain.size() / 2);
    if (!first.empty()) callbacks_->onTransportRead(first);
    if (!second.empty()) callbacks_->onTransportRead(second);
    if (end) callbacks_->onTransportEndOfStream();
  }
  void onSocketEndOfStream() override {
    if (!established_) callbacks_->onTransportFailed();
  }
  void write(ByteQueue& plain, ByteQueue& socket) override {
    if (!established_) return;
    while (!plain.empty()) {
      socket.append(masked(plain.front()));
      plain.consume(plain.front().size());
    }
  }
  void closeNotify(ByteQueue& socket) override { socket.append({&kEnd, 1}); }
  std::string_view protocol() const override { return "toy"; }

 private:
  TransportCallbacks* callbacks_ = nullptr;
  bool established_ = false;
};

class TransportTest : public testing::TestWithParam<Medium> {
 protected:
  TransportTest() {
    clock_.attach(test_loop_.loop());
    std::tie(a_, b_) = test::connectedPair(GetParam(), test_loop_.loop(), on_a_, on_b_);
  }
  void wrapBoth() {
    a_->setTransport(std::make_unique<ToyTransport>());
    b_->setTransport(std::make_unique<ToyTransport>());
  }
  [[nodiscard]] bool runUntil(const std::function<bool()>& condition) {
    return test_loop_.runUntil(condition);
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  test::RecordingHandler on_a_;
  test::RecordingHandler on_b_;
  std::unique_ptr<Connection> a_;
  std::unique_ptr<Connection> b_;
};

TEST_P(TransportTest, HandshakeComesFirstAndEarlyBytesWait) {
  EXPECT_EQ(a_->transport(), nullptr);
  wrapBoth();
  ASSERT_NE(a_->transport(), nullptr);
  EXPECT_EQ(a_->transport()->protocol(), "toy");
  a_->write("early");
  ASSERT_TRUE(runUntil([&] { return on_b_.received == "early"; }));
  EXPECT_TRUE(on_a_.connected);
  EXPECT_TRUE(on_b_.connected);
}

TEST_P(TransportTest, BytesAreUnwrappedBothWaysWithBackPressure) {
  wrapBoth();
  ASSERT_TRUE(runUntil([&] { return on_a_.connected && on_b_.connected; }));
  const size_t size = GetParam() == Medium::MemoryByteByByte ? 100'000 : 20'000'000;
  std::string sent;
  for (size_t i = 0; sent.size() < size; ++i) sent += std::to_string(i) + ' ';
  a_->setWriteLimit(50'000);
  on_b_.when_read = [&](std::string_view bytes) { b_->write(bytes); };
  a_->write(sent);
  EXPECT_EQ(on_a_.above_high, 1);
  ASSERT_TRUE(runUntil([&] { return on_a_.received.size() == sent.size(); }));
  EXPECT_EQ(on_a_.received, sent);
  EXPECT_GE(on_a_.below_low, 1);
}

TEST_P(TransportTest, WhatTheTransportHasTakenIsUnsentUntilItLeaves) {
  wrapBoth();
  ASSERT_TRUE(runUntil([&] { return on_a_.connected && on_b_.connected; }));
  const std::string lot(GetParam() == Medium::MemoryByteByByte ? 100'000 : 8'000'000, 'x');
  b_->pauseReading();
  a_->write(lot);
  test_loop_.runReady();
  EXPECT_TRUE(a_->unsent());
  EXPECT_TRUE(a_->output().empty());
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.received.size() == lot.size(); }));
  EXPECT_FALSE(a_->unsent());
}

TEST_P(TransportTest, RecordsBehindAPauseAreHeld) {
  wrapBoth();
  ASSERT_TRUE(runUntil([&] { return on_a_.connected && on_b_.connected; }));
  on_b_.when_read = [&](std::string_view) { b_->pauseReading(); };
  a_->write("abcdef");
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_b_.reads == 1; }));
  test_loop_.runReady();
  EXPECT_EQ(on_b_.reads, 1);
  EXPECT_FALSE(on_b_.ended);
  b_->resumeReading();
  EXPECT_EQ(on_b_.reads, 1);  // not from inside the call
  ASSERT_TRUE(runUntil([&] { return on_b_.reads == 2; }));
  on_b_.when_read = nullptr;
  b_->resumeReading();
  ASSERT_TRUE(runUntil([&] { return on_b_.ended; }));
  EXPECT_EQ(on_b_.received, "abcdef");
}

TEST_P(TransportTest, FlushSendsEverythingAndThenTheTransportsEnd) {
  wrapBoth();
  ASSERT_TRUE(runUntil([&] { return on_a_.connected && on_b_.connected; }));
  const std::string lot(GetParam() == Medium::MemoryByteByByte ? 100'000 : 8'000'000, 'x');
  on_b_.when_ended = [&] { b_->close(CloseMode::Flush); };
  a_->write(lot);
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_a_.closed && on_b_.closed; }));
  EXPECT_EQ(on_b_.received, lot);
  EXPECT_EQ(on_a_.closed, CloseReason::LocalClose);
  EXPECT_EQ(on_b_.closed, CloseReason::LocalClose);
}

TEST_P(TransportTest, FailureClosesWithItsReasonAndSendsTheAlert) {
  b_->setTransport(std::make_unique<ToyTransport>());
  ASSERT_TRUE(runUntil([&] { return on_a_.connected; }));
  a_->write({&kBad, 1});
  ASSERT_TRUE(runUntil([&] { return on_b_.closed.has_value(); }));
  EXPECT_EQ(on_b_.closed, CloseReason::TransportError);
  EXPECT_FALSE(on_b_.connected);
  ASSERT_TRUE(runUntil([&] { return on_a_.ended || on_a_.closed; }));
  EXPECT_EQ(on_a_.received, std::string(1, kHello) + "alert");
}

TEST_P(TransportTest, EndInsideTheHandshakeIsAFailure) {
  b_->setTransport(std::make_unique<ToyTransport>());
  ASSERT_TRUE(runUntil([&] { return on_a_.connected; }));
  a_->close(CloseMode::Flush);
  ASSERT_TRUE(runUntil([&] { return on_b_.closed.has_value(); }));
  EXPECT_EQ(on_b_.closed, CloseReason::TransportError);
}

TEST_P(TransportTest, HandlerMayDestroyTheConnectionInEveryCallback) {
  wrapBoth();
  on_a_.when_connected = [&] { a_.reset(); };
  on_b_.when_read = [&](std::string_view) { b_.reset(); };
  a_->write("never");
  ASSERT_TRUE(runUntil([&] { return a_ == nullptr; }));
  test_loop_.runReady();
  EXPECT_EQ(on_a_.closed_calls, 0);
}

INSTANTIATE_TEST_SUITE_P(Media, TransportTest, testing::ValuesIn(test::kAllMedia),
                         [](const testing::TestParamInfo<Medium>& param) {
                           return std::string(test::name(param.param));
                         });

}  // namespace
}  // namespace convoy::net
