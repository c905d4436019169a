#include "proxy/config/header_edits.h"

#include <optional>

#include "proxy/base/strings.h"

namespace convoy::config {
namespace {

using Action = route::HeaderEdit::Action;
using envoy::config::core::v3::HeaderValueOption;

// As Envoy: these say where a message goes and how it is framed.
bool isProtected(std::string_view name) {
  return name.starts_with(':') || base::equalsIgnoreCase(name, "host");
}

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = base::asciiLower(c);
  return text;
}

Action actionOf(const HeaderValueOption& proto) {
  if (proto.has_append()) {  // deprecated, and then it decides
    return proto.append().value() ? Action::AppendIfExistsOrAdd : Action::OverwriteIfExistsOrAdd;
  }
  switch (proto.append_action()) {
    case HeaderValueOption::ADD_IF_ABSENT:
      return Action::AddIfAbsent;
    case HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD:
      return Action::OverwriteIfExistsOrAdd;
    case HeaderValueOption::OVERWRITE_IF_EXISTS:
      return Action::OverwriteIfExists;
    default:
      return Action::AppendIfExistsOrAdd;
  }
}

// "%%" is a literal per cent. Operators such as %REQ(x)% would need the request.
std::optional<std::string> literalText(const std::string& value, base::FieldReport& report) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    text += value[i];
    if (value[i] != '%') continue;
    if (i + 1 < value.size() && value[i + 1] == '%') {
      ++i;
      continue;
    }
    report.error("header.value", "unsupported_value", value,
                 "command operators are not supported in headers yet; write a literal value, and "
                 "\"%%\" for a per cent sign");
    return std::nullopt;
  }
  return text;
}

}  // namespace

std::vector<route::HeaderEdit> toHeaderEdits(
    const google::protobuf::RepeatedPtrField<HeaderValueOption>& proto, std::string_view field,
    base::FieldReport& report) {
  std::vector<route::HeaderEdit> edits;
  edits.reserve(static_cast<size_t>(proto.size()));
  for (int i = 0; i < proto.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    const auto& header = proto[i].header();
    if (isProtected(header.key())) {
      report.error("header.key", "unsupported_value", header.key(),
                   "headers that begin with \":\" and Host cannot be changed here; use "
                   "host_rewrite_literal or prefix_rewrite of the route");
      continue;
    }
    std::optional<std::string> value =
        literalText(header.raw_value().empty() ? header.value() : header.raw_value(), report);
    if (!value.has_value()) continue;
    if (value->empty() && !proto[i].keep_empty_value()) continue;  // as Envoy: nothing is added
    edits.push_back({lower(header.key()), *std::move(value), actionOf(proto[i])});
  }
  return edits;
}

std::vector<std::string> toRemovedHeaders(
    const google::protobuf::RepeatedPtrField<std::string>& proto, std::string_view field,
    base::FieldReport& report) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(proto.size()));
  for (int i = 0; i < proto.size(); ++i) {
    if (isProtected(proto[i])) {
      auto at = report.in(field, static_cast<size_t>(i));
      report.error("unsupported_value", proto[i],
                   "headers that begin with \":\" and Host cannot be removed");
      continue;
    }
    names.push_back(lower(proto[i]));
  }
  return names;
}

}  // namespace convoy::config
