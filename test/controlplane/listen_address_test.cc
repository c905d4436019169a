#include "controlplane/listen_address.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::controlplane {
namespace {

TEST(ListenAddressTest, OnlyThisMachineUnlessInsecure) {
  struct Case {
    std::string text;
    bool insecure;
    std::string grpc;  // empty: refused
  };
  const Case cases[] = {
      {"127.0.0.1:18000", false, "127.0.0.1:18000"},
      {"127.8.8.8:0", false, "127.8.8.8:0"},
      {"[::1]:1", false, "[::1]:1"},
      {"localhost:7", false, "127.0.0.1:7"},
      {"unix:/run/convoy.sock", false, "unix:/run/convoy.sock"},
      {"unix:@convoy", false, "unix-abstract:convoy"},
      {"0.0.0.0:18000", false, ""},
      {"[::]:18000", false, ""},
      {"10.0.0.1:18000", false, ""},
      {"0.0.0.0:18000", true, "0.0.0.0:18000"},
      {"[2001:db8::1]:1", true, "[2001:db8::1]:1"},
      {"nonsense", true, ""},
      {"localhost:x", true, ""},
  };
  for (const Case& c : cases) {
    const auto address = listenAddress("--listen", c.text, c.insecure);
    if (c.grpc.empty()) {
      ASSERT_TRUE(absl::IsInvalidArgument(address.status())) << c.text;
      EXPECT_EQ(address.status().message().find("--listen " + c.text), 0u) << address.status();
    } else {
      ASSERT_TRUE(address.ok()) << address.status();
      EXPECT_EQ(grpcAddress(*address), c.grpc);
    }
  }
}

}  // namespace
}  // namespace convoy::controlplane
