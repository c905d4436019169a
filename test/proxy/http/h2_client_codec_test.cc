#include "proxy/http/h2_client_codec.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/proxy/http/h2_recorder.h"

namespace convoy::http {
namespace {

using namespace h2;

std::string serverStart(const std::vector<std::pair<uint16_t, uint32_t>>& entries = {}) {
  return settings(entries) + settingsAck();
}

struct Case {
  std::string_view name;
  std::string_view method;
  std::string bytes;
  std::string events;
};

constexpr std::string_view kOk = "1: 200  HTTP/2 body=none\n1: end\ncomplete\n";

std::vector<Case> responses() {
  const Fields ok = {{":status", "200"}};
  return {
      {"a head alone", "GET", headers(1, ok, kEndStream), std::string(kOk)},
      {"a known body", "GET",
       headers(1, {{":status", "200"}, {"content-length", "5"}}, 0) + data(1, "hello", kEndStream),
       "1: 200  HTTP/2 body=5\nbody hello\n1: end\ncomplete\n"},
      {"a body of unknown length", "GET", headers(1, ok, 0) + data(1, "hi") + data(1, "", 1),
       "1: 200  HTTP/2 body=unknown\nbody hi\n1: end\ncomplete\n"},
      {"informational responses", "GET",
       headers(1, {{":status", "103"}, {"link", "x"}}, 0) + headers(1, ok, kEndStream),
       "1: info 103  HTTP/2 body=none\n  link: x\n" + std::string(kOk)},
      {"trailers", "GET",
       headers(1, ok, 0) + data(1, "hi") + headers(1, {{"grpc-status", "0"}}, kEndStream),
       "1: 200  HTTP/2 body=unknown\nbody hi\n1: trailers\n  grpc-status: 0\ncomplete\n"},
      {"an answer to HEAD", "HEAD",
       headers(1, {{":status", "200"}, {"content-length", "5"}}, kEndStream),
       "1: 200  HTTP/2 body=5\n1: end\ncomplete\n"},
      {"a PING on the way", "GET", ping("12345678") + headers(1, ok, kEndStream), std::string(kOk)},
      {"a reset", "GET", rstStream(1, 2), "1: reset upstream_reset\nstream reset\n"},
      {"a refusal", "GET", rstStream(1, 7), "1: reset upstream_refused_stream\nstream reset\n"},
      {"a reset inside the body", "GET", headers(1, ok, 0) + data(1, "x") + rstStream(1, 2),
       "1: 200  HTTP/2 body=unknown\nbody x\n1: reset upstream_aborted_body\nstream reset\n"},
      {"no status", "GET", headers(1, {{"a", "b"}}, kEndStream),
       "1: reset upstream_protocol_error\nstream reset\n"},
      {"a status of 101", "GET", headers(1, {{":status", "101"}}, 0),
       "1: reset upstream_protocol_error\nstream reset\n"},
      {"CR LF in a value", "GET", headers(1, {{":status", "200"}, {"a", "b\r\nc"}}, kEndStream),
       "1: reset upstream_protocol_error\nstream reset\n"},
      {"a Connection field", "GET",
       headers(1, {{":status", "200"}, {"connection", "close"}}, kEndStream),
       "1: reset upstream_protocol_error\nstream reset\n"},
      {"a body too short", "GET",
       headers(1, {{":status", "200"}, {"content-length", "5"}}, 0) + data(1, "hi", kEndStream),
       "1: 200  HTTP/2 body=5\nbody hi\n1: reset upstream_aborted_body\nstream reset\n"},
  };
}

TEST(H2ClientCodecTest, ReadsResponsesHoweverTheBytesAreCut) {
  for (const Case& c : responses()) {
    forEachSplit(serverStart() + c.bytes, [&](std::string_view split, auto&& feed_all) {
      H2ClientRecorder client;
      client.request(c.method);
      feed_all([&client](std::string_view piece) { client.codec.dispatch(piece); });
      EXPECT_EQ(client.events.take(), c.events) << c.name << ", " << split;
      EXPECT_TRUE(client.codec.idle()) << c.name << ", " << split;
      EXPECT_FALSE(client.codec.mustClose()) << c.name << ", " << split;
    });
  }
}

TEST(H2ClientCodecTest, EndsTheConnectionOnErrorsOfTheConnection) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"HTTP/1.1 200 OK\r\n\r\n", "h2_frame_size_error"},
      {serverStart() + frame(6, 0, 0, "123"), "h2_frame_size_error"},
      {serverStart() + headers(5, {{":status", "200"}}, kEndStream), "h2_protocol_error"},
      {serverStart() + frame(5, 4, 1, number(2, 4) + hpack(requestFields())), "h2_protocol_error"},
  };
  for (const auto& [bytes, detail] : cases) {
    H2ClientRecorder client;
    client.request("GET");
    client.codec.dispatch(bytes);
    const std::string events = client.events.take();
    // The owner hears of it first: what is tried again must not come back.
    EXPECT_TRUE(events.starts_with("error upstream_protocol_error h2_")) << events << detail;
    EXPECT_TRUE(events.ends_with("\n1: reset upstream_protocol_error\n")) << events;
    EXPECT_TRUE(client.codec.mustClose());
    EXPECT_TRUE(client.codec.idle());
    client.codec.dispatch(serverStart());
    EXPECT_EQ(client.events.take(), "");
  }
}

TEST(H2ClientCodecTest, WritesRequests) {
  H2ClientRecorder client;
  RequestHead head;
  head.method = "POST";
  head.target = "/p?q";
  head.authority = "a.test";
  head.scheme = "https";
  head.body = {BodyLength::Kind::Known, 2};
  head.headers.add("Accept", "*/*");
  head.headers.add(HeaderName::Te, "trailers");
  head.headers.add(HeaderName::Te, "gzip");
  head.headers.add(HeaderName::KeepAlive, "1");
  head.headers.add("bad name", "x");
  RequestSender& sender = *client.newStream().sender;
  sender.sendHead(head, false);
  sender.sendBody("hi", true);
  EXPECT_EQ(client.written(),
            "HEADERS 1 :method=POST :scheme=https :path=/p?q :authority=a.test accept=*/* "
            "te=trailers content-length=2\nDATA 1 2 end\n");
  EXPECT_EQ(client.codec.session().fieldsLeftOut(), 1U);
}

TEST(H2ClientCodecTest, WritesConnectAndExtendedConnect) {
  H2ClientRecorder client;
  client.codec.dispatch(serverStart({{8, 1}}));
  RequestHead head;
  head.method = "CONNECT";
  head.target = head.authority = "a.test:443";
  client.newStream().sender->sendHead(head, false);
  head.upgrade = "websocket";
  head.target = "/chat";
  head.scheme = "https";
  client.newStream().sender->sendHead(head, false);
  EXPECT_EQ(client.written(),
            "HEADERS 1 :method=CONNECT :authority=a.test:443\n"
            "HEADERS 3 :method=CONNECT :scheme=https :path=/chat :authority=a.test:443 "
            ":protocol=websocket\n");
}

TEST(H2ClientCodecTest, AnswersToItsPingsAreNoFlood) {
  H2ClientRecorder client;
  client.codec.dispatch(serverStart());
  client.written();
  for (int i = 0; i < 10'000; ++i) {
    client.clock.advance(std::chrono::milliseconds(10));
    client.codec.ping();
    ASSERT_EQ(client.written(), "PING convoyka\n");
    client.codec.dispatch(ping("convoyka", kAck));
    ASSERT_FALSE(client.codec.mustClose()) << i;
  }
  client.codec.dispatch(frame(6, 0, 0, "123"));
  client.written();
  client.codec.ping();
  EXPECT_EQ(client.written(), "") << "the connection has ended";
}

TEST(H2ClientCodecTest, WritesTrailers) {
  for (const bool body : {true, false}) {
    H2ClientRecorder client;
    RequestSender& sender = *client.request("POST", false).sender;
    if (body) sender.sendBody("hi", false);
    HeaderList trailers;
    trailers.add("X-T", "v");
    sender.sendTrailers(trailers);
    EXPECT_EQ(client.written(), "HEADERS 1 :method=POST :scheme=http :path=/ :authority=a.test\n" +
                                    std::string(body ? "DATA 1 2\n" : "") +
                                    "HEADERS 1 end x-t=v\n");
  }
}

// Nothing may leave from inside nghttp2's callbacks; it leaves when they have returned.
TEST(H2ClientCodecTest, ARequestMadeInsideACallbackLeavesWhole) {
  for (const bool trailers : {true, false}) {
    H2ClientRecorder client;
    H2Response& first = client.request("GET");
    client.written();
    first.on_head = [&client, trailers] {
      RequestSender& sender = *client.request("POST", false).sender;
      sender.sendBody("one", false);
      if (!trailers) return sender.sendBody("two", true);
      HeaderList list;
      list.add("a", "b");
      sender.sendTrailers(list);
    };
    client.codec.dispatch(serverStart() + headers(1, {{":status", "200"}}, kEndStream));
    EXPECT_EQ(client.written(),
              std::string("HEADERS 3 :method=POST :scheme=http :path=/ :authority=a.test\n") +
                  (trailers ? "DATA 3 3\nHEADERS 3 end a=b\n" : "DATA 3 6 end\n"));
  }
}

TEST(H2ClientCodecTest, TellsHowManyStreamsAreAllowed) {
  H2Options options;
  options.max_concurrent_streams = 50;
  H2ClientRecorder client(options);
  client.request("GET");
  client.codec.dispatch(serverStart({{3, 7}}));
  EXPECT_EQ(client.max_streams, 7U);
  client.codec.dispatch(settings({{3, 0}}));
  EXPECT_EQ(client.max_streams, 0U);
  client.codec.dispatch(settings({{3, 1000}}));
  EXPECT_EQ(client.max_streams, 50U);
}

TEST(H2ClientCodecTest, StreamsBeyondWhatTheServerAllowsWait) {
  H2ClientRecorder client;
  client.request("GET");
  client.codec.dispatch(serverStart({{3, 1}}));
  client.written();
  RequestSender& second = *client.request("POST", false).sender;
  second.sendBody("hi", true);
  H2Response& third = client.request("GET");
  EXPECT_EQ(client.written(), "");
  third.sender->reset(Failure::DownstreamDisconnect);
  client.codec.dispatch(headers(1, {{":status", "200"}}, kEndStream));
  EXPECT_EQ(client.written(),
            "HEADERS 3 :method=POST :scheme=http :path=/ :authority=a.test\nDATA 3 2 end\n");
  client.codec.dispatch(headers(3, {{":status", "200"}}, kEndStream));
  EXPECT_TRUE(client.codec.idle());
  EXPECT_EQ(client.written(), "");
}

TEST(H2ClientCodecTest, AGoAwayRefusesWhatTheServerHasNotSeen) {
  H2ClientRecorder client;
  client.request("GET");
  client.request("GET");
  client.codec.dispatch(serverStart() + goAway(1, 0));
  EXPECT_EQ(client.events.take(), "go away\n2: reset upstream_refused_stream\nstream reset\n");
  EXPECT_TRUE(client.codec.mustClose());
  EXPECT_FALSE(client.codec.idle());
  client.codec.dispatch(headers(1, {{":status", "200"}}, kEndStream));
  EXPECT_EQ(client.events.take(), kOk);
  EXPECT_TRUE(client.codec.idle());
}

TEST(H2ClientCodecTest, LosingTheConnectionResetsEveryStream) {
  H2ClientRecorder client;
  client.request("GET");
  client.request("GET");
  client.codec.dispatch(serverStart() + headers(1, {{":status", "200"}}, 0));
  client.events.take();
  client.codec.onEndOfStream();
  EXPECT_EQ(client.events.take(), "1: reset upstream_aborted_body\n2: reset upstream_reset\n");
  EXPECT_TRUE(client.codec.idle());
}

TEST(H2ClientCodecTest, AnEarlyResponseLeavesTheRequestToItsSender) {
  H2ClientRecorder client;
  H2Response& response = client.request("POST", false);
  client.codec.dispatch(serverStart() + headers(1, {{":status", "413"}}, kEndStream));
  EXPECT_EQ(client.events.take(), "1: 413  HTTP/2 body=none\n1: end\n");
  client.written();
  response.sender->reset(Failure::DownstreamDisconnect);
  EXPECT_EQ(client.written(), "RST_STREAM 1 CANCEL\n");
  EXPECT_TRUE(client.codec.idle());
}

// Nobody above would end it: what has not left is of no use to the server.
TEST(H2ClientCodecTest, AnAnswerEndsARequestThatWasHandedOverAndHasNotLeft) {
  const std::string answer = headers(1, {{":status", "413"}}, kEndStream);
  for (const bool answer_first : {true, false}) {
    for (const bool with_trailers : {true, false}) {
      H2ClientRecorder client;
      RequestSender& sender = *client.request("POST", false).sender;
      client.codec.dispatch(serverStart({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 3}}));
      client.written();
      sender.sendBody("hello", false);
      if (answer_first) client.codec.dispatch(answer);
      HeaderList trailers;
      trailers.add("a", "b");
      with_trailers ? sender.sendTrailers(trailers) : sender.sendBody("!", true);
      if (!answer_first) client.codec.dispatch(answer);
      EXPECT_EQ(client.events.take(), "1: 413  HTTP/2 body=none\n1: end\ncomplete\n");
      EXPECT_EQ(client.written(), "DATA 1 3\nRST_STREAM 1 CANCEL\n");
      EXPECT_TRUE(client.codec.idle());
      EXPECT_FALSE(client.codec.mustClose());
    }
  }
}

TEST(H2ClientCodecTest, ATunnelsDirectionsEndByThemselves) {
  H2ClientRecorder client;
  RequestSender& sender = *client.request("CONNECT", false).sender;
  client.codec.dispatch(serverStart({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 3}}) +
                        headers(1, {{":status", "200"}}, 0) + data(1, "", kEndStream));
  client.written();
  sender.sendBody("hello", true);
  EXPECT_EQ(client.written(), "DATA 1 3\n");
  client.codec.dispatch(windowUpdate(1, 10));
  EXPECT_EQ(client.written(), "DATA 1 2 end\n");
  EXPECT_TRUE(client.codec.idle());
  client.events.take();
}

// Its owner still has the sender, which is no more.
TEST(H2ClientCodecTest, AResetBehindAnEarlyResponseIsHeardByWhoStillSends) {
  for (const uint32_t code : {NGHTTP2_NO_ERROR, NGHTTP2_CANCEL}) {
    H2ClientRecorder client;
    client.request("POST", false);
    client.codec.dispatch(serverStart() + headers(1, {{":status", "413"}}, kEndStream) +
                          rstStream(1, code));
    EXPECT_EQ(client.events.take(),
              "1: 413  HTTP/2 body=none\n1: end\n1: reset upstream_aborted_body\nstream reset\n");
  }
  H2ClientRecorder client;
  client.request("POST", false);
  client.codec.dispatch(serverStart() + headers(1, {{":status", "413"}}, kEndStream));
  client.events.take();
  client.codec.onConnectionLost(Failure::UpstreamReset);
  EXPECT_EQ(client.events.take(), "1: reset upstream_aborted_body\n");
}

// The receiver may be gone by then.
TEST(H2ClientCodecTest, NobodyHearsOfTheQueueOnceBothDirectionsHaveEnded) {
  for (const bool answered_first : {true, false}) {
    H2ClientRecorder client;
    client.codec.dispatch(serverStart({{4, 0}}));
    H2Response& response = client.request("POST", false);
    const std::string body(size_t{200} * 1024, 'x');
    const std::string answer = headers(1, {{":status", "200"}}, kEndStream);
    response.sender->sendBody(body, false);
    EXPECT_TRUE(response.above_high);
    if (answered_first) client.codec.dispatch(answer);
    response.sender->sendBody("x", true);
    if (!answered_first) client.codec.dispatch(answer);
    client.codec.dispatch(windowUpdate(1, 150 * 1024) + windowUpdate(0, 150 * 1024));
    EXPECT_TRUE(response.above_high);
    client.codec.dispatch(rstStream(1, NGHTTP2_NO_ERROR));
    EXPECT_EQ(client.events.take(), "1: 200  HTTP/2 body=none\n1: end\ncomplete\n");
  }
}

// RFC 9113 8.1: a server may end a stream whose response is whole. Who sends the request has to
// hear of it, whose sender is worth nothing any more.
TEST(H2ClientCodecTest, TheLossOfARequestBehindItsResponseIsTold) {
  const std::string endings[] = {
      headers(1, {{":status", "413"}}, kEndStream),
      headers(1, {{":status", "413"}}, 0) + data(1, "", kEndStream),
      headers(1, {{":status", "413"}}, 0) + headers(1, {{"a", "b"}}, kEndStream),
  };
  for (const std::string& ending : endings) {
    for (const bool by_reset : {true, false}) {
      H2ClientRecorder client;
      H2Response& response = client.request("POST", false);
      client.codec.dispatch(serverStart() + ending);
      client.events.take();
      by_reset ? client.codec.dispatch(rstStream(1, 0)) : client.codec.onEndOfStream();
      EXPECT_EQ(client.events.take(), std::string("1: reset upstream_aborted_body\n") +
                                          (by_reset ? "stream reset\n" : ""));
      EXPECT_EQ(response.sender, nullptr);
    }
  }
}

TEST(H2ClientCodecTest, TooManyInformationalResponsesEndTheStream) {
  H2ClientRecorder client;
  client.request("GET");
  std::string bytes = serverStart();
  for (int i = 0; i < 17; ++i) bytes += headers(1, {{":status", "103"}}, 0);
  client.codec.dispatch(bytes);
  EXPECT_TRUE(client.events.take().ends_with("1: reset upstream_protocol_error\nstream reset\n"));
}

// RFC 8441 5: what HTTP/1.1's handshake has and HTTP/2's has not.
TEST(H2ClientCodecTest, AnUpgradeIsAnExtendedConnect) {
  H2ClientRecorder client;
  client.codec.dispatch(serverStart({{8, 1}}));
  RequestHead head;
  head.method = "GET";
  head.target = "/chat";
  head.authority = "a.test";
  head.scheme = "http";
  head.upgrade = "websocket";
  head.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  head.headers.add("Sec-WebSocket-Version", "13");
  H2Response& response = client.newStream();
  response.sender->sendHead(head, false);
  EXPECT_EQ(client.written(),
            "HEADERS 1 :method=CONNECT :scheme=http :path=/chat :authority=a.test "
            ":protocol=websocket sec-websocket-version=13\n");
  client.codec.dispatch(headers(1, {{":status", "200"}}, 0) + data(1, "down"));
  EXPECT_EQ(client.events.take(),
            "1: 101  HTTP/2 body=unknown upgrade=websocket\n"
            "  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nbody down\n");
  response.sender->sendBody("up", true);
  EXPECT_EQ(client.written(), "DATA 1 2 end\n");
  client.codec.dispatch(data(1, "", kEndStream));
  EXPECT_EQ(client.events.take(), "1: end\ncomplete\n");
}

// RFC 9113 8.5: nothing but DATA.
TEST(H2ClientCodecTest, TrailersInATunnelAreAnError) {
  H2ClientRecorder client;
  client.codec.dispatch(serverStart());
  RequestHead head;
  head.method = "CONNECT";
  head.authority = "a.test:80";
  client.newStream().sender->sendHead(head, false);
  client.codec.dispatch(headers(1, {{":status", "200"}}, 0) + headers(1, {{"a", "b"}}, kEndStream));
  EXPECT_EQ(client.events.take(),
            "1: 200  HTTP/2 body=unknown\n1: reset upstream_protocol_error\nstream reset\n");
}

TEST(H2ClientCodecTest, ADeclinedUpgradeIsAResponseLikeOthers) {
  H2ClientRecorder client;
  client.codec.dispatch(serverStart({{8, 1}}));
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  head.authority = "a.test";
  head.upgrade = "other";
  client.newStream().sender->sendHead(head, false);
  client.codec.dispatch(headers(1, {{":status", "404"}}, kEndStream));
  EXPECT_EQ(client.events.take(), "1: 404  HTTP/2 body=none\n1: end\n");
}

}  // namespace
}  // namespace convoy::http
