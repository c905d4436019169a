#include "proxy/admin/redaction.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/struct.pb.h"
#include "udpa/annotations/sensitive.pb.h"

namespace convoy::admin {

namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
using google::protobuf::Reflection;
using google::protobuf::Struct;

constexpr char kRedacted[] = "[redacted]";

// Secrets that Envoy's protos of this version do not mark, and ours, which cannot.
constexpr std::string_view kUnmarked[] = {
    "envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.access_token",
    "envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.google_refresh_token",
    "envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.ServiceAccountJWTAccessCredentials"
    ".json_key",
    "envoy.config.core.v3.GrpcService.GoogleGrpc.CallCredentials.GoogleIAMCredentials."
    "authorization_token",
    "convoy.ext.SignedCookie.Key.inline_bytes",
    "convoy.ext.LearnedSession.Redis.Password.inline_string",
};

class Redactor {
 public:
  void fields(Message& message, bool all);

 private:
  void field(Message& message, const FieldDescriptor& field, bool all);
  void any(Any& any, bool all);
  static void hide(Any& any, const std::string& reason);

  int depth_ = 0;
};

Struct placeholder(const std::string& reason) {
  Struct shown;
  (*shown.mutable_fields())["not_shown"].set_string_value(reason);
  return shown;
}

void Redactor::hide(Any& any, const std::string& reason) {
  any.PackFrom(placeholder(reason));
}

void Redactor::any(Any& any, bool all) {
  const std::string url = any.type_url();
  if (url.empty() && any.value().empty()) return;
  const std::string name = url.substr(url.rfind('/') + 1);
  const Descriptor* type = DescriptorPool::generated_pool()->FindMessageTypeByName(name);
  if (type == nullptr) return hide(any, "of type " + name + ", which this build does not have");
  if (depth_ == kMaxRedactionDepth) return hide(any, "of type " + name + ", nested too deep");
  std::unique_ptr<Message> inner(MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!inner->ParsePartialFromString(any.value())) {
    return hide(any, "of type " + name + ", which its bytes are not");
  }
  ++depth_;
  fields(*inner, all);
  --depth_;
  any.set_value(inner->SerializePartialAsString());
}

void Redactor::fields(Message& message, bool all) {
  const std::string& type = message.GetDescriptor()->full_name();
  if (type == "google.protobuf.Any") return any(static_cast<Any&>(message), all);
  if (all && type == "google.protobuf.Value") {
    static_cast<google::protobuf::Value&>(message).set_string_value(kRedacted);
    return;
  }
  // Its value follows the schema of another type, which may have secrets.
  const bool typed_struct = type == "xds.type.v3.TypedStruct" || type == "udpa.type.v1.TypedStruct";
  std::vector<const FieldDescriptor*> present;
  const Reflection& reflection = *message.GetReflection();
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* one : present) {
    if (typed_struct && one->name() == "value") {
      auto& value = *static_cast<Struct*>(reflection.MutableMessage(&message, one));
      if (!value.fields().empty()) value = placeholder("may hold secrets");
      continue;
    }
    // Keys tell one entry from another.
    if (message.GetDescriptor()->options().map_entry() && one->number() == 1) continue;
    field(message, *one, all || isSensitive(*one));
  }
}

void Redactor::field(Message& message, const FieldDescriptor& field, bool all) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!field.is_repeated()) return fields(*reflection.MutableMessage(&message, &field), all);
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        fields(*reflection.MutableRepeatedMessage(&message, &field, i), all);
      }
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      if (!all) return;
      if (!field.is_repeated()) return reflection.SetString(&message, &field, kRedacted);
      for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
        reflection.SetRepeatedString(&message, &field, i, kRedacted);
      }
      return;
    default:
      if (all) reflection.ClearField(&message, &field);
  }
}

}  // namespace

bool isSensitive(const FieldDescriptor& field) {
  if (field.options().GetExtension(udpa::annotations::sensitive)) return true;
  for (const std::string_view name : kUnmarked) {
    if (field.full_name() == name) return true;
  }
  return false;
}

void redact(Message& message) {
  Redactor().fields(message, /*all=*/false);
}

}  // namespace convoy::admin
