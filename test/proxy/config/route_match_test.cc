#include "proxy/config/route_match.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::route::v3::RouteMatch;
using PathKind = route::PathMatch::Kind;
using Kind = route::StringMatch::Kind;

route::Match convert(const std::string& yaml, Lines* errors = nullptr) {
  base::FieldReport report;
  route::Match match = toMatch(fromYaml<RouteMatch>(yaml), report);
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << yaml;
  }
  return match;
}

TEST(RouteMatch, Paths) {
  struct Case {
    std::string yaml;
    PathKind kind;
    std::string value;
    bool case_sensitive;
  };
  const Case cases[] = {
      {"{prefix: /}", PathKind::Prefix, "/", true},
      {"{path: /a, case_sensitive: false}", PathKind::Exact, "/a", false},
      {"{path_separated_prefix: /api, case_sensitive: true}", PathKind::SegmentPrefix, "/api",
       true},
      {"{safe_regex: {regex: '/v[0-9]+/.*'}}", PathKind::Regex, "/v[0-9]+/.*", true},
  };
  for (const Case& c : cases) {
    const route::Match match = convert(c.yaml);
    EXPECT_EQ(match.path.kind, c.kind) << c.yaml;
    EXPECT_EQ(match.path.value, c.value);
    EXPECT_EQ(match.path.case_sensitive, c.case_sensitive);
    EXPECT_EQ(match.runtime_millionths, std::nullopt);
  }
}

TEST(RouteMatch, Headers) {
  struct Case {
    std::string yaml;
    std::optional<Kind> kind;  // unset: present
    std::string value;
    bool invert = false;
    bool ignore_case = false;
  };
  const Case cases[] = {
      {"exact_match: a", Kind::Exact, "a"},
      {"prefix_match: a", Kind::Prefix, "a"},
      {"suffix_match: a", Kind::Suffix, "a"},
      {"contains_match: a", Kind::Contains, "a"},
      {"safe_regex_match: {regex: a.c}", Kind::Regex, "a.c"},
      {"string_match: {exact: a, ignore_case: true}", Kind::Exact, "a", false, true},
      {"string_match: {prefix: a}", Kind::Prefix, "a"},
      {"string_match: {suffix: a}", Kind::Suffix, "a"},
      {"string_match: {contains: a}", Kind::Contains, "a"},
      // Envoy: ignore_case has no effect on a regular expression.
      {"string_match: {safe_regex: {regex: a}, ignore_case: true}", Kind::Regex, "a"},
      {"present_match: true", std::nullopt, ""},
      {"present_match: true, invert_match: true", std::nullopt, "", true},
      {"present_match: false", std::nullopt, "", true},
      {"present_match: false, invert_match: true", std::nullopt, "", false},
      {"invert_match: true", std::nullopt, "", true},
  };
  for (const Case& c : cases) {
    const route::Match match = convert("{prefix: /, headers: [{name: X-A, " + c.yaml + "}]}");
    ASSERT_EQ(match.headers.size(), 1u) << c.yaml;
    const route::HeaderMatch& header = match.headers[0];
    EXPECT_EQ(header.name, "x-a");
    EXPECT_EQ(header.invert, c.invert) << c.yaml;
    ASSERT_EQ(header.value.has_value(), c.kind.has_value()) << c.yaml;
    if (!c.kind.has_value()) continue;
    EXPECT_EQ(header.value->kind, *c.kind) << c.yaml;
    EXPECT_EQ(header.value->value, c.value) << c.yaml;
    EXPECT_EQ(header.value->ignore_case, c.ignore_case) << c.yaml;
  }
}

TEST(RouteMatch, HeaderRangesAndMissingHeaders) {
  const route::Match match = convert(
      "{prefix: /, headers: [{name: n, range_match: {start: -5, end: 7}, "
      "treat_missing_header_as_empty: true}]}");
  ASSERT_TRUE(match.headers[0].range.has_value());
  EXPECT_EQ(match.headers[0].range->start, -5);
  EXPECT_EQ(match.headers[0].range->end, 7);
  EXPECT_TRUE(match.headers[0].treat_missing_as_empty);
}

TEST(RouteMatch, GrpcIsAContentType) {
  const route::Match match = convert("{prefix: /, grpc: {}}");
  ASSERT_EQ(match.headers.size(), 1u);
  EXPECT_EQ(match.headers[0].name, "content-type");
  EXPECT_EQ(match.headers[0].value->value, "application/grpc(\\+.*)?");
}

TEST(RouteMatch, QueryParametersAndFractions) {
  const route::Match match = convert(
      "{prefix: /, query_parameters: [{name: a, string_match: {exact: b}}, {name: c}, "
      "{name: d, present_match: true}], "
      "runtime_fraction: {default_value: {numerator: 25, denominator: HUNDRED}}}");
  ASSERT_EQ(match.query.size(), 3u);
  EXPECT_EQ(match.query[0].name, "a");
  EXPECT_EQ(match.query[0].value->value, "b");
  EXPECT_FALSE(match.query[1].value.has_value());
  EXPECT_FALSE(match.query[2].value.has_value());
  EXPECT_EQ(match.runtime_millionths, 250'000u);
}

TEST(RouteMatch, Errors) {
  const ErrorCase cases[] = {
      {"{safe_regex: {regex: '('}}", {"safe_regex.regex: regex: ("}},
      {"{prefix: /, headers: [{name: a, safe_regex_match: {regex: '['}}]}",
       {"headers[0].safe_regex_match.regex: regex: ["}},
      {"{prefix: /, headers: [{name: a, string_match: {safe_regex: {regex: '*'}}}]}",
       {"headers[0].string_match.safe_regex.regex: regex: *"}},
      {"{prefix: /, query_parameters: [{name: a, present_match: false}]}",
       {"query_parameters[0].present_match: unsupported_value: false"}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors;
    convert(c.yaml, &errors);
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
