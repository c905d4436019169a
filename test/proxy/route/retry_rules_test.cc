#include "proxy/route/retry_rules.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proxy/route/matcher.h"
#include "proxy/route/retry_on.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

HeaderMatch header(std::string name, std::optional<std::string> exact = std::nullopt) {
  HeaderMatch match;
  match.name = std::move(name);
  if (exact.has_value()) match.value = StringMatch{.value = *exact};
  return match;
}

std::shared_ptr<const RetryRules> compile(RetryPolicy policy) {
  auto rules = RetryRules::compile(std::make_shared<const RetryPolicy>(std::move(policy)));
  EXPECT_TRUE(rules.ok()) << rules.status();
  return rules.ok() ? *std::move(rules) : nullptr;
}

TEST(RetryRules, OneOfTheRequestHeadersMustBeThere) {
  EXPECT_TRUE(compile({})->requestQualifies(test::request("/")));
  const auto rules = compile({.request_headers = {header("x-a"), header("x-b", "1")}});
  EXPECT_FALSE(rules->requestQualifies(test::request("/")));
  EXPECT_FALSE(rules->requestQualifies(test::request("/", "h", {{"x-b", "2"}})));
  EXPECT_TRUE(rules->requestQualifies(test::request("/", "h", {{"X-B", "1"}})));
  EXPECT_TRUE(rules->requestQualifies(test::request("/", "h", {{"x-a", "2"}})));
}

TEST(RetryRules, OneOfTheResponseHeaders) {
  http::ResponseHead head;
  head.status = 429;
  head.headers.add("X-Retry", "please");
  EXPECT_FALSE(compile({})->headersMatch(head));
  EXPECT_FALSE(compile({.response_headers = {header("x-other")}})->headersMatch(head));
  EXPECT_TRUE(
      compile({.response_headers = {header("x-other"), header("x-retry")}})->headersMatch(head));
  EXPECT_TRUE(compile({.response_headers = {header(":status", "429")}})->headersMatch(head));
  EXPECT_FALSE(compile({.response_headers = {header(":status", "42")}})->headersMatch(head));
}

TEST(RetryRules, ResponsesThatDoNotMatterAreTellableByTheirStatus) {
  EXPECT_EQ(compile({.on = RetryOn::Reset})->leastStatus(), UINT16_MAX);
  EXPECT_EQ(compile({.on = RetryOn::GatewayError})->leastStatus(), 400);
  EXPECT_EQ(compile({.on = RetryOn::Retriable4xx})->leastStatus(), 400);
  EXPECT_EQ(compile({.on = RetryOn::RetriableHeaders})->leastStatus(), 0);
  EXPECT_EQ(compile({.on = RetryOn::GrpcInternal})->leastStatus(), 0);
  EXPECT_EQ(compile({.tell_next_hop = true})->leastStatus(), 0);
}

TEST(RetryRules, ABadExpressionIsAnError) {
  RetryPolicy policy;
  policy.response_headers = {header("a", "(")};
  policy.response_headers[0].value->kind = StringMatch::Kind::Regex;
  EXPECT_FALSE(RetryRules::compile(std::make_shared<const RetryPolicy>(policy)).ok());
}

TEST(RetryRules, RoutesWithOnePolicyShareTheirRules) {
  auto first = test::prefixTo("a", "/a");
  auto second = test::prefixTo("b", "/b");
  const auto policy = std::make_shared<const RetryPolicy>();
  std::get<Forward>(first.action).retries = policy;
  std::get<Forward>(second.action).retries = policy;
  const auto table = RouteTable::compile(
      test::tableOf({test::virtualHost("v", {"*"}, {first, second, test::prefixTo("c", "/c")})}));
  ASSERT_TRUE(table.ok());
  event::Random random(1);
  const auto* of_first = (*table)->match(test::request("/a"), random)->retries();
  ASSERT_NE(of_first, nullptr);
  EXPECT_EQ((*table)->match(test::request("/b"), random)->retries(), of_first);
  EXPECT_EQ((*table)->match(test::request("/c"), random)->retries(), nullptr);
}

}  // namespace
}  // namespace convoy::route
