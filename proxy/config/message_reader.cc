#include "proxy/config/message_reader.h"

#include <cctype>
#include <limits>
#include <map>
#include <utility>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/time_util.h"
#include "proxy/base/strings.h"
#include "proxy/config/scalars.h"
#include "proxy/config/utf8.h"

namespace convoy::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DynamicCastToGenerated;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = DocumentNode::Kind;

const char* kindName(Kind kind) {
  switch (kind) {
    case Kind::Null:
      return "null";
    case Kind::Scalar:
      return "a scalar";
    case Kind::List:
      return "a list";
    case Kind::Map:
      return "a map";
  }
  return "";
}

bool isWrapper(const Descriptor& type) {
  return type.file()->name() == "google/protobuf/wrappers.proto";
}

// Types whose JSON form is not a map of their fields.
bool hasOwnForm(const Descriptor& type) {
  const std::string& name = type.full_name();
  return isWrapper(type) || name == "google.protobuf.Any" || name == "google.protobuf.Duration" ||
         name == "google.protobuf.Timestamp" || name == "google.protobuf.Struct" ||
         name == "google.protobuf.Value" || name == "google.protobuf.ListValue" ||
         name == "google.protobuf.FieldMask";
}

class Reader {
 public:
  Reader(const ReadOptions& options, base::FieldReport* report)
      : options_(options), report_(*report) {}

  void read(const DocumentNode& node, Message* message) {
    const Descriptor& type = *message->GetDescriptor();
    if (hasOwnForm(type)) return readOwnForm(node, type, message);
    if (node.kind == Kind::Null) return;
    if (!expect(node, Kind::Map, "must be a map of fields")) return;
    readFields(node, message, /*skip=*/{});
  }

 private:
  void error(std::string_view rule, const DocumentNode& node, std::string hint) {
    report_.error(rule, node.text, std::move(hint));
  }

  bool expect(const DocumentNode& node, Kind kind, std::string hint) {
    if (node.kind == kind) return true;
    error("type", node, hint + ", not " + kindName(node.kind));
    return false;
  }

  template <typename T>
  bool take(const DocumentNode& node, Scalar<T> scalar, T* out) {
    if (scalar.index() == 0) {
      *out = std::get<0>(std::move(scalar));
      return true;
    }
    error("type", node, std::get<1>(std::move(scalar)));
    return false;
  }

  void readFields(const DocumentNode& node, Message* message, std::string_view skip) {
    std::map<const FieldDescriptor*, const DocumentEntry*> seen;
    std::map<const google::protobuf::OneofDescriptor*, const FieldDescriptor*> chosen;
    for (const DocumentEntry& entry : node.entries) {
      if (entry.key == skip && !skip.empty()) continue;
      const FieldDescriptor* field = findField(*message->GetDescriptor(), entry.key);
      if (field == nullptr) {
        unknownField(*message->GetDescriptor(), entry);
        continue;
      }
      auto at = report_.in(field->name());
      const auto [first, fresh] = seen.emplace(field, &entry);
      if (!fresh) {
        report_.error("duplicate", entry.key,
                      "is already set as \"" + first->second->key + "\" in line " +
                          std::to_string(first->second->position.line) + "; remove one");
        continue;
      }
      if (entry.value->kind == Kind::Null && !takesNull(*field)) continue;
      if (const auto* oneof = field->real_containing_oneof(); oneof != nullptr) {
        const auto [other, only] = chosen.emplace(oneof, field);
        if (!only) {
          report_.error("oneof", "",
                        "only one of the fields of " + oneof->name() + " may be set, and \"" +
                            other->second->name() + "\" is; remove one");
          continue;
        }
      }
      readField(*entry.value, message, *field);
    }
  }

  static const FieldDescriptor* findField(const Descriptor& type, const std::string& key) {
    if (const FieldDescriptor* field = type.FindFieldByName(key); field != nullptr) return field;
    return type.FindFieldByCamelcaseName(key);
  }

  static bool takesNull(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_repeated() &&
           field.message_type()->full_name() == "google.protobuf.Value";
  }

  void unknownField(const Descriptor& type, const DocumentEntry& entry) {
    NearestName nearest(toSnakeCase(entry.key));
    for (int i = 0; i < type.field_count(); ++i) nearest.consider(type.field(i)->name());
    auto at = report_.in(isFieldName(entry.key) ? entry.key : std::string());
    std::string hint = type.full_name() + " has no such field" + nearest.suggestion();
    if (entry.key == "<<") hint = "merge keys are not supported; write the fields out";
    if (entry.key == "@type") hint = "is only for fields of type google.protobuf.Any; remove it";
    report_.error("unknown_field", entry.key, std::move(hint));
  }

  // Could it be part of a field path?
  static bool isFieldName(const std::string& key) {
    return key.size() <= 128 && key.find_first_of(".[]\"") == std::string::npos;
  }

  void readField(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    if (field.is_map()) return readMap(node, message, field);
    if (!field.is_repeated()) return readValue(node, message, field);
    if (node.kind != Kind::List) {
      error("type", node,
            std::string("must be a list, not ") + kindName(node.kind) +
                "; write each element behind \"- \"");
      return;
    }
    for (size_t i = 0; i < node.items.size(); ++i) {
      auto at = report_.in("", i);
      if (node.items[i]->kind == Kind::Null &&
          !(field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
            field.message_type()->full_name() == "google.protobuf.Value")) {
        error("type", *node.items[i], "an element of a list must not be null");
        continue;
      }
      readValue(*node.items[i], message, field);
    }
  }

  void readMap(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    if (!expect(node, Kind::Map, "must be a map")) return;
    const FieldDescriptor& key_field = *field.message_type()->map_key();
    const FieldDescriptor& value_field = *field.message_type()->map_value();
    std::map<std::string, int> keys;
    for (const DocumentEntry& entry : node.entries) {
      auto at = report_.in("", std::string_view(entry.key));
      if (entry.value->kind == Kind::Null && !takesNull(value_field)) {
        report_.error("type", "", "the value of a map's entry must not be null");
        continue;
      }
      // The entry becomes a member of the map by reflection.
      Message* added = message->GetReflection()->AddMessage(message, &field);
      DocumentNode key;
      key.kind = Kind::Scalar;
      key.text = entry.key;
      readValue(key, added, key_field);
      if (!keys.emplace(entry.key, 0).second) {
        report_.error("duplicate", entry.key, "the key is there twice; remove one");
      }
      readValue(*entry.value, added, value_field);
    }
  }

  // One value of a singular field, or one element of a repeated one.
  void readValue(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    const Reflection& reflection = *message->GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return read(node, field.is_repeated() ? reflection.AddMessage(message, &field)
                                              : reflection.MutableMessage(message, &field));
      case FieldDescriptor::CPPTYPE_ENUM:
        return readEnum(node, message, field);
      case FieldDescriptor::CPPTYPE_STRING:
        return readString(node, message, field);
      case FieldDescriptor::CPPTYPE_BOOL: {
        bool value = false;
        if (!take(node, parseBool(node), &value)) return;
        return field.is_repeated() ? reflection.AddBool(message, &field, value)
                                   : reflection.SetBool(message, &field, value);
      }
      default:
        return readNumber(node, message, field);
    }
  }

  void readNumber(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    const Reflection& reflection = *message->GetReflection();
    int64_t integer = 0;
    uint64_t natural = 0;
    double real = 0;
    const auto signedWithin = [&](int64_t min, int64_t max) {
      return take(node, parseSigned(node, min, max), &integer);
    };
    const auto unsignedUpTo = [&](uint64_t max) {
      return take(node, parseUnsigned(node, max), &natural);
    };
    const bool many = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32: {
        using Limits = std::numeric_limits<int32_t>;
        if (!signedWithin(Limits::min(), Limits::max())) return;
        const auto value = static_cast<int32_t>(integer);
        return many ? reflection.AddInt32(message, &field, value)
                    : reflection.SetInt32(message, &field, value);
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        using Limits = std::numeric_limits<int64_t>;
        if (!signedWithin(Limits::min(), Limits::max())) return;
        return many ? reflection.AddInt64(message, &field, integer)
                    : reflection.SetInt64(message, &field, integer);
      }
      case FieldDescriptor::CPPTYPE_UINT32: {
        if (!unsignedUpTo(std::numeric_limits<uint32_t>::max())) return;
        const auto value = static_cast<uint32_t>(natural);
        return many ? reflection.AddUInt32(message, &field, value)
                    : reflection.SetUInt32(message, &field, value);
      }
      case FieldDescriptor::CPPTYPE_UINT64:
        if (!unsignedUpTo(std::numeric_limits<uint64_t>::max())) return;
        return many ? reflection.AddUInt64(message, &field, natural)
                    : reflection.SetUInt64(message, &field, natural);
      case FieldDescriptor::CPPTYPE_FLOAT: {
        if (!take(node, parseDouble(node), &real)) return;
        const auto value = static_cast<float>(real);
        return many ? reflection.AddFloat(message, &field, value)
                    : reflection.SetFloat(message, &field, value);
      }
      default:
        if (!take(node, parseDouble(node), &real)) return;
        return many ? reflection.AddDouble(message, &field, real)
                    : reflection.SetDouble(message, &field, real);
    }
  }

  void readString(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    if (!expect(node, Kind::Scalar, "must be a string")) return;
    std::string value = node.text;
    if (field.type() == FieldDescriptor::TYPE_BYTES) {
      if (!take(node, parseBytes(node), &value)) return;
    } else if (!isUtf8(value)) {
      report_.error("utf8", "", "must be valid UTF-8");
      return;
    }
    const Reflection& reflection = *message->GetReflection();
    return field.is_repeated() ? reflection.AddString(message, &field, std::move(value))
                               : reflection.SetString(message, &field, std::move(value));
  }

  void readEnum(const DocumentNode& node, Message* message, const FieldDescriptor& field) {
    if (!expect(node, Kind::Scalar, "must be the name of a value")) return;
    const EnumDescriptor& type = *field.enum_type();
    const std::optional<int> number = enumNumber(node, type);
    if (!number.has_value()) return;
    const Reflection& reflection = *message->GetReflection();
    return field.is_repeated() ? reflection.AddEnumValue(message, &field, *number)
                               : reflection.SetEnumValue(message, &field, *number);
  }

  std::optional<int> enumNumber(const DocumentNode& node, const EnumDescriptor& type) {
    if (const auto* value = type.FindValueByName(node.text); value != nullptr) {
      return value->number();
    }
    using Limits = std::numeric_limits<int32_t>;
    const Scalar<int64_t> number = parseSigned(node, Limits::min(), Limits::max());
    if (number.index() == 0) {
      const int value = static_cast<int>(std::get<0>(number));
      if (type.FindValueByNumber(value) != nullptr) return value;
    }
    NearestName nearest(node.text);
    std::string all;
    for (int i = 0; i < type.value_count(); ++i) {
      const std::string shown =
          options_.for_people ? shortName(*type.value(i)) : type.value(i)->name();
      if (options_.for_people && base::equalsIgnoreCase(shown, node.text)) {
        return type.value(i)->number();
      }
      nearest.consider(shown);
      if (type.value(i)->number() != 0 || !options_.for_people) all += ", " + shown;
    }
    const std::string way_out = nearest.best().empty()
                                    ? ": " + all.substr(std::min<size_t>(2, all.size()))
                                    : nearest.suggestion();
    error("enum", node, "is no value of " + type.full_name() + way_out);
    return std::nullopt;
  }

  // ALGORITHM_ROUND_ROBIN of an enum Algorithm is round_robin.
  static std::string shortName(const EnumValueDescriptor& value) {
    std::string prefix = toSnakeCase(value.type()->name()) + "_";
    std::string name = value.name();
    for (char& c : name) c = base::asciiLower(c);
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  }

  void readOwnForm(const DocumentNode& node, const Descriptor& type, Message* message) {
    const std::string& name = type.full_name();
    if (name == "google.protobuf.Any") {
      readAny(node, DynamicCastToGenerated<google::protobuf::Any>(message));
    } else if (name == "google.protobuf.Duration") {
      readDuration(node, DynamicCastToGenerated<google::protobuf::Duration>(message));
    } else if (name == "google.protobuf.Timestamp") {
      readTimestamp(node, DynamicCastToGenerated<google::protobuf::Timestamp>(message));
    } else if (name == "google.protobuf.Struct") {
      readStruct(node, DynamicCastToGenerated<google::protobuf::Struct>(message));
    } else if (name == "google.protobuf.Value") {
      readAnyJson(node, DynamicCastToGenerated<google::protobuf::Value>(message));
    } else if (name == "google.protobuf.ListValue") {
      if (!expect(node, Kind::List, "must be a list")) return;
      readList(node, DynamicCastToGenerated<google::protobuf::ListValue>(message));
    } else if (name == "google.protobuf.FieldMask") {
      readFieldMask(node, message);
    } else {
      readValue(node, message, *type.FindFieldByName("value"));
    }
  }

  void readAny(const DocumentNode& node, google::protobuf::Any* any) {
    if (node.kind == Kind::Null || (node.kind == Kind::Map && node.entries.empty())) return;
    if (!expect(node, Kind::Map, "must be a map with \"@type\"")) return;
    const DocumentEntry* type_entry = node.find("@type");
    if (type_entry == nullptr || type_entry->value->kind != Kind::Scalar) {
      report_.error("@type", "required", "",
                    "is needed to know the type, such as \"@type\": type.googleapis.com/"
                    "envoy.extensions.filters.http.router.v3.Router");
      return;
    }
    const std::string& url = type_entry->value->text;
    const Descriptor* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
            url.substr(url.rfind('/') + 1));
    const Message* prototype =
        type == nullptr ? nullptr
                        : google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
    if (prototype == nullptr || url.find('/') == std::string::npos) {
      auto at = report_.in("@type");
      report_.error("unknown_type", url,
                    "this build has no such type; it is an extension that is not supported "
                    "(docs/reference/fields.md lists those that are), or misspelt: write "
                    "type.googleapis.com/ and the full name of an Envoy v3 message");
      return;
    }
    std::unique_ptr<Message> inner(prototype->New());
    if (hasOwnForm(*type)) {
      const DocumentEntry* value = node.find("value");
      if (value != nullptr) read(*value->value, inner.get());
    } else {
      readFields(node, inner.get(), "@type");
    }
    any->set_type_url(url);
    inner->SerializePartialToString(any->mutable_value());
  }

  void readDuration(const DocumentNode& node, google::protobuf::Duration* duration) {
    SecondsAndNanos value;
    if (!take(node, parseDuration(node, options_.for_people), &value)) return;
    duration->set_seconds(value.seconds);
    duration->set_nanos(value.nanos);
  }

  void readTimestamp(const DocumentNode& node, google::protobuf::Timestamp* timestamp) {
    if (node.kind != Kind::Scalar ||
        !google::protobuf::util::TimeUtil::FromString(node.text, timestamp)) {
      error("type", node, "must be a time such as \"2024-01-31T12:00:00Z\"");
    }
  }

  void readFieldMask(const DocumentNode& node, Message* message) {
    if (!expect(node, Kind::Scalar, "must be field paths with commas between them")) return;
    std::string_view rest = node.text;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      message->GetReflection()->AddString(message,
                                          message->GetDescriptor()->FindFieldByName("paths"),
                                          toSnakeCase(rest.substr(0, comma)));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }

  void readStruct(const DocumentNode& node, google::protobuf::Struct* message) {
    if (!expect(node, Kind::Map, "must be a map")) return;
    for (const DocumentEntry& entry : node.entries) {
      if (!isUtf8(entry.key)) {
        report_.error("utf8", "", "a key must be valid UTF-8");
        continue;
      }
      auto at = report_.in("", std::string_view(entry.key));
      readAnyJson(*entry.value, &(*message->mutable_fields())[entry.key]);
    }
  }

  void readList(const DocumentNode& node, google::protobuf::ListValue* list) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      auto at = report_.in("", i);
      readAnyJson(*node.items[i], list->add_values());
    }
  }

  void readAnyJson(const DocumentNode& node, google::protobuf::Value* value) {
    switch (node.kind) {
      case Kind::Null:
        value->set_null_value(google::protobuf::NULL_VALUE);
        return;
      case Kind::List:
        return readList(node, value->mutable_list_value());
      case Kind::Map:
        return readStruct(node, value->mutable_struct_value());
      case Kind::Scalar:
        break;
    }
    auto resolved = resolvePlain(node);
    if (const bool* truth = std::get_if<bool>(&resolved)) {
      value->set_bool_value(*truth);
    } else if (const double* number = std::get_if<double>(&resolved)) {
      value->set_number_value(*number);
    } else if (isUtf8(node.text)) {
      value->set_string_value(node.text);
    } else {
      report_.error("utf8", "", "must be valid UTF-8");
    }
  }

  const ReadOptions& options_;
  base::FieldReport& report_;
};

}  // namespace

void readMessage(const DocumentNode& node, const ReadOptions& options,
                 google::protobuf::Message* message, base::FieldReport* report) {
  Reader(options, report).read(node, message);
}

}  // namespace convoy::config
