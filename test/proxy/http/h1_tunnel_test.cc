// Tunnels on HTTP/1.1 connections (RFC 9110 7.8 and 9.3.6), in both roles: when they begin, and how
// each of their directions ends.

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

constexpr std::string_view kUpgrade =
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: websocket\r\n\r\n";
constexpr std::string_view kUpgradeEvents =
    "GET /chat a HTTP/1.1 body=none keep-alive upgrade=websocket\n"
    "  Connection: x, Upgrade\n  Upgrade: websocket\n";
constexpr std::string_view kConnect = "CONNECT b:1 HTTP/1.1\r\nHost: a\r\nUpgrade: u\r\n\r\n";
constexpr std::string_view kConnectEvents =
    "CONNECT b:1 b:1 HTTP/1.1 body=none keep-alive\n  Upgrade: u\n";

ResponseHead opening(std::string_view request) {
  ResponseHead head;
  head.status = request == kUpgrade ? 101 : 200;
  if (request == kUpgrade) head.upgrade = "websocket";
  return head;
}

TEST(H1ServerTunnelTest, WhatFollowsTheHeadIsNoRequestHoweverItIsCut) {
  for (const std::string_view request : {kUpgrade, kConnect}) {
    const std::string expected(request == kUpgrade ? kUpgradeEvents : kConnectEvents);
    forEachSplit(std::string(request) + "GET / HTTP/1.1", [&](std::string_view how, auto&& cut) {
      ServerRecorder server;
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      EXPECT_EQ(server.events.take(), expected + "body GET / HTTP/1.1\n") << how;
      EXPECT_EQ(server.held(), "") << how;
    });
  }
}

TEST(H1ServerTunnelTest, IsOpenedByItsStatusAndCarriesBytesAsTheyAre) {
  for (const std::string_view request : {kUpgrade, kConnect}) {
    ServerRecorder server;
    server.feed(request);
    server.sender->sendHead(opening(request), false);
    server.sender->sendBody("down", false);
    EXPECT_EQ(server.written(), request == kUpgrade
                                    ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                      "Upgrade: websocket\r\n\r\ndown"
                                    : "HTTP/1.1 200 OK\r\n\r\ndown");
    server.feed("up");
    server.events.take();
    EXPECT_TRUE(server.codec.mustClose());
    EXPECT_FALSE(server.codec.idle());
  }
}

TEST(H1ServerTunnelTest, TheClientMayEndItsDirectionFirst) {
  ServerRecorder server;
  server.feed(kUpgrade);
  server.sender->sendHead(opening(kUpgrade), false);
  server.feed("up");
  server.codec.onEndOfStream();
  EXPECT_EQ(server.events.take(), std::string(kUpgradeEvents) + "body up\nend\n");
  server.sender->sendBody("down", false);
  EXPECT_FALSE(server.codec.idle());
  server.sender->sendBody("", true);
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_TRUE(server.codec.idle() && server.codec.mustClose());
  EXPECT_TRUE(server.written().ends_with("\r\n\r\ndown"));
}

TEST(H1ServerTunnelTest, TheServerMayEndItsDirectionFirst) {
  ServerRecorder server;
  server.feed(kUpgrade);
  server.sender->sendHead(opening(kUpgrade), false);
  server.sender->sendBody("down", true);
  EXPECT_EQ(server.events.take(), std::string(kUpgradeEvents) + "end sending\n");
  server.feed("up");
  server.codec.onEndOfStream();
  EXPECT_EQ(server.events.take(), "body up\nend\ncomplete\n");
}

TEST(H1ServerTunnelTest, AClientThatLeavesBeforeTheAnswerIsGone) {
  ServerRecorder server;
  server.feed(kUpgrade);
  server.codec.onEndOfStream();
  EXPECT_EQ(server.events.take(), std::string(kUpgradeEvents) + "reset downstream_disconnect\n");
}

TEST(H1ServerTunnelTest, AfterAnyOtherAnswerTheConnectionCloses) {
  for (const std::string_view request : {kUpgrade, kConnect}) {
    ServerRecorder server;
    server.feed(request);
    ResponseHead head;
    head.status = request == kUpgrade ? 200 : 403;
    head.body = {BodyLength::Kind::Known, 2};
    server.sender->sendHead(head, false);
    server.sender->sendBody("no", true);
    const std::string text = server.written();
    EXPECT_NE(text.find("\r\nConnection: close\r\n"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("\r\n\r\nno")) << text;
    EXPECT_TRUE(server.codec.mustClose());
    server.events.take();
    server.sender->reset(Failure::None);
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(server.events.take(), "");
  }
}

TEST(H1ServerTunnelTest, FlowIsControlledBothWays) {
  ServerRecorder server;
  server.feed(kUpgrade);
  server.sender->sendHead(opening(kUpgrade), false);
  server.sender->pauseReceiving();
  EXPECT_EQ(server.pauses, 1);
  server.sender->resumeReceiving();
  EXPECT_EQ(server.pauses, 0);
  server.events.take();
  server.codec.onOutputAboveHigh();
  server.codec.onOutputBelowLow();
  EXPECT_EQ(server.events.take(), "above high\nbelow low\n");
  server.sender->pauseReceiving();
  server.codec.onConnectionLost(Failure::DownstreamDisconnect);
  EXPECT_EQ(server.pauses, 0);
  EXPECT_EQ(server.events.take(), "reset downstream_disconnect\n");
}

RequestHead connectHead() {
  RequestHead head;
  head.method = "CONNECT";
  head.target = head.authority = "b:1";
  return head;
}

TEST(H1ClientTunnelTest, TheHostMayEndItsDirectionFirst) {
  ClientRecorder client;
  RequestSender& sender = client.request("GET", false, {}, "websocket");
  client.codec.dispatch("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\ndown");
  client.codec.onEndOfStream();
  client.written();
  sender.sendBody("up", false);
  EXPECT_FALSE(client.codec.idle());
  sender.sendBody("", true);
  EXPECT_EQ(client.written(), "up");
  EXPECT_TRUE(client.events.take().ends_with("body down\nend\ncomplete, close\n"));
}

TEST(H1ClientTunnelTest, TheClientMayEndItsDirectionFirst) {
  ClientRecorder client;
  RequestSender& sender = client.request("CONNECT", false);
  client.codec.dispatch("HTTP/1.1 200 OK\r\n\r\n");
  client.events.take();
  sender.sendBody("up", true);
  EXPECT_EQ(client.events.take(), "end sending\n");
  client.codec.dispatch("down");
  client.codec.onEndOfStream();
  EXPECT_EQ(client.events.take(), "body down\nend\ncomplete, close\n");
}

TEST(H1ClientTunnelTest, ADirectionThatEndedBeforeTheAnswerEndsWithIt) {
  ClientRecorder client;
  client.request("GET", true, {}, "websocket");
  EXPECT_EQ(client.events.take(), "");
  client.codec.dispatch("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_TRUE(client.events.take().starts_with("end sending\n101 S"));
}

TEST(H1ClientTunnelTest, WithoutATunnelThereIsNothingToEnd) {
  ClientRecorder client;
  RequestSender& sender = client.request("CONNECT", false);
  client.codec.dispatch("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  sender.sendBody("", true);
  EXPECT_EQ(client.events.take(), "403 Forbidden HTTP/1.1 body=2\nbody no\nend\ncomplete, close\n");
}

TEST(H1ClientTunnelTest, ARawTunnelHasNoHeadsAtAll) {
  ClientRecorder client;
  RequestHead head = connectHead();
  head.raw_tunnel = true;
  RequestSender& sender = client.codec.newStream(client);
  sender.sendHead(head, false);
  client.codec.dispatch("SSH-2.0-host\r\n");
  sender.sendBody("SSH-2.0-client\r\n", false);
  EXPECT_EQ(client.written(), "SSH-2.0-client\r\n");
  sender.sendBody("", true);
  client.codec.onEndOfStream();
  EXPECT_EQ(client.events.take(), "body SSH-2.0-host\r\n\nend sending\nend\ncomplete, close\n");
}

TEST(H1ClientTunnelTest, ALostConnectionBreaksBothDirections) {
  ClientRecorder client;
  client.request("GET", false, {}, "websocket");
  client.codec.dispatch("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  client.events.take();
  client.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(client.events.take(), "reset upstream_aborted_body\n");
}

}  // namespace
}  // namespace convoy::http
