#include "proxy/base/field_report.h"

#include <utility>

#include "proxy/base/strings.h"

namespace convoy::base {

FieldReport::Scope FieldReport::in(std::string_view field) {
  const size_t length = path_.size();
  if (length != 0 && !field.empty()) path_ += '.';
  path_ += field;
  return {this, length};
}

FieldReport::Scope FieldReport::in(std::string_view field, size_t index) {
  const size_t length = path_.size();
  if (length != 0 && !field.empty()) path_ += '.';
  path_ += field;
  path_ += '[';
  path_ += std::to_string(index);
  path_ += ']';
  return {this, length};
}

FieldReport::Scope FieldReport::in(std::string_view field, std::string_view key) {
  const size_t length = path_.size();
  if (length != 0 && !field.empty()) path_ += '.';
  path_ += field;
  path_ += "[\"";
  path_ += shownValue(key);
  path_ += "\"]";
  return {this, length};
}

void FieldReport::error(std::string_view rule, std::string_view value, std::string hint) {
  // A check and a conversion may both find the same thing.
  for (const FieldError& known : errors_) {
    if (known.rule == rule && known.field_path == path_) return;
  }
  if (++error_count_ > kMaxErrors) return;
  errors_.push_back({path_, std::string(rule), shownValue(value), std::move(hint)});
}

void FieldReport::error(std::string_view field, std::string_view rule, std::string_view value,
                        std::string hint) {
  auto at = in(field);
  error(rule, value, std::move(hint));
}

void FieldReport::note(std::string_view field, std::string reason, bool unknown) {
  if (++note_count_ > kMaxNotes) return;
  auto at = in(field);
  notes_.push_back({path_, std::move(reason), unknown});
}

std::string shownValue(std::string_view value) {
  if (value.size() <= FieldReport::kMaxValueBytes) return std::string(value);
  constexpr std::string_view kCut = "...";
  return std::string(firstBytes(value, FieldReport::kMaxValueBytes - kCut.size())) +
         std::string(kCut);
}

}  // namespace convoy::base
