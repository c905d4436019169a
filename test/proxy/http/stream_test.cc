// One request and its response between the codec and the filters: endings of every kind, time-outs,
// and back-pressure both ways.

#include "proxy/http/stream.h"

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/http/manager_fixture.h"

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

std::string post(size_t length, std::string_view body, std::string_view more = "") {
  return "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(length) + "\r\n" +
         std::string(more) + "\r\n" + std::string(body);
}
std::string firstLine(const std::string& text) {
  return text.substr(0, text.find("\r\n"));
}
bool saysClose(const std::string& text) {
  return text.find("\r\nConnection: close\r\n") != std::string::npos;
}

class StreamTest : public ManagerTest {
 protected:
  StreamTest() {
    router.on_end = [](Exchange&) { return FilterVerdict::Pause; };
  }
  Exchange& last() { return *router.exchanges.back(); }
};

TEST_F(StreamTest, ARequestAndItsResponseOnTheWire) {
  log_format_ = "%RESPONSE_CODE% %BYTES_RECEIVED% %BYTES_SENT%\n";
  configure();
  Client& client = connect();
  send(client, post(3, "xyz", "X-Own: 1\r\nConnection: X-Own\r\n"));
  EXPECT_EQ(last().context->requestHead().headers.find("X-Own"), nullptr);
  EXPECT_EQ(last().events, "head body:xyz end ");
  last().answer(200, "hello");
  run();
  EXPECT_EQ(client.take(),
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nserver: convoy\r\n"
            "date: Tue, 14 Nov 2023 22:13:20 GMT\r\n\r\nhello");
  EXPECT_TRUE(client.open());
  EXPECT_EQ(log(), "200 3 5\n");
  EXPECT_EQ(metrics_.downstream_rq_time.count(), 1U);
}

TEST_F(StreamTest, CountsEachResponseInItsClass) {
  Client& client = connect();
  for (const uint16_t status : {200, 204, 301, 404, 404, 404, 503}) {
    send(client, kGet);
    last().answer(status, status == 204 ? "" : "x");
    run();
  }
  EXPECT_TRUE(client.open());
  EXPECT_EQ(counters(),
            "downstream_cx_total=1 downstream_cx_active=1 downstream_rq_total=7 "
            "downstream_rq_completed=7 downstream_rq_2xx=2 downstream_rq_3xx=1 downstream_rq_4xx=3 "
            "downstream_rq_5xx=1 no_route=7");
}

TEST_F(StreamTest, TrailersEndARequestAndAResponse) {
  Client& client = connect();
  send(client,
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(last().body, "abc");
  EXPECT_EQ(last().trailers, "X-Sum: 7\n");
  EXPECT_TRUE(last().request_ended);
  last().sendHead(200, {BodyLength::Kind::Unknown, 0});
  last().sendBody("out");
  HeaderList trailers;
  trailers.add("x-end", "1");
  last().context->sendResponseTrailers(trailers);
  EXPECT_TRUE(last().over);
  const std::string text = received(client);
  EXPECT_EQ(text.substr(text.find("\r\n\r\n")), "\r\n\r\n3\r\nout\r\n0\r\nx-end: 1\r\n\r\n");
  EXPECT_TRUE(client.open());
}

// RFC 9110 7.6.1: what Connection names is of one hop wherever it stands.
TEST_F(StreamTest, TrailersThatConnectionNamedGoNoFurther) {
  Client& client = connect();
  const std::string_view chunked =
      "POST / HTTP/1.1\r\nHost: h\r\nConnection: X-Int\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\nX-Int: s\r\nX-Sum: 7\r\n\r\n";
  send(client, chunked);
  EXPECT_EQ(last().trailers, "X-Sum: 7\n");
  ResponseHead head;
  head.status = 200;
  head.body = {BodyLength::Kind::Unknown, 0};
  // Of a codec: gone after the call.
  std::string connection = "keep-alive, X-Mine";
  head.headers.add("connection", connection);
  last().context->sendResponseHead(head, false);
  connection.assign(connection.size(), '-');
  HeaderList trailers;
  trailers.add("x-mine", "s");
  trailers.add("x-end", "1");
  last().context->sendResponseTrailers(trailers);
  const std::string text = received(client);
  EXPECT_EQ(text.substr(text.find("\r\n\r\n")), "\r\n\r\n0\r\nx-end: 1\r\n\r\n");
  EXPECT_TRUE(client.open());
}

TEST_F(StreamTest, WhatOneRequestsConnectionNamedIsForgottenWithIt) {
  Client& client = connect();
  for (const char* connection : {"X-Int", "keep-alive"}) {
    send(client, std::string("POST / HTTP/1.1\r\nHost: h\r\nConnection: ") + connection +
                     "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Int: s\r\n\r\n");
    EXPECT_TRUE(last().request_ended);
    last().answer(200, "x");
    EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  }
  EXPECT_EQ(router.exchanges[0]->trailers, "");
  EXPECT_EQ(router.exchanges[1]->trailers, "X-Int: s\n");
}

TEST_F(StreamTest, AsksForABodyThatTheClientWaitsToSend) {
  Client& client = connect();
  send(client, post(2, "", "Expect: 100-continue\r\n"));
  EXPECT_EQ(received(client), "HTTP/1.1 100 Continue\r\n\r\n");
  send(client, "xy");
  last().answer(200, last().body);
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_FALSE(saysClose(text));
}

TEST_F(StreamTest, AnEarlyAnswerBehind100IsLikeAnyOther) {
  Client& client = connect();
  send(client, post(2, "", "Expect: 100-continue\r\n"));
  EXPECT_EQ(received(client), "HTTP/1.1 100 Continue\r\n\r\n");
  last().answer(413, "no");
  EXPECT_FALSE(saysClose(received(client)));
  send(client, "xy" + std::string(kGet));
  EXPECT_EQ(router.exchanges.size(), 2U);
}

TEST_F(StreamTest, AnEarlyAnswerInPlaceOf100Closes) {
  router.on_head = [](Exchange& exchange) {
    exchange.context->reply({.failure = Failure::RouteNotFound});
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, post(2, "", "Expect: 100-continue\r\n"));
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 404 Not Found");
  EXPECT_TRUE(saysClose(text));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(log(), "404 NR route_not_found\n");
}

// It used to be asked for the body although the answer was there.
TEST_F(StreamTest, DoesNotAskForABodyWhileAFilterHoldsTheReply) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  router.on_head = [](Exchange& exchange) {
    exchange.context->reply({.failure = Failure::RouteNotFound});
    return FilterVerdict::Pause;
  };
  configure();
  Client& client = connect();
  send(client, post(2, "", "Expect: 100-continue\r\n"));
  EXPECT_EQ(received(client), "");
  before.exchanges[0]->context->continueResponse();
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 404 Not Found");
  EXPECT_TRUE(saysClose(text));
}

// A body that was still to come used to find its stream recycled.
TEST_F(StreamTest, ATunnelIsRefusedAlsoBeforeTheBodyIsHere) {
  Client& client = connect();
  send(client, post(5, "x", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 403 Forbidden");
  EXPECT_TRUE(saysClose(text));
  EXPECT_TRUE(client.ended());
  send(client, "yz");
  client.reset();
  run();
  EXPECT_EQ(log(), "403 - unsupported_upgrade\n");
  EXPECT_TRUE(router.exchanges.empty());
}

TEST_F(StreamTest, SendsNoBodyWhereThereIsNone) {
  struct Case {
    std::string method;
    uint16_t status;
    BodyLength length;
    std::string framing;
  };
  const Case cases[] = {
      {"HEAD", 200, {BodyLength::Kind::Known, 5}, "Content-Length: 5\r\n"},
      {"GET", 204, {}, ""},
      {"GET", 304, {BodyLength::Kind::Unknown, 0}, ""},
  };
  Client& client = connect();
  for (const Case& c : cases) {
    send(client, c.method + " / HTTP/1.1\r\nHost: h\r\n\r\n");
    last().sendHead(c.status, c.length, true);
    const std::string text = received(client);
    EXPECT_EQ(text.substr(text.find("\r\n")), "\r\n" + c.framing + "server: convoy\r\n\r\n")
        << text;
  }
  EXPECT_EQ(metrics_.downstream_rq_completed.value(), 3U);
}

TEST_F(StreamTest, PassesInformationalResponsesOn) {
  Client& client = connect();
  send(client, kGet);
  ResponseHead hints;
  hints.status = 103;
  hints.headers.add("link", "</a.css>");
  last().context->sendInformational(hints);
  EXPECT_EQ(received(client), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
  last().answer(200, "x");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  EXPECT_EQ(log(), "200 - via_upstream\n");
}

TEST_F(StreamTest, AnInformationalResponseLosesTheFieldsOfItsHop) {
  Client& client = connect();
  send(client, kGet);
  ResponseHead hints;
  hints.status = 103;
  hints.headers.add("connection", "X-Int");
  hints.headers.add("x-int", "s");
  hints.headers.add("keep-alive", "timeout=5");
  hints.headers.add("link", "</a.css>");
  last().context->sendInformational(hints);
  EXPECT_EQ(received(client), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
  last().answer(200, "x");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
}

TEST_F(StreamTest, TimesOutWithStatusFlagAndReason) {
  using Spec = ConnectionManagerSpec;
  struct Case {
    void (*configure)(Spec&);
    std::string sent;
    std::string status;
    std::string log;
    std::string counter;
  };
  const std::string half = post(5, "xy");
  const Case cases[] = {
      {[](Spec& s) { s.request_timeout = 10s; }, half, "408 Request Timeout",
       "408 - request_timeout{default}\n", "downstream_rq_timeout=1 "},
      {[](Spec& s) { s.stream_idle_timeout = 10s; }, half, "408 Request Timeout",
       "408 SI stream_idle_timeout{default}\n", "downstream_rq_idle_timeout=1 "},
      {[](Spec& s) { s.max_stream_duration = 10s; }, std::string(kGet), "504 Gateway Timeout",
       "504 UMSDR max_stream_duration{default}\n", "downstream_rq_max_duration_reached=1 "},
  };
  std::string lines;
  for (const Case& c : cases) {
    configure(c.configure);
    Client& client = connect();
    send(client, c.sent);
    advance(9s);
    EXPECT_EQ(received(client), "");
    advance(1s);
    const std::string text = received(client);
    EXPECT_EQ(firstLine(text), "HTTP/1.1 " + c.status);
    EXPECT_TRUE(last().over);
    // What was not read to its end cannot be followed by another request.
    EXPECT_EQ(saysClose(text), c.sent == half);
    EXPECT_EQ(client.ended(), c.sent == half);
    lines += c.log;
    EXPECT_EQ(log(), lines);
    EXPECT_NE(counters().find(c.counter), std::string::npos) << counters();
  }
}

TEST_F(StreamTest, ATimeOutInsideTheResponseBreaksItOff) {
  configure([](ConnectionManagerSpec& spec) { spec.stream_idle_timeout = 10s; });
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  advance(9s);
  last().sendBody("xy");
  advance(9s);
  EXPECT_FALSE(client.aborted());
  advance(1s);
  EXPECT_TRUE(client.aborted());
  EXPECT_EQ(log(), "200 SI stream_idle_timeout{default}\n");
}

TEST_F(StreamTest, WhatArrivesOfTheBodyIsActivity) {
  configure([](ConnectionManagerSpec& spec) { spec.stream_idle_timeout = 10s; });
  Client& client = connect();
  send(client, post(5, "x"));
  advance(9s);
  send(client, "y");
  advance(9s);
  EXPECT_EQ(received(client), "");
  advance(1s);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 408 Request Timeout");
}

TEST_F(StreamTest, ARequestThatHasArrivedIsOutOfReachOfItsTimeOut) {
  configure([](ConnectionManagerSpec& spec) { spec.request_timeout = 10s; });
  Client& client = connect();
  send(client, post(2, "x"));
  advance(9s);
  send(client, "y");
  advance(60s);
  EXPECT_FALSE(last().over);
  EXPECT_EQ(metrics_.downstream_rq_timeout.value(), 0U);
}

TEST_F(StreamTest, AFilterMayTurnTheIdleTimeOff) {
  configure([](ConnectionManagerSpec& spec) { spec.stream_idle_timeout = 10s; });
  router.on_end = [](Exchange& exchange) {
    exchange.context->setStreamIdleTimeout(0s, Failure::RouteIdleTimeout);
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, kGet);
  advance(1000s);
  EXPECT_FALSE(last().over);
}

TEST_F(StreamTest, AFilterMayChangeTheIdleTime) {
  router.on_head = [](Exchange& exchange) {
    exchange.context->setStreamIdleTimeout(2s, Failure::RouteIdleTimeout);
    return FilterVerdict::Continue;
  };
  router.on_end = router.on_head;
  Client& client = connect();
  send(client, kGet);
  advance(2s);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 504 Gateway Timeout");
}

TEST_F(StreamTest, AbortsABrokenResponseSoThatTheClientCanTell) {
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Unknown, 0});
  last().sendBody("xy");
  run();
  last().context->abort(Failure::UpstreamAbortedBody);
  run();
  EXPECT_TRUE(client.aborted());
  EXPECT_TRUE(last().over);
  EXPECT_EQ(log(), "200 UC upstream_aborted_body\n");
}

TEST_F(StreamTest, ABodyWithBrokenFramingIsAnsweredOrBreaksTheAnswerOff) {
  const std::string broken =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n";
  Client& early = connect();
  send(early, broken);
  send(early, "zz\r\n");
  EXPECT_EQ(firstLine(received(early)), "HTTP/1.1 400 Bad Request");
  EXPECT_TRUE(early.ended());
  Client& late = connect();
  send(late, broken);
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  send(late, "zz\r\n");
  EXPECT_TRUE(late.aborted());
  EXPECT_EQ(metrics_.failures[static_cast<size_t>(Failure::BadBody)].value(), 2U);
}

// --- early answers ---

TEST_F(StreamTest, ReadsASmallUnwantedBodyAndKeepsTheConnection) {
  Client& client = connect();
  send(client, post(64 * 1024, "xy"));
  last().answer(200, "early");
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 200 OK");
  EXPECT_FALSE(saysClose(text));
  send(client, std::string(64 * 1024 - 2, 'z') + std::string(kGet));
  ASSERT_EQ(router.exchanges.size(), 2U);
  EXPECT_EQ(router.exchanges[0]->body, "xy");
  last().answer(200, "next");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  EXPECT_EQ(metrics_.downstream_rq_body_unread.value(), 0U);
}

TEST_F(StreamTest, ClosesBehindALargeUnwantedBody) {
  Client& client = connect();
  send(client, post(64 * 1024 + 3, "xy"));
  last().answer(200, "early");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.aborted());
  EXPECT_EQ(log(), "200 - via_upstream\n");
  EXPECT_EQ(metrics_.downstream_rq_body_unread.value(), 1U);
}

TEST_F(StreamTest, WhatAReplyOfOurOwnLeavesUnreadIsMeasuredByWhatIsStillToCome) {
  Client& client = connect();
  send(client, post(64 * 1024 + 2, "xy"));
  last().context->reply({.status = 403, .body = "no\n"});
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 403 Forbidden");
  EXPECT_FALSE(saysClose(text));
  send(client, std::string(64 * 1024, 'z') + std::string(kGet));
  ASSERT_EQ(router.exchanges.size(), 2U);
  EXPECT_EQ(metrics_.downstream_rq_body_unread.value(), 0U);
}

TEST_F(StreamTest, AFilterThatRefusesALargeBodySaysThatItCloses) {
  router.on_head = [](Exchange& exchange) {
    exchange.context->reply({.status = 403, .body = "no\n"});
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, post(64 * 1024 + 1, ""));
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 403 Forbidden");
  EXPECT_TRUE(saysClose(text));
  EXPECT_EQ(text.substr(text.size() - 3), "no\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(log(), "403 - filter_reply\n");
  EXPECT_EQ(metrics_.downstream_rq_body_unread.value(), 1U);
}

// The rest was never read: whoever had paused it was not asked any more.
TEST_F(StreamTest, AnUnwantedBodyThatWasPausedIsReadToItsEnd) {
  Client& client = connect();
  send(client, post(6, "xy"));
  last().context->pauseRequestBody();
  last().answer(200, "early");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  send(client, "abcd" + std::string(kGet));
  EXPECT_EQ(router.exchanges.size(), 2U);
}

TEST_F(StreamTest, ATimeOutBehindTheAnswerIsNoReset) {
  configure([](ConnectionManagerSpec& spec) { spec.stream_idle_timeout = 10s; });
  Client& client = connect();
  send(client, post(6, "xy"));
  last().answer(200, "early");
  advance(10s);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  EXPECT_TRUE(last().over);
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.aborted());
  EXPECT_EQ(log(), "200 - via_upstream\n");
}

// The answer was complete, and a reset could destroy it on its way.
TEST_F(StreamTest, AClientThatBreaksItsBodyOffAfterTheAnswerIsNotReset) {
  Client& client = connect();
  send(client, post(6, "xy"));
  last().answer(200, "early");
  client.manager->onEndOfStream();
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.aborted());
  EXPECT_EQ(log(), "200 - via_upstream\n");
  EXPECT_EQ(metrics_.downstream_rq_rx_reset.value(), 0U);
}

TEST_F(StreamTest, AClientThatIsGoneBehindTheAnswerHadItsAnswer) {
  Client& client = connect();
  send(client, post(6, "xy"));
  last().answer(200, "early");
  run();
  EXPECT_FALSE(last().over);
  client.reset();
  run();
  EXPECT_TRUE(last().over);
  EXPECT_EQ(last().info.failure, Failure::None);
  EXPECT_EQ(log(), "200 - via_upstream\n");
  EXPECT_EQ(openConnections(), 0U);
}

// The response of an upstream that answered behind our own reply used to stop the process.
TEST_F(StreamTest, WhatComesBehindAReplyOfOurOwnIsDropped) {
  FilterScript& before = addFilter();
  configure();
  Client& client = connect();
  send(client, post(6, "xy"));
  before.exchanges[0]->context->reply({.status = 403});
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
  ASSERT_FALSE(last().over);
  last().answer(200, "late");
  last().context->abort(Failure::UpstreamReset);
  EXPECT_EQ(received(client), "");
  EXPECT_FALSE(last().over);
  send(client, "abcd");
  EXPECT_TRUE(last().over);
  EXPECT_TRUE(client.open());
  EXPECT_EQ(log(), "403 - filter_reply\n");
}

TEST_F(StreamTest, WhatComesBehindAReplyThatPassedAFilterIsDropped) {
  FilterScript& inner = addFilter();
  addFilter();
  configure();
  Client& client = connect();
  for (const bool trailers : {false, true}) {
    send(client, post(6, "xy"));
    inner.exchanges.back()->context->reply({.status = 403});
    EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
    last().sendHead(200, {BodyLength::Kind::Unknown, 0});
    last().sendBody("late", !trailers);
    HeaderList late;
    if (trailers) last().context->sendResponseTrailers(late);
    EXPECT_EQ(received(client), "");
    send(client, "abcd");
    EXPECT_TRUE(last().over);
  }
  EXPECT_TRUE(client.open());
  EXPECT_EQ(log(), "403 - filter_reply\n403 - filter_reply\n");
}

TEST_F(StreamTest, WhatComesBehindAReplyThatIsHeldIsDropped) {
  FilterScript& inner = addFilter();
  FilterScript& outer = addFilter();
  outer.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  configure();
  Client& client = connect();
  send(client, kGet);
  inner.exchanges[0]->context->reply({.status = 403});
  ResponseHead hints;
  hints.status = 103;
  last().context->sendInformational(hints);
  last().answer(200, "late");
  EXPECT_EQ(received(client), "");
  outer.exchanges[0]->context->continueResponse();
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
  EXPECT_TRUE(client.open());
  EXPECT_EQ(outer.exchanges[0]->events, "head end 403 over");
}

// Nothing goes on to the router, and nobody can stop the rest from being read.
TEST_F(StreamTest, ARequestThatWasAnsweredGoesNoFurther) {
  FilterScript& before = addFilter();
  before.on_head = [](Exchange&) { return FilterVerdict::Pause; };
  configure();
  Client& client = connect();
  send(client, post(6, "xy"));
  FilterContext& context = *before.exchanges[0]->context;
  context.reply({.status = 403});
  context.continueRequest();
  context.pauseRequestBody();
  EXPECT_EQ(last().events, "");
  before.on_head = nullptr;
  send(client, "abcd" + std::string(kGet));
  EXPECT_EQ(router.exchanges[0]->events, "over");
  EXPECT_EQ(router.exchanges.size(), 2U);
}

// --- filters that hold ---

TEST_F(StreamTest, AFilterAnswersInPlaceOfTheRouter) {
  FilterScript& before = addFilter();
  before.on_end = [](Exchange& exchange) {
    exchange.context->reply({.status = 401, .body = "who?\n"});
    return FilterVerdict::Pause;
  };
  configure();
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 401 Unauthorized");
  EXPECT_EQ(last().events, "over");
  send(client, kGet);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 401 Unauthorized");
}

TEST_F(StreamTest, AFilterHoldsARequestAndLetsItGo) {
  FilterScript& before = addFilter();
  before.on_head = [](Exchange&) { return FilterVerdict::Pause; };
  buffer_limit_ = 10;
  configure();
  Client& client = connect();
  send(client, post(30, "0123456789"));
  EXPECT_EQ(metrics_.downstream_flow_control_paused_reading_total.value(), 0U);
  send(client, "a");
  EXPECT_EQ(metrics_.downstream_flow_control_paused_reading_total.value(), 1U);
  send(client, "ZZZZ");
  EXPECT_EQ(last().events, "");
  before.exchanges[0]->context->continueRequest();
  run();
  EXPECT_EQ(last().body, "0123456789aZZZZ");
  last().answer(200, "early");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
}

TEST_F(StreamTest, ABodyThatIsHeldMakesTheClientWait) {
  FilterScript& before = addFilter();
  before.on_head = [](Exchange&) { return FilterVerdict::Pause; };
  buffer_limit_ = 1000;
  pipe_.max_read_bytes = 500;
  configure();
  Client& client = connect();
  const std::string body(5000, 'x');
  send(client, post(body.size(), body));
  EXPECT_EQ(metrics_.downstream_flow_control_paused_reading_total.value(), 1U);
  EXPECT_LE(metrics_.downstream_cx_rx_bytes_total.value(), 1500U);
  EXPECT_EQ(last().events, "");
  before.exchanges[0]->context->continueRequest();
  run();
  EXPECT_EQ(last().body, body);
  EXPECT_TRUE(last().request_ended);
  last().answer(200, "x");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
}

TEST_F(StreamTest, AResponseThatIsHeldMakesTheHostWait) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  buffer_limit_ = 10;
  router.listens = true;
  configure();
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 15});
  last().sendBody("0123456789");
  EXPECT_EQ(last().above_high, 0);
  last().sendBody("a");
  EXPECT_EQ(last().above_high, 1);
  EXPECT_EQ(last().below_low, 0);
  EXPECT_EQ(received(client), "");
  before.exchanges[0]->context->continueResponse();
  EXPECT_EQ(last().below_low, 1);
  last().sendBody("ZZZZ", true);
  const std::string text = received(client);
  EXPECT_EQ(text.substr(text.find("\r\n\r\n") + 4), "0123456789aZZZZ");
  EXPECT_TRUE(client.open());
}

TEST_F(StreamTest, AReplyMayGiveAReasonOfItsOwn) {
  router.on_end = [](Exchange& exchange) {
    exchange.context->reply({.status = 403, .details = "not_you"});
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(log(), "403 - not_you\n");
}

// The head is out: only breaking off tells the client.
TEST_F(StreamTest, AReplyInsideTheResponseBreaksItOff) {
  FilterScript& before = addFilter();
  before.on_response_body = [](Exchange& exchange) {
    exchange.context->reply({.status = 403});
    return FilterVerdict::Pause;
  };
  configure();
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 200 OK");
  last().sendBody("xy");
  run();
  EXPECT_TRUE(last().over);
  EXPECT_TRUE(client.aborted());
  EXPECT_EQ(log(), "200 - filter_reply\n");
}

TEST_F(StreamTest, AReplyInsideTheRequestsBody) {
  FilterScript& before = addFilter();
  before.on_body = [](Exchange& exchange) {
    exchange.context->reply({.status = 403});
    return FilterVerdict::Pause;
  };
  configure();
  Client& client = connect();
  send(client, post(6, "xy"));
  EXPECT_EQ(last().events, "head ");
  const std::string text = received(client);
  EXPECT_EQ(firstLine(text), "HTTP/1.1 403 Forbidden");
  EXPECT_FALSE(saysClose(text));
  send(client, "abcd" + std::string(kGet));
  EXPECT_EQ(router.exchanges.size(), 2U);
  EXPECT_EQ(router.exchanges[0]->events, "head over");
}

TEST_F(StreamTest, ARequestThatIsTooLargeToCollectIsRefused) {
  FilterScript& before = addFilter();
  before.on_head = [](Exchange&) { return FilterVerdict::Collect; };
  buffer_limit_ = 10;
  configure();
  Client& client = connect();
  send(client, post(30, "0123456789"));
  EXPECT_EQ(received(client), "");
  send(client, "a");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(log(), "");
  send(client, std::string(19, 'x'));
  EXPECT_EQ(log(), "413 - payload_too_large\n");
}

TEST_F(StreamTest, AResponseThatIsTooLargeToCollectIsAnError) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Collect; };
  buffer_limit_ = 10;
  configure();
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Unknown, 0});
  last().sendBody("0123456789");
  EXPECT_EQ(received(client), "");
  last().sendBody("a");
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 500 Internal Server Error");
  EXPECT_TRUE(last().over);
  EXPECT_EQ(log(), "500 - internal_error\n");
}

TEST_F(StreamTest, AReplyPassesAFilterThatHoldsAnotherHead) {
  FilterScript& inner = addFilter();
  FilterScript& outer = addFilter();
  outer.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  configure();
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  inner.exchanges[0]->context->reply({.status = 403});
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
  EXPECT_EQ(outer.exchanges[0]->events, "head end 200 over");
  EXPECT_TRUE(client.open());
}

// Each of these used to stop the process: the failure has no status, and a second head followed.
TEST_F(StreamTest, AResponseThatBreaksWhileAFilterHoldsItsHead) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  configure();
  Client& client = connect();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  last().context->abort(Failure::UpstreamAbortedBody);
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(log(), "502 UC upstream_aborted_body\n");
}

TEST_F(StreamTest, AReplyTakesThePlaceOfAHeadThatIsHeld) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  configure();
  Client& client = connect();
  send(client, post(6, "xy"));
  last().sendHead(200, {BodyLength::Kind::Known, 5});
  before.exchanges[0]->context->reply({.status = 403});
  before.exchanges[0]->context->continueResponse();
  EXPECT_EQ(firstLine(received(client)), "HTTP/1.1 403 Forbidden");
  send(client, "abcd");
  EXPECT_TRUE(last().over);
}

TEST_F(StreamTest, AReplyThatAFilterHoldsForEverEndsWithTheStreamsTime) {
  FilterScript& before = addFilter();
  before.on_response = [](Exchange&) { return FilterVerdict::Pause; };
  configure([](ConnectionManagerSpec& spec) { spec.max_stream_duration = 10s; });
  router.on_end = [](Exchange& exchange) {
    exchange.context->reply({.failure = Failure::RouteNotFound});
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, kGet);
  EXPECT_EQ(received(client), "");
  advance(10s);
  EXPECT_TRUE(last().over);
  EXPECT_TRUE(client.aborted());
}

// --- back-pressure ---

TEST_F(StreamTest, TellsTheRouterOfASlowClient) {
  buffer_limit_ = 1000;
  pipe_.pipe_bytes = 100;
  router.listens = true;
  configure();
  Client& client = connect();
  client.connection->pauseReading();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 2000});
  last().sendBody(std::string(700, 'x'));
  run();
  EXPECT_EQ(last().above_high, 0);
  last().sendBody(std::string(700, 'x'));
  run();
  EXPECT_EQ(last().above_high, 1);
  EXPECT_EQ(last().below_low, 0);
  client.connection->resumeReading();
  EXPECT_TRUE(test_loop_.runUntil([&] { return last().below_low == 1; }));
  EXPECT_TRUE(test_loop_.runUntil([&] { return client.on.received.size() > 1400; }));
  last().sendBody(std::string(600, 'x'), true);
  EXPECT_TRUE(test_loop_.runUntil([&] { return client.on.received.size() > 2000; }));
  EXPECT_EQ(last().above_high, 1);
}

TEST_F(StreamTest, AListenerThatComesLateLearnsThatTheClientIsSlow) {
  buffer_limit_ = 1000;
  pipe_.pipe_bytes = 100;
  configure();
  Client& client = connect();
  client.connection->pauseReading();
  send(client, kGet);
  last().sendHead(200, {BodyLength::Kind::Known, 2000});
  last().sendBody(std::string(1400, 'x'));
  last().context->setResponseFlowListener(&last());
  EXPECT_EQ(last().above_high, 1);
  client.connection->resumeReading();
  EXPECT_TRUE(test_loop_.runUntil([&] { return last().below_low == 1; }));
}

TEST_F(StreamTest, AFilterPausesTheRequestsBody) {
  Client& client = connect();
  send(client, post(6, "xy"));
  last().context->pauseRequestBody();
  last().context->pauseRequestBody();
  send(client, "ab");
  last().context->resumeRequestBody();
  run();
  EXPECT_EQ(last().body, "xy");
  last().context->resumeRequestBody();
  run();
  EXPECT_EQ(last().body, "xyab");
  send(client, "cd");
  EXPECT_TRUE(last().request_ended);
  last().answer(200, "x");
  EXPECT_EQ(metrics_.downstream_flow_control_paused_reading_total.value(), 2U);
}

}  // namespace
}  // namespace convoy::http
