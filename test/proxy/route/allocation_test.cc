// Finding a route allocates nothing.

#include <gtest/gtest.h>

#include "proxy/route/matcher.h"
#include "test/common/allocations.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

TEST(AllocationTest, MatchAllocatesNothing) {
  std::vector<Route> routes;
  for (int i = 0; i < 50; ++i) {
    Route& guarded = routes.emplace_back(test::prefixTo("guarded", "/"));
    HeaderMatch& header = guarded.match.headers.emplace_back();
    header.name = i % 2 == 0 ? "x-version" : "content-length";
    header.value = StringMatch{.value = std::to_string(i)};
    QueryMatch& query = guarded.match.query.emplace_back();
    query.name = "q";
    guarded.match.runtime_millionths = 999'999;
    routes.push_back(test::prefixTo("other", "/api/" + std::to_string(i)));
  }
  routes.push_back(test::prefixTo("last", "/"));
  const auto table =
      RouteTable::compile(
          test::tableOf({test::virtualHost("a", {"*.example", "b.*"}, std::move(routes))}))
          .value();
  http::RequestHead head = test::request("/api/nothing?q=1", "www.a.EXAMPLE", {{"x-version", "x"}});
  head.body = {.kind = http::BodyLength::Kind::Known, .bytes = 12'345};
  event::Random random(1);
  const uint64_t before = test::allocations();
  EXPECT_GT(before, 0u) << "nothing is counted";
  const CompiledRoute* found = table->match(head, random);
  EXPECT_EQ(test::allocations(), before);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->spec().name, "last");
}

}  // namespace
}  // namespace convoy::route
