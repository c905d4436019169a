#include "proxy/config/validate_rules.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <unordered_set>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "proxy/config/field_reader.h"
#include "proxy/config/field_text.h"
#include "validate/validate.pb.h"

namespace convoy::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::OneofDescriptor;
using google::protobuf::Reflection;
using validate::FieldRules;

// What a broken rule is called, and how to keep it. Unset: the value is fine.
struct Broken {
  std::string rule;
  std::string hint;
};
using Verdict = std::optional<Broken>;

template <typename T>
std::string show(const T& value) {
  return numberText(value);
}
std::string show(const google::protobuf::Duration& value) {
  return durationText(value);
}

// "must be greater than 0 and at most 100" out of lt, lte, gt and gte.
template <typename Rules>
std::string rangeText(const Rules& rules) {
  std::string text;
  const auto add = [&text](bool has, const char* words, const auto& bound) {
    if (has) text += (text.empty() ? "must be " : " and ") + (words + show(bound));
  };
  add(rules.has_gt(), "greater than ", rules.gt());
  add(rules.has_gte(), "at least ", rules.gte());
  add(rules.has_lt(), "less than ", rules.lt());
  add(rules.has_lte(), "at most ", rules.lte());
  return text;
}

template <typename List>
std::string listText(const List& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + show(item);
  return text;
}

// Rules of numbers, of durations, and of what else has an order.
template <typename Rules, typename T, typename Less>
Verdict checkOrdered(const Rules& rules, const T& value, Less less) {
  const auto equals = [&](const T& other) { return !less(value, other) && !less(other, value); };
  if (rules.has_const_() && !equals(rules.const_())) {
    return Broken{"const", "must be " + show(rules.const_())};
  }
  if ((rules.has_lt() && !less(value, rules.lt())) ||
      (rules.has_lte() && less(rules.lte(), value)) ||
      (rules.has_gt() && !less(rules.gt(), value)) ||
      (rules.has_gte() && less(value, rules.gte()))) {
    return Broken{"range", rangeText(rules)};
  }
  const auto among = [&](const auto& list) {
    return std::any_of(list.begin(), list.end(), equals);
  };
  if (!rules.in().empty() && !among(rules.in())) {
    return Broken{"in", "must be one of " + listText(rules.in())};
  }
  if (among(rules.not_in())) return Broken{"not_in", "must be none of " + listText(rules.not_in())};
  return std::nullopt;
}

template <typename Rules, typename T>
Verdict checkNumber(const Rules& rules, T value) {
  if (rules.ignore_empty() && value == T()) return std::nullopt;
  return checkOrdered(rules, value, [](T a, T b) { return a < b; });
}

bool isLess(const google::protobuf::Duration& a, const google::protobuf::Duration& b) {
  return a.seconds() != b.seconds() ? a.seconds() < b.seconds() : a.nanos() < b.nanos();
}

size_t codePoints(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

Verdict checkLength(size_t length, const char* unit, std::optional<uint64_t> exact,
                    std::optional<uint64_t> min, std::optional<uint64_t> max) {
  if (length == 0 && min.has_value() && *min > 0) return Broken{"required", "must not be empty"};
  if (exact.has_value() && length != *exact) {
    return Broken{"length", "must have " + std::to_string(*exact) + unit};
  }
  if (min.has_value() && length < *min) {
    return Broken{"length", "must have at least " + std::to_string(*min) + unit};
  }
  if (max.has_value() && length > *max) {
    return Broken{"length", "must have at most " + std::to_string(*max) + unit};
  }
  return std::nullopt;
}

std::optional<uint64_t> bound(bool has, uint64_t value) {
  return has ? std::optional<uint64_t>(value) : std::nullopt;
}

Verdict checkHeaderText(const validate::StringRules& rules, const std::string& value) {
  const bool strict = rules.strict();
  if (!strict) {
    const std::string_view forbidden("\0\r\n", 3);
    if (value.find_first_of(forbidden) == std::string::npos) return std::nullopt;
    return Broken{"header", "must not contain line breaks or zero bytes"};
  }
  const bool name = rules.well_known_regex() == validate::HTTP_HEADER_NAME;
  const auto bad = [name](unsigned char c) {
    if (!name) return (c < 0x20 && c != '\t') || c == 0x7F;
    return !std::isalnum(c) &&
           std::string_view("!#$%&'*+-.^_|~`").find(static_cast<char>(c)) == std::string_view::npos;
  };
  std::string_view text = value;
  if (name && text.starts_with(':')) text.remove_prefix(1);
  if ((!name || !text.empty()) && std::none_of(text.begin(), text.end(), bad)) return std::nullopt;
  return Broken{"header", name ? "must be the name of a header" : "must be the value of a header"};
}

Verdict checkText(const validate::StringRules& rules, const std::string& value) {
  if (rules.ignore_empty() && value.empty()) return std::nullopt;
  if (rules.has_const_() && value != rules.const_()) {
    return Broken{"const", "must be \"" + rules.const_() + "\""};
  }
  const size_t points = codePoints(value);
  if (Verdict v = checkLength(points, " characters", bound(rules.has_len(), rules.len()),
                              bound(rules.has_min_len(), rules.min_len()),
                              bound(rules.has_max_len(), rules.max_len()))) {
    return v;
  }
  if (Verdict v =
          checkLength(value.size(), " bytes", bound(rules.has_len_bytes(), rules.len_bytes()),
                      bound(rules.has_min_bytes(), rules.min_bytes()),
                      bound(rules.has_max_bytes(), rules.max_bytes()))) {
    return v;
  }
  if (rules.has_pattern() && !RE2::PartialMatch(value, rules.pattern())) {
    return Broken{"pattern", "must match the regular expression " + rules.pattern()};
  }
  const std::string_view text = value;
  if (!text.starts_with(rules.prefix())) {
    return Broken{"prefix", "must begin with \"" + rules.prefix() + "\""};
  }
  if (!text.ends_with(rules.suffix())) {
    return Broken{"suffix", "must end with \"" + rules.suffix() + "\""};
  }
  if (text.find(rules.contains()) == std::string_view::npos) {
    return Broken{"contains", "must contain \"" + rules.contains() + "\""};
  }
  if (rules.has_not_contains() && text.find(rules.not_contains()) != std::string_view::npos) {
    return Broken{"not_contains", "must not contain \"" + rules.not_contains() + "\""};
  }
  const auto among = [&](const auto& list) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (!rules.in().empty() && !among(rules.in())) {
    return Broken{"in", "must be one of " + listText(rules.in())};
  }
  if (among(rules.not_in())) return Broken{"not_in", "must be none of " + listText(rules.not_in())};
  if (rules.has_well_known_regex()) return checkHeaderText(rules, value);
  return std::nullopt;
}

Verdict checkBytes(const validate::BytesRules& rules, const std::string& value) {
  if (rules.ignore_empty() && value.empty()) return std::nullopt;
  return checkLength(value.size(), " bytes", bound(rules.has_len(), rules.len()),
                     bound(rules.has_min_len(), rules.min_len()),
                     bound(rules.has_max_len(), rules.max_len()));
}

Verdict checkEnum(const validate::EnumRules& rules, const FieldDescriptor& field, int value) {
  if (rules.has_const_() && value != rules.const_()) {
    return Broken{"const", "must be " + std::to_string(rules.const_())};
  }
  if (rules.defined_only() && field.enum_type()->FindValueByNumber(value) == nullptr) {
    return Broken{"enum", "is no value of " + field.enum_type()->full_name()};
  }
  const auto among = [&](const auto& list) {
    return std::find(list.begin(), list.end(), value) != list.end();
  };
  if (!rules.in().empty() && !among(rules.in())) {
    return Broken{"in", "must be one of " + listText(rules.in())};
  }
  if (among(rules.not_in())) return Broken{"not_in", "must be none of " + listText(rules.not_in())};
  return std::nullopt;
}

Verdict checkAny(const validate::AnyRules& rules, const google::protobuf::Any& any) {
  const auto among = [&](const auto& list) {
    return std::find(list.begin(), list.end(), any.type_url()) != list.end();
  };
  if (!rules.in().empty() && !among(rules.in())) {
    return Broken{"in", "must be of one of the types " + listText(rules.in())};
  }
  if (among(rules.not_in())) {
    return Broken{"not_in", "must be of none of the types " + listText(rules.not_in())};
  }
  return std::nullopt;
}

bool isWrapper(const Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto";
}

Verdict checkValue(const FieldRules& rules, const FieldDescriptor& field,
                   const FieldReader& value) {
  switch (rules.type_case()) {
    case FieldRules::kFloat:
      return checkNumber(rules.float_(), value.real32());
    case FieldRules::kDouble:
      return checkNumber(rules.double_(), value.real64());
    case FieldRules::kInt32:
      return checkNumber(rules.int32(), value.int32());
    case FieldRules::kSint32:
      return checkNumber(rules.sint32(), value.int32());
    case FieldRules::kSfixed32:
      return checkNumber(rules.sfixed32(), value.int32());
    case FieldRules::kInt64:
      return checkNumber(rules.int64(), value.int64());
    case FieldRules::kSint64:
      return checkNumber(rules.sint64(), value.int64());
    case FieldRules::kSfixed64:
      return checkNumber(rules.sfixed64(), value.int64());
    case FieldRules::kUint32:
      return checkNumber(rules.uint32(), value.uint32());
    case FieldRules::kFixed32:
      return checkNumber(rules.fixed32(), value.uint32());
    case FieldRules::kUint64:
      return checkNumber(rules.uint64(), value.uint64());
    case FieldRules::kFixed64:
      return checkNumber(rules.fixed64(), value.uint64());
    case FieldRules::kBool:
      if (!rules.bool_().has_const_() || value.boolean() == rules.bool_().const_()) return {};
      return Broken{"const", rules.bool_().const_() ? "must be true" : "must be false"};
    case FieldRules::kString:
      return checkText(rules.string(), value.string());
    case FieldRules::kBytes:
      return checkBytes(rules.bytes(), value.string());
    case FieldRules::kEnum:
      return checkEnum(rules.enum_(), field, value.enumNumber());
    case FieldRules::kDuration:
      return checkOrdered(rules.duration(),
                          *DynamicCastToGenerated<google::protobuf::Duration>(&value.message()),
                          isLess);
    case FieldRules::kAny:
      return checkAny(rules.any(),
                      *DynamicCastToGenerated<google::protobuf::Any>(&value.message()));
    default:
      return std::nullopt;
  }
}

bool isRequired(const FieldRules& rules) {
  return rules.message().required() || rules.duration().required() ||
         rules.timestamp().required() || rules.any().required();
}

class Rules {
 public:
  Rules(const Message& message, base::FieldReport& report)
      : message_(message), reflection_(*message.GetReflection()), report_(report) {}

  void check() {
    const Descriptor& type = *message_.GetDescriptor();
    if (type.options().GetExtension(validate::disabled)) return;
    for (int i = 0; i < type.real_oneof_decl_count(); ++i) checkOneof(*type.oneof_decl(i));
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (field.options().HasExtension(validate::rules)) {
        checkField(field, field.options().GetExtension(validate::rules));
      }
    }
  }

 private:
  void checkOneof(const OneofDescriptor& oneof) {
    if (!oneof.options().GetExtension(validate::required) ||
        reflection_.HasOneof(message_, &oneof)) {
      return;
    }
    std::string names;
    for (int i = 0; i < oneof.field_count(); ++i) {
      names += (i == 0 ? "" : ", ") + oneof.field(i)->name();
    }
    report_.error("required", "", "one of these is needed: " + names);
  }

  void checkField(const FieldDescriptor& field, const FieldRules& rules) {
    if (field.is_map()) return checkMap(field, rules.map());
    if (field.is_repeated()) return checkRepeated(field, rules.repeated());
    if (field.has_presence() && !reflection_.HasField(message_, &field)) {
      // Of a oneof's members, only the chosen one has to keep its rules.
      if (isRequired(rules) && field.real_containing_oneof() == nullptr) {
        report_.error(field.name(), "required", "", "is needed");
      }
      return;
    }
    judge(field, -1, rules, field.name());
  }

  // `at` is the field, or empty for an element at the report's present field.
  void judge(const FieldDescriptor& field, int index, const FieldRules& rules,
             std::string_view at) {
    const FieldReader value(message_, field, index);
    Verdict verdict;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && isWrapper(*field.message_type())) {
      const FieldDescriptor& inner = *field.message_type()->field(0);
      verdict = checkValue(rules, inner, FieldReader(value.message(), inner, -1));
    } else {
      verdict = checkValue(rules, field, value);
    }
    if (!verdict.has_value()) return;
    const std::string shown = fieldText(message_, field, index);
    if (at.empty()) {
      report_.error(verdict->rule, shown, std::move(verdict->hint));
    } else {
      report_.error(at, verdict->rule, shown, std::move(verdict->hint));
    }
  }

  void checkCount(const FieldDescriptor& field, bool has_min, uint64_t min, bool has_max,
                  uint64_t max, const char* unit) {
    const auto size = static_cast<uint64_t>(reflection_.FieldSize(message_, &field));
    if (has_min && size < min) {
      report_.error(field.name(), size == 0 ? "required" : "range",
                    size == 0 ? "" : std::to_string(size),
                    "needs at least " + std::to_string(min) + unit);
    }
    if (has_max && size > max) {
      report_.error(field.name(), "range", std::to_string(size),
                    "may have at most " + std::to_string(max) + unit);
    }
  }

  void checkRepeated(const FieldDescriptor& field, const validate::RepeatedRules& rules) {
    const int size = reflection_.FieldSize(message_, &field);
    if (rules.ignore_empty() && size == 0) return;
    checkCount(field, rules.has_min_items(), rules.min_items(), rules.has_max_items(),
               rules.max_items(), size == 0 && rules.min_items() == 1 ? " element" : " elements");
    if (!rules.has_items() && !rules.unique()) return;
    std::unordered_set<std::string> seen;
    for (int i = 0; i < size; ++i) {
      auto at = report_.in(field.name(), static_cast<size_t>(i));
      if (rules.unique() && !seen.insert(fieldText(message_, field, i)).second) {
        report_.error("duplicate", fieldText(message_, field, i), "is in the list twice");
      }
      if (rules.has_items()) judge(field, i, rules.items(), "");
    }
  }

  void checkMap(const FieldDescriptor& field, const validate::MapRules& rules) {
    const int size = reflection_.FieldSize(message_, &field);
    if (rules.ignore_empty() && size == 0) return;
    checkCount(field, rules.has_min_pairs(), rules.min_pairs(), rules.has_max_pairs(),
               rules.max_pairs(), " entries");
    if (!rules.has_keys() && !rules.has_values()) return;
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    for (int i = 0; i < size; ++i) {
      const Message& entry = reflection_.GetRepeatedMessage(message_, &field, i);
      auto at = report_.in(field.name(), std::string_view(fieldText(entry, key)));
      Rules rules_of_entry(entry, report_);
      if (rules.has_keys()) rules_of_entry.judge(key, -1, rules.keys(), "");
      if (rules.has_values()) rules_of_entry.judge(value, -1, rules.values(), "");
    }
  }

  const Message& message_;
  const Reflection& reflection_;
  base::FieldReport& report_;
};

void addUnimplemented(const FieldRules& rules, const std::string& field,
                      std::vector<std::string>* found) {
  const auto add = [&](bool has, const char* rule) {
    if (has) found->push_back(field + ": " + rule);
  };
  using Text = validate::StringRules;
  const auto& text = rules.string();
  add(text.well_known_case() != Text::WELL_KNOWN_NOT_SET &&
          text.well_known_case() != Text::kWellKnownRegex,
      "string.well_known");
  const auto& bytes = rules.bytes();
  add(bytes.has_const_() || bytes.has_pattern() || bytes.has_prefix() || bytes.has_suffix() ||
          bytes.has_contains() || bytes.in_size() != 0 || bytes.not_in_size() != 0 ||
          bytes.well_known_case() != validate::BytesRules::WELL_KNOWN_NOT_SET,
      "bytes");
  const auto& time = rules.timestamp();
  add(time.has_const_() || time.has_lt() || time.has_lte() || time.has_gt() || time.has_gte() ||
          time.lt_now() || time.gt_now() || time.has_within(),
      "timestamp");
  if (rules.repeated().has_items()) addUnimplemented(rules.repeated().items(), field, found);
  if (rules.map().has_keys()) addUnimplemented(rules.map().keys(), field, found);
  if (rules.map().has_values()) addUnimplemented(rules.map().values(), field, found);
}

}  // namespace

void checkRules(const Message& message, base::FieldReport& report) {
  Rules(message, report).check();
}

std::vector<std::string> unimplementedRules(const Descriptor& type) {
  std::vector<std::string> found;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    addUnimplemented(field.options().GetExtension(validate::rules), field.full_name(), &found);
  }
  return found;
}

}  // namespace convoy::config
