#include "controlplane/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::controlplane {
namespace {

TEST(ListenAddressTest, OnlyThisMachineUnlessSomebodyGuardsIt) {
  struct Case {
    std::string text;
    Guard guard;
    std::string address;  // empty: refused
  };
  const Guard none;
  const Guard certificates = {.certificates = true};
  const Guard insecure = {.insecure = true};
  const Case cases[] = {
      {"127.0.0.1:18000", none, "127.0.0.1:18000"},
      {"127.8.8.8:0", none, "127.8.8.8:0"},
      {"[::1]:1", none, "[::1]:1"},
      {"localhost:7", none, "127.0.0.1:7"},
      {"unix:/run/convoy.sock", none, "unix:/run/convoy.sock"},
      // It has no file whose mode keeps others out, and unix sockets have no TLS.
      {"unix:@convoy", none, ""},
      {"unix:@convoy", certificates, ""},
      {"unix:@convoy", insecure, "unix:@convoy"},
      {"0.0.0.0:18000", none, ""},
      {"[::]:18000", none, ""},
      {"10.0.0.1:18000", none, ""},
      {"10.0.0.1:18000", certificates, "10.0.0.1:18000"},
      {"0.0.0.0:18000", insecure, "0.0.0.0:18000"},
      {"[2001:db8::1]:1", insecure, "[2001:db8::1]:1"},
      {"nonsense", insecure, ""},
      {"localhost:x", insecure, ""},
  };
  for (const Case& c : cases) {
    const auto address = listenAddress("--listen", c.text, c.guard);
    if (c.address.empty()) {
      ASSERT_TRUE(absl::IsInvalidArgument(address.status())) << c.text;
      EXPECT_EQ(address.status().message().find("--listen " + c.text), 0u) << address.status();
    } else {
      ASSERT_TRUE(address.ok()) << address.status();
      EXPECT_EQ(address->text(), c.address);
    }
  }
}

}  // namespace
}  // namespace convoy::controlplane
