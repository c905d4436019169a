#include "proxy/route/conditions.h"

#include <re2/re2.h>

#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/route/request_values.h"

namespace convoy::route {

namespace {

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

absl::StatusOr<std::shared_ptr<const re2::RE2>> compileRegex(const std::string& pattern,
                                                             bool ignore_case) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_case_sensitive(!ignore_case);
  auto regex = std::make_shared<const re2::RE2>(pattern, options);
  if (regex->ok()) return regex;
  return absl::InvalidArgumentError(
      absl::StrCat("regular expression \"", pattern, "\" is refused by RE2: ", regex->error()));
}

bool startsWith(std::string_view text, std::string_view prefix, bool ignore_case) {
  if (text.size() < prefix.size()) return false;
  const std::string_view head = text.substr(0, prefix.size());
  return ignore_case ? base::equalsIgnoreCase(head, prefix) : head == prefix;
}

bool endsWith(std::string_view text, std::string_view suffix, bool ignore_case) {
  if (text.size() < suffix.size()) return false;
  const std::string_view tail = text.substr(text.size() - suffix.size());
  return ignore_case ? base::equalsIgnoreCase(tail, suffix) : tail == suffix;
}

bool contains(std::string_view text, std::string_view part, bool ignore_case) {
  if (!ignore_case) return text.find(part) != std::string_view::npos;
  for (size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (base::equalsIgnoreCase(text.substr(i, part.size()), part)) return true;
  }
  return false;
}

std::optional<int64_t> integer(std::string_view text) {
  int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

// --- TextMatcher ---

absl::StatusOr<TextMatcher> TextMatcher::compile(const StringMatch& spec) {
  TextMatcher matcher(spec);
  if (spec.kind == StringMatch::Kind::Regex) {
    auto regex = compileRegex(spec.value, spec.ignore_case);
    if (!regex.ok()) return regex.status();
    matcher.regex_ = *std::move(regex);
  }
  return matcher;
}

bool TextMatcher::matches(std::string_view text) const {
  const bool ignore = spec_->ignore_case;
  switch (spec_->kind) {
    case StringMatch::Kind::Exact:
      return ignore ? base::equalsIgnoreCase(text, spec_->value) : text == spec_->value;
    case StringMatch::Kind::Prefix:
      return startsWith(text, spec_->value, ignore);
    case StringMatch::Kind::Suffix:
      return endsWith(text, spec_->value, ignore);
    case StringMatch::Kind::Contains:
      return contains(text, spec_->value, ignore);
    case StringMatch::Kind::Regex:
      return re2::RE2::FullMatch(piece(text), *regex_);
  }
  return false;
}

uint32_t Draw::millionth() {
  if (value_ < 0) value_ = static_cast<int64_t>(random_.below(1'000'000));
  return static_cast<uint32_t>(value_);
}

// --- Conditions ---

absl::StatusOr<Conditions> Conditions::compile(const Match& match) {
  Conditions conditions(match);
  if (match.path.kind == PathMatch::Kind::Regex) {
    auto regex = compileRegex(match.path.value, !match.path.case_sensitive);
    if (!regex.ok()) return regex.status();
    conditions.path_regex_ = *std::move(regex);
  }
  const auto compileInto = [](std::vector<TextMatcher>& out,
                              const std::optional<StringMatch>& spec) {
    if (!spec.has_value()) return absl::OkStatus();
    auto matcher = TextMatcher::compile(*spec);
    if (matcher.ok()) out.push_back(*std::move(matcher));
    return matcher.status();
  };
  for (const HeaderMatch& header : match.headers) {
    Header& added =
        conditions.headers_.emplace_back(Header{&header, http::classify(header.name), {}});
    if (absl::Status status = compileInto(added.value, header.value); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("header ", header.name, ": ", status.message()));
    }
  }
  for (const QueryMatch& query : match.query) {
    Query& added = conditions.queries_.emplace_back(Query{&query, {}});
    if (absl::Status status = compileInto(added.value, query.value); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("query parameter ", query.name, ": ", status.message()));
    }
  }
  return conditions;
}

bool Conditions::holds(const http::RequestHead& head, Draw& draw) const {
  if (match_->runtime_millionths.has_value() && draw.millionth() >= *match_->runtime_millionths) {
    return false;
  }
  for (const Header& header : headers_) {
    if (!headerHolds(header, head)) return false;
  }
  for (const Query& query : queries_) {
    if (!queryHolds(query, head.target)) return false;
  }
  return true;
}

bool Conditions::headerHolds(const Header& header, const http::RequestHead& head) const {
  const HeaderMatch& spec = *header.spec;
  std::string joined;
  auto value = headerValue(head, spec.name, header.id, joined);
  if (!value.has_value() && spec.treat_missing_as_empty) value = std::string_view();
  if (!spec.value.has_value() && !spec.range.has_value()) return value.has_value() != spec.invert;
  // Envoy: a missing header matches no value, inverted or not.
  if (!value.has_value()) return false;
  bool matches = false;
  if (spec.range.has_value()) {
    const auto number = integer(*value);
    matches = number.has_value() && *number >= spec.range->start && *number < spec.range->end;
  } else {
    matches = header.value.front().matches(*value);
  }
  return matches != spec.invert;
}

// The first parameter of that name decides.
bool Conditions::queryHolds(const Query& query, std::string_view target) const {
  const auto value = queryValue(target, query.spec->name);
  return value.has_value() && (query.value.empty() || query.value.front().matches(*value));
}

}  // namespace convoy::route
