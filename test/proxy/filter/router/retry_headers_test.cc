#include "proxy/filter/router/retry_headers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "proxy/route/retry_on.h"
#include "test/proxy/route/requests.h"

namespace convoy::filter::router {
namespace {

using route::RetryOn;
using namespace std::chrono_literals;

struct Inside {
  bool client = true;
  bool hop = true;
};

std::optional<RetryOverrides> take(http::RequestHead& head, Inside inside = {}) {
  return takeRetryHeaders(
      head,
      [](void* self, bool of_hop) {
        const auto& from = *static_cast<Inside*>(self);
        return of_hop ? from.hop : from.client;
      },
      &inside);
}

TEST(RetryHeaders, AreReadAndTakenOut) {
  http::RequestHead head = test::request("/", "h",
                                         {{"X-Envoy-Retry-On", "5xx,reset"},
                                          {"x-envoy-retry-grpc-on", "unavailable"},
                                          {"x-envoy-max-retries", "4"},
                                          {"x-other", "stays"},
                                          {"x-envoy-retriable-status-codes", "418,429"},
                                          {"x-envoy-retriable-header-names", "x-a"},
                                          {"x-envoy-upstream-rq-per-try-timeout-ms", "20"},
                                          {"x-envoy-upstream-rq-timeout-ms", "50"},
                                          {"x-envoy-hedge-on-per-try-timeout", "true"},
                                          {"x-envoy-expected-rq-timeout-ms", "40"},
                                          {"x-convoy-retries-left", "1"}});
  const auto read = take(head);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->on, RetryOn::Status5xx | RetryOn::Reset | RetryOn::GrpcUnavailable);
  EXPECT_EQ(read->max_retries, 4u);
  EXPECT_EQ(read->statuses, "418,429");
  EXPECT_EQ(read->header_names, "x-a");
  EXPECT_EQ(read->per_try_timeout, event::Duration(20ms));
  EXPECT_EQ(read->timeout, event::Duration(50ms));
  EXPECT_EQ(read->hedge, true);
  EXPECT_EQ(read->expected, event::Duration(40ms));
  EXPECT_EQ(read->retries_left, 1u);
  ASSERT_EQ(head.headers.size(), 1u);
  EXPECT_EQ(head.headers.begin()->name, "x-other");
}

TEST(RetryHeaders, FromOutsideTheyAreOnlyTakenOut) {
  http::RequestHead head = test::request("/", "h", {{"x-envoy-max-retries", "4"}});
  EXPECT_FALSE(take(head, {.client = false}).has_value());
  EXPECT_TRUE(head.headers.empty());
}

// A hop of ours passes on what a client outside has said; what it says itself counts.
TEST(RetryHeaders, HopsAreTrustedByTheirOwnAddress) {
  http::RequestHead head =
      test::request("/", "h", {{"x-envoy-max-retries", "4"}, {"x-convoy-retries-left", "2"}});
  const auto read = take(head, {.client = false, .hop = true});
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->max_retries.has_value());
  EXPECT_EQ(read->retries_left, 2u);
  EXPECT_TRUE(head.headers.empty());
}

TEST(RetryHeaders, WhatCannotBeReadIsNotThere) {
  for (const char* bad : {"", "-1", "1x", "4294967296", " 1"}) {
    http::RequestHead head = test::request(
        "/", "h", {{"x-envoy-max-retries", bad}, {"x-envoy-upstream-rq-timeout-ms", bad}});
    const auto read = take(head);
    ASSERT_TRUE(read.has_value());
    EXPECT_FALSE(read->max_retries.has_value()) << bad;
    EXPECT_FALSE(read->timeout.has_value()) << bad;
  }
}

TEST(RetryHeaders, OthersAreLeftAlone) {
  http::RequestHead head =
      test::request("/", "h", {{"x-envoy-attempt-count", "1"}, {"xylophones-are-loud", "1"}});
  EXPECT_FALSE(take(head).has_value());
  EXPECT_EQ(head.headers.size(), 2u);
}

TEST(RetryHeaders, RetriesUsedBehind) {
  http::ResponseHead head;
  EXPECT_EQ(takeRetriesUsed(head), 0u);
  head.headers.add("X-Convoy-Retries-Used", "2");
  EXPECT_EQ(takeRetriesUsed(head), 2u);
  EXPECT_TRUE(head.headers.empty());
}

}  // namespace
}  // namespace convoy::filter::router
