#include "proxy/http/message.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

TEST(MessageTest, PathStopsAtTheQuery) {
  RequestHead head;
  head.target = "/a/b?c=d?e";
  EXPECT_EQ(head.path(), "/a/b");
  head.target = "/a";
  EXPECT_EQ(head.path(), "/a");
  head.target = "*";
  EXPECT_EQ(head.path(), "*");
}

TEST(MessageTest, ARequestHeadOutlivesItsBytesInAnArena) {
  for (const bool in_one_piece : {false, true}) {
    std::string bytes = "PATCH /x a.test websocket X-A 1";
    const std::string_view all = bytes;
    RequestHead head;
    head.scheme = "https";
    head.method = all.substr(0, 5);
    head.target = all.substr(6, 2);
    head.authority = all.substr(9, 6);
    head.upgrade = all.substr(16, 9);
    head.headers.add(all.substr(26, 3), all.substr(30, 1));
    if (in_one_piece) head.wire = all;
    base::Arena arena;
    head.copyInto(arena);
    bytes.assign(bytes.size(), '#');
    EXPECT_EQ(head.method, "PATCH");
    EXPECT_EQ(head.target, "/x");
    EXPECT_EQ(head.authority, "a.test");
    EXPECT_EQ(head.scheme, "https");
    EXPECT_EQ(head.upgrade, "websocket");
    EXPECT_EQ(head.headers.find("x-a")->value, "1");
    EXPECT_TRUE(head.wire.empty()) << "edits would not lie in it";
  }
}

TEST(MessageTest, AResponseHeadOutlivesItsBytesInAnArena) {
  std::string bytes = "Fine h2c Server s";
  const std::string_view all = bytes;
  ResponseHead head;
  head.reason = all.substr(0, 4);
  head.upgrade = all.substr(5, 3);
  head.headers.add(all.substr(9, 6), all.substr(16, 1));
  base::Arena arena;
  head.copyInto(arena);
  bytes.assign(bytes.size(), '#');
  EXPECT_EQ(head.reason, "Fine");
  EXPECT_EQ(head.upgrade, "h2c");
  EXPECT_EQ(head.headers.valueOr(HeaderName::Server, ""), "s");
}

TEST(MessageTest, MereOffersAreNoTunnels) {
  const struct {
    std::string_view upgrade;
    bool offer;
  } cases[] = {{"", false},
               {"websocket", false},
               {"h2c", true},
               {"H2C", true},
               {"TLS/1.0", true},
               {"TLS/1.2, h2c", true},
               {"h2c, websocket", false},
               {"h2cx", false},
               {"tls", false}};
  for (const auto& c : cases) EXPECT_EQ(isOfferOnly(c.upgrade), c.offer) << c.upgrade;
}

TEST(MessageTest, WhichResponsesOpenATunnel) {
  const struct {
    std::string_view method, upgrade;
    bool asks;
    std::vector<uint16_t> opening;  // of those tried below
  } cases[] = {{"GET", "", false, {}},
               {"GET", "websocket", true, {101}},
               {"CONNECT", "", true, {200, 204}},
               {"connect", "", false, {}}};  // methods are case-sensitive (RFC 9110 9.1)
  for (const auto& c : cases) {
    RequestHead head;
    head.method = c.method;
    head.upgrade = c.upgrade;
    EXPECT_EQ(asksForTunnel(head), c.asks) << c.method << " " << c.upgrade;
    std::vector<uint16_t> opening;
    for (const uint16_t status : {100, 101, 200, 204, 302, 403}) {
      if (opensTunnel(head, status)) opening.push_back(status);
    }
    EXPECT_EQ(opening, c.opening) << c.method << " " << c.upgrade;
  }
}

TEST(MessageTest, WhichResponsesLookLikeAnOpenTunnel) {
  const struct {
    Protocol protocol;
    std::string_view method, upgrade;
    std::vector<uint16_t> looks;  // of those tried below
  } cases[] = {{Protocol::Http11, "GET", "", {}},
               {Protocol::Http11, "GET", "websocket", {101}},
               {Protocol::Http2, "GET", "websocket", {101, 200, 204}},
               {Protocol::Http11, "CONNECT", "", {200, 204}},
               {Protocol::Http2, "CONNECT", "", {200, 204}}};
  for (const auto& c : cases) {
    RequestHead head;
    head.protocol = c.protocol;
    head.method = c.method;
    head.upgrade = c.upgrade;
    std::vector<uint16_t> looks;
    for (const uint16_t status : {100, 101, 200, 204, 302, 403}) {
      if (looksLikeTunnel(head, status)) looks.push_back(status);
    }
    EXPECT_EQ(looks, c.looks) << c.method << " " << c.upgrade;
  }
}

TEST(MessageTest, ClearedHeadsAreLikeNew) {
  RequestHead request;
  request.method = request.target = request.authority = request.scheme = request.upgrade = "x";
  request.protocol = Protocol::Http10;
  request.headers.add("a", "b");
  request.body = {BodyLength::Kind::Known, 1};
  request.expects_continue = request.te_trailers = true;
  request.wants_keep_alive = false;
  request.clear();
  EXPECT_TRUE(request.method.empty() && request.target.empty() && request.authority.empty());
  EXPECT_TRUE(request.scheme.empty() && request.upgrade.empty() && request.headers.empty());
  EXPECT_EQ(request.protocol, Protocol::Http11);
  EXPECT_EQ(request.body.kind, BodyLength::Kind::None);
  EXPECT_TRUE(request.wants_keep_alive && !request.expects_continue && !request.te_trailers);

  ResponseHead response;
  response.status = 500;
  response.reason = response.upgrade = "x";
  response.protocol = Protocol::Http10;
  response.headers.add("a", "b");
  response.body = {BodyLength::Kind::Known, 1};
  response.clear();
  EXPECT_EQ(response.status, 0);
  EXPECT_TRUE(response.reason.empty() && response.upgrade.empty() && response.headers.empty());
  EXPECT_EQ(response.protocol, Protocol::Http11);
  EXPECT_EQ(response.body.kind, BodyLength::Kind::None);
}

TEST(MessageTest, ReasonPhrases) {
  EXPECT_EQ(reasonPhrase(200), "OK");
  EXPECT_EQ(reasonPhrase(404), "Not Found");
  EXPECT_EQ(reasonPhrase(431), "Request Header Fields Too Large");
  EXPECT_EQ(reasonPhrase(511), "Network Authentication Required");
  EXPECT_EQ(reasonPhrase(0), "");
  EXPECT_EQ(reasonPhrase(299), "");
  EXPECT_EQ(reasonPhrase(999), "");
}

TEST(MessageTest, ProtocolNames) {
  EXPECT_EQ(text(Protocol::Http10), "HTTP/1.0");
  EXPECT_EQ(text(Protocol::Http11), "HTTP/1.1");
  EXPECT_EQ(text(Protocol::Http2), "HTTP/2");
}

}  // namespace
}  // namespace convoy::http
