#include "proxy/http/h1_client_codec.h"

#include <string>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_cases.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

constexpr BodyLength kUnknown{BodyLength::Kind::Unknown, 0};
constexpr BodyLength known(uint64_t bytes) {
  return {BodyLength::Kind::Known, bytes};
}

// --- responses that are understood ---

TEST(H1ClientCodecTest, UnderstandsResponsesHoweverTheyAreCut) {
  for (const AcceptedResponse& c : acceptedResponses()) {
    forEachSplit(c.input, [&c](std::string_view how, auto&& cut) {
      ClientRecorder client;
      client.request(c.method);
      cut([&client](std::string_view bytes) { client.codec.dispatch(bytes); });
      EXPECT_EQ(eventsOf(c, client.events.take()), c.events) << c.what << ", " << how;
      EXPECT_TRUE(client.codec.idle()) << c.what << ", " << how;
      EXPECT_EQ(client.codec.mustClose(), c.closes) << c.what << ", " << how;
    });
  }
}

TEST(H1ClientCodecTest, ABodyWithoutALengthEndsWithTheConnection) {
  const std::string input = "HTTP/1.1 200 OK\r\nX: 1\r\n\r\nall of this";
  forEachSplit(input, [](std::string_view how, auto&& cut) {
    ClientRecorder client;
    client.request("GET");
    cut([&client](std::string_view bytes) { client.codec.dispatch(bytes); });
    EXPECT_FALSE(client.codec.idle()) << how;
    client.codec.onEndOfStream();
    EXPECT_EQ(client.events.take(),
              "200 OK HTTP/1.1 body=unknown\n  X: 1\nbody all of this\nend\ncomplete, close\n")
        << how;
  });
}

TEST(H1ClientCodecTest, ATunnelIsRaw) {
  ClientRecorder client;
  RequestSender& sender = client.request("CONNECT", false);
  EXPECT_EQ(client.written(), "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n");
  client.codec.dispatch("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nraw bytes");
  sender.sendBody("up", false);
  EXPECT_EQ(client.written(), "up");
  client.codec.onEndOfStream();
  sender.sendBody("", true);
  EXPECT_EQ(client.events.take(),
            "200 OK HTTP/1.1 body=unknown\nbody raw bytes\nend\ncomplete, close\n");
}

TEST(H1ClientCodecTest, AnUpgradeThatWasAskedForIsRaw) {
  ClientRecorder client;
  RequestSender& sender = client.request("GET", false, {}, "websocket");
  EXPECT_EQ(client.written(),
            "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  client.codec.dispatch(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw");
  sender.sendBody("up", true);
  client.codec.onEndOfStream();
  EXPECT_EQ(client.written(), "up");
  EXPECT_EQ(client.events.take(),
            "101 Switching Protocols HTTP/1.1 body=unknown upgrade=websocket\n"
            "  Connection: Upgrade\n  Upgrade: websocket\nbody raw\nend sending\nend\n"
            "complete, close\n");
}

// --- responses that are refused ---

TEST(H1ClientCodecTest, RefusesHoweverItIsCut) {
  for (const RefusedResponse& c : refusedResponses()) {
    const std::string expected = refusalEvents(c.error);
    forEachSplit(c.input, [&](std::string_view how, auto&& cut) {
      ClientRecorder client;
      client.request("GET");
      cut([&client](std::string_view bytes) { client.codec.dispatch(bytes); });
      client.codec.dispatch("HTTP/1.1 200 OK\r\n\r\n");
      const std::string events = client.events.take();
      const size_t at = events.find("reset");
      ASSERT_NE(at, std::string::npos) << c.what << ", " << how;
      EXPECT_EQ(events.substr(at), expected) << c.what << ", " << how;
      EXPECT_TRUE(client.codec.mustClose()) << c.what << ", " << how;
      EXPECT_TRUE(client.codec.idle()) << c.what << ", " << how;
    });
  }
}

TEST(H1ClientCodecTest, LimitsHeads) {
  H1Limits limits;
  limits.max_head_bytes = 64;
  ClientRecorder client(limits);
  client.request("GET");
  client.codec.dispatch("HTTP/1.1 200 OK\r\nX: " + std::string(60, 'v'));
  EXPECT_EQ(client.events.take(),
            "reset upstream_protocol_error\nerror upstream_protocol_error head_too_large\n");
}

TEST(H1ClientCodecTest, LimitsInformationalResponses) {
  ClientRecorder client;
  client.request("GET");
  std::string hints;
  for (int i = 0; i < 17; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  client.codec.dispatch(hints);
  const std::string events = client.events.take();
  EXPECT_NE(events.find("error upstream_protocol_error too_many_informational\n"),
            std::string::npos);
}

// --- requests as they are written ---

TEST(H1ClientCodecTest, FramesRequests) {
  struct Written {
    std::string_view what;
    std::string_view method;
    BodyLength body;
    std::vector<std::string_view> pieces;  // the last one ends the request; none: the head does
    std::string_view expected;             // behind the Host line
    bool closes = false;
  };
  const Written cases[] = {
      {"GET", "GET", {}, {}, "\r\n"},
      {"DELETE", "DELETE", {}, {}, "\r\n"},
      {"POST without a body", "POST", {}, {}, "Content-Length: 0\r\n\r\n"},
      {"PUT without a body", "PUT", {}, {}, "Content-Length: 0\r\n\r\n"},
      {"PATCH without a body", "PATCH", {}, {}, "Content-Length: 0\r\n\r\n"},
      {"GET with length 0", "GET", known(0), {}, "Content-Length: 0\r\n\r\n"},
      {"a known length", "POST", known(3), {"a", "bc"}, "Content-Length: 3\r\n\r\nabc"},
      {"an unknown length",
       "POST",
       kUnknown,
       {"a", "bc"},
       "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"},
      {"GET with a body",
       "GET",
       kUnknown,
       {"a"},
       "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"},
      {"a body that turned up",
       "GET",
       {},
       {"a"},
       "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"},
      {"too few bytes", "POST", known(3), {"a"}, "Content-Length: 3\r\n\r\na", true},
      {"too many bytes", "POST", known(1), {"abc"}, "Content-Length: 1\r\n\r\na", true},
  };
  for (const Written& c : cases) {
    ClientRecorder client;
    RequestSender& sender = client.request(c.method, c.pieces.empty(), c.body);
    for (size_t i = 0; i < c.pieces.size(); ++i) {
      sender.sendBody(c.pieces[i], i + 1 == c.pieces.size());
    }
    EXPECT_EQ(client.written(),
              std::string(c.method) + " / HTTP/1.1\r\nHost: a.test\r\n" + std::string(c.expected))
        << c.what;
    EXPECT_EQ(client.codec.mustClose(), c.closes) << c.what;
  }
}

TEST(H1ClientCodecTest, WritesTrailersAndLeavesOutWhatBreaksLines) {
  ClientRecorder client;
  RequestSender& sender = client.codec.newStream(client);
  RequestHead head;
  head.method = "POST";
  head.target = "/";
  head.headers.add("X-A", "1\n2");
  sender.sendHead(head, false);
  HeaderList trailers;
  trailers.add("X-B", "1");
  trailers.add("X-C", "\r");
  sender.sendTrailers(trailers);
  EXPECT_EQ(client.written(),
            "POST / HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-B: 1\r\n\r\n");
  EXPECT_EQ(client.codec.fieldsLeftOut(), 2U);
}

// --- the life of streams and connections ---

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(H1ClientCodecTest, OneRequestAfterTheOther) {
  ClientRecorder client;
  for (int i = 0; i < 3; ++i) {
    client.request("GET");
    EXPECT_FALSE(client.codec.idle());
    client.codec.dispatch(kOk);
    EXPECT_EQ(client.events.take(), "200 OK HTTP/1.1 body=0\nend\ncomplete\n");
    EXPECT_TRUE(client.codec.idle());
    EXPECT_FALSE(client.codec.mustClose());
  }
}

TEST(H1ClientCodecTest, AnOwnerMayReuseTheConnectionAtOnce) {
  ClientRecorder client;
  client.request("GET");
  client.on_stream_complete = [&client] {
    client.on_stream_complete = nullptr;
    client.request("HEAD");
  };
  client.codec.dispatch(kOk);
  client.codec.dispatch(kOk);
  EXPECT_EQ(client.events.take(),
            "200 OK HTTP/1.1 body=0\nend\ncomplete\n200 OK HTTP/1.1 body=0\nend\ncomplete\n");
}

TEST(H1ClientCodecTest, BytesBehindAResponseCloseTheConnection) {
  const std::string responses[] = {
      std::string(kOk), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n",
      "HTTP/1.1 204 No Content\r\n\r\n"};
  for (const std::string& response : responses) {
    ClientRecorder client;
    client.request("GET");
    client.codec.dispatch(response + "HTTP/1.1 200 Smuggled\r\n\r\n");
    const std::string events = client.events.take();
    EXPECT_NE(events.find("complete, close\n"), std::string::npos) << response;
    EXPECT_EQ(events.find("Smuggled"), std::string::npos) << response;
    EXPECT_TRUE(client.codec.mustClose()) << response;
  }
}

TEST(H1ClientCodecTest, BytesWithoutARequestCloseTheConnection) {
  ClientRecorder client;
  client.codec.dispatch("HTTP/1.1 408 Request Timeout\r\n\r\n");
  EXPECT_EQ(client.events.take(), "error upstream_protocol_error unsolicited_response\n");
  EXPECT_TRUE(client.codec.mustClose());
  EXPECT_TRUE(client.codec.idle());
}

TEST(H1ClientCodecTest, BytesBeforeTheRequestAreNoResponseToIt) {
  ClientRecorder client;
  client.codec.newStream(client);
  client.codec.dispatch(kOk);
  EXPECT_EQ(client.events.take(),
            "reset upstream_protocol_error\n"
            "error upstream_protocol_error unsolicited_response\n");
}

TEST(H1ClientCodecTest, AnEarlyResponseClosesWhenTheRequestIsNotComplete) {
  ClientRecorder client;
  RequestSender& sender = client.request("POST", false, known(2));
  client.codec.dispatch("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.events.take(), "413 Content Too Large HTTP/1.1 body=0\nend\n");
  EXPECT_FALSE(client.codec.idle());
  EXPECT_TRUE(client.codec.mustClose());
  client.codec.dispatch("more");
  sender.sendBody("ab", true);
  EXPECT_EQ(client.events.take(), "complete, close\n");
  EXPECT_TRUE(client.codec.idle());
}

TEST(H1ClientCodecTest, ARequestMayEndFromInsideTheResponsesEnd) {
  ClientRecorder client;
  RequestSender& sender = client.request("POST", false, known(2));
  client.on_response_end = [&sender] { sender.sendBody("ab", true); };
  client.codec.dispatch(kOk);
  EXPECT_EQ(client.events.take(), "200 OK HTTP/1.1 body=0\nend\ncomplete, close\n");
}

TEST(H1ClientCodecTest, ResetAfterTheEndIsNothing) {
  ClientRecorder client;
  RequestSender& sender = client.request("GET");
  client.on_response_end = [&sender] { sender.reset(Failure::DownstreamDisconnect); };
  client.codec.dispatch(kOk);
  EXPECT_EQ(client.events.take(), "200 OK HTTP/1.1 body=0\nend\ncomplete\n");
  sender.reset(Failure::DownstreamDisconnect);
  EXPECT_FALSE(client.codec.mustClose());
}

TEST(H1ClientCodecTest, ResetFromInsideACallbackAbandons) {
  ClientRecorder client;
  RequestSender& sender = client.request("POST", false, known(2));
  client.on_response_end = [&sender] { sender.reset(Failure::DownstreamDisconnect); };
  client.codec.dispatch("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n\r\n");
  EXPECT_EQ(client.events.take(), "200 OK HTTP/1.1 body=unknown\ntrailers\n  X: 1\n");
  EXPECT_TRUE(client.codec.mustClose());
  EXPECT_TRUE(client.codec.idle());
}

TEST(H1ClientCodecTest, EndsOfStream) {
  struct End {
    std::string_view what;
    std::string_view input;
    std::string_view last_event;
  };
  const End cases[] = {
      {"before the head", "", "reset upstream_reset\n"},
      {"inside the head", "HTTP/1.1 20", "reset upstream_reset\n"},
      {"behind a 1xx", "HTTP/1.1 100 Continue\r\n\r\n", "reset upstream_reset\n"},
      {"inside a body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
       "reset upstream_aborted_body\n"},
      {"inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na",
       "reset upstream_aborted_body\n"},
      {"before the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
       "reset upstream_aborted_body\n"},
      {"inside the trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n",
       "reset upstream_aborted_body\n"},
  };
  for (const End& c : cases) {
    ClientRecorder client;
    client.request("GET");
    if (!c.input.empty()) client.codec.dispatch(c.input);
    client.codec.onEndOfStream();
    const std::string events = client.events.take();
    EXPECT_EQ(events.substr(events.find("reset")), c.last_event) << c.what;
    EXPECT_TRUE(client.codec.mustClose()) << c.what;
    EXPECT_TRUE(client.codec.idle()) << c.what;
  }
}

TEST(H1ClientCodecTest, AnIdleConnectionThatEndsSaysNothing) {
  ClientRecorder client;
  client.codec.onEndOfStream();
  client.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(client.events.take(), "");
  EXPECT_TRUE(client.codec.mustClose());
}

TEST(H1ClientCodecTest, LostConnections) {
  ClientRecorder before;
  before.request("GET");
  before.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(before.events.take(), "reset upstream_reset\n");
  ClientRecorder inside;
  inside.request("GET");
  inside.codec.dispatch("HTTP/1.1 200 OK\r\n\r\nabc");  // until close, but not like this
  inside.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(inside.events.take(),
            "200 OK HTTP/1.1 body=unknown\nbody abc\nreset upstream_aborted_body\n");
  ClientRecorder timeout;
  timeout.request("GET");
  timeout.codec.onConnectionLost(Failure::UpstreamConnectTimeout);
  EXPECT_EQ(timeout.events.take(), "reset upstream_connect_timeout\n");
}

TEST(H1ClientCodecTest, PausesAreCountedAndEndWithTheBody) {
  ClientRecorder client;
  RequestSender& sender = client.request("GET");
  sender.pauseReceiving();
  sender.pauseReceiving();
  sender.resumeReceiving();
  EXPECT_EQ(client.pauses, 1);
  client.codec.dispatch(kOk);
  EXPECT_EQ(client.pauses, 0);
  client.request("GET").pauseReceiving();
  EXPECT_EQ(client.pauses, 1);
  client.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(client.pauses, 0);
}

TEST(H1ClientCodecTest, TheReceiverHearsOfAFullQueueOnce) {
  ClientRecorder client;
  client.codec.onOutputAboveHigh();
  client.codec.onOutputBelowLow();
  client.request("GET");
  client.codec.onOutputAboveHigh();
  client.codec.onOutputAboveHigh();
  client.codec.onOutputBelowLow();
  client.codec.onOutputBelowLow();
  EXPECT_EQ(client.events.take(), "above high\nbelow low\n");
  EXPECT_EQ(client.codec.protocol(), Protocol::Http11);
  EXPECT_LE(sizeof(H1ClientCodec), 256U);
}

}  // namespace
}  // namespace convoy::http
