#include "proxy/grpc/channel.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "test/proxy/grpc/client_fixture.h"

namespace convoy::grpc {
namespace {

using std::chrono::seconds;

// A handshake that fails, or that agrees on another protocol than HTTP/2.
class BadTransport final : public net::Transport {
 public:
  explicit BadTransport(bool fails) : fails_(fails) {}
  void attach(net::TransportCallbacks& callbacks) override { callbacks_ = &callbacks; }
  void onSocketConnected() override {
    fails_ ? callbacks_->onTransportFailed() : callbacks_->onTransportConnected();
  }
  void onSocketRead(std::string_view) override {}
  void onSocketEndOfStream() override {}
  void write(net::ByteQueue&, net::ByteQueue&) override {}
  void closeNotify(net::ByteQueue&) override {}
  std::string_view protocol() const override { return "http/1.1"; }
  net::TransportInfo info() const override {
    return {.version = {}, .cipher = {}, .server_name = {}, .failure = "unknown_ca"};
  }

 private:
  const bool fails_;
  net::TransportCallbacks* callbacks_ = nullptr;
};

struct TransportMaker final : net::TransportFactory {
  std::unique_ptr<net::Transport> create(size_t worker) override {
    asked_for = worker;
    return make();
  }
  std::function<std::unique_ptr<net::Transport>()> make;
  size_t asked_for = 0;
};

class ChannelTest : public ClientFixture {
 protected:
  ClientOptions keptAlive() {
    ClientOptions made = options();
    made.keepalive_interval = seconds(60);
    made.keepalive_timeout = seconds(20);
    return made;
  }
  int pings() { return server->peer(0).pings(); }
};

TEST_F(ChannelTest, AConnectThatNobodyAnswersTimesOut) {
  // A full backlog on a socket that never accepts: the kernel drops further SYNs.
  const test::RawSocket full = test::RawSocket::listening(/*backlog=*/0);
  const test::RawSocket occupant = test::RawSocket::connectedTo(full.localAddress());
  ClientOptions made = options();
  made.addresses = {full.localAddress()};
  made.connect_timeout = seconds(3);
  makeClient(made);
  RecordingStream handler;
  start(handler);
  test_loop.runReady();
  EXPECT_FALSE(handler.status.has_value());
  clock.advance(seconds(4));
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  EXPECT_NE(handler.status->message().find("not made in time"), absl::string_view::npos)
      << *handler.status;
}

TEST_F(ChannelTest, APeerThatAcceptsAndSaysNothingTimesOut) {
  // The kernel accepts for a process that does not: its backlog has room.
  const test::RawSocket mute = test::RawSocket::listening();
  ClientOptions made = options();
  made.addresses = {mute.localAddress(), server->address()};
  made.connect_timeout = seconds(3);
  makeClient(made);
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(until([&] { return client->connectedTo() != nullptr; }));
  clock.advance(seconds(2));
  test_loop.runReady();
  EXPECT_FALSE(handler.status.has_value());
  clock.advance(seconds(2));
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(handler.status->message().find("said nothing"), absl::string_view::npos)
      << *handler.status;
  // The next call finds the next address.
  RecordingStream next;
  start(next);
  ASSERT_TRUE(untilCalls(1));
  clock.advance(seconds(4));
  test_loop.runReady();
  EXPECT_FALSE(next.status.has_value());
}

TEST_F(ChannelTest, WithoutAHandshakeForHttp2ThereIsNoConnection) {
  const struct {
    std::function<std::unique_ptr<net::Transport>()> make;
    const char* says;
  } kCases[] = {
      {[] { return nullptr; }, "the TLS handshake failed: certificates_missing"},
      {[] { return std::make_unique<BadTransport>(true); }, "the TLS handshake failed: unknown_ca"},
      {[] { return std::make_unique<BadTransport>(false); }, "does not agree to HTTP/2"},
  };
  for (const auto& c : kCases) {
    auto maker = std::make_shared<TransportMaker>();
    maker->make = c.make;
    ClientOptions made = options();
    made.transport = maker;
    made.transport_slot = 3;
    makeClient(made);
    RecordingStream handler;
    start(handler);
    ASSERT_TRUE(until([&] { return handler.status.has_value(); })) << c.says;
    EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable);
    EXPECT_NE(handler.status->message().find(c.says), absl::string_view::npos) << *handler.status;
    EXPECT_EQ(maker->asked_for, 3u);
    client.reset();
  }
}

TEST_F(ChannelTest, ASilentConnectionIsPinged) {
  makeClient(keptAlive());
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  clock.advance(seconds(59));
  test_loop.runReady();
  EXPECT_EQ(pings(), 0);
  clock.advance(seconds(2));
  ASSERT_TRUE(until([&] { return pings() == 1; }));
  test_loop.runReady();  // the answer arrives
  clock.advanceInSteps(seconds(61), seconds(1));
  ASSERT_TRUE(until([&] { return pings() == 2; }));
  EXPECT_FALSE(handler.status.has_value());
}

TEST_F(ChannelTest, AConnectionThatTalksIsNotPinged) {
  makeClient(keptAlive());
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  for (int i = 0; i < 10; ++i) {
    clock.advance(seconds(40));
    server->peer(0).send(server->peer(0).calls()[0], "news");
    ASSERT_TRUE(until([&] { return handler.messages.size() == size_t(i) + 1; }));
  }
  EXPECT_EQ(pings(), 0);
}

TEST_F(ChannelTest, ADeadPeerIsFound) {
  makeClient(keptAlive());
  server->on_connection = [](size_t, test::GrpcPeer& peer) { peer.answers_pings = false; };
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  test_loop.runReady();
  clock.advance(seconds(61));
  ASSERT_TRUE(until([&] { return pings() == 1; }));
  clock.advance(seconds(19));
  test_loop.runReady();
  EXPECT_FALSE(handler.status.has_value());
  clock.advance(seconds(2));
  ASSERT_TRUE(handler.status.has_value());
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(handler.status->message().find("keepalive"), absl::string_view::npos);
  EXPECT_EQ(client->connectedTo(), nullptr);
}

TEST_F(ChannelTest, WithoutCallsThereAreNoPings) {
  makeClient(keptAlive());
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  handler.stream.reset();
  ASSERT_TRUE(until([&] { return server->peer(0).onlyCall().reset.has_value(); }));
  clock.advanceInSteps(seconds(300), seconds(10));
  test_loop.runReady();
  EXPECT_EQ(pings(), 0);
  // The next call starts the keepalive again.
  RecordingStream next;
  start(next);
  ASSERT_TRUE(untilCalls(2));
  clock.advance(seconds(61));
  ASSERT_TRUE(until([&] { return pings() == 1; }));
}

TEST_F(ChannelTest, TooManyPingsDoublesTheInterval) {
  makeClient(keptAlive());
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  server->peer(0).goAway(NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
  ASSERT_TRUE(until([&] { return client->connectedTo() == nullptr; }));
  EXPECT_EQ(client->keepaliveInterval(), seconds(120));
}

TEST_F(ChannelTest, KeepaliveCanBeOff) {
  ClientOptions made = options();
  made.keepalive_interval = seconds(0);
  makeClient(made);
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  clock.advanceInSteps(seconds(600), seconds(60));
  test_loop.runReady();
  EXPECT_EQ(pings(), 0);
}

TEST_F(ChannelTest, EveryEndOfTheConnectionEndsItsCalls) {
  const struct {
    const char* what;
    std::function<void(test::GrpcServer&)> act;
    const char* words;
  } kCases[] = {
      {"closed", [](auto& server) { server.closeConnection(server.accepted() - 1); },
       "closed the connection"},
      {"reset", [](auto& server) { server.closeConnection(server.accepted() - 1, true); },
       "reset the connection"},
      {"garbage",
       [](auto& server) { server.writeRaw(server.accepted() - 1, std::string(100, '\xff')); }, ""},
  };
  makeClient(options());
  for (const auto& c : kCases) {
    RecordingStream handler;
    const size_t index = server->accepted();
    start(handler);
    ASSERT_TRUE(untilCalls(1, index)) << c.what;
    test_loop.runReady();
    c.act(*server);
    ASSERT_TRUE(until([&] { return handler.status.has_value(); })) << c.what;
    EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable)
        << c.what << ": " << *handler.status;
    EXPECT_NE(handler.status->message().find(c.words), absl::string_view::npos)
        << c.what << ": " << *handler.status;
  }
}

TEST_F(ChannelTest, APeerThatSpeaksNoHttp2IsNamed) {
  makeClient(options());
  server->on_connection = [this](size_t index, test::GrpcPeer& peer) {
    peer.takeOutput();  // its SETTINGS are never sent
    server->writeRaw(index, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  };
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable) << *handler.status;
  EXPECT_NE(handler.status->message().find("SETTINGS"), absl::string_view::npos) << *handler.status;
}

}  // namespace
}  // namespace convoy::grpc
