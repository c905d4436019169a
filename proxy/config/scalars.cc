#include "proxy/config/scalars.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "proxy/base/strings.h"

namespace convoy::config {
namespace {

struct Magnitude {
  bool negative = false;
  uint64_t value = 0;
};

enum class Number : uint8_t { Ok, NotANumber, TooLarge };

Number parseDigits(std::string_view digits, int base, uint64_t* out) {
  const auto [rest, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), *out, base);
  if (rest != digits.data() + digits.size() || digits.empty()) return Number::NotANumber;
  return code == std::errc::result_out_of_range ? Number::TooLarge : Number::Ok;
}

// Decimal notation only: no hexadecimal floats, no infinities.
bool parseDecimal(std::string_view text, double* out) {
  return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
         absl::SimpleAtod(base::toAbsl(text), out) && std::isfinite(*out);
}

// "1e3" and "80.0" are integers too.
Number parseIntegralDouble(std::string_view text, Magnitude* out) {
  double value = 0;
  if (!parseDecimal(text, &value) || std::trunc(value) != value) return Number::NotANumber;
  if (std::fabs(value) >= 0x1p64) return Number::TooLarge;
  out->negative = value < 0;
  out->value = static_cast<uint64_t>(std::fabs(value));
  return Number::Ok;
}

Number parseMagnitude(const DocumentNode& node, Magnitude* out) {
  std::string_view text = node.text;
  if (text.starts_with('-') || (node.plain && text.starts_with('+'))) {
    out->negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.front() < '0' || text.front() > '9') return Number::NotANumber;
  if (node.plain && text.starts_with("0x")) return parseDigits(text.substr(2), 16, &out->value);
  if (node.plain && text.size() > 1 && text.find_first_not_of("01234567") == text.npos &&
      text.front() == '0') {
    return parseDigits(text.substr(1), 8, &out->value);
  }
  const Number plain = parseDigits(text, 10, &out->value);
  return plain == Number::NotANumber ? parseIntegralDouble(node.text, out) : plain;
}

std::string shown(const DocumentNode& node) {
  switch (node.kind) {
    case DocumentNode::Kind::Null:
      return "null";
    case DocumentNode::Kind::Scalar:
      return "\"" + node.text + "\"";
    case DocumentNode::Kind::List:
      return "a list";
    case DocumentNode::Kind::Map:
      return "a map";
  }
  return "";
}

template <typename T>
std::string outOfRange(T min, T max) {
  return "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max);
}

bool isOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [text](std::string_view word) { return base::equalsIgnoreCase(text, word); });
}

// Nanoseconds of a decimal fraction's digits; the tenth digit and more must be absent.
std::optional<int32_t> nanosOf(std::string_view digits) {
  if (digits.empty() || digits.size() > 9) return std::nullopt;
  uint64_t value = 0;
  if (parseDigits(digits, 10, &value) != Number::Ok) return std::nullopt;
  for (size_t i = digits.size(); i < 9; ++i) value *= 10;
  return static_cast<int32_t>(value);
}

constexpr int64_t kMaxDurationSeconds = 315'576'000'000;  // google.protobuf.Duration

struct Unit {
  std::string_view suffix;
  int64_t numerator;  // seconds
  int64_t denominator;
};
constexpr Unit kUnits[] = {{"ms", 1, 1000}, {"us", 1, 1'000'000}, {"s", 1, 1},
                           {"m", 60, 1},    {"h", 3600, 1},       {"d", 86400, 1}};

std::optional<SecondsAndNanos> scaled(std::string_view number, const Unit& unit) {
  const size_t dot = number.find('.');
  uint64_t whole = 0;
  if (parseDigits(number.substr(0, dot), 10, &whole) != Number::Ok) return std::nullopt;
  if (whole > static_cast<uint64_t>(kMaxDurationSeconds)) return std::nullopt;
  int32_t nanos = 0;
  if (dot != std::string_view::npos) {
    const std::optional<int32_t> fraction = nanosOf(number.substr(dot + 1));
    if (!fraction.has_value()) return std::nullopt;
    nanos = *fraction;
  }
  const __int128 total =
      (static_cast<__int128>(whole) * 1'000'000'000 + nanos) * unit.numerator / unit.denominator;
  SecondsAndNanos value;
  if (total / 1'000'000'000 > kMaxDurationSeconds) return std::nullopt;
  value.seconds = static_cast<int64_t>(total / 1'000'000'000);
  value.nanos = static_cast<int32_t>(total % 1'000'000'000);
  return value;
}

}  // namespace

Scalar<bool> parseBool(const DocumentNode& node) {
  if (node.kind == DocumentNode::Kind::Scalar) {
    if (isOneOf(node.text, {"true"})) return true;
    if (isOneOf(node.text, {"false"})) return false;
    if (node.plain && isOneOf(node.text, {"yes", "on", "y"})) return true;
    if (node.plain && isOneOf(node.text, {"no", "off", "n"})) return false;
  }
  return "must be true or false, not " + shown(node);
}

Scalar<int64_t> parseSigned(const DocumentNode& node, int64_t min, int64_t max) {
  Magnitude number;
  if (node.kind != DocumentNode::Kind::Scalar) return "must be a whole number, not " + shown(node);
  const Number result = parseMagnitude(node, &number);
  if (result == Number::NotANumber) return "must be a whole number, not " + shown(node);
  const uint64_t limit =
      number.negative ? static_cast<uint64_t>(-(min + 1)) + 1 : static_cast<uint64_t>(max);
  if (result == Number::TooLarge || number.value > limit) return outOfRange(min, max);
  return number.negative ? static_cast<int64_t>(0 - number.value)
                         : static_cast<int64_t>(number.value);
}

Scalar<uint64_t> parseUnsigned(const DocumentNode& node, uint64_t max) {
  Magnitude number;
  if (node.kind != DocumentNode::Kind::Scalar) return "must be a whole number, not " + shown(node);
  const Number result = parseMagnitude(node, &number);
  if (result == Number::NotANumber) return "must be a whole number, not " + shown(node);
  // The field may well have a narrower range, which is not this one's business to name.
  if (number.negative && number.value != 0) return "must not be negative";
  if (result == Number::TooLarge || number.value > max) return outOfRange<uint64_t>(0, max);
  return number.value;
}

Scalar<double> parseDouble(const DocumentNode& node) {
  if (node.kind == DocumentNode::Kind::Scalar) {
    if (isOneOf(node.text, {"nan", ".nan"})) return std::numeric_limits<double>::quiet_NaN();
    if (isOneOf(node.text, {"infinity", ".inf", "+.inf"})) {
      return std::numeric_limits<double>::infinity();
    }
    if (isOneOf(node.text, {"-infinity", "-.inf"})) {
      return -std::numeric_limits<double>::infinity();
    }
    double value = 0;
    if (parseDecimal(node.text, &value)) return value;
  }
  return "must be a number, not " + shown(node);
}

Scalar<std::string> parseBytes(const DocumentNode& node) {
  if (node.kind == DocumentNode::Kind::Scalar) {
    std::string bytes;
    if (absl::Base64Unescape(node.text, &bytes) || absl::WebSafeBase64Unescape(node.text, &bytes)) {
      return Scalar<std::string>(std::in_place_index<0>, std::move(bytes));
    }
  }
  return Scalar<std::string>(std::in_place_index<1>, "must be bytes in base64");
}

Scalar<SecondsAndNanos> parseDuration(const DocumentNode& node, bool units) {
  std::string wanted = "must be a duration such as \"5s\" or \"0.25s\"";
  if (units) wanted += ", \"250ms\", \"5m\", \"1h\"";
  if (node.kind != DocumentNode::Kind::Scalar) return wanted + ", not " + shown(node);
  std::string_view number = node.text;
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  for (const Unit& unit : kUnits) {
    if ((!units && unit.suffix != "s") || !number.ends_with(unit.suffix)) continue;
    std::optional<SecondsAndNanos> value =
        scaled(number.substr(0, number.size() - unit.suffix.size()), unit);
    if (!value.has_value()) continue;
    if (negative) *value = {-value->seconds, -value->nanos};
    return *value;
  }
  double bare = 0;
  if (parseDecimal(node.text, &bare)) {
    return wanted + "; write \"" + node.text + "s\" if seconds are meant";
  }
  return wanted + ", not " + shown(node);
}

std::variant<bool, double, std::string> resolvePlain(const DocumentNode& node) {
  if (!node.plain) return node.text;
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  Magnitude number;
  if (parseMagnitude(node, &number) == Number::Ok) {
    return number.negative ? -static_cast<double>(number.value) : static_cast<double>(number.value);
  }
  double value = 0;
  if (parseDecimal(node.text, &value)) return value;
  return node.text;
}

void NearestName::consider(std::string_view candidate) {
  // Levenshtein's distance, one row at a time.
  std::vector<size_t> row(candidate.size() + 1);
  for (size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
  for (size_t i = 0; i < name_.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < candidate.size(); ++j) {
      const bool same = base::asciiLower(name_[i]) == base::asciiLower(candidate[j]);
      const size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  const size_t distance = row.back();
  const size_t most = std::max<size_t>(1, std::min(name_.size(), candidate.size()) / 3);
  if (distance <= most && distance < best_distance_) {
    best_distance_ = distance;
    best_ = candidate;
  }
}

std::string NearestName::suggestion() const {
  return best_.empty() ? "" : "; did you mean \"" + best_ + "\"?";
}

}  // namespace convoy::config
