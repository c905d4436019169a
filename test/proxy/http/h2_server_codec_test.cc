#include "proxy/http/h2_server_codec.h"

#include <string>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "test/proxy/http/h2_recorder.h"

namespace convoy::http {
namespace {

using namespace h2;

// A request whose stream the server resets.
const std::string kReset1 = post(1, {{"content-length", "1"}}) + data(1, "ab");

void answerOk(H2Request& request) {
  ResponseHead head;
  head.status = 200;
  request.sender->sendHead(head, true);
}

struct Case {
  std::string_view name;
  std::string bytes;  // behind the preface
  std::string events;
  std::string frames = "HEADERS 1 end :status=200\n";
};

constexpr std::string_view kGet = "1: GET / a.test HTTP/2 body=none keep-alive\n";

std::vector<Case> accepted() {
  const Fields crumbs = {{"cookie", "a=1"}, {"accept", "*/*"}, {"cookie", "b=2"}};
  return {
      {"a request", get(1), std::string(kGet) + "1: end\ncomplete\n"},
      {"fields", get(1, {{"accept", "*/*"}, {"x-y", "z"}}),
       std::string(kGet) + "  accept: */*\n  x-y: z\n1: end\ncomplete\n"},
      {"crumbs of cookies are joined", get(1, crumbs),
       std::string(kGet) + "  accept: */*\n  cookie: a=1; b=2\n1: end\ncomplete\n"},
      {"a known body", post(1, {{"content-length", "5"}}) + data(1, "he") + data(1, "llo", 1),
       "1: POST / a.test HTTP/2 body=5 keep-alive\nbody hello\n1: end\ncomplete\n"},
      {"a body that ends with an empty frame", post(1) + data(1, "hi") + data(1, "", 1),
       "1: POST / a.test HTTP/2 body=unknown keep-alive\nbody hi\n1: end\ncomplete\n"},
      {"padding", post(1) + data(1, std::string("\x03hey\0\0\0", 7), kPadded | kEndStream),
       "1: POST / a.test HTTP/2 body=unknown keep-alive\nbody hey\n1: end\ncomplete\n"},
      {"trailers", post(1) + data(1, "hi") + headers(1, {{"x-t", "v"}, {"host", "b"}}, kEndStream),
       "1: POST / a.test HTTP/2 body=unknown keep-alive\nbody hi\n1: trailers\n  x-t: v\n"
       "complete\n"},
      {"the head in pieces",
       frame(1, kEndStream, 1, hpack(requestFields())) + frame(9, 0, 1, hpack({{"a", "b"}})) +
           frame(9, kEndHeaders, 1, hpack({{"c", "d"}})),
       std::string(kGet) + "  a: b\n  c: d\n1: end\ncomplete\n"},
      {"Host instead of :authority",
       headers(1, {{":method", "GET"}, {":scheme", "https"}, {":path", "/x?y"}, {"host", "b:1"}},
               kEndStream),
       "1: GET /x?y b:1 HTTP/2 body=none keep-alive scheme=https\n1: end\ncomplete\n"},
      {"Host equal to :authority", get(1, {{"host", "A.test"}}),
       std::string(kGet) + "1: end\ncomplete\n"},
      {"Expect and TE", get(1, {{"expect", "100-continue"}, {"te", "trailers"}}),
       "1: GET / a.test HTTP/2 body=none keep-alive continue te-trailers\n  te: trailers\n"
       "1: end\ncomplete\n"},
      {"OPTIONS of the server", headers(1, requestFields("OPTIONS", "*"), kEndStream),
       "1: OPTIONS * a.test HTTP/2 body=none keep-alive\n1: end\ncomplete\n"},
      {"CONNECT", headers(1, {{":method", "CONNECT"}, {":authority", "a:443"}}, kEndStream),
       "1: CONNECT a:443 a:443 HTTP/2 body=none keep-alive\n1: end\ncomplete\n"},
      {"a PING is answered", ping("12345678") + get(1), std::string(kGet) + "1: end\ncomplete\n",
       "PONG 12345678\nHEADERS 1 end :status=200\n"},
      {"frames of unknown types are skipped", frame(0x42, 0, 0, "what") + get(1),
       std::string(kGet) + "1: end\ncomplete\n"},
  };
}

std::string run(const Case& c, std::string* frames, const auto& feed_all) {
  H2ServerRecorder server;
  server.on_request_end = answerOk;
  feed_all([&server, frames](std::string_view piece) {
    server.feed(piece);
    frames->append(server.written());
  });
  EXPECT_EQ(server.codec.mustClose(), c.events.find("error") != std::string::npos) << c.name;
  return server.events.take();
}

void expectEverySplit(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::string bytes = clientStart() + c.bytes;
    forEachSplit(bytes, [&](std::string_view split, auto&& feed_all) {
      std::string frames;
      const std::string events = run(c, &frames, feed_all);
      EXPECT_EQ(events, c.events) << c.name << ", " << split;
      EXPECT_EQ(frames, c.frames) << c.name << ", " << split;
    });
  }
}

TEST(H2ServerCodecTest, AcceptsHoweverTheBytesAreCut) {
  expectEverySplit(accepted());
}

TEST(H2ServerCodecTest, ServesSeveralRequestsAtATime) {
  H2ServerRecorder server;
  server.on_request_end = answerOk;
  server.feed(clientStart() + post(1) + get(3) + data(1, "x", kEndStream));
  EXPECT_EQ(server.events.take(),
            "1: POST / a.test HTTP/2 body=unknown keep-alive\n"
            "2: GET / a.test HTTP/2 body=none keep-alive\n2: end\nbody x\n1: end\n"
            "complete\ncomplete\n");
  EXPECT_EQ(server.written(), "HEADERS 3 end :status=200\nHEADERS 1 end :status=200\n");
}

std::string refused(std::string_view failure, std::string_view detail) {
  return "refused " + std::string(failure) + " " + std::string(detail) + "\n";
}

Fields without(std::string_view name) {
  Fields fields = requestFields();
  std::erase_if(fields, [name](const auto& field) { return field.first == name; });
  return fields;
}

Fields with(std::string_view name, std::string_view value) {
  Fields fields = requestFields();
  for (auto& field : fields) {
    if (field.first == name) field.second = value;
  }
  return fields;
}

std::vector<Case> refusedMessages() {
  const std::string malformed = refused("bad_request", "h2_malformed_message");
  const std::string rst = "RST_STREAM 1 PROTOCOL_ERROR\n";
  const std::string bad = "HEADERS 1 end :status=400\n";
  auto refusal = [](std::string_view detail) {
    return refused("bad_request", detail) + "complete\n";
  };
  return {
      {"upper case in a name", get(1, {{"Accept", "*/*"}}), malformed, rst},
      {"Connection", get(1, {{"connection", "close"}}), malformed, rst},
      {"Transfer-Encoding", get(1, {{"transfer-encoding", "chunked"}}), malformed, rst},
      {"Upgrade", get(1, {{"upgrade", "websocket"}}), malformed, rst},
      {"Keep-Alive", get(1, {{"keep-alive", "x"}}), malformed, rst},
      {"Proxy-Connection", get(1, {{"proxy-connection", "x"}}), malformed, rst},
      {"TE of another kind", get(1, {{"te", "gzip"}}), malformed, rst},
      {"no :method", headers(1, without(":method"), kEndStream), malformed, rst},
      {"no :scheme", headers(1, without(":scheme"), kEndStream), malformed, rst},
      {"no :path", headers(1, without(":path"), kEndStream), malformed, rst},
      {"an empty :path", headers(1, with(":path", ""), kEndStream), malformed, rst},
      {"a repeated pseudo-field",
       headers(1, requestFields("GET", "/", {{":path", "/b"}}), kEndStream), malformed, rst},
      {"an unknown pseudo-field", headers(1, {{":what", "x"}}, kEndStream), malformed, rst},
      {"a response's pseudo-field", headers(1, {{":status", "200"}}, kEndStream), malformed, rst},
      {"a pseudo-field behind a field",
       headers(1, {{":method", "GET"}, {":scheme", "http"}, {"a", "b"}, {":path", "/"}},
               kEndStream),
       malformed, rst},
      {"a Content-Length that is no number", get(1, {{"content-length", "1x"}}), malformed, rst},
      {"two Content-Lengths", get(1, {{"content-length", "0"}, {"content-length", "0"}}), malformed,
       rst},
      {"a Content-Length without a body", get(1, {{"content-length", "1"}}), malformed, rst},
      {"CR LF in a value", get(1, {{"a", "b\r\nx: y"}}), refusal("h2_invalid_field"), bad},
      {"NUL in a value", get(1, {{"a", std::string_view("b\0c", 3)}}), refusal("h2_invalid_field"),
       bad},
      {"a space in a name", get(1, {{"a b", "c"}}), refusal("h2_invalid_field"), bad},
      {"a colon in a name", get(1, {{"a:b", "c"}}), refusal("h2_invalid_field"), bad},
      {"no authority", headers(1, without(":authority"), kEndStream), malformed, rst},
      {"user information", headers(1, with(":authority", "u@a.test"), kEndStream),
       refusal("h2_invalid_authority"), bad},
      {"a list of hosts", headers(1, with(":authority", "a,b"), kEndStream),
       refusal("h2_invalid_authority"), bad},
      {"another Host", get(1, {{"host", "b.test"}}), refusal("h2_authority_mismatch"), bad},
      {"another scheme", headers(1, with(":scheme", "ftp"), kEndStream),
       refusal("h2_unsupported_scheme"), bad},
      {"a relative path", headers(1, with(":path", "x"), kEndStream), malformed, rst},
      {"a fragment", headers(1, with(":path", "/a#b"), kEndStream), refusal("h2_invalid_path"),
       bad},
      {"a path that is no ASCII", headers(1, with(":path", "/\xc3\xa4"), kEndStream),
       refusal("h2_invalid_path"), bad},
      {"a method that is no token", headers(1, with(":method", "G T"), kEndStream), malformed, rst},
  };
}

TEST(H2ServerCodecTest, RefusesOneMessageAndGoesOn) {
  for (const Case& c : refusedMessages()) {
    H2ServerRecorder server;
    server.on_request_end = answerOk;
    server.feed(clientStart() + c.bytes);
    EXPECT_EQ(server.events.take(), c.events) << c.name;
    EXPECT_EQ(server.written(), c.frames) << c.name;
    server.feed(get(3));
    EXPECT_EQ(server.written(), "HEADERS 3 end :status=200\n") << c.name;
    EXPECT_FALSE(server.codec.mustClose()) << c.name;
    EXPECT_TRUE(server.codec.idle()) << c.name;
  }
}

TEST(H2ServerCodecTest, RefusesBodiesThatAreNotAsLongAsAnnounced) {
  for (const std::string& body : {data(1, "hi", kEndStream), data(1, "hello!"),
                                  data(1, "hello") + data(1, "x", kEndStream)}) {
    H2ServerRecorder server;
    server.on_request_end = answerOk;
    server.feed(clientStart() + post(1, {{"content-length", "5"}}) + body);
    const std::string events = server.events.take();
    EXPECT_NE(events.find("1: reset bad_body\n"), std::string::npos) << events;
    EXPECT_EQ(events.find("1: end"), std::string::npos) << events;
    EXPECT_EQ(server.written(), "RST_STREAM 1 PROTOCOL_ERROR\n");
  }
}

struct Fatal {
  std::string_view name;
  std::string bytes;
  std::string_view detail;
  std::string_view goaway;
};

std::string headerBlock(std::string_view block) {
  return frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1, block);
}

std::vector<Fatal> fatals() {
  const std::string start = clientStart();
  return {
      {"another protocol", "GET / HTTP/1.1\r\n\r\n", "h2_bad_preface", "PROTOCOL_ERROR"},
      {"no SETTINGS behind the preface", std::string(kPreface) + ping("12345678"),
       "h2_protocol_error", "PROTOCOL_ERROR"},
      {"a lower stream that was never used", start + get(5) + get(3), "h2_stream_id_not_increasing",
       "PROTOCOL_ERROR"},
      {"the first stream skipped", start + get(3) + get(1), "h2_stream_id_not_increasing",
       "PROTOCOL_ERROR"},
      {"an even stream", start + get(2), "h2_protocol_error", "PROTOCOL_ERROR"},
      {"DATA on an idle stream", start + data(1, "x"), "h2_protocol_error", "PROTOCOL_ERROR"},
      {"a PING of another size", start + frame(6, 0, 0, "123"), "h2_frame_size_error",
       "FRAME_SIZE_ERROR"},
      {"a frame above the limit", start + frame(0, 0, 1, std::string(16385, 'x')),
       "h2_frame_size_error", "FRAME_SIZE_ERROR"},
      {"broken HPACK", start + headerBlock("\xff\xff\xff\xff\xff\xff\xff"), "h2_compression_error",
       "COMPRESSION_ERROR"},
      {"a table of HPACK larger than ours", start + headerBlock("\x3f\xe2\x1f"),
       "h2_compression_error", "COMPRESSION_ERROR"},
      // These two are h2spec's, of a version that our test of it does not have.
      {"a literal with an index beyond both tables",
       start + headerBlock(hpack(requestFields()) + std::string("\x7f\x07\0", 3)),
       "h2_compression_error", "COMPRESSION_ERROR"},
      {"the end of string inside Huffman coding",
       start + headerBlock(
                   hpack(requestFields()) +
                   std::string("\0\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f", 15)),
       "h2_compression_error", "COMPRESSION_ERROR"},
      {"a window that overflows", start + windowUpdate(0, 0x7fffffff), "h2_flow_control_error",
       "FLOW_CONTROL_ERROR"},
      {"another frame inside a header block",
       start + frame(1, 1, 1, hpack(requestFields())) + ping("12345678"), "h2_protocol_error",
       "PROTOCOL_ERROR"},
      {"PUSH_PROMISE", start + frame(5, 4, 1, number(2, 4)), "h2_protocol_error", "PROTOCOL_ERROR"},
  };
}

TEST(H2ServerCodecTest, EndsTheConnectionOnErrorsOfTheConnection) {
  for (const Fatal& c : fatals()) {
    forEachSplit(c.bytes.substr(0, 400), [&](std::string_view split, auto&& feed_all) {
      H2ServerRecorder server;
      feed_all([&server](std::string_view piece) { server.feed(piece); });
      if (c.bytes.size() > 400) server.feed(c.bytes.substr(400));
      const std::string events = server.events.take();
      const std::string error = "error bad_request " + std::string(c.detail) + "\n";
      EXPECT_TRUE(events.ends_with(error)) << c.name << ", " << split << ": " << events;
      const std::string frames = server.written();
      EXPECT_TRUE(frames.find("GOAWAY ") != std::string::npos &&
                  frames.ends_with(std::string(c.goaway) + "\n"))
          << c.name << ", " << split << ": " << frames;
      EXPECT_EQ(server.metrics.goaway_sent.value(), 1U) << c.name;
      EXPECT_TRUE(server.codec.mustClose()) << c.name;
      EXPECT_TRUE(server.codec.idle()) << c.name;
      server.feed(get(101));
      EXPECT_EQ(server.events.take(), "") << c.name;
    });
  }
}

// 5.1, 5.1.1: however long ago they were skipped, ended or reset by the client.
TEST(H2ServerCodecTest, NothingComesOnAStreamThatIsOver) {
  const std::pair<std::string, std::string_view> cases[] = {
      {get(1), "h2_stream_id_not_increasing"},
      {get(3), "h2_stream_id_not_increasing"},
      {headers(3, {{"a", "b"}}, kEndStream), "h2_stream_id_not_increasing"},
      {data(1, "x"), "h2_stream_closed"},
      {data(3, "", kEndStream), "h2_stream_closed"},
      {data(5, "x"), "h2_stream_closed"},
      {get(203), "h2_stream_closed"},
  };
  for (const auto& [bytes, detail] : cases) {
    H2ServerRecorder server;
    server.on_request_end = answerOk;
    server.feed(clientStart() + get(3) + post(5) + rstStream(5, 8));  // 1 is skipped
    for (uint32_t id = 7; id < 204; id += 4) server.feed(get(id));    // and 9, 13, ...
    server.events.take();
    server.feed(bytes);
    EXPECT_EQ(server.events.take(), "error bad_request " + std::string(detail) + "\n");
  }
}

// RFC 9113 5.1: what crosses our reset is ignored, however much came between.
TEST(H2ServerCodecTest, WhatCrossesAResetIsIgnored) {
  H2ServerRecorder server(H2Options{.max_concurrent_streams = 4});
  server.on_request_end = answerOk;
  // 1 is reset for its body; 11 is refused, since there are four already.
  server.feed(std::string(kPreface) + settings() + kReset1 + post(3) + post(5) + post(7) + post(9) +
              post(11));
  server.feed(settingsAck());
  for (const uint32_t id : {3, 5, 7, 9}) server.feed(data(id, "x", kEndStream));
  for (uint32_t id = 13; id < 100; id += 2) server.feed(get(id));
  server.written();
  for (const uint32_t id : {1, 11}) {
    server.feed(data(id, "x") + headers(id, {{"a", "b"}}, kEndStream));
    EXPECT_EQ(server.written(), "") << id;
    EXPECT_FALSE(server.codec.mustClose()) << id;
  }
  // So is what crosses the last word.
  server.feed(post(101));
  server.codec.goAwayNow();
  server.written();
  server.feed(post(103) + data(103, "x") + headers(103, {{"a", "b"}}, kEndStream));
  EXPECT_EQ(server.written(), "");
  EXPECT_FALSE(server.codec.mustClose());
}

TEST(H2ServerCodecTest, AConnectionErrorResetsWhatRuns) {
  H2ServerRecorder server;
  server.feed(clientStart() + post(1) + post(3) + frame(6, 0, 0, "123"));
  EXPECT_EQ(server.events.take(),
            "1: POST / a.test HTTP/2 body=unknown keep-alive\n"
            "2: POST / a.test HTTP/2 body=unknown keep-alive\n"
            "1: reset bad_request\n2: reset bad_request\nerror bad_request h2_frame_size_error\n");
}

TEST(H2ServerCodecTest, LimitsOfAHead) {
  H2Options options;
  options.max_head_bytes = 200;
  options.max_fields = 3;
  options.max_cookie_bytes = 50;
  const std::string large(100, 'x');
  const std::string cookie(50, 'c');
  const std::vector<std::pair<Fields, std::string_view>> cases = {
      {{{"a", large}, {"b", large}}, "h2_head_too_large"},
      {{{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}, "h2_too_many_fields"},
      {{{"cookie", cookie}}, "h2_cookies_too_large"},
  };
  for (const auto& [fields, detail] : cases) {
    H2ServerRecorder server(options);
    server.feed(clientStart() + headers(1, requestFields("POST", "/", fields), 0));
    EXPECT_EQ(server.events.take(), refused("head_too_large", detail));
    EXPECT_EQ(server.metrics.header_overflow.value(), 1U);
    // The answer, and nobody wants the rest of the request.
    EXPECT_EQ(server.written(), "HEADERS 1 end :status=431\nRST_STREAM 1 NO_ERROR\n");
    server.on_request_end = answerOk;
    server.feed(data(1, "more") + get(3));
    EXPECT_EQ(server.written(), "HEADERS 3 end :status=200\n") << detail;
    EXPECT_TRUE(server.codec.idle());
  }
}

TEST(H2ServerCodecTest, LimitsOfTrailers) {
  H2Options options;
  options.max_trailer_bytes = 200;
  options.max_trailer_fields = 3;
  const std::string large(100, 'x');
  for (const Fields& trailers :
       {Fields{{"a", large}, {"b", large}}, Fields{{"a", ""}, {"b", ""}, {"c", ""}, {"d", ""}}}) {
    H2ServerRecorder server(options);
    server.feed(clientStart() + post(1) + headers(1, trailers, kEndStream));
    EXPECT_TRUE(server.events.take().ends_with("1: reset bad_body\n"));
    EXPECT_EQ(server.written(), "RST_STREAM 1 PROTOCOL_ERROR\n");
    EXPECT_EQ(server.metrics.header_overflow.value(), 1U);
    EXPECT_FALSE(server.codec.mustClose());
  }
}

// The client may not have read yet how many it may open; once it has, it breaks the rules.
TEST(H2ServerCodecTest, StreamsBeyondTheLimitAreRefused) {
  H2Options options;
  options.max_concurrent_streams = 2;
  for (const bool knows : {false, true}) {
    H2ServerRecorder server(options);
    server.feed(std::string(kPreface) + settings() + (knows ? settingsAck() : "") + post(1) +
                post(3));
    server.events.take();
    server.written();
    server.feed(post(5));
    EXPECT_EQ(server.written(),
              knows ? "GOAWAY 3 PROTOCOL_ERROR\n" : "RST_STREAM 5 REFUSED_STREAM\n");
    EXPECT_EQ(server.metrics.goaway_sent.value(), knows ? 1U : 0U);
    EXPECT_EQ(server.metrics.tx_reset.value(), knows ? 0U : 1U);
    EXPECT_EQ(server.requests.size(), 2U);
    server.events.take();
  }
}

// --- responses ---

TEST(H2ServerCodecTest, WritesResponses) {
  H2ServerRecorder server;
  server.feed(clientStart() + get(1));
  ResponseSender& sender = *server.requests[0]->sender;
  ResponseHead hints;
  hints.status = 103;
  hints.headers.add("Link", "</a>");
  sender.sendInformational(hints);
  ResponseHead head;
  head.status = 200;
  head.body = {BodyLength::Kind::Known, 5};
  head.headers.add("Content-Type", "text/plain");
  head.headers.add(HeaderName::Connection, "close");
  head.headers.add("bad", "a\r\nb");
  sender.sendHead(head, false);
  sender.sendBody("he", false);
  sender.sendBody("llo", true);
  EXPECT_EQ(server.written(),
            "HEADERS 1 :status=103 link=</a>\n"
            "HEADERS 1 :status=200 content-type=text/plain content-length=5\n"
            "DATA 1 2\nDATA 1 3 end\n");
  EXPECT_EQ(server.codec.session().fieldsLeftOut(), 1U);
  EXPECT_TRUE(server.codec.idle());
}

TEST(H2ServerCodecTest, WritesTrailersWithAndWithoutABody) {
  for (const bool body : {true, false}) {
    for (const bool inside_callback : {true, false}) {
      H2ServerRecorder server;
      auto answer = [body](H2Request& request) {
        ResponseHead head;
        head.status = 200;
        request.sender->sendHead(head, false);
        if (body) request.sender->sendBody("hi", false);
        HeaderList trailers;
        trailers.add("Grpc-Status", "0");
        request.sender->sendTrailers(trailers);
      };
      if (inside_callback) server.on_request_end = answer;
      server.feed(clientStart() + get(1));
      if (!inside_callback) answer(*server.requests[0]);
      EXPECT_EQ(server.written(), std::string("HEADERS 1 :status=200\n") +
                                      (body ? "DATA 1 2\n" : "") + "HEADERS 1 end grpc-status=0\n");
      EXPECT_TRUE(server.codec.idle());
    }
  }
}

TEST(H2ServerCodecTest, MapsResets) {
  const std::pair<Failure, std::string_view> cases[] = {
      {Failure::BadBody, "PROTOCOL_ERROR"},
      {Failure::UpstreamAbortedBody, "INTERNAL_ERROR"},
      {Failure::None, "NO_ERROR"},
  };
  for (const auto& [failure, code] : cases) {
    H2ServerRecorder server;
    server.feed(clientStart() + post(1));
    server.requests[0]->sender->reset(failure);
    EXPECT_EQ(server.written(), "RST_STREAM 1 " + std::string(code) + "\n");
    EXPECT_TRUE(server.codec.idle());
    server.events.take();
    server.feed(data(1, "late") + get(3));
    EXPECT_EQ(server.events.take().substr(0, 10), "2: GET / a");
  }
}

TEST(H2ServerCodecTest, ACompleteResponseToAnUnreadRequestIsNotCutOff) {
  H2ServerRecorder server;
  server.feed(clientStart({{4, 3}}) + post(1));
  ResponseHead head;
  head.status = 200;
  ResponseSender& sender = *server.requests[0]->sender;
  sender.sendHead(head, false);
  sender.sendBody("hello", true);
  sender.reset(Failure::None);
  EXPECT_EQ(server.written(), "HEADERS 1 :status=200\nDATA 1 3\n");
  server.feed(windowUpdate(1, 100));
  EXPECT_EQ(server.written(), "DATA 1 2 end\nRST_STREAM 1 NO_ERROR\n");
  EXPECT_TRUE(server.codec.idle());
}

TEST(H2ServerCodecTest, TheClientsResetEndsTheStream) {
  H2ServerRecorder server;
  server.feed(clientStart() + post(1));
  server.events.take();
  server.feed(rstStream(1, 8));
  EXPECT_EQ(server.events.take(), "1: reset downstream_disconnect\n");
  EXPECT_TRUE(server.codec.idle());
}

TEST(H2ServerCodecTest, LosingTheConnectionResetsEveryStream) {
  H2ServerRecorder server;
  server.feed(clientStart() + post(1) + post(3));
  server.events.take();
  server.codec.onConnectionLost(Failure::DownstreamDisconnect);
  EXPECT_EQ(server.events.take(),
            "1: reset downstream_disconnect\n2: reset downstream_disconnect\n");
  EXPECT_TRUE(server.codec.idle());
}

TEST(H2ServerCodecTest, TheEndOfInputLeavesCompleteRequestsToBeAnswered) {
  H2ServerRecorder server;
  server.feed(clientStart() + get(1) + post(3));
  server.events.take();
  server.codec.onEndOfStream();
  EXPECT_EQ(server.events.take(), "2: reset downstream_disconnect\n");
  EXPECT_FALSE(server.codec.mustClose());
  answerOk(*server.requests[0]);
  EXPECT_TRUE(server.codec.mustClose());
}

TEST(H2ServerCodecTest, TheEndOfInputDropsWhatWaitsForAWindow) {
  // SETTINGS_INITIAL_WINDOW_SIZE
  const std::string start = clientStart({{4, 1}});
  for (const bool answered_before : {true, false}) {
    SCOPED_TRACE(answered_before);
    H2ServerRecorder server;
    server.feed(start + get(1) + get(3));
    const auto answer = [](H2Request& request, std::string_view body) {
      ResponseHead head;
      head.status = 200;
      request.sender->sendHead(head, false);
      request.sender->sendBody(body, true);
    };
    if (answered_before) answer(*server.requests[0], "longer");
    server.events.take();
    server.codec.onEndOfStream();
    if (!answered_before) answer(*server.requests[0], "longer");
    // Nobody else tells the owner to look.
    EXPECT_EQ(server.events.take(), "complete\n");
    EXPECT_NE(server.written().find("RST_STREAM 1 CANCEL"), std::string::npos);
    EXPECT_FALSE(server.codec.mustClose());
    answer(*server.requests[1], "1");
    EXPECT_TRUE(server.codec.mustClose());
    server.events.take();
  }
}

// --- GOAWAY ---

TEST(H2ServerCodecTest, GoesAwayInTwoSteps) {
  H2ServerRecorder server;
  server.feed(clientStart() + get(1));
  server.codec.goAway();
  server.codec.goAway();
  EXPECT_EQ(server.written(), "GOAWAY 2147483647 NO_ERROR\nPING convoydr\n");
  // A request that crossed the first step is served.
  server.feed(get(3));
  EXPECT_EQ(server.requests.size(), 2U);
  server.feed(ping("other123", kAck));
  EXPECT_EQ(server.written(), "");
  server.feed(ping("convoydr", kAck));
  EXPECT_EQ(server.written(), "GOAWAY 3 NO_ERROR\n");
  server.feed(get(5));
  EXPECT_EQ(server.requests.size(), 2U);
  EXPECT_FALSE(server.codec.mustClose());
  answerOk(*server.requests[0]);
  answerOk(*server.requests[1]);
  EXPECT_TRUE(server.codec.mustClose());
}

// RFC 9113 8.5: nothing but DATA.
TEST(H2ServerCodecTest, TrailersInATunnelAreAnError) {
  H2ServerRecorder server;
  server.feed(clientStart() + headers(1, {{":method", "CONNECT"}, {":authority", "a.test:80"}}, 0));
  server.events.take();
  server.written();
  server.feed(headers(1, {{"a", "b"}}, kEndStream));
  EXPECT_EQ(server.events.take(), "refused bad_request h2_malformed_message\n1: reset bad_body\n");
  EXPECT_EQ(server.written(), "RST_STREAM 1 PROTOCOL_ERROR\n");
}

// --- floods ---

const std::string kPriority = frame(2, 0, 1, std::string(5, '\0'));

TEST(H2ServerCodecTest, FloodsAreToldToCalmDown) {
  struct Flood {
    std::string_view detail;
    observe::Counter H2Metrics::*counter;
    std::string first;
    std::function<std::string(uint32_t)> frame;
    int survives;  // at least so many
  };
  using M = H2Metrics;
  // The same frame again and again.
  const auto only = [](std::string bytes) { return [bytes](uint32_t) { return bytes; }; };
  // A new stream each time, and what comes on it.
  const auto streams = [](const std::function<std::string(uint32_t)>& more, Fields fields = {}) {
    return [more, fields](uint32_t i) { return post(2 * i + 1, fields) + more(2 * i + 1); };
  };
  const auto control = &M::inbound_control_frames_flood;
  const auto resets = &M::inbound_reset_frames_flood;
  const auto empty = &M::inbound_empty_frames_flood;
  const auto windows = &M::inbound_window_update_frames_flood;
  const auto priority = &M::inbound_priority_frames_flood;
  const auto continuation = &M::inbound_continuation_frames_flood;
  const Flood floods[] = {
      {"h2_flood_ping", control, "", only(ping("12345678")), 1000},
      {"h2_flood_ping", control, "", only(ping("12345678", kAck)), 1000},
      {"h2_flood_settings", control, "", only(settings()), 100},
      // nghttp2 looks at every stream for each.
      {"h2_flood_goaway", control, post(1), only(goAway(0, 0)), 100},
      {"h2_flood_window_update", windows, "", only(windowUpdate(0, 1)), 1000},
      {"h2_flood_priority", priority, "", only(kPriority), 1000},
      {"h2_flood_empty_data", empty, post(1), only(data(1, "")), 1000},
      {"h2_flood_empty_data", empty, post(1), only(data(1, std::string(1, '\0'), kPadded)), 1000},
      {"h2_flood_empty_data", empty, post(1),
       only(data(1, std::string(1, '\xff') + std::string(255, '\0'), kPadded)), 1000},
      // Types that nghttp2 skips: unknown, ALTSVC, ORIGIN, PRIORITY_UPDATE.
      {"h2_flood_unknown", control, "", only(frame(0x42, 0, 0)), 1000},
      {"h2_flood_unknown", control, post(1), only(frame(0xff, 0xff, 1, "what")), 1000},
      {"h2_flood_unknown", control, "", only(frame(0x0a, 0, 0, std::string(2, '\0'))), 1000},
      {"h2_flood_unknown", control, "", only(frame(0x0c, 0, 0)), 1000},
      {"h2_flood_unknown", control, "", only(frame(0x10, 0, 0, number(1, 4) + "u=1")), 1000},
      {"h2_flood_reset", resets, "", streams([](uint32_t id) { return rstStream(id, 8); }), 100},
      // A stream that the server is made to reset counts like one that the client resets.
      {"h2_flood_reset", resets, "",
       streams([](uint32_t id) { return data(id, "ab"); }, {{"content-length", "1"}}), 100},
      {"h2_flood_reset", resets, "",
       streams([](uint32_t id) { return windowUpdate(id, 0x7fffffff); }), 100},
      {"h2_flood_reset", resets, "", streams([](uint32_t id) {
         return headers(id, {{"a", "b"}}, 0);
       }),
       100},
      {"h2_flood_reset", resets, "", streams([](uint32_t id) {
         return headers(id, {{"a", std::string(9000, 'b')}}, kEndStream);
       }),
       100},
      // On a stream that the server has reset, nghttp2 drops frames without a word.
      {"h2_flood_empty_data", empty, kReset1, only(data(1, "")), 1000},
      {"h2_flood_empty_data", empty, kReset1, only(data(1, "", kEndStream)), 1000},
      {"h2_flood_empty_data", empty, kReset1, only(data(1, "x")), 1000},
      {"h2_flood_empty_data", empty, kReset1, only(data(1, std::string("\3abc", 4), kPadded)),
       1000},
      {"h2_flood_window_update", windows, kReset1, only(windowUpdate(1, 1)), 1000},
      {"h2_flood_reset", resets, kReset1, only(rstStream(1, 8)), 1000},
      {"h2_flood_reset", resets, kReset1, only(headers(1, {{"a", "b"}}, kEndStream)), 1000},
      {"h2_flood_priority", priority, kReset1, only(kPriority), 1000},
      {"h2_flood_continuation", continuation, kReset1 + frame(1, 0, 1, hpack({{"a", "b"}})),
       only(frame(9, 0, 1, hpack({{"a", "b"}}))), 1000},
  };
  for (const Flood& flood : floods) {
    const std::string what = std::string(flood.detail) + " " + flood.frame(0).substr(0, 16);
    H2ServerRecorder server;
    server.feed(clientStart() + flood.first);
    server.events.take();
    uint32_t sent = 0;
    while (!server.codec.mustClose() && sent < 10'000) server.feed(flood.frame(sent++));
    EXPECT_TRUE(
        server.events.take().ends_with("error bad_request " + std::string(flood.detail) + "\n"))
        << testing::PrintToString(what);
    EXPECT_NE(server.written().find("ENHANCE_YOUR_CALM"), std::string::npos)
        << testing::PrintToString(what);
    EXPECT_EQ((server.metrics.*flood.counter).value(), 1U) << testing::PrintToString(what);
    EXPECT_GE(sent, static_cast<uint32_t>(flood.survives)) << testing::PrintToString(what);
    EXPECT_LT(sent, 10'000U) << testing::PrintToString(what);
  }
}

// However many of them arrive at once: the budget decides, of which the first SETTINGS have had 8,
// and its counter says so.
TEST(H2ServerCodecTest, FloodsInOneRead) {
  for (const auto& [one, most, dies] :
       {std::tuple{ping("12345678"), 3992, 3993}, std::tuple{settings(), 499, 500}}) {
    for (const int count : {most, dies}) {
      H2ServerRecorder server;
      std::string bytes = clientStart();
      for (int i = 0; i < count; ++i) bytes += one;
      server.feed(bytes);
      EXPECT_EQ(server.codec.mustClose(), count == dies) << count;
      EXPECT_EQ(server.metrics.inbound_control_frames_flood.value(), count == dies ? 1U : 0U);
    }
  }
}

TEST(H2ServerCodecTest, ContinuationFloodsEnd) {
  H2ServerRecorder server;
  server.feed(clientStart() + frame(1, 0, 1, hpack(requestFields())));
  for (int i = 0; i < 10'000 && !server.codec.mustClose(); ++i) {
    server.feed(frame(9, 0, 1, hpack({{"a", "b"}})));
  }
  EXPECT_TRUE(server.events.take().ends_with("h2_flood_continuation\n"));
  EXPECT_EQ(server.requests.size(), 0U);
}

TEST(H2ServerCodecTest, HeaderBlocksThatBlowUpEnd) {
  H2ServerRecorder server;
  // One entry of 3,900 bytes in HPACK's table, then a byte for each repetition.
  std::string block = hpack(requestFields());
  block.append("\x40\x01x").append(hpackLength(3900)).append(3900, 'v');
  server.feed(clientStart() + frame(1, 1, 1, block));
  const std::string repeats(16000, '\xbe');
  for (int i = 0; i < 100 && !server.codec.mustClose(); ++i) {
    server.feed(frame(9, 0, 1, repeats));
  }
  EXPECT_TRUE(server.events.take().ends_with("h2_flood_header_bytes\n"));
}

// Whoever never acknowledges SETTINGS may say that it does not know how many streams it may open.
TEST(H2ServerCodecTest, StreamsBeyondTheLimitAreAFlood) {
  H2ServerRecorder server(H2Options{.max_concurrent_streams = 2});
  server.feed(std::string(kPreface) + settings());
  uint32_t sent = 0;
  while (!server.codec.mustClose() && sent < 10'000) server.feed(post(2 * sent++ + 1));
  EXPECT_TRUE(server.events.take().ends_with("h2_flood_reset\n"));
  EXPECT_EQ(server.requests.size(), 2U);
  EXPECT_GE(sent, 100U);
}

// Requests behind the last word are decoded, since HPACK has a state, and ignored.
TEST(H2ServerCodecTest, RequestsBehindTheLastGoAwayAreAFlood) {
  H2ServerRecorder server;
  server.feed(clientStart() + post(1));
  server.codec.goAwayNow();
  uint32_t sent = 1;
  while (!server.codec.mustClose() && sent < 10'000) server.feed(post(2 * sent++ + 1));
  EXPECT_TRUE(server.events.take().ends_with("h2_flood_reset\n"));
  EXPECT_EQ(server.requests.size(), 1U);
  EXPECT_GE(sent, 1000U);
}

// An answer that comes before the request's end resets it; what was on its way is no flood.
TEST(H2ServerCodecTest, EarlyAnswersNeverTrip) {
  H2ServerRecorder server;
  server.on_request_head = [](H2Request& request) {
    ResponseHead head;
    head.status = 404;
    request.sender->sendHead(head, true);
    std::exchange(request.sender, nullptr)->reset(Failure::None);
  };
  server.feed(clientStart());
  for (uint32_t i = 0; i < 20'000; ++i) {
    server.feed(post(2 * i + 1));
    server.feed(data(2 * i + 1, "") + data(2 * i + 1, "gRPC", kEndStream));
    server.out.clear();
    server.requests.clear();
  }
  EXPECT_FALSE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
}

TEST(H2ServerCodecTest, SlowResetsAreFree) {
  H2ServerRecorder server;
  server.feed(clientStart());
  for (uint32_t i = 0; i < 3000; ++i) {
    server.feed(post(2 * i + 1));
    if (i % 10 == 9) {
      server.clock.advance(std::chrono::seconds(2));
      for (uint32_t j = i - 9; j <= i; ++j) server.feed(rstStream(2 * j + 1, 8));
    }
  }
  EXPECT_FALSE(server.codec.mustClose());
}

TEST(H2ServerCodecTest, ManyRequestsOnOneConnectionNeverTrip) {
  H2ServerRecorder server;
  server.on_request_end = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    request.sender->sendHead(head, false);
    request.sender->sendBody("hello", true);
  };
  server.feed(clientStart());
  for (uint32_t i = 0; i < 20'000; ++i) {
    // Browsers send a frame of an unknown type now and then, so that nobody chokes on it.
    server.feed(get(2 * i + 1) + windowUpdate(0, 5) + ping("12345678") + frame(0x42, 0, 0));
    server.out.clear();
    server.requests.clear();
  }
  EXPECT_FALSE(server.codec.mustClose());
  EXPECT_TRUE(server.codec.idle());
}

// --- tunnels ---

// RFC 8441: as HTTP/1.1 would write it.
TEST(H2ServerCodecTest, AnExtendedConnectIsAnUpgrade) {
  H2ServerRecorder server(H2Options{.allow_extended_connect = true});
  server.feed(clientStart() + headers(1,
                                      {{":method", "CONNECT"},
                                       {":protocol", "websocket"},
                                       {":scheme", "https"},
                                       {":path", "/chat"},
                                       {":authority", "a.test"},
                                       {"sec-websocket-version", "13"}},
                                      0));
  EXPECT_EQ(server.events.take(),
            "1: GET /chat a.test HTTP/2 body=none keep-alive scheme=https upgrade=websocket\n"
            "  sec-websocket-version: 13\n");
  ResponseSender& sender = *server.requests[0]->sender;
  ResponseHead head;
  head.status = 101;
  head.upgrade = "websocket";
  head.body = {BodyLength::Kind::Unknown, 0};
  head.headers.add("Sec-WebSocket-Accept", "x");
  head.headers.add("Sec-WebSocket-Protocol", "chat");
  sender.sendHead(head, false);
  sender.sendBody("down", false);
  server.feed(data(1, "up") + data(1, "", kEndStream));
  EXPECT_EQ(server.events.take(), "body up\n1: end\n");
  sender.sendBody("!", true);
  EXPECT_EQ(server.written(),
            "HEADERS 1 :status=200 sec-websocket-protocol=chat\nDATA 1 4\nDATA 1 1 end\n");
  EXPECT_EQ(server.events.take(), "complete\n");
}

TEST(H2ServerCodecTest, ADeclinedUpgradeIsAResponseLikeOthers) {
  H2ServerRecorder server(H2Options{.allow_extended_connect = true});
  server.feed(clientStart() +
              headers(1, requestFields("CONNECT", "/", {{":protocol", "websocket"}}), 0));
  ResponseHead head;
  head.status = 403;
  ResponseSender& sender = *server.requests[0]->sender;
  sender.sendHead(head, true);
  sender.reset(Failure::None);
  EXPECT_EQ(server.written(), "HEADERS 1 end :status=403\nRST_STREAM 1 NO_ERROR\n");
}

TEST(H2ServerCodecTest, ConnectCarriesBytesBothWays) {
  H2ServerRecorder server;
  server.feed(clientStart() + headers(1, {{":method", "CONNECT"}, {":authority", "a:443"}}, 0) +
              data(1, "up"));
  EXPECT_EQ(server.events.take(), "1: CONNECT a:443 a:443 HTTP/2 body=none keep-alive\nbody up\n");
  ResponseHead head;
  head.status = 200;
  head.body = {BodyLength::Kind::Unknown, 0};
  server.requests[0]->sender->sendHead(head, false);
  server.requests[0]->sender->sendBody("down", true);
  EXPECT_EQ(server.written(), "HEADERS 1 :status=200\nDATA 1 4 end\n");
  server.feed(data(1, "more", kEndStream));
  EXPECT_EQ(server.events.take(), "body more\n1: end\ncomplete\n");
}

// Its receiver still waits for the request, and has a sender.
TEST(H2ServerCodecTest, AStalledAnswerToAnUnfinishedRequestIsResetAboveToo) {
  H2ServerRecorder server;
  server.on_request_head = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    request.sender->sendHead(head, false);
    request.sender->sendBody("stuck", true);
  };
  server.feed(clientStart({{4, 0}}) + post(1));
  server.events.take();
  EXPECT_EQ(server.codec.resetStalledStreams(false), 0U);
  EXPECT_EQ(server.codec.resetStalledStreams(false), 1U);
  EXPECT_EQ(server.events.take(), "1: reset downstream_disconnect\n");
  EXPECT_TRUE(server.codec.idle());
}

}  // namespace
}  // namespace convoy::http
