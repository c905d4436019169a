#pragma once

// Conditions on requests and heads, as configuration has them. Plain data; part of a route's spec
// (spec.h).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace convoy::route {

using Milliseconds = std::chrono::milliseconds;

struct StringMatch {
  enum class Kind : uint8_t { Exact, Prefix, Suffix, Contains, Regex };
  Kind kind = Kind::Exact;
  std::string value;  // Regex: RE2 syntax, whole-string match
  bool ignore_case = false;
};

struct HeaderMatch {
  std::string name;
  // Unset value: the header must be present (or, inverted, absent).
  std::optional<StringMatch> value;
  struct Range {
    int64_t start;
    int64_t end;  // exclusive
  };
  std::optional<Range> range;
  bool invert = false;
  bool treat_missing_as_empty = false;
};

struct QueryMatch {
  std::string name;
  std::optional<StringMatch> value;  // unset: present
};

struct PathMatch {
  // Connect: a request with the method CONNECT, which has no path.
  enum class Kind : uint8_t { Prefix, Exact, SegmentPrefix, Regex, Connect };
  Kind kind = Kind::Prefix;
  std::string value;
  bool case_sensitive = true;
};

struct Match {
  PathMatch path;
  std::vector<HeaderMatch> headers;  // ":method" and ":authority" work as names
  std::vector<QueryMatch> query;
  std::optional<uint32_t> runtime_millionths;  // runtime_fraction's default; unset: always
};

}  // namespace convoy::route
