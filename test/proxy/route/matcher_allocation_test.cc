// What matcher.h says of allocations, counted: this program replaces the global operator new, which
// is why it is one of its own.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "proxy/route/matcher.h"
#include "test/proxy/route/requests.h"

namespace {

std::atomic<uint64_t> allocations{0};

}  // namespace

// Not inlined: where g++ sees through one of a pair only, it takes them for a mismatch.
[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  void* const at = std::malloc(bytes);
  if (at == nullptr) std::abort();
  return at;
}
[[gnu::noinline]] void operator delete(void* at) noexcept {
  std::free(at);
}
[[gnu::noinline]] void operator delete(void* at, size_t) noexcept {
  std::free(at);
}

namespace convoy::route {
namespace {

using Kind = PathMatch::Kind;
using test::prefixTo;
using test::request;
using test::routeTo;
using test::virtualHost;

// Every kind of path and condition but regular expressions, whose engine keeps memory of its own;
// the last route takes what is left.
std::shared_ptr<const RouteTable> table() {
  Route header = prefixTo("header", "/header");
  header.match.headers.emplace_back().name = "x-a";
  HeaderMatch& value = header.match.headers.emplace_back();
  value.name = "User-Agent";
  value.value = StringMatch{.kind = StringMatch::Kind::Prefix, .value = "curl/"};
  Route query = prefixTo("query", "/query");
  QueryMatch& parameter = query.match.query.emplace_back();
  parameter.name = "q";
  parameter.value = StringMatch{.kind = StringMatch::Kind::Contains, .value = "1"};
  Route fraction = prefixTo("fraction", "/fraction");
  fraction.match.runtime_millionths = 1'000'000;
  Route any_case = routeTo("any case", Kind::Exact, "/CASE");
  any_case.match.path.case_sensitive = false;
  return RouteTable::compile(
             test::tableOf({virtualHost(
                 "one", {"a.example", "*.example", "a.*", "*"},
                 {header, query, fraction, any_case, routeTo("exact", Kind::Exact, "/exact"),
                  routeTo("segment", Kind::SegmentPrefix, "/segment"), prefixTo("rest", "/")})}))
      .value();
}

struct Found {
  std::string route;
  uint64_t allocations;
};
Found find(const RouteTable& routes, const http::RequestHead& head) {
  event::Random random(1);
  const uint64_t before = allocations;
  const CompiledRoute* const found = routes.match(head, random);
  const uint64_t after = allocations;
  return {found == nullptr ? "-" : found->spec().name, after - before};
}

struct Case {
  const char* target;
  const char* authority;
  const char* route;
};

TEST(MatcherAllocationTest, FindingARouteAllocatesNothing) {
  const auto routes = table();
  const Case cases[] = {
      {"/header", "a.example", "header"},
      {"/query?a=0&q=21", "WWW.a.Example", "query"},
      {"/fraction/x", "a.org", "fraction"},
      {"/Case", "other", "any case"},
      {"/exact?q=1", "a.example", "exact"},
      {"/segment/x", "a.example:8080", "segment"},
      {"/segments", "a.example:81", "rest"},
      {"/", "[::1]:80", "rest"},
      {"*", "a.example", "-"},
  };
  for (const Case& c : cases) {
    const Found found = find(
        *routes, request(c.target, c.authority, {{"X-A", "1"}, {"user-agent", "curl/7.88.1"}}));
    EXPECT_EQ(found.route, c.route) << c.target;
    EXPECT_EQ(found.allocations, 0u) << c.target;
  }
}

// The exceptions that the headers name; they show, too, that the count counts.
TEST(MatcherAllocationTest, UnusualRequestsAllocate) {
  const auto routes = table();
  const Found long_name = find(*routes, request("/exact", std::string(300, 'x') + ".example"));
  EXPECT_EQ(long_name.route, "exact");
  EXPECT_EQ(long_name.allocations, 1u);
  const Found joined =
      find(*routes, request("/header", "a.example",
                            {{"x-a", "1"},
                             {"user-agent", "curl/7.88.1 with a name"},
                             {"user-agent", "that is too long to be stored in place"}}));
  EXPECT_EQ(joined.route, "header");
  EXPECT_GT(joined.allocations, 0u);
}

}  // namespace
}  // namespace convoy::route
