#include "proxy/route/conditions.h"

#include <gtest/gtest.h>

#include <optional>

#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Kind = StringMatch::Kind;
using test::request;

StringMatch text(Kind kind, std::string value, bool ignore_case = false) {
  return {.kind = kind, .value = std::move(value), .ignore_case = ignore_case};
}

bool holds(const Match& match, const http::RequestHead& head, uint64_t seed = 1) {
  const auto conditions = Conditions::compile(match);
  EXPECT_TRUE(conditions.ok()) << conditions.status();
  event::Random random(seed);
  Draw draw(random);
  return conditions->holds(head, draw);
}

struct TextCase {
  StringMatch match;
  const char* text;
  bool matches;
};

TEST(ConditionsTest, MatchesText) {
  const TextCase cases[] = {
      {text(Kind::Exact, "abc"), "abc", true},
      {text(Kind::Exact, "abc"), "ABC", false},
      {text(Kind::Exact, "abc"), "abcd", false},
      {text(Kind::Exact, "aBc", true), "AbC", true},
      {text(Kind::Exact, ""), "", true},
      {text(Kind::Prefix, "ab"), "abc", true},
      {text(Kind::Prefix, "ab"), "a", false},
      {text(Kind::Prefix, "AB", true), "abc", true},
      {text(Kind::Suffix, "bc"), "abc", true},
      {text(Kind::Suffix, "bc"), "c", false},
      {text(Kind::Suffix, "BC", true), "abc", true},
      {text(Kind::Contains, "b"), "abc", true},
      {text(Kind::Contains, "bc"), "abd", false},
      {text(Kind::Contains, "BC", true), "abcd", true},
      {text(Kind::Contains, "bd", true), "abc", false},
      {text(Kind::Contains, "abcd", true), "abc", false},
      {text(Kind::Regex, "a.c"), "abc", true},
      {text(Kind::Regex, "b"), "abc", false},  // the whole text
      {text(Kind::Regex, "[0-9]+"), "123", true},
      {text(Kind::Regex, "ABC", true), "abc", true},
  };
  for (const TextCase& c : cases) {
    const auto matcher = TextMatcher::compile(c.match);
    ASSERT_TRUE(matcher.ok());
    EXPECT_EQ(matcher->matches(c.text), c.matches) << c.match.value << " on " << c.text;
  }
}

struct HeaderCase {
  const char* what;
  HeaderMatch match;
  std::initializer_list<std::pair<std::string_view, std::string_view>> headers;
  bool holds;
};

HeaderMatch header(std::optional<StringMatch> value, bool invert = false,
                   bool missing_is_empty = false) {
  HeaderMatch out;
  out.name = "x-a";
  out.value = std::move(value);
  out.invert = invert;
  out.treat_missing_as_empty = missing_is_empty;
  return out;
}
HeaderMatch range(int64_t start, int64_t end, bool invert = false, bool missing_is_empty = false) {
  HeaderMatch out = header(std::nullopt, invert, missing_is_empty);
  out.range = {start, end};
  return out;
}

TEST(ConditionsTest, MatchesHeaders) {
  const HeaderCase cases[] = {
      {"present", header({}), {{"X-A", ""}}, true},
      {"absent", header({}), {{"x-b", ""}}, false},
      {"present, inverted", header({}, true), {{"x-a", "1"}}, false},
      {"absent, inverted", header({}, true), {}, true},
      {"value", header(text(Kind::Exact, "1")), {{"X-a", "1"}}, true},
      {"another value", header(text(Kind::Exact, "1")), {{"x-a", "2"}}, false},
      {"value, inverted", header(text(Kind::Exact, "1"), true), {{"x-a", "2"}}, true},
      // Envoy: a missing header matches no value, inverted or not.
      {"missing", header(text(Kind::Exact, "1")), {}, false},
      {"missing, inverted", header(text(Kind::Exact, "1"), true), {}, false},
      {"missing is empty", header(text(Kind::Exact, ""), false, true), {}, true},
      {"missing is empty, inverted", header(text(Kind::Exact, "1"), true, true), {}, true},
      {"missing is empty, present", header({}, false, true), {}, true},
      {"several are joined",
       header(text(Kind::Exact, "1,2,3")),
       {{"x-a", "1"}, {"x-b", "0"}, {"X-A", "2"}, {"x-a", "3"}},
       true},
      {"several, not one of them",
       header(text(Kind::Exact, "1")),
       {{"x-a", "1"}, {"x-a", "2"}},
       false},
      {"empty ones are joined too",
       header(text(Kind::Exact, ",")),
       {{"x-a", ""}, {"x-a", ""}},
       true},
      {"in range", range(-10, 0), {{"x-a", "-1"}}, true},
      {"first of range", range(-10, 0), {{"x-a", "-10"}}, true},
      {"the end is outside", range(-10, 0), {{"x-a", "0"}}, false},
      {"no number", range(-10, 0), {{"x-a", "-1x"}}, false},
      {"empty is no number", range(-10, 10), {{"x-a", ""}}, false},
      {"too large a number", range(0, INT64_MAX), {{"x-a", "9223372036854775808"}}, false},
      {"in range, inverted", range(-10, 0, true), {{"x-a", "-1"}}, false},
      {"no number, inverted", range(-10, 0, true), {{"x-a", "some"}}, true},
      {"missing, inverted range", range(0, 10, true), {}, false},
      {"missing is empty, inverted range", range(0, 10, true, true), {}, true},
  };
  for (const HeaderCase& c : cases) {
    Match match;
    match.headers = {c.match};
    EXPECT_EQ(holds(match, request("/", "h", c.headers)), c.holds) << c.what;
  }
}

TEST(ConditionsTest, KnowsWhatIsNotAmongTheFields) {
  http::RequestHead head = request("/a?b", "a.example:81");
  head.method = "POST";
  head.body = {.kind = http::BodyLength::Kind::Known, .bytes = 1234};
  head.expects_continue = true;
  const std::pair<const char*, const char*> present[] = {
      {":method", "POST"},        {":authority", "a.example:81"},
      {"host", "a.example:81"},   {"Host", "a.example:81"},
      {":path", "/a?b"},          {":scheme", "http"},
      {"content-length", "1234"}, {"expect", "100-continue"},
  };
  for (const auto& [name, value] : present) {
    Match match;
    HeaderMatch& header = match.headers.emplace_back();
    header.name = name;
    header.value = text(Kind::Exact, value);
    EXPECT_TRUE(holds(match, head)) << name;
  }
  Match chunked;
  chunked.headers.emplace_back().name = "transfer-encoding";
  EXPECT_FALSE(holds(chunked, head));
  head.body = {.kind = http::BodyLength::Kind::Unknown};
  EXPECT_TRUE(holds(chunked, head));

  const http::RequestHead bare = request("/", "");
  for (const char* name : {"host", ":authority", "content-length", "expect", "transfer-encoding"}) {
    Match match;
    match.headers.emplace_back().name = name;
    EXPECT_FALSE(holds(match, bare)) << name;
  }
}

TEST(ConditionsTest, KnownHeadersAreFoundInAnyCase) {
  Match match;
  HeaderMatch& header = match.headers.emplace_back();
  header.name = "User-Agent";
  header.value = text(Kind::Prefix, "curl/");
  EXPECT_TRUE(holds(match, request("/", "h", {{"user-AGENT", "curl/7"}})));
  EXPECT_FALSE(holds(match, request("/", "h", {{"user-agents", "curl/7"}})));
}

struct QueryCase {
  const char* target;
  std::optional<StringMatch> value;
  bool holds;
};

TEST(ConditionsTest, MatchesQueryParameters) {
  const QueryCase cases[] = {
      {"/", {}, false},
      {"/?", {}, false},
      {"/?q", {}, true},
      {"/?q=", {}, true},
      {"/?a&q=1", {}, true},
      {"/?qq=1", {}, false},
      {"/?a=q", {}, false},
      {"/q=1", {}, false},
      {"/#?q=1", {}, true},  // as Envoy reads it: from the first question mark
      {"/?a=1#q", {}, false},
      {"/?q=1", text(Kind::Exact, "1"), true},
      {"/?q=2", text(Kind::Exact, "1"), false},
      {"/?q=1&q=2", text(Kind::Exact, "2"), false},  // the first decides
      {"/?q=2&q=1", text(Kind::Exact, "2"), true},
      {"/?q", text(Kind::Exact, ""), true},
      {"/?a=1", text(Kind::Exact, ""), false},
      {"/?q=%31", text(Kind::Exact, "1"), false},  // as it stands
      {"/?q=a=b", text(Kind::Exact, "a=b"), true},
      {"/?&&q=1&", text(Kind::Exact, "1"), true},
      {"/?q=1#x", text(Kind::Exact, "1"), true},
      {"/?q=12", text(Kind::Regex, "[0-9]{2}"), true},
  };
  for (const QueryCase& c : cases) {
    Match match;
    QueryMatch& query = match.query.emplace_back();
    query.name = "q";
    query.value = c.value;
    EXPECT_EQ(holds(match, request(c.target)), c.holds) << c.target;
  }
}

TEST(ConditionsTest, AllOfThemMustHold) {
  Match match;
  match.headers = {header({}), header(text(Kind::Exact, "1"))};
  match.query.emplace_back().name = "q";
  EXPECT_TRUE(holds(match, request("/?q", "h", {{"x-a", "1"}})));
  EXPECT_FALSE(holds(match, request("/", "h", {{"x-a", "1"}})));
  EXPECT_FALSE(holds(match, request("/?q", "h", {{"x-a", "2"}})));
}

TEST(ConditionsTest, AFractionTakesItsShare) {
  struct Share {
    uint32_t millionths;
    int least;
    int most;
  };
  // Of 10,000; the bounds are five standard deviations.
  for (const Share& share :
       {Share{0, 0, 0}, Share{1'000'000, 10'000, 10'000}, Share{250'000, 2283, 2717}}) {
    Match match;
    match.runtime_millionths = share.millionths;
    int taken = 0;
    for (uint64_t seed = 0; seed < 10'000; ++seed) taken += holds(match, request("/"), seed);
    EXPECT_GE(taken, share.least) << share.millionths;
    EXPECT_LE(taken, share.most) << share.millionths;
  }
}

TEST(ConditionsTest, ARequestIsDrawnOnce) {
  event::Random random(3);
  event::Random same(3);
  Draw draw(random);
  const uint32_t first = draw.millionth();
  EXPECT_EQ(draw.millionth(), first);
  EXPECT_LT(first, 1'000'000u);
  same.below(1'000'000);
  EXPECT_EQ(random.next(), same.next()) << "one number was taken";
}

TEST(ConditionsTest, SaysWhichExpressionIsWrong) {
  Match path;
  path.path = {.kind = PathMatch::Kind::Regex, .value = "/("};
  EXPECT_NE(Conditions::compile(path).status().message().find("\"/(\""), absl::string_view::npos);

  Match in_header;
  in_header.headers = {header(text(Kind::Regex, "["))};
  const std::string of_header(Conditions::compile(in_header).status().message());
  EXPECT_EQ(of_header.rfind("header x-a: ", 0), 0u) << of_header;

  Match in_query;
  QueryMatch& query = in_query.query.emplace_back();
  query.name = "q";
  query.value = text(Kind::Regex, "*");
  const std::string of_query(Conditions::compile(in_query).status().message());
  EXPECT_EQ(of_query.rfind("query parameter q: ", 0), 0u) << of_query;
}

}  // namespace
}  // namespace convoy::route
