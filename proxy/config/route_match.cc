#include "proxy/config/route_match.h"

#include "proxy/base/strings.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::route::v3;
using route::StringMatch;

route::PathMatch toPathMatch(const proto::RouteMatch& match, base::FieldReport& report) {
  using Kind = route::PathMatch::Kind;
  route::PathMatch path;
  path.case_sensitive = !match.has_case_sensitive() || match.case_sensitive().value();
  switch (match.path_specifier_case()) {
    case proto::RouteMatch::kPrefix:
      path.kind = Kind::Prefix;
      path.value = match.prefix();
      break;
    case proto::RouteMatch::kPath:
      path.kind = Kind::Exact;
      path.value = match.path();
      break;
    case proto::RouteMatch::kPathSeparatedPrefix:
      path.kind = Kind::SegmentPrefix;
      path.value = match.path_separated_prefix();
      break;
    case proto::RouteMatch::kSafeRegex:
      path.kind = Kind::Regex;
      path.value = match.safe_regex().regex();
      checkRegex(path.value, "safe_regex.regex", report);
      break;
    case proto::RouteMatch::kConnectMatcher:
      path.kind = Kind::Connect;
      break;
    default:  // the field table or validate.rules refuse it
      break;
  }
  return path;
}

// Fills `match` from the oneof; false if it says nothing that we can do.
void setHeaderCondition(const proto::HeaderMatcher& header, route::HeaderMatch* match,
                        base::FieldReport& report) {
  using Kind = StringMatch::Kind;
  switch (header.header_match_specifier_case()) {
    case proto::HeaderMatcher::kExactMatch:
      match->value = StringMatch{Kind::Exact, header.exact_match(), false};
      return;
    case proto::HeaderMatcher::kPrefixMatch:
      match->value = StringMatch{Kind::Prefix, header.prefix_match(), false};
      return;
    case proto::HeaderMatcher::kSuffixMatch:
      match->value = StringMatch{Kind::Suffix, header.suffix_match(), false};
      return;
    case proto::HeaderMatcher::kContainsMatch:
      match->value = StringMatch{Kind::Contains, header.contains_match(), false};
      return;
    case proto::HeaderMatcher::kSafeRegexMatch:
      checkRegex(header.safe_regex_match().regex(), "safe_regex_match.regex", report);
      match->value = StringMatch{Kind::Regex, header.safe_regex_match().regex(), false};
      return;
    case proto::HeaderMatcher::kStringMatch: {
      auto at = report.in("string_match");
      match->value = toStringMatch(header.string_match(), report);
      return;
    }
    case proto::HeaderMatcher::kRangeMatch:
      match->range =
          route::HeaderMatch::Range{header.range_match().start(), header.range_match().end()};
      return;
    case proto::HeaderMatcher::kPresentMatch:
      if (!header.present_match()) match->invert = !match->invert;
      return;
    case proto::HeaderMatcher::HEADER_MATCH_SPECIFIER_NOT_SET:
      return;  // present
  }
}

// RouteMatch.grpc: content-type application/grpc, alone or with a "+" suffix.
route::HeaderMatch grpcCondition() {
  route::HeaderMatch match;
  match.name = "content-type";
  match.value = StringMatch{StringMatch::Kind::Regex, "application/grpc(\\+.*)?", false};
  return match;
}

}  // namespace

route::HeaderMatch toHeaderMatch(const proto::HeaderMatcher& header, base::FieldReport& report) {
  route::HeaderMatch match;
  match.name = header.name();
  for (char& c : match.name) c = base::asciiLower(c);
  match.invert = header.invert_match();
  match.treat_missing_as_empty = header.treat_missing_header_as_empty();
  setHeaderCondition(header, &match, report);
  return match;
}

route::Match toMatch(const proto::RouteMatch& proto, base::FieldReport& report) {
  route::Match match;
  match.path = toPathMatch(proto, report);
  for (int i = 0; i < proto.headers_size(); ++i) {
    auto at = report.in("headers", static_cast<size_t>(i));
    match.headers.push_back(toHeaderMatch(proto.headers(i), report));
  }
  if (proto.has_grpc()) match.headers.push_back(grpcCondition());
  for (int i = 0; i < proto.query_parameters_size(); ++i) {
    auto at = report.in("query_parameters", static_cast<size_t>(i));
    const auto& parameter = proto.query_parameters(i);
    route::QueryMatch query;
    query.name = parameter.name();
    if (parameter.has_string_match()) {
      auto in = report.in("string_match");
      query.value = toStringMatch(parameter.string_match(), report);
    } else if (parameter.query_parameter_match_specifier_case() ==
                   proto::QueryParameterMatcher::kPresentMatch &&
               !parameter.present_match()) {
      report.error("present_match", "unsupported_value", "false",
                   "a condition that a parameter is absent is not supported yet");
    }
    match.query.push_back(std::move(query));
  }
  if (proto.has_runtime_fraction()) {
    match.runtime_millionths = toMillionths(proto.runtime_fraction().default_value());
  }
  return match;
}

}  // namespace convoy::config
