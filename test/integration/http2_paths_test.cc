// A request's way through the whole proxy, from each protocol to each: what must arrive, whatever
// the two sides speak.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "test/common/proxy_harness.h"
#include "test/integration/http_peers.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {
namespace {

std::string bootstrap(const net::Address& web, Speaks up) {
  return staticBootstrap(web) + (up == Speaks::Http2 ? "    http2_protocol_options: {}\n" : "");
}

Fields request(const std::string& method, const Fields& more = {}) {
  Fields fields = {
      {":method", method}, {":scheme", "http"}, {":path", "/a?b=c"}, {":authority", "h.test"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
Fields status(const std::string& code, const Fields& more = {}) {
  Fields fields = {{":status", code}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

class PathsTest : public testing::TestWithParam<std::pair<Speaks, Speaks>> {
 protected:
  Speaks down() const { return GetParam().first; }
  Speaks up() const { return GetParam().second; }

  TestUpstream upstream_{up()};
  ProxyHarness proxy_{bootstrap(upstream_.address(), up())};
  TestClient client_{down(), proxy_.address()};
};
// Rows that make sense from one protocol only.
class FromHttp1Test : public PathsTest {};
class FromHttp2Test : public PathsTest {};

TEST_P(PathsTest, HeadsBodiesAndTrailers) {
  client_.send({request("POST", {{"te", "trailers"}, {"x-request", "1"}}), "ping", {{"x-t", "2"}}});
  const H2Message seen = upstream_.receive();
  EXPECT_TRUE(seen.ended);
  EXPECT_EQ(seen.field(":method"), "POST");
  EXPECT_EQ(seen.field(":path"), "/a?b=c");
  EXPECT_EQ(seen.field(":authority"), "h.test");
  EXPECT_EQ(seen.field("x-request"), "1");
  EXPECT_EQ(seen.field("te"), "trailers");
  EXPECT_EQ(seen.body, "ping");
  EXPECT_EQ(seen.trailers, (Fields{{"x-t", "2"}}));
  upstream_.answer({status("201", {{"x-answer", "3"}}), "pong", {{"grpc-status", "0"}}});
  const H2Message answer = client_.receive();
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(answer.field(":status"), "201");
  EXPECT_EQ(answer.field("x-answer"), "3");
  EXPECT_EQ(answer.body, "pong");
  EXPECT_EQ(answer.trailers, (Fields{{"grpc-status", "0"}}));
}

TEST_P(PathsTest, LengthsAndTheConnectionIsUsedAgain) {
  for (int i = 0; i < 3; ++i) {
    client_.send({request("PUT"), "12345", {}, false});
    const H2Message seen = upstream_.receive();
    EXPECT_EQ(seen.field("content-length"), "5");
    EXPECT_EQ(seen.field("transfer-encoding"), "");
    EXPECT_EQ(seen.body, "12345");
    upstream_.answer({status("200"), "678", {}, false});
    const H2Message answer = client_.receive();
    EXPECT_EQ(answer.field("content-length"), "3");
    EXPECT_EQ(answer.body, "678");
  }
}

TEST_P(PathsTest, AnswersWithoutABody) {
  struct Case {
    std::string method, code;
    Fields fields;
    std::string length;  // that the client is told
  };
  const Case cases[] = {
      {"GET", "204", {}, ""},
      {"GET", "304", {{"content-length", "7"}}, "7"},
      {"HEAD", "200", {{"content-length", "7"}}, "7"},
      {"HEAD", "200", {}, ""},
      {"GET", "200", {{"content-length", "0"}}, "0"},
  };
  for (const Case& c : cases) {
    client_.send({request(c.method)});
    EXPECT_EQ(upstream_.receive().field(":method"), c.method);
    upstream_.answer({status(c.code, c.fields)});
    const H2Message answer = client_.receive();
    EXPECT_TRUE(answer.ended);
    EXPECT_EQ(answer.field(":status"), c.code);
    EXPECT_EQ(answer.field("content-length"), c.length) << c.method << " " << c.code;
    EXPECT_EQ(answer.body, "");
  }
}

TEST_P(PathsTest, InformationalResponses) {
  client_.send({request("GET")});
  upstream_.receive();
  upstream_.inform(103);
  upstream_.answer({status("200"), "x"});
  const H2Message answer = client_.receive();
  EXPECT_EQ(answer.informational, std::vector<int>{103});
  EXPECT_EQ(answer.field(":status"), "200");
  EXPECT_EQ(answer.body, "x");
}

TEST_P(PathsTest, ExpectContinueIsAnsweredByTheProxy) {
  client_.send({request("POST", {{"expect", "100-continue"}}), "body", {}, false});
  const H2Message seen = upstream_.receive();
  EXPECT_EQ(seen.body, "body");
  upstream_.answer({status("200"), "x"});
  const H2Message answer = client_.receive();
  EXPECT_EQ(answer.informational, std::vector<int>{100});
  EXPECT_EQ(answer.field(":status"), "200");
}

TEST_P(PathsTest, CookieCrumbsAreOneField) {
  client_.send(
      {request("GET", down() == Speaks::Http2 ? Fields{{"cookie", "a=1"}, {"cookie", "b=2"}}
                                              : Fields{{"cookie", "a=1; b=2"}})});
  EXPECT_EQ(upstream_.receive().field("cookie"), "a=1; b=2");
  upstream_.answer({status("200", {{"set-cookie", "c=3"}, {"set-cookie", "d=4"}}), "x"});
  EXPECT_EQ(client_.receive().field("set-cookie"), "c=3|d=4");
}

// HTTP/2 has none.
TEST_P(FromHttp1Test, ConnectionFieldsEndHere) {
  client_.send({request("GET", {{"connection", "x-hop"}, {"x-hop", "1"}, {"keep-alive", "5"}})});
  const H2Message seen = upstream_.receive();
  EXPECT_EQ(seen.field("connection") + seen.field("x-hop") + seen.field("keep-alive"), "");
  upstream_.answer({status("200"), "x"});
  EXPECT_EQ(client_.receive().field(":status"), "200");
}

TEST_P(PathsTest, AResponseThatBreaksOffIsNotTakenForAWholeOne) {
  client_.send({request("GET")});
  upstream_.receive();
  if (up() == Speaks::Http1) {
    upstream_.h1().sendRaw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
  } else {
    upstream_.h2().respond(upstream_.id(), status("200"), "half", {}, /*more=*/true);
    EXPECT_TRUE(upstream_.h2().exchange());
  }
  upstream_.breakOff();
  const H2Message answer = client_.receive();
  // HTTP/1.1 can only reset its connection, which may overtake what was sent.
  if (down() == Speaks::Http2) {
    EXPECT_EQ(answer.field(":status"), "200");
  }
  EXPECT_FALSE(answer.ended);
  EXPECT_TRUE(answer.reset.has_value());
}

TEST_P(PathsTest, AnUpstreamThatBreaksOffBeforeItsAnswer) {
  client_.send({request("POST"), "x"});
  upstream_.receive();
  upstream_.breakOff();
  EXPECT_EQ(client_.receive().field(":status"), "502");
}

TEST_P(PathsTest, AClientThatGivesUpEndsTheRequestUpstream) {
  client_.send({request("GET")});
  upstream_.receive();
  client_.giveUp();
  if (up() == Speaks::Http1) {
    EXPECT_TRUE(upstream_.h1().untilClosed());
  } else {
    H2Connection& connection = upstream_.h2();
    EXPECT_TRUE(
        connection.until([&] { return connection.message(upstream_.id()).reset.has_value(); }));
  }
}

// The upstream answers what it has seen half of: the client gets the answer, and stops.
// From HTTP/1.1: stream_test.
TEST_P(FromHttp2Test, EarlyResponses) {
  H2Connection& client = client_.h2();
  const int32_t id = client.request(request("POST"), "half", {}, /*more=*/true);
  if (up() == Speaks::Http2) {
    upstream_.receiveHead();
    upstream_.answer({status("413"), "too much"});
  } else {
    upstream_.h1().sendRaw("HTTP/1.1 413 X\r\nContent-Length: 8\r\n\r\ntoo much");
  }
  EXPECT_TRUE(client.until([&] { return client.message(id).reset.has_value(); }));
  EXPECT_EQ(client.message(id).field(":status"), "413");
  EXPECT_EQ(client.message(id).body, "too much");
  EXPECT_TRUE(client.message(id).ended);
  EXPECT_EQ(client.message(id).reset, NGHTTP2_NO_ERROR);
  // The connection lives.
  client_.send({request("GET")});
  if (up() == Speaks::Http2) {
    upstream_.receive();
    upstream_.answer({status("200"), "on"});
    EXPECT_EQ(client_.receive().body, "on");
  } else {
    EXPECT_TRUE(client.exchange());
  }
}

TEST_P(PathsTest, LargeBodies) {
  constexpr size_t kBytes = 64 * 1024 * 1024;
  std::string body(kBytes, 'x');
  for (size_t i = 0; i < kBytes; i += 4093) body[i] = static_cast<char>('a' + i % 26);
  H2Message seen;
  std::thread server([&] {
    seen = upstream_.receive();
    upstream_.answer({status("200"), body, {}, false});
    if (up() == Speaks::Http2) {
      H2Connection& connection = upstream_.h2();
      connection.until([&] { return connection.unsent(upstream_.id()) == 0; });
    }
  });
  client_.send({request("POST"), body});
  const H2Message answer = client_.receive();
  server.join();
  EXPECT_TRUE(seen.body == body);
  EXPECT_TRUE(answer.ended);
  EXPECT_TRUE(answer.body == body);
}

std::string nameOf(const testing::TestParamInfo<std::pair<Speaks, Speaks>>& info) {
  const auto text = [](Speaks speaks) { return speaks == Speaks::Http1 ? "Http1" : "Http2"; };
  return std::string(text(info.param.first)) + "To" + text(info.param.second);
}

INSTANTIATE_TEST_SUITE_P(All, PathsTest,
                         testing::Values(std::pair(Speaks::Http1, Speaks::Http1),
                                         std::pair(Speaks::Http1, Speaks::Http2),
                                         std::pair(Speaks::Http2, Speaks::Http1),
                                         std::pair(Speaks::Http2, Speaks::Http2)),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(All, FromHttp1Test,
                         testing::Values(std::pair(Speaks::Http1, Speaks::Http1),
                                         std::pair(Speaks::Http1, Speaks::Http2)),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(All, FromHttp2Test,
                         testing::Values(std::pair(Speaks::Http2, Speaks::Http1),
                                         std::pair(Speaks::Http2, Speaks::Http2)),
                         nameOf);

// --- HTTP/2 on both sides ---

class Http2PathTest : public testing::Test {
 protected:
  // How much leaves before nothing moves any more.
  static size_t sentUntilItStops(H2Connection& sender, int32_t id, size_t total) {
    size_t before;
    do {
      before = sender.unsent(id);
      EXPECT_TRUE(sender.exchange());
    } while (sender.unsent(id) != before);
    return total - before;
  }

  RawSocket listening_ = RawSocket::listening();
  ProxyHarness proxy_{bootstrap(listening_.localAddress(), Speaks::Http2)};
};

constexpr size_t kMuch = 8 * 1024 * 1024;
constexpr size_t kHeldAtMost = 1024 * 1024;

TEST_F(Http2PathTest, AClientThatDoesNotReadStopsTheUpstream) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client,
                      {.opens_windows = false});
  const int32_t id = client.request(request("GET"));
  H2Connection upstream(listening_.accept(), H2Connection::Role::Server);
  const int32_t there = upstream.nextStream();
  upstream.respond(there, status("200"), std::string(kMuch, 'x'));
  EXPECT_LT(sentUntilItStops(upstream, there, kMuch), kHeldAtMost);
  // Another stream is not held up.
  const int32_t other = client.request(request("GET"));
  const int32_t other_there = upstream.nextStream();
  upstream.respond(other_there, status("200"));
  EXPECT_TRUE(client.untilEnded(other));
  // It goes on when the client reads.
  std::thread pump([&] { upstream.until([&] { return upstream.unsent(there) == 0; }); });
  size_t consumed = 0;
  while (!client.message(id).ended) {
    const size_t arrived = client.message(id).body.size();
    client.consume(id, arrived - consumed);
    consumed = arrived;
    if (!client.until([&] {
          return client.message(id).body.size() > consumed || client.message(id).ended;
        })) {
      break;
    }
  }
  pump.join();
  EXPECT_EQ(client.message(id).body.size(), kMuch);
}

TEST_F(Http2PathTest, AnUpstreamThatDoesNotReadStopsTheClient) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client);
  const int32_t id = client.request(request("POST"), std::string(kMuch, 'x'));
  H2Connection upstream(listening_.accept(), H2Connection::Role::Server, {.opens_windows = false});
  const int32_t there = upstream.nextStream();
  EXPECT_GT(there, 0);
  EXPECT_LT(sentUntilItStops(client, id, kMuch), kHeldAtMost);
}

TEST_F(Http2PathTest, AnswersOfTrailersOnly) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client);
  const int32_t id =
      client.request(request("POST", {{"te", "trailers"}, {"content-type", "application/grpc"}}),
                     std::string("\0\0\0\0\0", 5));
  H2Connection upstream(listening_.accept(), H2Connection::Role::Server);
  const int32_t there = upstream.nextStream();
  EXPECT_EQ(upstream.message(there).field("te"), "trailers");
  upstream.untilEnded(there);
  upstream.respond(there, status("200", {{"content-type", "application/grpc"},
                                         {"grpc-status", "12"},
                                         {"grpc-message", "no"}}));
  EXPECT_TRUE(client.untilEnded(id));
  const H2Message& answer = client.message(id);
  EXPECT_EQ(answer.field("grpc-status"), "12");
  EXPECT_EQ(answer.field("content-length"), "") << "none was said";
  EXPECT_TRUE(answer.trailers.empty());
}

TEST_F(Http2PathTest, AnotherConnectionIsOpenedWhenStreamsRunOut) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client);
  int32_t ids[5];
  ids[0] = client.request(request("GET"));
  H2Connection first(listening_.accept(), H2Connection::Role::Server, {.max_streams = 2});
  EXPECT_EQ(first.nextStream(), 1);
  first.exchange();  // the limit has arrived
  for (int i = 1; i < 5; ++i) ids[i] = client.request(request("GET"));
  EXPECT_EQ(first.nextStream(), 3);
  H2Connection second(listening_.accept(), H2Connection::Role::Server, {.max_streams = 2});
  EXPECT_EQ(second.nextStream(), 1);
  EXPECT_EQ(second.nextStream(), 3);
  H2Connection third(listening_.accept(), H2Connection::Role::Server, {.max_streams = 2});
  EXPECT_EQ(third.nextStream(), 1);
  for (H2Connection* connection : {&first, &second}) {
    connection->respond(1, status("200"));
    connection->respond(3, status("200"));
  }
  third.respond(1, status("200"));
  for (const int32_t id : ids) {
    EXPECT_TRUE(client.untilEnded(id));
    EXPECT_EQ(client.message(id).field(":status"), "200");
  }
}

TEST_F(Http2PathTest, RequestsThatAnUpstreamRefusesToLookAtGoElsewhere) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client);
  const int32_t id = client.request(request("POST"));
  H2Connection first(listening_.accept(), H2Connection::Role::Server);
  EXPECT_EQ(first.nextStream(), 1);
  first.goAway(0);
  H2Connection second(listening_.accept(), H2Connection::Role::Server);
  EXPECT_EQ(second.nextStream(), 1);
  second.respond(1, status("200"));
  EXPECT_TRUE(client.untilEnded(id));
  EXPECT_EQ(client.message(id).field(":status"), "200");
}

TEST_F(Http2PathTest, ADrainingProxyFinishesWhatRuns) {
  H2Connection client(RawSocket::connectedTo(proxy_.address()), H2Connection::Role::Client);
  const int32_t id = client.request(request("GET"));
  H2Connection upstream(listening_.accept(), H2Connection::Role::Server);
  EXPECT_EQ(upstream.nextStream(), 1);
  proxy_.onMain([](server::Server& server) { server.drainAndStop(); });
  EXPECT_TRUE(client.until([&] { return client.wentAway(); }));
  // On its way when GOAWAY was sent: still served.
  upstream.respond(1, status("200"), "late");
  EXPECT_TRUE(client.untilEnded(id));
  EXPECT_EQ(client.message(id).body, "late");
  EXPECT_TRUE(client.untilClosed());
}

TEST_F(Http2PathTest, AStreamThatMeetsTheFirstGoAwayIsServedAndNamedByTheLast) {
  namespace h2 = http::h2;
  const RawSocket client = RawSocket::connectedTo(proxy_.address());
  h2::FrameReader frames;
  std::string said;
  const auto says = [&](std::string_view what) {
    while (said.find(what) == std::string::npos) {
      const std::string bytes = client.receive();
      if (bytes.empty()) return false;
      said += frames.read(bytes);
    }
    return true;
  };
  client.send(h2::clientStart() + h2::get(1));
  H2Connection upstream(listening_.accept(), H2Connection::Role::Server);
  ASSERT_EQ(upstream.nextStream(), 1);
  proxy_.onMain([](server::Server& server) { server.drainAndStop(); });
  ASSERT_TRUE(says("GOAWAY"));
  ASSERT_EQ(said.substr(0, said.find('\n')), "GOAWAY 2147483647 NO_ERROR");
  ASSERT_TRUE(says("PING convoydr\n"));
  // A client that has not read either yet.
  client.send(h2::get(3));
  ASSERT_EQ(upstream.nextStream(), 3);
  upstream.respond(3, status("200"), "late");
  ASSERT_TRUE(says("DATA 3 4 end\n"));
  EXPECT_EQ(said.find("GOAWAY", 1), std::string::npos) << "not before it has read them";
  client.send(h2::ping("convoydr", h2::kAck));
  ASSERT_TRUE(says("GOAWAY 3 NO_ERROR"));
  upstream.respond(1, status("200"), "later");
  EXPECT_TRUE(says("DATA 1 5 end\n"));
}

}  // namespace
}  // namespace convoy::test
