#include "proxy/http/h1_server_codec.h"

#include <string>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_cases.h"
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

TEST(H1ServerCodecTest, UnderstandsRequestsHoweverTheyAreCut) {
  for (const AcceptedRequest& c : acceptedRequests()) {
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
