#include "proxy/config/message_check.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "proxy/config/registry.h"

namespace convoy::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

class Checker {
 public:
  Checker(const Context& context, base::FieldReport& report) : context_(context), report_(report) {}

  void check(const Message& message) {
    checkUnknownFields(message);
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) descend(message, *field);
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

  void descend(const Message& message, const FieldDescriptor& field) {
    if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field.is_map()) return;
    const auto& reflection = *message.GetReflection();
    if (!field.is_repeated()) {
      auto at = report_.in(field.name());
      return check(reflection.GetMessage(message, &field));
    }
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      auto at = report_.in(field.name(), static_cast<size_t>(i));
      check(reflection.GetRepeatedMessage(message, &field, i));
    }
  }

  const Context& context_;
  base::FieldReport& report_;
};

}  // namespace

void checkMessage(const Message& message, const Context& context, base::FieldReport& report) {
  Checker(context, report).check(message);
}

}  // namespace convoy::config
