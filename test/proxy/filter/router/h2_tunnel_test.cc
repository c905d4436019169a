// WebSockets where HTTP/2 meets HTTP/1.1 (RFC 8441): the codec of HTTP/2 on one side, the stream
// and the router as they are, HTTP/1.1 on the other.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "proxy/filter/router/router_filter.h"
#include "proxy/http/h2_client_codec.h"
#include "proxy/http/h2_server_codec.h"
#include "proxy/http/websocket.h"
#include "test/proxy/http/h2_frames.h"
#include "test/proxy/http/manager_fixture.h"
#include "test/proxy/route/requests.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::filter::router {
namespace {

using namespace http::h2;
using http::Client;

// A client's connection of HTTP/2: what a connection manager does, as far as tunnels need it.
class H2Door final : public http::ServerCodecHandler, public http::StreamOwner {
 public:
  H2Door(event::Loop& loop, std::shared_ptr<http::ManagerRuntime> runtime)
      : loop_(loop),
        runtime_(std::move(runtime)),
        codec_(*this, http::H2Options{.allow_extended_connect = true}, loop.clock(), metrics_) {}
  ~H2Door() { codec_.onConnectionLost(http::Failure::DownstreamDisconnect); }

  void feed(std::string_view bytes) {
    const event::Loop::TurnScope turn(loop_);
    codec_.dispatch(bytes);
  }
  std::string written() {
    const std::string bytes = out_.toString();
    out_.clear();
    return frames.read(bytes);
  }

  net::ByteQueue& output() override { return out_; }
  void pauseReading() override {}
  void resumeReading() override {}
  http::RequestReceiver& newStream(http::ResponseSender& sender) override {
    http::ServerStream& stream = *runtime_->takeStream().release();
    stream.start(*this, sender, runtime_);
    return stream;
  }
  void onProtocolError(http::Failure, std::string_view detail) override { ADD_FAILURE() << detail; }
  void onStreamComplete(http::ResponseSender&) override {}
  const net::ConnectionAddresses& addresses() const override { return addresses_; }
  const net::Transport* transport() const override { return nullptr; }
  void onStreamFinished(http::ServerStream& stream, http::StreamEnd) override {
    loop_.destroyAtEndOfTurn(std::unique_ptr<http::ServerStream>(&stream));
  }

  FrameReader frames;

 private:
  event::Loop& loop_;
  const std::shared_ptr<http::ManagerRuntime> runtime_;
  const net::ConnectionAddresses addresses_{*net::Address::parse("192.0.2.1:1111"),
                                            *net::Address::parse("192.0.2.1:1111")};
  net::ByteQueue out_;
  http::H2Metrics metrics_;
  http::H2ServerCodec codec_;
};

class H2TunnelTest : public test::UpstreamTest {
 protected:
  H2TunnelTest() {
    http_.terminal = [this] {
      return makeRouterFactory(std::make_shared<RouterSpec>(), services_);
    };
    http_.routes = [this] { return event::LocalRef<http::RouteMatcher>(table_); };
    table_ = route::RouteTable::compile(
                 test::tableOf({test::virtualHost("v", {"*"}, {test::prefixTo("web", "/")})}))
                 .value();
    runtime_ =
        http_.configure([](http::ConnectionManagerSpec& spec) { spec.upgrades = {{"websocket"}}; });
    makeCluster();
  }

  WorkerServices services_{loop_.loop(), manager_->worker(0), 0};
  std::shared_ptr<const http::RouteMatcher> table_;
  http::ManagerHarness http_{loop_, clock_};
  std::shared_ptr<http::ManagerRuntime> runtime_;
};

class H2DownstreamTest : public H2TunnelTest {
 protected:
  H2DownstreamTest() : door_(loop_.loop(), runtime_) {
    door_.feed(clientStart() + headers(1,
                                       {{":method", "CONNECT"},
                                        {":protocol", "websocket"},
                                        {":scheme", "http"},
                                        {":path", "/chat"},
                                        {":authority", "a.test"},
                                        {"sec-websocket-version", "13"}},
                                       0));
    run();
    door_.written();
  }
  ~H2DownstreamTest() override {
    run();
    EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_active.value(), 0);
    EXPECT_EQ(http_.metrics_.downstream_rq_active.value(), 0);
  }
  // The answer of a host that speaks WebSocket to the key that it was sent.
  std::string agreement() {
    const std::string head = peer(0).take();
    EXPECT_TRUE(
        head.starts_with("GET /chat HTTP/1.1\r\nHost: a.test\r\n"
                         "Connection: Upgrade\r\nUpgrade: websocket\r\n"))
        << head;
    const std::string name = "Sec-WebSocket-Key: ";
    const size_t at = head.find(name);
    EXPECT_NE(at, std::string::npos) << head;
    const std::string key = head.substr(at + name.size(), 24);
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Accept: " +
           std::string(http::WebSocketAccept(key).text()) + "\r\n\r\n";
  }
  void answer(std::string_view bytes) {
    peer(0).send(bytes);
    run();
  }

  H2Door door_;
};

TEST_F(H2DownstreamTest, IsAnUpgradeToItsHost) {
  door_.feed(data(1, "early "));
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_total.value(), 0u);
  answer(agreement() + "hello");
  const std::string frames = door_.written();
  EXPECT_TRUE(frames.starts_with("HEADERS 1 :status=200 ")) << frames;
  EXPECT_EQ(frames.find("sec-websocket-accept"), std::string::npos) << frames;
  EXPECT_TRUE(frames.ends_with("DATA 1 5\n")) << frames;
  door_.feed(data(1, "bird", kEndStream));
  run();
  EXPECT_EQ(peer(0).take(), "early bird");
  EXPECT_TRUE(peer(0).handler.ended);
  peer(0).send("bye");
  peer(0).connection->close(net::CloseMode::Flush);
  run();
  EXPECT_EQ(door_.written(), "DATA 1 3\nDATA 1 0 end\n");
  EXPECT_EQ(door_.frames.body(), "hellobye");
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_total.value(), 1u);
}

TEST_F(H2DownstreamTest, AWrongAnswerToTheKeyIsNone) {
  std::string wrong = agreement();
  wrong[wrong.find("Accept: ") + 8] ^= 1;
  answer(wrong);
  EXPECT_TRUE(door_.written().starts_with("HEADERS 1 :status=502"));
}

// 200 would open the tunnel on HTTP/2.
TEST_F(H2DownstreamTest, AHostThatAnswersARequestHasOpenedNothing) {
  answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(door_.written().starts_with("HEADERS 1 :status=502"));
}

TEST_F(H2DownstreamTest, ADeclineIsPassedOn) {
  answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const std::string frames = door_.written();
  EXPECT_TRUE(frames.starts_with("HEADERS 1 :status=403")) << frames;
  EXPECT_TRUE(frames.ends_with("DATA 1 2 end\nRST_STREAM 1 NO_ERROR\n")) << frames;
}

TEST_F(H2DownstreamTest, AResetIsOneOnTheOtherSide) {
  answer(agreement());
  door_.written();
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(door_.written(), "RST_STREAM 1 INTERNAL_ERROR\n");
}

// A 2xx would be an open tunnel to the client, with nobody at its other end.
TEST_F(H2TunnelTest, AReplyOfOurOwnOpensNothing) {
  const struct {
    uint16_t status;
    const char* protocol;  // null: CONNECT
    const char* type;
    const char* expected;
  } cases[] = {
      {200, "websocket", "text/plain", "HEADERS 1 :status=403"},
      {204, "websocket", "text/plain", "HEADERS 1 :status=403"},
      {200, nullptr, "text/plain", "HEADERS 1 :status=403"},
      {404, "websocket", "text/plain", "HEADERS 1 :status=404"},
      // As a reply to gRPC it would be a 200.
      {404, "websocket", "application/grpc", "HEADERS 1 :status=404"},
      {200, nullptr, "application/grpc", "HEADERS 1 :status=403"},
  };
  runtime_ = http_.configure([](http::ConnectionManagerSpec& spec) {
    spec.upgrades = {{"websocket"}, {"CONNECT"}};
  });
  for (const auto& c : cases) {
    route::Route route = test::prefixTo("web", "/");
    if (c.protocol == nullptr) route.match.path.kind = route::PathMatch::Kind::Connect;
    route.action = route::DirectResponse{c.status, "hello"};
    table_ =
        route::RouteTable::compile(test::tableOf({test::virtualHost("v", {"*"}, {route})})).value();
    H2Door door(loop_.loop(), runtime_);
    Fields fields = {{":method", "CONNECT"}, {":authority", "a.test:80"}};
    if (c.protocol != nullptr) {
      fields.insert(fields.end(),
                    {{":protocol", c.protocol}, {":scheme", "http"}, {":path", "/chat"}});
    }
    fields.emplace_back("content-type", c.type);
    door.feed(clientStart() + headers(1, fields, 0));
    run();
    EXPECT_TRUE(door.written().starts_with(c.expected)) << c.expected;
  }
  EXPECT_EQ(http_.metrics_.downstream_cx_upgrades_total.value(), 0u);
}

class H2UpstreamTest : public H2TunnelTest {
 protected:
  H2UpstreamTest() {
    io_.make_codec = [this](http::ClientCodecHandler& handler) {
      return upstream::UpstreamCodec{
          .codec = std::make_unique<http::H2ClientCodec>(handler, http::H2Options(),
                                                         loop_.loop().clock(), metrics_),
          .max_streams = 0};
    };
  }
  void TearDown() override { http_.expectAllDone(); }
  Client& askForWebSocket() {
    Client& client = http_.connect();
    http_.send(client,
               "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    return client;
  }

  http::H2Metrics metrics_;
};

TEST_F(H2UpstreamTest, IsAnExtendedConnectToItsHost) {
  Client& client = http_.connect();
  http_.send(client,
             "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly");
  FrameReader frames;
  peer(0).send(settings({{8, 1}}) + settingsAck());
  run();
  const std::string request = frames.read(peer(0).take());
  EXPECT_TRUE(
      request.starts_with("HEADERS 1 :method=CONNECT :scheme=http :path=/chat "
                          ":authority=a.test :protocol=websocket"))
      << request;
  EXPECT_EQ(request.find("sec-websocket-key"), std::string::npos) << request;
  EXPECT_EQ(request.find("DATA"), std::string::npos) << "nothing before the host has agreed";
  peer(0).send(headers(1, {{":status", "200"}}, 0) + data(1, "down"));
  run();
  const std::string answer = client.take();
  EXPECT_TRUE(
      answer.starts_with("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                         "Upgrade: websocket\r\n"))
      << answer;
  EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
            std::string::npos)
      << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\ndown")) << answer;
  client.connection->endSending();
  run();
  EXPECT_EQ(frames.read(peer(0).take()), "DATA 1 5\nDATA 1 0 end\n");
  peer(0).send(data(1, "!", kEndStream));
  run();
  EXPECT_EQ(client.take(), "!");
  EXPECT_TRUE(client.ended());
}

// RFC 8441 3: it would take it for malformed, and clients could have healthy hosts ejected.
TEST_F(H2UpstreamTest, AHostThatDoesNotTakeUpgradesIsNotAskedAndNotBlamed) {
  upstream::OutlierSpec outlier;
  outlier.split_local_errors = true;
  const auto spec = clusterSpec();
  spec->outlier = std::make_shared<const upstream::OutlierSpec>(outlier);
  makeCluster(spec, 1);
  Client& client = askForWebSocket();
  FrameReader frames;
  peer(0).send(settings() + settingsAck());
  run();
  EXPECT_EQ(frames.read(peer(0).take()).find("HEADERS"), std::string::npos);
  EXPECT_TRUE(client.take().starts_with("HTTP/1.1 502 "));
  const auto failure = static_cast<size_t>(http::Failure::UpstreamNoUpgrade);
  EXPECT_EQ(http_.metrics_.failures[failure].value(), 1U);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 1);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  EXPECT_EQ(cluster().pick().lease.ref().metrics().rq_error.value(), 0U);
  EXPECT_EQ(cluster().pick().lease.ref().metrics().reached.value(), 0U) << "nothing was sent";
  EXPECT_EQ(metrics().upstream_rq_total.value(), 1U) << "there is no other to ask";
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 0U);
}

TEST_F(H2UpstreamTest, AnotherHostIsAskedForAnUpgrade) {
  makeCluster(clusterSpec(), 2);
  Client& client = askForWebSocket();
  peer(0).send(settings() + settingsAck());
  run();
  ASSERT_EQ(io_.peers.size(), 2U);
  peer(1).send(settings({{8, 1}}) + settingsAck());
  run();
  FrameReader frames;
  EXPECT_TRUE(frames.read(peer(1).take()).starts_with("HEADERS 1 :method=CONNECT "));
  peer(1).send(headers(1, {{":status", "200"}}, 0));
  run();
  EXPECT_TRUE(client.take().starts_with("HTTP/1.1 101 "));
  EXPECT_EQ(metrics().upstream_rq_retry.value(), 1U);
}

TEST_F(H2UpstreamTest, ThreeHostsAreAskedForAnUpgradeAtMost) {
  makeCluster(clusterSpec(), 5);
  Client& client = askForWebSocket();
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_EQ(io_.peers.size(), i + 1);
    EXPECT_TRUE(client.take().empty());
    peer(i).send(settings() + settingsAck());
    run();
  }
  EXPECT_EQ(io_.peers.size(), 3U);
  EXPECT_TRUE(client.take().starts_with("HTTP/1.1 502 "));
}

}  // namespace
}  // namespace convoy::filter::router
