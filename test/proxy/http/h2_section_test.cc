#include "proxy/http/h2_section.h"

#include <string>

#include "gtest/gtest.h"
#include "proxy/base/arena.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

void startGet(H2Section& section) {
  section.startHead();
  section.add(":method", "GET");
  section.add(":scheme", "http");
  section.add(":path", "/");
  section.add("host", "a");
}

TEST(H2SectionTest, ItsTextIsTheWireOfHttp1AndMovesAsOne) {
  H2Options options;
  H2Section section(options);
  section.startHead();
  section.add(":method", "GET");
  section.add(":scheme", "https");
  section.add(":path", "/p");
  section.add(":authority", "a.test");
  section.add("accept", "*/*");
  section.add("cookie", "a=1");
  section.add("x-long", std::string(3000, 'x'));
  section.add("cookie", "b=2");
  RequestHead head;
  ASSERT_EQ(section.finishRequest(head, true), H2Error::None);
  base::Arena arena;
  head.copyInto(arena);
  section.startHead();  // overwrites what the views lay in
  section.add(":method", std::string(3000, 'y'));
  EXPECT_EQ(describe(head),
            "GET /p a.test HTTP/2 body=none keep-alive scheme=https\n"
            "  accept: */*\n  x-long: " +
                std::string(3000, 'x') + "\n  cookie: a=1; b=2\n");
  EXPECT_TRUE(continuesOnTheWire(head.headers.fields()[0], head.headers.fields()[1]) ||
              liesAsOnTheWire(head.headers.fields()[0]));
}

TEST(H2SectionTest, EmptyPiecesOfACookieLeaveNoSpaceBehind) {
  H2Options options;
  H2Section section(options);
  startGet(section);
  for (const char* const crumb : {"", "a=1", "", "b=2", ""}) section.add("cookie", crumb);
  RequestHead head;
  ASSERT_EQ(section.finishRequest(head, true), H2Error::None);
  EXPECT_EQ(head.headers.find(HeaderName::Cookie)->value, "a=1; b=2");
}

TEST(H2SectionTest, CountsCookiesApart) {
  H2Options options;
  options.max_head_bytes = 60;
  options.max_fields = 2;
  options.max_cookie_bytes = 100;
  H2Section section(options);
  auto cookies = [&](int count) {
    startGet(section);
    for (int i = 0; i < count; ++i) section.add("cookie", "abcdefghij");
    RequestHead head;
    return section.finishRequest(head, true);
  };
  EXPECT_EQ(cookies(5), H2Error::None);
  EXPECT_EQ(cookies(6), H2Error::CookiesTooLarge);
}

TEST(H2SectionTest, CountsWhatItDrops) {
  H2Options options;
  options.max_head_bytes = 100;
  H2Section section(options);
  section.startHead();
  for (int i = 0; i < 100; ++i) section.add("n", std::string(95, 'v'));
  EXPECT_EQ(section.decodedBytes(), 10'000U);
  RequestHead head;
  EXPECT_EQ(section.finishRequest(head, true), H2Error::HeadTooLarge);
}

// nghttp2 refuses them as well.
TEST(H2SectionTest, ASecondLengthIsRefusedAlsoIfItIsTheSame) {
  const H2Options options;
  H2Section section(options);
  for (const std::string_view second : {"5", "6", "05"}) {
    section.startHead();
    section.add(":method", "POST");
    section.add(":scheme", "http");
    section.add(":path", "/");
    section.add("host", "a");
    section.add("content-length", "5");
    section.add("content-length", second);
    RequestHead head;
    EXPECT_EQ(section.finishRequest(head, false), H2Error::InvalidContentLength) << second;
  }
}

TEST(H2SectionTest, Trailers) {
  H2Options options;
  options.max_trailer_fields = 2;
  options.max_trailer_bytes = 100;
  H2Section section(options);
  HeaderList trailers;
  section.startTrailers();
  section.add("grpc-status", "0");
  section.add("content-type", "a/b");
  ASSERT_EQ(section.finishTrailers(trailers), H2Error::None);
  EXPECT_EQ(describe(trailers), "  grpc-status: 0\n");
  section.startTrailers();
  section.add("x-forwarded-client-cert", "Hash=1");  // believed where it is a header
  section.add("a", "b");
  ASSERT_EQ(section.finishTrailers(trailers), H2Error::None);
  EXPECT_EQ(describe(trailers), "  a: b\n");
  section.startTrailers();
  section.add("content-length", "5");
  EXPECT_EQ(section.finishTrailers(trailers), H2Error::MalformedMessage);
  section.startTrailers();
  for (int i = 0; i < 3; ++i) section.add("a", "b");
  EXPECT_EQ(section.finishTrailers(trailers), H2Error::TooManyTrailers);
  section.startTrailers();
  section.add("a", std::string(100, 'x'));
  EXPECT_EQ(section.finishTrailers(trailers), H2Error::TrailersTooLarge);
}

TEST(H2SectionTest, ResponsesTellWhatIsKnownOfTheBody) {
  struct Case {
    std::string_view status, length;
    bool end, answers_head;
    std::string_view body;
  };
  const Case cases[] = {
      {"200", "", true, false, "none"},    {"200", "", true, true, "unknown"},
      {"200", "7", true, true, "7"},       {"200", "", false, false, "unknown"},
      {"304", "", true, false, "unknown"}, {"204", "", true, false, "none"},
      {"103", "", false, false, "none"},   {"200", "0", true, false, "0"},
  };
  H2Options options;
  H2Section section(options);
  for (const Case& c : cases) {
    section.startHead();
    section.add(":status", c.status);
    if (!c.length.empty()) section.add("content-length", c.length);
    ResponseHead head;
    ASSERT_EQ(section.finishResponse(head, c.end, c.answers_head), H2Error::None);
    EXPECT_EQ(describe(head.body), c.body) << c.status << c.end << c.answers_head;
  }
  for (const std::string_view status : {"101", "099", "1x0", "20", "2000", ""}) {
    section.startHead();
    section.add(":status", status);
    ResponseHead head;
    EXPECT_EQ(section.finishResponse(head, true, false), H2Error::InvalidStatus) << status;
  }
}

}  // namespace
}  // namespace convoy::http
