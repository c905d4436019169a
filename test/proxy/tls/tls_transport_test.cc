#include "proxy/tls/tls_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "test/proxy/tls/tls_pair.h"

namespace convoy::tls {
namespace {

using net::CloseMode;
using net::CloseReason;
using test::Medium;

std::string pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

class TlsOnMedia : public ::testing::TestWithParam<Medium> {
 protected:
  TlsPair pair_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, TlsOnMedia, ::testing::ValuesIn(test::kAllMedia),
                         [](const auto& info) { return std::string(test::name(info.param)); });

TEST_P(TlsOnMedia, CarriesBytesBothWays) {
  ASSERT_TRUE(pair_.joinAndHandshake(Sides()));
  // Byte by byte, a megabyte takes a while.
  const std::string bytes = pattern(GetParam() == Medium::MemoryByteByByte ? 40'000 : 1'000'000);
  pair_.connections.first->write(bytes);
  pair_.connections.second->write(bytes);
  ASSERT_TRUE(pair_.loop.runUntil([&] {
    return pair_.client.received.size() == bytes.size() &&
           pair_.server.received.size() == bytes.size();
  }));
  EXPECT_EQ(pair_.client.received, bytes);
  EXPECT_EQ(pair_.server.received, bytes);
  EXPECT_EQ(pair_.serverInfo().version, "TLSv1.3");
  EXPECT_EQ(pair_.server_metrics.handshake.value(), 1u);
  EXPECT_EQ(pair_.server_metrics.tls13.value(), 1u);
}

TEST_P(TlsOnMedia, AFlushingCloseLosesNoByte) {
  ASSERT_TRUE(pair_.joinAndHandshake(Sides()));
  const std::string bytes = pattern(GetParam() == Medium::MemoryByteByByte ? 20'000 : 700'000);
  pair_.connections.second->write(bytes);
  pair_.connections.second->close(CloseMode::Flush);
  ASSERT_TRUE(pair_.loop.runUntil([&] { return pair_.client.ended; }));
  EXPECT_EQ(pair_.client.received, bytes);
  pair_.connections.first->close(CloseMode::Flush);
  ASSERT_TRUE(pair_.loop.runUntil([&] { return pair_.server.closed && pair_.client.closed; }));
  EXPECT_EQ(pair_.server.closed, CloseReason::LocalClose);
  EXPECT_EQ(pair_.client.closed, CloseReason::LocalClose);
  EXPECT_EQ(pair_.client_metrics.connection_error.value(), 0u);
}

TEST_P(TlsOnMedia, WhatIsWrittenDuringTheHandshakeFollowsIt) {
  pair_.join(Sides());
  pair_.connections.first->write("early");
  ASSERT_TRUE(pair_.loop.runUntil([&] { return pair_.server.received == "early"; }));
}

TEST_P(TlsOnMedia, EndOfSendingLeavesReadingOpen) {
  ASSERT_TRUE(pair_.joinAndHandshake(Sides()));
  pair_.connections.first->write("question");
  pair_.connections.first->endSending();
  ASSERT_TRUE(pair_.loop.runUntil([&] { return pair_.server.ended; }));
  EXPECT_EQ(pair_.server.received, "question");
  pair_.connections.second->write("answer");
  pair_.connections.second->endSending();
  ASSERT_TRUE(pair_.loop.runUntil([&] { return pair_.client.ended; }));
  EXPECT_EQ(pair_.client.received, "answer");
  EXPECT_FALSE(pair_.client.closed.has_value());
  EXPECT_EQ(pair_.client_metrics.connection_error.value(), 0u);
}

TEST(TlsTransport, NegotiatesTheVersionsThatBothHave) {
  const struct {
    Version server_min, server_max, client_min, client_max;
    const char* version;  // null: none
  } cases[] = {
      {Version::Tls12, Version::Tls13, Version::Tls12, Version::Tls13, "TLSv1.3"},
      {Version::Tls12, Version::Tls12, Version::Tls12, Version::Tls13, "TLSv1.2"},
      {Version::Tls12, Version::Tls13, Version::Tls12, Version::Tls12, "TLSv1.2"},
      {Version::Tls13, Version::Tls13, Version::Tls12, Version::Tls12, nullptr},
      {Version::Tls12, Version::Tls12, Version::Tls13, Version::Tls13, nullptr},
  };
  for (const auto& c : cases) {
    Sides setup;
    setup.server.common.min_version = c.server_min;
    setup.server.common.max_version = c.server_max;
    setup.client.common.min_version = c.client_min;
    setup.client.common.max_version = c.client_max;
    TlsPair pair;
    ASSERT_EQ(pair.joinAndHandshake(setup), c.version != nullptr);
    if (c.version != nullptr) {
      EXPECT_EQ(pair.serverInfo().version, c.version);
      EXPECT_EQ(pair.clientInfo().version, c.version);
    } else {
      EXPECT_EQ(pair.serverInfo().failure, "unsupported_version");
      EXPECT_EQ(pair.server.closed, CloseReason::TransportError);
    }
  }
}

TEST(TlsTransport, NegotiatesTheProtocol) {
  const struct {
    std::vector<std::string> server, client;
    const char* protocol;  // null: none in common
  } cases[] = {
      {{"h2", "http/1.1"}, {"http/1.1", "h2"}, "h2"},
      {{"h2", "http/1.1"}, {"http/1.1"}, "http/1.1"},
      {{"h2", "http/1.1"}, {}, ""},
      {{}, {"h2"}, ""},
      {{"http/1.1"}, {"h2"}, nullptr},
  };
  for (const auto& c : cases) {
    Sides setup;
    setup.server.common.alpn = c.server;
    setup.client.common.alpn = c.client;
    TlsPair pair;
    ASSERT_EQ(pair.joinAndHandshake(setup), c.protocol != nullptr);
    if (c.protocol != nullptr) {
      EXPECT_EQ(pair.connections.first->transport()->protocol(), c.protocol);
      EXPECT_EQ(pair.connections.second->transport()->protocol(), c.protocol);
    } else {
      EXPECT_EQ(pair.serverInfo().failure, "no_shared_protocol");
    }
  }
}

// A plain peer against one that speaks TLS.
struct HalfPair {
  explicit HalfPair(bool server) {
    connections = test::connectedPair(Medium::Memory, loop.loop(), plain, wrapped);
    Sides setup;
    std::shared_ptr<const Context> context;
    if (server) {
      context = setup.serverContext(clock);
    } else {
      context = setup.clientContext(clock);
    }
    connections.second->setTransport(std::make_unique<TlsTransport>(std::move(context), metrics));
  }
  std::string failure() const {
    return std::string(connections.second->transport()->info().failure);
  }

  test::ShiftedClock clock;
  test::TestLoop loop{clock};
  TlsMetrics metrics;
  test::RecordingHandler plain;
  test::RecordingHandler wrapped;
  test::ConnectionPair connections;
};

TEST(TlsTransport, NamesWhatTheClientDidWrong) {
  const struct {
    std::string bytes;
    const char* failure;
  } cases[] = {
      {"GET / HTTP/1.1\r\nhost: a\r\n\r\n", "not_tls"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not_tls"},
      {std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9), "protocol_violation"},
      {std::string("\x17\x03\x03\x00\x01x", 6), "protocol_violation"},
  };
  for (const auto& c : cases) {
    HalfPair half(/*server=*/true);
    half.connections.first->write(c.bytes);
    ASSERT_TRUE(half.loop.runUntil([&] { return half.wrapped.closed.has_value(); })) << c.failure;
    EXPECT_EQ(half.wrapped.closed, CloseReason::TransportError);
    EXPECT_EQ(half.failure(), c.failure);
    EXPECT_EQ(half.metrics.connection_error.value(), 1u);
    EXPECT_FALSE(half.wrapped.connected);
  }
}

TEST(TlsTransport, AnEndDuringTheHandshakeFailsIt) {
  for (const bool server : {true, false}) {
    HalfPair half(server);
    half.connections.first->close(CloseMode::FlushNoDrain);
    ASSERT_TRUE(half.loop.runUntil([&] { return half.wrapped.closed.has_value(); }));
    if (half.wrapped.closed == CloseReason::TransportError) {
      EXPECT_EQ(half.failure(), "handshake_ended");
    } else {
      // The client's first record met a closed socket.
      EXPECT_FALSE(server);
      EXPECT_EQ(half.wrapped.closed, CloseReason::RemoteReset);
    }
  }
}

// Ends the socket without TLS's own end: takes the client's transport away from between.
class Cutter final : public net::Transport {
 public:
  explicit Cutter(std::unique_ptr<net::Transport> inner) : inner_(std::move(inner)) {}
  void attach(net::TransportCallbacks& callbacks) override { inner_->attach(callbacks); }
  void onSocketConnected() override { inner_->onSocketConnected(); }
  void onSocketRead(std::string_view bytes) override { inner_->onSocketRead(bytes); }
  void onSocketEndOfStream() override { inner_->onSocketEndOfStream(); }
  void write(net::ByteQueue& plain, net::ByteQueue& socket) override {
    inner_->write(plain, socket);
  }
  void closeNotify(net::ByteQueue&) override {}
  std::string_view protocol() const override { return inner_->protocol(); }

 private:
  std::unique_ptr<net::Transport> inner_;
};

TEST(TlsTransport, ATruncatedResponseIsAnErrorAndATruncatedRequestAnEnd) {
  for (const bool cut_by_server : {true, false}) {
    TlsPair pair;
    pair.connections =
        test::connectedPair(Medium::Memory, pair.loop.loop(), pair.client, pair.server);
    const Sides setup;
    const auto wrap = [&](std::shared_ptr<const Context> context, TlsMetrics& metrics, bool cut) {
      std::unique_ptr<net::Transport> made =
          std::make_unique<TlsTransport>(std::move(context), metrics);
      if (cut) made = std::make_unique<Cutter>(std::move(made));
      return made;
    };
    pair.connections.second->setTransport(
        wrap(setup.serverContext(pair.clock), pair.server_metrics, cut_by_server));
    pair.connections.first->setTransport(
        wrap(setup.clientContext(pair.clock), pair.client_metrics, !cut_by_server));
    ASSERT_TRUE(pair.handshake());
    if (cut_by_server) {
      pair.connections.second->write("part");
      pair.connections.second->close(CloseMode::Flush);
      ASSERT_TRUE(pair.loop.runUntil([&] { return pair.client.closed.has_value(); }));
      EXPECT_EQ(pair.client.received, "part");
      EXPECT_FALSE(pair.client.ended);
      EXPECT_EQ(pair.client.closed, CloseReason::TransportError);
      EXPECT_EQ(pair.clientInfo().failure, "truncated");
    } else {
      pair.connections.first->write("part");
      pair.connections.first->close(CloseMode::Flush);
      ASSERT_TRUE(pair.loop.runUntil([&] { return pair.server.ended; }));
      EXPECT_EQ(pair.server.received, "part");
      EXPECT_FALSE(pair.server.closed.has_value());
    }
  }
}

TEST(TlsTransport, AHandlerMayCloseInsideEveryCallback) {
  const auto run = [](auto&& arrange) {
    TlsPair pair;
    arrange(pair);
    pair.join(Sides());
    arrange(pair);
    pair.connections.first->write(pattern(200'000));
    ASSERT_TRUE(pair.loop.runUntil([&] { return pair.connections.second == nullptr; }));
    pair.loop.runReady();
  };
  run([](TlsPair& pair) {
    pair.server.when_connected = [&pair] { pair.connections.second.reset(); };
  });
  run([](TlsPair& pair) {
    pair.server.when_read = [&pair](std::string_view) { pair.connections.second.reset(); };
  });
  run([](TlsPair& pair) {
    pair.server.when_connected = [&pair] { pair.connections.second->close(CloseMode::Now); };
    pair.server.when_closed = [&pair] { pair.connections.second.reset(); };
  });
}

TEST(TlsTransport, PausedReadingHoldsWhatIsUnwrapped) {
  TlsPair pair;
  ASSERT_TRUE(pair.joinAndHandshake(Sides()));
  pair.server.when_read = [&](std::string_view) { pair.connections.second->pauseReading(); };
  const std::string bytes = pattern(60'000);
  pair.connections.first->write(bytes);
  while (pair.server.received.size() < bytes.size()) {
    const size_t before = pair.server.received.size();
    ASSERT_TRUE(pair.loop.runUntil([&] { return pair.server.received.size() > before; }));
    const size_t after = pair.server.received.size();
    pair.loop.runReady();
    EXPECT_EQ(pair.server.received.size(), after);
    pair.connections.second->resumeReading();
  }
  EXPECT_EQ(pair.server.received, bytes);
}

TEST(TlsTransport, ASlowReaderStopsTheWriter) {
  TlsPair pair;
  ASSERT_TRUE(pair.joinAndHandshake(Sides()));
  pair.connections.second->setWriteLimit(256 * 1024);
  pair.connections.first->pauseReading();
  const std::string part = pattern(64 * 1024);
  size_t written = 0;
  while (pair.server.above_high == 0 && written < (64u << 20)) {
    pair.connections.second->write(part);
    written += part.size();
    pair.loop.runReady();
  }
  EXPECT_EQ(pair.server.above_high, 1);
  EXPECT_LT(written, 2u << 20);
  pair.connections.first->resumeReading();
  ASSERT_TRUE(pair.loop.runUntil([&] { return pair.client.received.size() == written; }));
  EXPECT_EQ(pair.server.below_low, 1);
}

TEST(TlsTransport, KnowsNothingBeforeTheHandshake) {
  HalfPair half(/*server=*/true);
  const net::TransportInfo info = half.connections.second->transport()->info();
  EXPECT_TRUE(info.secure);
  EXPECT_EQ(info.version, "");
  EXPECT_EQ(info.peer, nullptr);
  EXPECT_EQ(half.connections.second->transport()->protocol(), "");
}

}  // namespace
}  // namespace convoy::tls
