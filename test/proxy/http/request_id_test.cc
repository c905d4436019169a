#include "proxy/http/request_id.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <set>
#include <string>

namespace convoy::http {
namespace {

TEST(RequestIdTest, MakesVersion4Uuids) {
  const re2::RE2 uuid("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  event::Random random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    base::Arena arena;
    const std::string id(makeRequestId(random, arena));
    EXPECT_TRUE(re2::RE2::FullMatch(id, uuid)) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

}  // namespace
}  // namespace convoy::http
