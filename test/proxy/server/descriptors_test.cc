#include "proxy/server/descriptors.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "proxy/base/descriptor_limit.h"

namespace convoy::server {
namespace {

TEST(DescriptorsTest, HalfOfWhatIsLeftIsKeptButNotMoreThanBackendsNeed) {
  EXPECT_EQ(descriptorsForClients(64, 20), 22u);
  EXPECT_EQ(descriptorsForClients(1024, 24), 500u);
  EXPECT_EQ(descriptorsForClients(100'000, 0), 100'000 - kMostKeptDescriptors);
  EXPECT_EQ(descriptorsForClients(UINT64_MAX, 0), UINT64_MAX - kMostKeptDescriptors);
  // Somebody is let in all the same, and finds out.
  EXPECT_EQ(descriptorsForClients(20, 20), 1u);
  EXPECT_EQ(descriptorsForClients(20, 30), 1u);
}

TEST(DescriptorsTest, OfThisProcess) {
  const uint64_t clients = descriptorsForClients();
  EXPECT_GT(clients, 0u);
  EXPECT_LT(clients, base::descriptorLimit());
}

TEST(DescriptorsTest, TooFewToStartAreRefusedWithAWayOut) {
  EXPECT_TRUE(enoughDescriptors(64, 3).ok());
  EXPECT_TRUE(enoughDescriptors(UINT64_MAX, 1024).ok());
  for (const uint64_t limit : {8, 14, 43}) {
    const std::string text(enoughDescriptors(limit, 3).message());
    EXPECT_NE(text.find("may open " + std::to_string(limit) + " descriptors"), std::string::npos)
        << text;
    EXPECT_NE(text.find("ulimit -Hn"), std::string::npos) << text;
  }
  EXPECT_FALSE(enoughDescriptors(64, 64).ok());
}

}  // namespace
}  // namespace convoy::server
