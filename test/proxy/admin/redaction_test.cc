#include "proxy/admin/redaction.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "api/convoy/ext/stateful_session.pb.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/core/v3/extension.pb.h"
#include "envoy/extensions/filters/http/ext_authz/v3/ext_authz.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/text_format.h"
#include "proxy/admin/json.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::admin {
namespace {

using google::protobuf::Any;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;
namespace tls = envoy::extensions::transport_sockets::tls::v3;

constexpr char kSecret[] = "sesame-open";

std::string redactedJson(const Message& message) {
  const std::unique_ptr<Message> copy(message.New());
  copy->CopyFrom(message);
  redact(*copy);
  const auto text = toJson(*copy);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

// --- every sensitive field of every message that this build has ---

void collect(const Descriptor* type, std::vector<const FieldDescriptor*>* out) {
  for (int i = 0; i < type->field_count(); ++i) {
    if (isSensitive(*type->field(i))) out->push_back(type->field(i));
  }
  for (int i = 0; i < type->nested_type_count(); ++i) collect(type->nested_type(i), out);
}

void collect(const FileDescriptor* file, std::set<const FileDescriptor*>* seen,
             std::vector<const FieldDescriptor*>* out) {
  if (!seen->insert(file).second) return;
  for (int i = 0; i < file->message_type_count(); ++i) collect(file->message_type(i), out);
  for (int i = 0; i < file->dependency_count(); ++i) collect(file->dependency(i), seen, out);
}

// Puts the secret into every text below the message, a few levels deep.
void fillWithSecrets(Message& message, int depth);

void fillField(Message& message, const FieldDescriptor& field, int depth) {
  const auto& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    field.is_repeated() ? reflection.AddString(&message, &field, kSecret)
                        : reflection.SetString(&message, &field, kSecret);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    fillWithSecrets(field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                        : *reflection.MutableMessage(&message, &field),
                    depth + 1);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 && !field.is_repeated()) {
    reflection.SetUInt32(&message, &field, 12345);
  }
}

void fillWithSecrets(Message& message, int depth) {
  const Descriptor* type = message.GetDescriptor();
  if (type == Any::descriptor()) {
    google::protobuf::StringValue inner;
    inner.set_value(kSecret);
    static_cast<Any&>(message).PackFrom(inner);
    return;
  }
  if (depth > 4) return;
  // The keys of a map are shown.
  const int first = type->options().map_entry() ? 1 : 0;
  for (int i = first; i < type->field_count(); ++i) fillField(message, *type->field(i), depth);
}

TEST(RedactionTest, NoFieldMarkedSensitiveIsEverShown) {
  std::set<const FileDescriptor*> seen;
  std::vector<const FieldDescriptor*> fields;
  for (const Descriptor* root :
       {envoy::config::bootstrap::v3::Bootstrap::descriptor(), ext::SignedCookie::descriptor(),
        tls::DownstreamTlsContext::descriptor(),
        envoy::extensions::filters::http::ext_authz::v3::ExtAuthzPerRoute::descriptor()}) {
    collect(root->file(), &seen, &fields);
  }
  EXPECT_GE(fields.size(), 10u);
  for (const FieldDescriptor* field : fields) {
    const std::unique_ptr<Message> message(
        MessageFactory::generated_factory()->GetPrototype(field->containing_type())->New());
    fillField(*message, *field, 0);
    // As itself, and inside an Any inside an Any.
    Any once;
    once.PackFrom(*message);
    envoy::config::core::v3::TypedExtensionConfig twice;
    twice.set_name("shown");
    twice.mutable_typed_config()->PackFrom(once);
    EXPECT_EQ(redactedJson(*message).find(kSecret), std::string::npos) << field->full_name();
    const std::string nested = redactedJson(twice);
    EXPECT_EQ(nested.find(kSecret), std::string::npos) << field->full_name();
    EXPECT_NE(nested.find("shown"), std::string::npos);
  }
}

// --- by example ---

TEST(RedactionTest, KeysOfSessionsAreOurs) {
  ext::SignedCookie cookie;
  cookie.set_name("shown");
  cookie.add_keys()->set_inline_bytes(kSecret);
  cookie.add_keys()->set_filename("/etc/key");
  const std::string json = redactedJson(cookie);
  // "[redacted]" in base64.
  EXPECT_NE(json.find("W3JlZGFjdGVkXQ=="), std::string::npos) << json;
  EXPECT_EQ(json.find("c2VzYW1l"), std::string::npos) << json;
  EXPECT_NE(json.find("shown"), std::string::npos) << json;
  EXPECT_NE(json.find("/etc/key"), std::string::npos) << json;
}

TEST(RedactionTest, PasswordsOfRedisAreOurs) {
  ext::LearnedSession session;
  session.mutable_redis()->set_cluster("shown");
  session.mutable_redis()->mutable_password()->set_inline_string(kSecret);
  const std::string json = redactedJson(session);
  EXPECT_EQ(json.find(kSecret), std::string::npos) << json;
  EXPECT_NE(json.find("shown"), std::string::npos) << json;
  EXPECT_NE(json.find("[redacted]"), std::string::npos) << json;
}

TEST(RedactionTest, ReplacesTextKeepsStructureAndLeavesTheRest) {
  tls::TlsCertificate certificate;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(certificate_chain { filename: "/chain.pem" }
         private_key { inline_bytes: "key" }
         password { filename: "/password" })",
      &certificate));
  redact(certificate);
  EXPECT_EQ(certificate.ShortDebugString(),
            "certificate_chain { filename: \"/chain.pem\" } "
            "private_key { inline_bytes: \"[redacted]\" } "
            "password { filename: \"[redacted]\" }");
}

TEST(RedactionTest, ReplacesTheValuesOfASensitiveMap) {
  envoy::extensions::filters::http::ext_authz::v3::CheckSettings settings;
  (*settings.mutable_context_extensions())["user"] = kSecret;
  (*settings.mutable_context_extensions())["team"] = kSecret;
  redact(settings);
  EXPECT_EQ(settings.context_extensions().at("user"), "[redacted]");
  EXPECT_EQ(settings.context_extensions().at("team"), "[redacted]");
}

TEST(RedactionTest, ReplacesEveryKindOfValueBelowASensitiveField) {
  tls::PrivateKeyProvider provider;
  provider.set_provider_name("hsm");
  google::protobuf::Struct config;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(fields { key: "pin" value { number_value: 4711 } }
         fields { key: "on" value { bool_value: true } }
         fields { key: "list" value { list_value { values { string_value: "x" } } } })",
      &config));
  provider.mutable_typed_config()->PackFrom(config);
  const std::string text = redactedJson(provider);
  EXPECT_EQ(text.find("4711"), std::string::npos) << text;
  EXPECT_EQ(text.find("true"), std::string::npos) << text;
  EXPECT_NE(text.find("\"pin\": \"[redacted]\""), std::string::npos) << text;
  EXPECT_NE(text.find("hsm"), std::string::npos) << text;
}

struct Hidden {
  const char* what;
  const char* type_url;
  std::string value;
  const char* reason;
};

TEST(RedactionTest, WhatCannotBeLookedIntoIsNotShown) {
  const Hidden cases[] = {
      {"unknown type", "type.googleapis.com/some.Thing", kSecret, "which this build does not have"},
      {"garbage", "type.googleapis.com/envoy.config.core.v3.Node", "\xff\xff\xff",
       "which its bytes are not"},
  };
  for (const Hidden& one : cases) {
    SCOPED_TRACE(one.what);
    Any any;
    any.set_type_url(one.type_url);
    any.set_value(one.value);
    const std::string text = redactedJson(any);
    EXPECT_EQ(text.find(kSecret), std::string::npos) << text;
    EXPECT_NE(text.find(one.reason), std::string::npos) << text;
  }
}

TEST(RedactionTest, AnEmptyAnyStaysEmpty) {
  EXPECT_EQ(redactedJson(Any()), "{}\n");
}

TEST(RedactionTest, AnyInsideAnyEndsSomewhere) {
  Any any;
  any.PackFrom(google::protobuf::Struct());
  for (int i = 0; i < 1000; ++i) {
    Any outer;
    outer.PackFrom(any);
    any = outer;
  }
  EXPECT_NE(redactedJson(any).find("nested too deep"), std::string::npos);
}

TEST(RedactionTest, TheValueOfATypedStructIsNotShown) {
  xds::type::v3::TypedStruct typed;
  typed.set_type_url("type.googleapis.com/some.Secret");
  typed.mutable_value();
  EXPECT_EQ(redactedJson(typed).find("not_shown"), std::string::npos);  // nothing to hide
  (*typed.mutable_value()->mutable_fields())["key"].set_string_value(kSecret);
  const std::string text = redactedJson(typed);
  EXPECT_EQ(text.find(kSecret), std::string::npos) << text;
  EXPECT_NE(text.find("some.Secret"), std::string::npos) << text;
}

}  // namespace
}  // namespace convoy::admin
