#include "proxy/config/field_text.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "proxy/config/field_reader.h"

namespace convoy::config {
namespace {

using google::protobuf::DynamicCastToGenerated;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string messageText(const Message& message) {
  if (const auto* duration = DynamicCastToGenerated<google::protobuf::Duration>(&message)) {
    return durationText(*duration);
  }
  // Wrappers, and messages such as Percent.
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  if (type.field_count() != 1 || type.field(0)->name() != "value") return "";
  return fieldText(message, *type.field(0));
}

}  // namespace

std::string durationText(const google::protobuf::Duration& duration) {
  std::string text = std::to_string(duration.seconds());
  if (duration.nanos() != 0) {
    const bool negative = duration.nanos() < 0;
    if (negative && duration.seconds() == 0) text = "-0";
    const int64_t nanos = negative ? -int64_t{duration.nanos()} : duration.nanos();
    std::string digits = std::to_string(1'000'000'000 + nanos).substr(1);
    digits.resize(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + "s";
}

std::string fieldText(const Message& message, const FieldDescriptor& field, int index) {
  if (field.is_repeated() && index < 0) return "";
  const FieldReader value(message, field, index);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return value.boolean() ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(value.int32());
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(value.int64());
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(value.uint32());
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(value.uint64());
    case FieldDescriptor::CPPTYPE_FLOAT:
      return numberText(value.real32());
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return numberText(value.real64());
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? "" : value.string();
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* named = field.enum_type()->FindValueByNumber(value.enumNumber());
      return named == nullptr ? std::to_string(value.enumNumber()) : named->name();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return messageText(value.message());
  }
  return "";
}

}  // namespace convoy::config
