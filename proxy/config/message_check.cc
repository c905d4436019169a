#include "proxy/config/message_check.h"

#include <memory>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "proxy/config/field_table.h"
#include "proxy/config/field_text.h"
#include "proxy/config/registry.h"
#include "proxy/config/validate_rules.h"

namespace convoy::config {
namespace {

using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class Checker {
 public:
  Checker(const Context& context, base::FieldReport& report)
      : context_(context), table_(FieldTable::builtin()), report_(report) {}

  void check(const Message& message) {
    checkUnknownFields(message);
    checkRules(message, report_);
    const MessageEntry* entry = table_.find(message.GetDescriptor()->full_name());
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const FieldEntry* row = entry == nullptr ? nullptr : entry->find(field->name());
      checkField(message, *field, row);
    }
  }

 private:
  void checkUnknownFields(const Message& message) {
    const auto& unknown = message.GetReflection()->GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count(); ++i) {
      const std::string field = "field_" + std::to_string(unknown.field(i).number());
      const std::string hint =
          message.GetDescriptor()->full_name() + " has no field of this number in this build";
      if (context_.refuse_unknown_fields) {
        report_.error(field, "unknown_field", "", hint);
      } else {
        report_.note(field, hint, /*unknown=*/true);
      }
    }
  }

  void checkField(const Message& message, const FieldDescriptor& field, const FieldEntry* row) {
    const FieldClass field_class = row == nullptr ? FieldClass::Refused : row->field_class;
    switch (field_class) {
      case FieldClass::Honoured:
        return descend(message, field);
      case FieldClass::NoEffect:
        return report_.note(field.name(), row->reason);
      case FieldClass::Refused:
        break;
    }
    const std::string value = fieldText(message, field);
    if (row != nullptr && !row->harmless.empty() && value == row->harmless) return;
    std::string hint = row == nullptr ? "is not known to this build" : row->reason;
    if (row != nullptr && !row->harmless.empty())
      hint += "; write " + row->harmless + " or remove it";
    report_.error(field.name(), "unsupported_field", value, "is not supported: " + hint);
  }

  void descend(const Message& message, const FieldDescriptor& field) {
    const auto& reflection = *message.GetReflection();
    if (field.is_map()) return descendMap(message, field);
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    if (!field.is_repeated()) {
      auto at = report_.in(field.name());
      return checkInner(reflection.GetMessage(message, &field));
    }
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      auto at = report_.in(field.name(), static_cast<size_t>(i));
      checkInner(reflection.GetRepeatedMessage(message, &field, i));
    }
  }

  void descendMap(const Message& message, const FieldDescriptor& field) {
    const FieldDescriptor& key = *field.message_type()->map_key();
    const FieldDescriptor& value = *field.message_type()->map_value();
    if (value.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return;
    const auto& reflection = *message.GetReflection();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      const std::string name = fieldText(entry, key);
      auto at = report_.in(field.name(), std::string_view(name));
      checkInner(entry.GetReflection()->GetMessage(entry, &value));
    }
  }

  void checkInner(const Message& message) {
    if (const auto* any = DynamicCastToGenerated<google::protobuf::Any>(&message)) {
      if (const auto inner = openTypedStruct(*any); inner.has_value()) return checkInner(*inner);
      // A type that the table does not have is the converter's to refuse.
      if (table_.find(typeName(*any)) == nullptr) return;
      const std::unique_ptr<Message> inner = unpackAny(*any);
      if (inner != nullptr) check(*inner);
      return;
    }
    if (!isValueType(*message.GetDescriptor())) check(message);
  }

  const Context& context_;
  const FieldTable& table_;
  base::FieldReport& report_;
};

}  // namespace

void checkMessage(const Message& message, const Context& context, base::FieldReport& report) {
  Checker(context, report).check(message);
}

}  // namespace convoy::config
