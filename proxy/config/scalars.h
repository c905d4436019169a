#pragma once

// Text to values, as protobuf's JSON mapping has them, and as Envoy reads plain YAML: truth values
// may be yes/no/on/off, plain integers hexadecimal (0x1f) or octal (0644). An error is a sentence
// for people.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/config/document.h"

namespace convoy::config {

template <typename T>
using Scalar = std::variant<T, std::string>;  // the value, or what is wrong

Scalar<bool> parseBool(const DocumentNode& node);
Scalar<int64_t> parseSigned(const DocumentNode& node, int64_t min, int64_t max);
Scalar<uint64_t> parseUnsigned(const DocumentNode& node, uint64_t max);
Scalar<double> parseDouble(const DocumentNode& node);
Scalar<std::string> parseBytes(const DocumentNode& node);  // base64, either alphabet

struct SecondsAndNanos {
  int64_t seconds = 0;
  int32_t nanos = 0;
};
// "5s", "0.25s". With `units`, also "250ms", "5m", "1h", "1d".
Scalar<SecondsAndNanos> parseDuration(const DocumentNode& node, bool units);

// A plain scalar as YAML 1.2 resolves it (null is a node kind of its own).
std::variant<bool, double, std::string> resolvePlain(const DocumentNode& node);

// The candidate that `name` was probably meant to be; empty if none is near.
class NearestName {
 public:
  explicit NearestName(std::string_view name) : name_(name.substr(0, 128)) {}
  void consider(std::string_view candidate);
  const std::string& best() const { return best_; }
  // `; did you mean "best"?` or nothing.
  std::string suggestion() const;

 private:
  std::string name_;
  std::string best_;
  size_t best_distance_ = SIZE_MAX;
};

}  // namespace convoy::config
