#include "proxy/server/node_report.h"

#include <gtest/gtest.h>

namespace convoy::server {
namespace {

net::Address at(std::string_view text) {
  return *net::Address::parse(text);
}

TEST(NodeReportTest, NamesEachAddressOfEachListenerInForce) {
  const auto in_force = std::make_shared<const net::ListenerSpec>();
  const std::map<std::string, ListenerManager::Active> listeners{
      {"admitted", {nullptr, {at("127.0.0.1:1")}, {at("127.0.0.1:1")}}},
      {"public",
       {in_force, {at("0.0.0.0:0"), at("[::1]:80")}, {at("0.0.0.0:34567"), at("[::1]:80")}}},
  };
  const ext::NodeReport report = nodeReport(ext::NodeReport::LIFECYCLE_LIVE, listeners);
  EXPECT_EQ(
      report.ShortDebugString(),
      "lifecycle: LIFECYCLE_LIVE "
      "bound_addresses { listener: \"public\" configured: \"0.0.0.0:0\" actual: "
      "\"0.0.0.0:34567\" } "
      "bound_addresses { listener: \"public\" configured: \"[::1]:80\" actual: \"[::1]:80\" }");
}

}  // namespace
}  // namespace convoy::server
