#include "proxy/route/request_values.h"

#include "proxy/base/strings.h"

namespace convoy::route {

namespace {

// What a head holds elsewhere than among its fields (message.h).
struct Special {
  bool is_special = false;
  std::optional<std::string_view> value = std::nullopt;
};
Special specialValue(const http::RequestHead& head, std::string_view name, http::HeaderName id,
                     std::string& text) {
  const auto unlessEmpty = [](std::string_view value) {
    return value.empty() ? std::nullopt : std::optional<std::string_view>(value);
  };
  if (name == ":method") return {true, head.method};
  if (name == ":path") return {true, head.target};
  if (name == ":scheme") return {true, head.scheme};
  if (name == ":authority") return {true, unlessEmpty(head.authority)};
  switch (id) {
    case http::HeaderName::Host:
      return {true, unlessEmpty(head.authority)};
    case http::HeaderName::ContentLength:
      if (head.body.kind != http::BodyLength::Kind::Known) return {true};
      text = std::to_string(head.body.bytes);
      return {true, text};
    case http::HeaderName::TransferEncoding:
      if (head.body.kind != http::BodyLength::Kind::Unknown) return {true};
      return {true, "chunked"};
    case http::HeaderName::Expect:
      if (!head.expects_continue) return {};
      return {true, "100-continue"};
    default:
      return {};
  }
}

// Up to the separator, which goes, too.
std::string_view takeUntil(std::string_view& rest, char separator) {
  const size_t end = rest.find(separator);
  const std::string_view taken = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return taken;
}

}  // namespace

std::optional<std::string_view> headerValue(const http::RequestHead& head, std::string_view name,
                                            http::HeaderName id, std::string& joined) {
  if (const Special special = specialValue(head, name, id, joined); special.is_special) {
    return special.value;
  }
  std::optional<std::string_view> value;
  for (const http::HeaderField& field : head.headers) {
    const bool same = id != http::HeaderName::Other
                          ? field.id == id
                          : field.id == id && base::equalsIgnoreCase(field.name, name);
    if (!same) continue;
    if (!value.has_value()) {
      value = field.value;
      continue;
    }
    if (joined.empty()) joined = *value;
    joined.append(",").append(field.value);
    value = joined;
  }
  return value;
}

std::optional<std::string_view> queryValue(std::string_view target, std::string_view name) {
  const size_t question = target.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  std::string_view rest = target.substr(question + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    std::string_view value = takeUntil(rest, '&');
    if (takeUntil(value, '=') == name) return value;
  }
  return std::nullopt;
}

}  // namespace convoy::route
