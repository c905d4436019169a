#include "proxy/admin/json.h"

#include <gtest/gtest.h>

#include "envoy/config/core/v3/address.pb.h"
#include "google/protobuf/duration.pb.h"

namespace convoy::admin {
namespace {

TEST(JsonTest, HasTheFieldNamesOfTheProto) {
  envoy::config::core::v3::SocketAddress address;
  address.set_port_value(80);
  const auto text = toJson(address);
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(*text, "{\n \"port_value\": 80\n}\n");
  EXPECT_NE(toJson(address, Defaults::Shown)->find("\"protocol\": \"TCP\""), std::string::npos);
}

TEST(JsonTest, SaysWhatCannotBePrinted) {
  google::protobuf::Duration duration;
  duration.set_seconds(INT64_MAX);
  EXPECT_FALSE(toJson(duration).ok());
}

}  // namespace
}  // namespace convoy::admin
