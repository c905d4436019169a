#include "proxy/base/host_name.h"

#include <algorithm>
#include <charconv>

#include "proxy/base/strings.h"

namespace convoy::base {

namespace {

constexpr size_t kMostBytes = 253;
constexpr size_t kMostLabelBytes = 63;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

bool isNameByte(char c) {
  return isDigit(c) || (asciiLower(c) >= 'a' && asciiLower(c) <= 'z') || c == '-' || c == '_';
}

std::string_view problemWithLabel(std::string_view label) {
  if (label.empty()) return "a part of a host name is empty";
  if (label.size() > kMostLabelBytes) return "a part of a host name has at most 63 characters";
  if (!std::all_of(label.begin(), label.end(), isNameByte)) {
    return "a host name has letters, digits, \"-\", \"_\" and \".\"";
  }
  if (label.front() == '-' || label.back() == '-') {
    return "a part of a host name neither begins nor ends with \"-\"";
  }
  return {};
}

}  // namespace

std::string_view problemWithHostName(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return "a host name is not empty";
  if (name.size() > kMostBytes) return "a host name has at most 253 characters";
  while (true) {
    const size_t dot = name.find('.');
    const std::string_view label = name.substr(0, dot);
    const std::string_view problem = problemWithLabel(label);
    if (!problem.empty()) return problem;
    if (dot == std::string_view::npos) {
      // No top-level domain has digits only: somebody meant an IP address.
      if (!std::all_of(label.begin(), label.end(), isDigit)) return {};
      return "the last part of a host name is not a number";
    }
    name.remove_prefix(dot + 1);
  }
}

std::optional<NamedAddress> parseNamedAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  NamedAddress address;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size() || address.port == 0) {
    return std::nullopt;
  }
  address.host = text.substr(0, colon);
  if (!problemWithHostName(address.host).empty()) return std::nullopt;
  std::transform(address.host.begin(), address.host.end(), address.host.begin(), asciiLower);
  return address;
}

}  // namespace convoy::base
