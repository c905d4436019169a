#include "proxy/http/h1_server_codec.h"

#include <string>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

void answerOk(ResponseSender& sender) {
  ResponseHead head;
  head.status = 200;
  sender.sendHead(head, true);
}

ResponseHead responseHead(uint16_t status, BodyLength body = {}) {
  ResponseHead head;
  head.status = status;
  head.body = body;
  return head;
}

constexpr BodyLength kUnknown{BodyLength::Kind::Unknown, 0};
constexpr BodyLength known(uint64_t bytes) {
  return {BodyLength::Kind::Known, bytes};
}

// --- requests that are understood ---

struct Accepted {
  std::string_view what;
  std::string_view input;
  std::string_view events;
};

const Accepted kAccepted[] = {
    {"the smallest", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "GET / a.test HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"fields keep order and case, values lose outer white space",
     "GET /x?y=1 HTTP/1.1\r\nX-B: 2\r\nhOst:a.test:8080\r\nx-a:\t 1 2 \t\r\nX-Empty:\r\n\r\n",
     "GET /x?y=1 a.test:8080 HTTP/1.1 body=none keep-alive\n  X-B: 2\n  x-a: 1 2\n  X-Empty: \n"
     "end\ncomplete\n"},
    {"bytes above 127 in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9 \xff\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  X: caf\xc3\xa9 \xff\nend\ncomplete\n"},
    {"every byte that a name may have",
     "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: 1\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  !#$%&'*+-.^_`|~09azAZ: 1\nend\ncomplete\n"},
    {"a field without a value at the end", "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  X: \nend\ncomplete\n"},
    {"one empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an empty line before each",
     "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET /1 a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET /2 a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an unknown method", "BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
     "BREW /pot a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
     "GET /  HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
     "GET / [::1]:80 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET /  HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"HTTP/1.0 that keeps alive",
     "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
     "GET / a HTTP/1.0 body=none keep-alive\n  Connection: Keep-Alive\nend\ncomplete\n"
     "GET /2  HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"nothing is read behind a request that closes",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
     "GET / a HTTP/1.1 body=none close\n  Connection: close\nend\ncomplete\n"},
    {"close among other options",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\nConnection: keep-alive\r\n\r\n",
     "GET / a HTTP/1.1 body=none close\n  Connection: x, CLOSE\n  Connection: keep-alive\nend\n"
     "complete\n"},
    {"Content-Length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "POST / a HTTP/1.1 body=5 keep-alive\nbody hello\nend\ncomplete\n"},
    {"a body and a request behind it",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 03\r\n\r\nabcGET / HTTP/1.1\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=3 keep-alive\nbody abc\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"Content-Length: 0", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     "POST / a HTTP/1.1 body=0 keep-alive\nend\ncomplete\n"},
    {"Content-Length twice the same",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 02\r\n\r\nhi",
     "POST / a HTTP/1.1 body=2 keep-alive\nbody hi\nend\ncomplete\n"},
    {"chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody hello world\nend\ncomplete\n"},
    {"chunks with line ends inside, sizes in every case, leading zeros, extensions",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "0000A;x=\"y z\";q\r\n0123456\r\n9\r\nB\r\n\n\n345678901\r\n000;last\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody 0123456\r\n9\n\n345678901\nend\ncomplete\n"},
    {"an empty chunked body",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
     "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"trailers",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
     "1\r\nx\r\n0\r\nX-Sum: 9 \r\nX-Other:1\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\n  Trailer: X-Sum\nbody x\n"
     "trailers\n  X-Sum: 9\n  X-Other: 1\ncomplete\n"},
    {"trailers that come too late are dropped",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\nx\r\n0\r\nContent-Length: 7\r\nHost: evil\r\nTransfer-Encoding: gzip\r\n"
     "Authorization: me\r\nX-A: 1\r\nConnection: close\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nbody x\ntrailers\n  X-A: 1\ncomplete\n"},
    {"only such trailers are none",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n",
     "POST / a HTTP/1.1 body=unknown keep-alive\nend\ncomplete\n"},
    {"an expectation",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
     "POST / a HTTP/1.1 body=1 keep-alive continue\nbody x\nend\ncomplete\n"},
    {"an expectation without a body, in HTTP/1.0, and another one",
     "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
     "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n"
     "PUT / HTTP/1.1\r\nHost: a\r\nExpect: cookies\r\n\r\n"
     "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
     "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "PUT / a HTTP/1.1 body=0 keep-alive\nend\ncomplete\n"
     "PUT / a HTTP/1.1 body=none keep-alive\n  Expect: cookies\nend\ncomplete\n"
     "PUT /  HTTP/1.0 body=1 close\nbody x\nend\ncomplete\n"},
    {"an upgrade",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: websocket\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive upgrade=websocket\n  Connection: x, Upgrade\n"
     "  Upgrade: websocket\nend\ncomplete\n"},
    {"an upgrade that Connection does not name, and one of HTTP/1.0",
     "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n"
     "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive\n  Upgrade: h2c\nend\ncomplete\n"
     "GET /  HTTP/1.0 body=none close\n  Connection: upgrade\n  Upgrade: h2c\nend\ncomplete\n"},
    {"TE: trailers", "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip;q=1, Trailers\r\n\r\n",
     "GET / a HTTP/1.1 body=none keep-alive te-trailers\n  TE: gzip;q=1, Trailers\nend\n"
     "complete\n"},
    {"absolute-form: the target's authority wins",
     "GET HTTP://b.test:81/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "GET /x?y b.test:81 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"absolute-form without a path, with only a query, of https, of HTTP/1.0",
     "GET http://b HTTP/1.1\r\nHost: b\r\n\r\nGET http://b?q HTTP/1.1\r\nHost: b\r\n\r\n"
     "GET https://b/ HTTP/1.1\r\nHost: b\r\n\r\nGET http://b/ HTTP/1.0\r\n\r\n",
     "GET / b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET /?q b HTTP/1.1 body=none keep-alive\nend\ncomplete\n"
     "GET / b HTTP/1.1 body=none keep-alive scheme=https\nend\ncomplete\n"
     "GET / b HTTP/1.0 body=none close\nend\ncomplete\n"},
    {"asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
     "OPTIONS * a HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"asterisk-form through a proxy", "OPTIONS http://b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n",
     "OPTIONS * b:1 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
    {"authority-form", "CONNECT b.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
     "CONNECT b.test:443 b.test:443 HTTP/1.1 body=none keep-alive\nend\ncomplete\n"},
};

TEST(H1ServerCodecTest, UnderstandsRequestsHoweverTheyAreCut) {
  for (const Accepted& c : kAccepted) {
    forEachSplit(c.input, [&c](std::string_view how, auto&& cut) {
      ServerRecorder server;
      server.on_request_end = answerOk;
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      EXPECT_EQ(server.events.take(), c.events) << c.what << ", " << how;
      EXPECT_TRUE(server.codec.idle()) << c.what << ", " << how;
      EXPECT_EQ(server.held(), "") << c.what << ", " << how;
    });
  }
}

TEST(H1ServerCodecTest, TheSchemeIsTheConnections) {
  ServerRecorder server({}, "https");
  server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(server.events.take(), "GET / a HTTP/1.1 body=none keep-alive scheme=https\nend\n");
}

// --- responses as they are written ---

struct Written {
  std::string_view what;
  std::string_view request;
  void (*answer)(ResponseSender&);
  std::string_view expected;
  bool closes;
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kHead = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kGet10 = "GET / HTTP/1.0\r\n\r\n";
constexpr std::string_view kGet10KeepAlive = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
constexpr std::string_view kGetClose = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

const Written kWritten[] = {
    {"no body", kGet, answerOk, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
    {"a known length, in pieces", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, known(5)), false);
       sender.sendBody("he", false);
       sender.sendBody("llo", true);
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
    {"an unknown length", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, kUnknown), false);
       sender.sendBody("hello world.", false);
       sender.sendBody("", false);
       sender.sendBody("!", true);
     },
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc\r\nhello "
     "world.\r\n1\r\n!\r\n0\r\n\r\n",
     false},
    {"an unknown length that ends late", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200), false);
       sender.sendBody("x", false);
       sender.sendBody("", true);
     },
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", false},
    {"an unknown length that ends with the head", kGet,
     [](ResponseSender& sender) { sender.sendHead(responseHead(200, kUnknown), true); },
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false},
    {"trailers", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, kUnknown), false);
       sender.sendBody("x", false);
       HeaderList trailers;
       trailers.add("X-Sum", "1");
       trailers.add("Content-Length", "5");
       sender.sendTrailers(trailers);
     },
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n", false},
    {"trailers behind a known length are dropped", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, known(1)), false);
       sender.sendBody("x", false);
       sender.sendTrailers(HeaderList());
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", false},
    {"a response to HEAD tells the length and has no body", kHead,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, known(1234)), false);
       sender.sendBody("dropped", true);
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", false},
    {"a response to HEAD of unknown length", kHead,
     [](ResponseSender& sender) { sender.sendHead(responseHead(200, kUnknown), true); },
     "HTTP/1.1 200 OK\r\n\r\n", false},
    {"204 has neither length nor body", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(204, known(3)), false);
       sender.sendBody("abc", true);
     },
     "HTTP/1.1 204 No Content\r\n\r\n", false},
    {"304 may tell a length", kGet,
     [](ResponseSender& sender) { sender.sendHead(responseHead(304, known(9)), true); },
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false},
    {"304 without one", kGet,
     [](ResponseSender& sender) { sender.sendHead(responseHead(304), true); },
     "HTTP/1.1 304 Not Modified\r\n\r\n", false},
    {"HTTP/1.0 ends a body of unknown length by closing", kGet10KeepAlive,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, kUnknown), false);
       sender.sendBody("abc", false);
       sender.sendBody("def", true);
     },
     "HTTP/1.1 200 OK\r\n\r\nabcdef", true},
    {"HTTP/1.0 closes", kGet10, answerOk, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
    {"HTTP/1.0 that keeps alive is told so", kGet10KeepAlive, answerOk,
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", false},
    {"no 1xx to HTTP/1.0", kGet10,
     [](ResponseSender& sender) {
       sender.sendInformational(responseHead(103));
       answerOk(sender);
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
    {"a request that closes is told so", kGetClose, answerOk,
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", true},
    {"1xx before the response", kGet,
     [](ResponseSender& sender) {
       ResponseHead hints = responseHead(103);
       hints.headers.add("Link", "</s.css>");
       sender.sendInformational(hints);
       answerOk(sender);
     },
     "HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     false},
    {"fields as they come; reason of its own; framing and connection fields are ours", kGet,
     [](ResponseSender& sender) {
       ResponseHead head = responseHead(299);
       head.reason = "Fine";
       head.headers.add("X-B", "2");
       head.headers.add("content-length", "77");
       head.headers.add("Transfer-Encoding", "gzip");
       head.headers.add("Connection", "close");
       head.headers.add("Keep-Alive", "9");
       head.headers.add("Upgrade", "h2c");
       head.headers.add("x-a", "");
       head.headers.add(HeaderName::Server, "convoy");
       sender.sendHead(head, true);
     },
     "HTTP/1.1 299 Fine\r\nContent-Length: 0\r\nX-B: 2\r\nx-a: \r\nserver: convoy\r\n\r\n", false},
    {"a status without a phrase", kGet,
     [](ResponseSender& sender) { sender.sendHead(responseHead(799), true); },
     "HTTP/1.1 799 \r\nContent-Length: 0\r\n\r\n", false},
    {"too few bytes: the client can tell by the end", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, known(5)), false);
       sender.sendBody("abc", true);
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", true},
    {"too many bytes: the rest is dropped", kGet,
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200, known(2)), false);
       sender.sendBody("abc", true);
     },
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", true},
    {"a tunnel", "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n",
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(200), false);
       sender.sendBody("raw", true);
     },
     "HTTP/1.1 200 OK\r\n\r\nraw", true},
    {"a refused tunnel", "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n",
     [](ResponseSender& sender) {
       sender.sendHead(responseHead(403, known(2)), false);
       sender.sendBody("no", true);
     },
     "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", false},
    {"an upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     [](ResponseSender& sender) {
       ResponseHead head = responseHead(101);
       head.upgrade = "websocket";
       sender.sendHead(head, false);
       sender.sendBody("raw", true);
     },
     "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw",
     true},
};

TEST(H1ServerCodecTest, WritesResponses) {
  for (const Written& c : kWritten) {
    ServerRecorder server;
    server.on_request_end = c.answer;
    server.feed(c.request);
    EXPECT_EQ(server.written(), c.expected) << c.what;
    EXPECT_EQ(server.codec.mustClose(), c.closes) << c.what;
    EXPECT_TRUE(server.codec.idle()) << c.what;
    EXPECT_EQ(server.codec.fieldsLeftOut(), 0U) << c.what;
  }
}

TEST(H1ServerCodecTest, LeavesOutFieldsThatWouldBreakTheFraming) {
  ServerRecorder server;
  server.on_request_end = [](ResponseSender& sender) {
    ResponseHead head = responseHead(200, kUnknown);
    head.headers.add("X-A", "1\r\nX-Injected: 1");
    head.headers.add("X-B", "2");
    sender.sendHead(head, false);
    HeaderList trailers;
    trailers.add("X-C\n", "3");
    sender.sendTrailers(trailers);
  };
  server.feed(kGet);
  EXPECT_EQ(server.written(),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-B: 2\r\n\r\n0\r\n\r\n");
  EXPECT_EQ(server.codec.fieldsLeftOut(), 2U);
}

// --- the life of streams and connections ---

TEST(H1ServerCodecTest, PipelinedRequestsWaitForTheirTurn) {
  ServerRecorder server;
  const std::string two = std::string(kGet) + std::string(kHead);
  EXPECT_EQ(server.codec.dispatch(two), kGet.size());
  EXPECT_FALSE(server.codec.idle());
  EXPECT_EQ(server.codec.dispatch(kHead), 0U);
  EXPECT_EQ(server.events.take(), "GET / a HTTP/1.1 body=none keep-alive\nend\n");
  answerOk(*server.sender);
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_TRUE(server.codec.idle());
  EXPECT_EQ(server.codec.dispatch(kHead), kHead.size());
  EXPECT_EQ(server.events.take(), "HEAD / a HTTP/1.1 body=none keep-alive\nend\n");
}

TEST(H1ServerCodecTest, AResponseMayEndBeforeItsRequest) {
  ServerRecorder server;
  server.on_request_head = [](ResponseSender& sender) {
    sender.sendHead(responseHead(200, known(0)), true);
  };
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  EXPECT_EQ(server.events.take(), "PUT / a HTTP/1.1 body=4 keep-alive\nbody ab\n");
  EXPECT_FALSE(server.codec.idle());
  server.on_request_head = nullptr;
  server.feed("cdGET / HTTP/1.1\r\nHost: b\r\n\r\n");
  EXPECT_EQ(server.events.take(),
            "body cd\nend\ncomplete\nGET / b HTTP/1.1 body=none keep-alive\nend\n");
  EXPECT_FALSE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, ContinuesWhenAsked) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  server.sender->sendInformational(responseHead(100));
  server.feed("x");
  answerOk(*server.sender);
  EXPECT_EQ(server.written(),
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, AClientThatDidNotWaitForContinueKeepsItsConnection) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nx");
  server.sender->sendHead(responseHead(200), true);
  EXPECT_FALSE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, AnAnswerInsteadOfContinueCloses) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
  server.sender->sendHead(responseHead(417), true);
  EXPECT_EQ(server.written(),
            "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, GoAwayIsToldByTheNextHead) {
  ServerRecorder server;
  server.feed(kGet);
  server.codec.goAway();
  EXPECT_FALSE(server.codec.mustClose());
  answerOk(*server.sender);
  EXPECT_EQ(server.written(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(server.codec.mustClose());
  server.feed(kGet);
  EXPECT_EQ(server.events.take(), "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n");
}

// Nobody was told to go away by a head that was out already: one more request is served.
TEST(H1ServerCodecTest, GoAwayBehindAHeadWaitsForTheOneAfter) {
  ServerRecorder server;
  server.feed(kGet);
  server.sender->sendHead(responseHead(200, known(1)), false);
  server.codec.goAway();
  server.sender->sendBody("x", true);
  EXPECT_FALSE(server.codec.mustClose());
  server.feed(kGet);
  answerOk(*server.sender);
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, AnEndOfStreamBetweenRequestsCloses) {
  ServerRecorder server;
  server.codec.onEndOfStream();
  EXPECT_TRUE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
  EXPECT_EQ(server.events.take(), "");
}

TEST(H1ServerCodecTest, AnEndOfStreamInsideAHeadDropsIt) {
  ServerRecorder server;
  server.feed("GET / HT");
  EXPECT_FALSE(server.codec.idle());
  server.codec.onEndOfStream();
  EXPECT_TRUE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
  EXPECT_EQ(server.events.take(), "");
}

TEST(H1ServerCodecTest, AnEndOfStreamInsideABodyResets) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  server.codec.onEndOfStream();
  EXPECT_EQ(server.events.take(),
            "PUT / a HTTP/1.1 body=4 keep-alive\nbody ab\nreset downstream_disconnect\n");
  EXPECT_TRUE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
}

TEST(H1ServerCodecTest, AClientThatOnlyEndedItsHalfGetsItsAnswer) {
  ServerRecorder server;
  server.feed(kGet);
  server.codec.onEndOfStream();
  answerOk(*server.sender);
  EXPECT_EQ(server.written(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(server.events.take(), "GET / a HTTP/1.1 body=none keep-alive\nend\ncomplete\n");
}

TEST(H1ServerCodecTest, ALostConnectionResetsItsStream) {
  ServerRecorder server;
  server.feed(kGet);
  server.codec.onConnectionLost(Failure::DownstreamDisconnect);
  server.codec.onConnectionLost(Failure::DownstreamDisconnect);
  EXPECT_EQ(server.events.take(),
            "GET / a HTTP/1.1 body=none keep-alive\nend\nreset downstream_disconnect\n");
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, AResetByTheSenderEndsEverything) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  server.codec.onOutputAboveHigh();
  server.sender->pauseReceiving();
  EXPECT_EQ(server.pauses, 1);
  server.sender->reset(Failure::UpstreamReset);
  EXPECT_EQ(server.pauses, 0);
  EXPECT_TRUE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
  server.events.take();
  server.feed("cd");
  server.codec.onOutputBelowLow();
  server.codec.onConnectionLost(Failure::DownstreamDisconnect);
  server.sender->reset(Failure::UpstreamReset);
  EXPECT_EQ(server.events.take(), "");
}

TEST(H1ServerCodecTest, ResetFromInsideEachCallback) {
  const std::string_view requests[] = {
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
      "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: 1\r\n\r\n"};
  for (const std::string_view request : requests) {
    forEachSplit(request, [request](std::string_view how, auto&& cut) {
      ServerRecorder server;
      server.on_request_end = [](ResponseSender& s) { s.reset(Failure::InternalError); };
      cut([&server](std::string_view bytes) { server.feed(bytes); });
      server.feed("more");
      EXPECT_TRUE(server.codec.mustClose()) << request << how;
      EXPECT_EQ(server.events.soFar().find("complete"), std::string_view::npos);
      EXPECT_EQ(server.written(), "");
    });
  }
}

TEST(H1ServerCodecTest, PausesAreCountedAndEndWithTheBody) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
  server.sender->pauseReceiving();
  server.sender->pauseReceiving();
  EXPECT_EQ(server.pauses, 2);
  server.sender->resumeReceiving();
  EXPECT_EQ(server.pauses, 1);
  server.feed("cd");  // was under way
  EXPECT_EQ(server.pauses, 0);
  server.sender->pauseReceiving();
  server.sender->resumeReceiving();
  EXPECT_EQ(server.pauses, 0);
}

TEST(H1ServerCodecTest, TheReceiverHearsOfAFullQueueOnce) {
  ServerRecorder server;
  server.codec.onOutputAboveHigh();  // nobody is there
  server.feed(kGet);
  server.events.take();
  server.codec.onOutputAboveHigh();
  server.codec.onOutputAboveHigh();
  server.codec.onOutputBelowLow();
  server.codec.onOutputBelowLow();
  EXPECT_EQ(server.events.take(), "above high\nbelow low\n");
}

TEST(H1ServerCodecTest, ANewStreamHearsThatTheQueueIsStillFull) {
  ServerRecorder server;
  server.out.setWatermarks(10, {});
  server.out.append("more than ten bytes");
  server.feed(kGet);
  EXPECT_EQ(server.events.take(), "GET / a HTTP/1.1 body=none keep-alive\nend\nabove high\n");
}

// --- answers to what could not be read ---

TEST(H1ServerCodecTest, ABrokenHeadCanBeAnswered) {
  ServerRecorder server;
  server.feed("GET /\r\n\r\n");
  EXPECT_EQ(server.events.take(), "error bad_request invalid_request_line\n");
  ResponseSender* const sender = server.codec.senderForError();
  ASSERT_NE(sender, nullptr);
  EXPECT_EQ(server.codec.senderForError(), nullptr);
  sender->sendHead(responseHead(400, known(3)), false);
  sender->sendBody("bad", true);
  EXPECT_EQ(server.written(),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad");
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_TRUE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
}

TEST(H1ServerCodecTest, AHeadThatDoesNotArriveCanBeAnswered) {
  ServerRecorder server;
  server.feed("GET / HTTP/1.1\r\n");
  ResponseSender* const sender = server.codec.senderForError();
  ASSERT_NE(sender, nullptr);
  sender->sendHead(responseHead(408), true);
  server.feed("Host: a\r\n\r\n");
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_EQ(server.written(),
            "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(H1ServerCodecTest, ARunningRequestIsNotAnsweredTwice) {
  ServerRecorder server;
  server.feed(kGet);
  EXPECT_EQ(server.codec.senderForError(), nullptr);
}

TEST(H1ServerCodecTest, ABrokenBodyCanBeAnsweredByItsStream) {
  ServerRecorder server;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n");
  EXPECT_EQ(server.events.take(),
            "PUT / a HTTP/1.1 body=unknown keep-alive\nbody x\nerror bad_body "
            "chunk_not_terminated\n");
  EXPECT_EQ(server.codec.senderForError(), nullptr);
  server.sender->sendHead(responseHead(400), true);
  EXPECT_EQ(server.written(),
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, ABodyThatBreaksBehindTheResponseCompletes) {
  ServerRecorder server;
  server.on_request_head = answerOk;
  server.feed("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
  EXPECT_EQ(server.events.take(),
            "PUT / a HTTP/1.1 body=unknown keep-alive\nerror bad_body invalid_chunk_size\n"
            "complete\n");
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H1ServerCodecTest, IsHttp11) {
  ServerRecorder server;
  EXPECT_EQ(server.codec.protocol(), Protocol::Http11);
  EXPECT_LE(sizeof(H1ServerCodec), 256U);
}

}  // namespace
}  // namespace convoy::http
