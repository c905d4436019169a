#include "proxy/config/registry.h"

#include "envoy/config/core/v3/base.pb.h"
#include "google/protobuf/wrappers.pb.h"
#include "gtest/gtest.h"
#include "udpa/type/v1/typed_struct.pb.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::config {
namespace {

using google::protobuf::Any;
using google::protobuf::StringValue;

Any packed(const google::protobuf::Message& message) {
  Any any;
  any.PackFrom(message);
  return any;
}

TEST(Registry, TypeNames) {
  Any any;
  EXPECT_EQ(typeName(any), "");
  any.set_type_url("type.googleapis.com/a.B");
  EXPECT_EQ(typeName(any), "a.B");
  any.set_type_url("a.B");
  EXPECT_EQ(typeName(any), "a.B");
}

TEST(Registry, Unpacking) {
  StringValue text;
  text.set_value("x");
  const auto message = unpackAny(packed(text));
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(static_cast<const StringValue&>(*message).value(), "x");

  Any unknown;
  unknown.set_type_url("type.googleapis.com/no.such.Type");
  EXPECT_EQ(unpackAny(unknown), nullptr);
  Any garbage = packed(text);
  garbage.set_value("\xff\xff");
  EXPECT_EQ(unpackAny(garbage), nullptr);
}

template <class TypedStruct>
Any typedStruct(const std::string& type, const std::string& field) {
  TypedStruct typed;
  typed.set_type_url("type.googleapis.com/" + type);
  (*typed.mutable_value()->mutable_fields())[field].set_string_value("n1");
  return packed(typed);
}

TEST(Registry, ATypedStructStandsForItsType) {
  using xds::type::v3::TypedStruct;
  EXPECT_FALSE(openTypedStruct(packed(StringValue())).has_value());
  for (const Any& any :
       {typedStruct<TypedStruct>("envoy.config.core.v3.Node", "id"),
        typedStruct<udpa::type::v1::TypedStruct>("envoy.config.core.v3.Node", "id")}) {
    envoy::config::core::v3::Node node;
    ASSERT_TRUE(openTypedStruct(any).has_value());
    EXPECT_EQ(typeName(*openTypedStruct(any)), "envoy.config.core.v3.Node");
    ASSERT_TRUE(openTypedStruct(any)->UnpackTo(&node));
    EXPECT_EQ(node.id(), "n1");
  }
  const auto unknown = openTypedStruct(typedStruct<TypedStruct>("no.such.Type", "id"));
  ASSERT_TRUE(unknown.has_value());
  EXPECT_EQ(typeName(*unknown), "no.such.Type");
  EXPECT_EQ(unpackAny(*unknown), nullptr);
  const auto misfit = openTypedStruct(typedStruct<TypedStruct>("envoy.config.core.v3.Node", "ed"));
  ASSERT_TRUE(misfit.has_value());
  EXPECT_EQ(unpackAny(*misfit), nullptr);
}

class Point : public testing::Test {
 protected:
  Point() {
    point_.add<StringValue>("test.length",
                            [](const StringValue& proto, const Context& context,
                               base::FieldReport& report) -> std::optional<size_t> {
                              if (proto.value().empty()) report.error("value", "required", "", "");
                              return proto.value().size() + context.version.size();
                            });
  }

  std::optional<size_t> make(const Any& any) {
    Context context;
    context.version = "12";
    return point_.make(any, context, report_, &kind_);
  }

  ExtensionPoint<std::optional<size_t>> point_{"thing"};
  base::FieldReport report_;
  std::string kind_;
};

TEST_F(Point, MakesWhatItKnows) {
  StringValue text;
  text.set_value("abc");
  EXPECT_EQ(make(packed(text)), 5u);
  EXPECT_EQ(kind_, "test.length");
  EXPECT_TRUE(report_.ok());
  EXPECT_NE(point_.find("google.protobuf.StringValue"), nullptr);
  EXPECT_EQ(point_.find("google.protobuf.BytesValue"), nullptr);
}

TEST_F(Point, SaysWhatItHas) {
  EXPECT_EQ(make(packed(google::protobuf::BytesValue())), std::nullopt);
  ASSERT_EQ(report_.errors().size(), 1u);
  EXPECT_EQ(report_.errors()[0],
            (base::FieldError{"", "unsupported_extension", "google.protobuf.BytesValue",
                              "this build has no such thing; it has: test.length"}));
  EXPECT_EQ(kind_, "");
  EXPECT_EQ(ExtensionPoint<bool>("other").kinds(), "none yet");
}

TEST_F(Point, RefusesWhatIsMissingOrMalformed) {
  EXPECT_EQ(make(Any()), std::nullopt);
  Any garbage = packed(StringValue());
  garbage.set_value("\xff\xff");
  EXPECT_EQ(make(garbage), std::nullopt);
  ASSERT_EQ(report_.errors().size(), 2u);
  EXPECT_EQ(report_.errors()[0].rule, "required");
  EXPECT_EQ(report_.errors()[1].rule, "malformed");
}

}  // namespace
}  // namespace convoy::config
