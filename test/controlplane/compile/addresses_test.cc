#include "controlplane/compile/addresses.h"

#include <gtest/gtest.h>

#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

TEST(AddressesTest, EveryKind) {
  const std::pair<const char*, const char*> cases[] = {
      {"10.0.0.1:80", R"(socket_address { address: "10.0.0.1" port_value: 80 })"},
      {"0.0.0.0:0", R"(socket_address { address: "0.0.0.0" port_value: 0 })"},
      {"[2001:db8::1]:8080", R"(socket_address { address: "2001:db8::1" port_value: 8080 })"},
      {"unix:/run/a.sock", R"(pipe { path: "/run/a.sock" })"},
      {"app.example:80", R"(socket_address { address: "app.example" port_value: 80 })"},
      {"unix:@a", R"(pipe { path: "@a" })"},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(shortText(compileAddress(text)), expected);
  }
}

}  // namespace
}  // namespace convoy::controlplane::compile
