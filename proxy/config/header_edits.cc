#include "proxy/config/header_edits.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "proxy/base/strings.h"
#include "proxy/http/log_format_spec.h"

namespace convoy::config {
namespace {

using Action = route::HeaderEdit::Action;
using envoy::config::core::v3::HeaderValueOption;

// RFC 9110 5.6.2.
bool isTokenByte(char c) {
  const char folded = base::asciiLower(c);
  return (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// What says where a message goes, how it is framed, and what belongs to one connection: that is
// the codecs' and the router's.
constexpr std::string_view kProtected[] = {
    "host",       "content-length",   "transfer-encoding", "connection",
    "keep-alive", "proxy-connection", "upgrade",           "te",
    "trailer",    "http2-settings",
};

// True if the name may be edited; else says why not, at `field` or, if that is empty, here.
bool mayEdit(std::string_view name, std::string_view field, base::FieldReport& report) {
  const auto refuse = [&](std::string reason) {
    field.empty() ? report.error("unsupported_value", name, std::move(reason))
                  : report.error(field, "unsupported_value", name, std::move(reason));
    return false;
  };
  if (name.starts_with(':') || base::equalsIgnoreCase(name, "host")) {
    return refuse(
        "headers that begin with \":\" and Host cannot be changed here; use "
        "host_rewrite_literal or prefix_rewrite of the route");
  }
  for (const std::string_view known : kProtected) {
    if (!base::equalsIgnoreCase(name, known)) continue;
    return refuse("says how messages are framed or belongs to one connection; cannot be edited");
  }
  if (name.empty() || !std::all_of(name.begin(), name.end(), isTokenByte)) {
    return refuse("is no header name: letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110 5.6.2)");
  }
  return true;
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

// Takes the value as literal text, or as a format if it has Envoy's operators. "%%" is a literal
// per cent. A literal has no blanks at its ends: such a value is malformed (RFC 9113 8.2.1). Those
// of what a format gives are taken off when it is known.
bool setValue(const std::string& value, route::HeaderEdit* edit, base::FieldReport& report) {
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  if (std::any_of(value.begin(), value.end(), is_control)) {
    report.error("header.value", "syntax", "", "a header's value has no control characters");
    return false;
  }
  auto pieces = http::parseLogFormat(value);
  if (!pieces.ok()) {
    report.error("header.value", "unsupported_value", value,
                 std::string(pieces.status().message()));
    return false;
  }
  const bool literal = std::all_of(pieces->begin(), pieces->end(), [](const http::LogPiece& piece) {
    return piece.op == http::LogOperator::Literal;
  });
  if (!literal) {
    edit->format = *std::move(pieces);
    return true;
  }
  for (const http::LogPiece& piece : *pieces) edit->value += piece.text;
  absl::StripAsciiWhitespace(&edit->value);
  return true;
}

}  // namespace

std::optional<route::HeaderEdit> toHeaderEdit(const HeaderValueOption& proto,
                                              base::FieldReport& report) {
  const auto& header = proto.header();
  if (!mayEdit(header.key(), "header.key", report)) return std::nullopt;
  route::HeaderEdit edit;
  edit.name = lower(header.key());
  edit.action = actionOf(proto);
  edit.keep_empty = proto.keep_empty_value();
  const std::string& value = header.raw_value().empty() ? header.value() : header.raw_value();
  if (!setValue(value, &edit, report)) return std::nullopt;
  // As Envoy, for which blanks are a value: what they overwrite is gone.
  if (value.empty() && !edit.keep_empty) return std::nullopt;
  return edit;
}

std::optional<route::HeaderEdit> toRemoval(const std::string& name, base::FieldReport& report) {
  if (!mayEdit(name, "", report)) return std::nullopt;
  return route::HeaderEdit{lower(name), "", Action::Remove};
}

std::vector<route::HeaderEdit> toHeaderEdits(
    const google::protobuf::RepeatedPtrField<HeaderValueOption>& proto, std::string_view field,
    base::FieldReport& report) {
  std::vector<route::HeaderEdit> edits;
  edits.reserve(static_cast<size_t>(proto.size()));
  for (int i = 0; i < proto.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    auto edit = toHeaderEdit(proto[i], report);
    if (edit.has_value()) edits.push_back(*std::move(edit));
  }
  return edits;
}

std::vector<std::string> toRemovedHeaders(
    const google::protobuf::RepeatedPtrField<std::string>& proto, std::string_view field,
    base::FieldReport& report) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(proto.size()));
  for (int i = 0; i < proto.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    if (mayEdit(proto[i], "", report)) names.push_back(lower(proto[i]));
  }
  return names;
}

}  // namespace convoy::config
