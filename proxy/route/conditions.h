#pragma once

// What a route asks of a request besides its path: headers, query parameters, a share of the
// traffic. Regular expressions are compiled once, on main. Immutable; holds() allocates nothing,
// but for a header that occurs several times (joined by commas, as RFC 9110 5.3 has it, before it
// is compared).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/event/random.h"
#include "proxy/http/message.h"
#include "proxy/route/spec.h"

namespace re2 {
class RE2;
}

namespace convoy::route {

// One StringMatch, ready to use.
class TextMatcher {
 public:
  static absl::StatusOr<TextMatcher> compile(const StringMatch& spec);
  bool matches(std::string_view text) const;

 private:
  explicit TextMatcher(const StringMatch& spec) : spec_(&spec) {}
  const StringMatch* spec_;
  std::shared_ptr<const re2::RE2> regex_;
};

// One draw per request, made at the first route that asks.
class Draw {
 public:
  explicit Draw(event::Random& random) : random_(random) {}
  uint32_t millionth();

 private:
  event::Random& random_;
  int64_t value_ = -1;
};

class Conditions {
 public:
  // The error says which condition and why. `match` outlives the result.
  static absl::StatusOr<Conditions> compile(const Match& match);
  Conditions(Conditions&&) = default;

  bool holds(const http::RequestHead& head, Draw& draw) const;
  // For paths that are regular expressions.
  const re2::RE2* pathRegex() const { return path_regex_.get(); }

 private:
  struct Header {
    const HeaderMatch* spec;
    http::HeaderName id;
    std::vector<TextMatcher> value;  // one or none
  };
  struct Query {
    const QueryMatch* spec;
    std::vector<TextMatcher> value;
  };
  explicit Conditions(const Match& match) : match_(&match) {}
  bool headerHolds(const Header& header, const http::RequestHead& head) const;
  bool queryHolds(const Query& query, std::string_view target) const;

  const Match* match_;
  std::shared_ptr<const re2::RE2> path_regex_;
  std::vector<Header> headers_;
  std::vector<Query> queries_;
};

}  // namespace convoy::route
