// Hosts that requests fail on, and what becomes of the requests, through the whole proxy.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

constexpr char kError[] = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops";
constexpr char kRoute[] = "{match: {prefix: /}, route: {cluster: web}}";

std::string bootstrap(const std::vector<net::Address>& hosts, const std::string& outliers,
                      const std::string& policy = "") {
  std::string text =
      absl::StrCat(staticBootstrap(hosts, kRoute), "    outlier_detection: {", outliers, "}\n");
  if (policy.empty()) return text;
  return absl::StrCat(text,
                      "    metadata:\n      typed_filter_metadata:\n"
                      "        convoy.ext.FailurePolicy: {\"@type\": "
                      "type.googleapis.com/convoy.ext.FailurePolicy, ",
                      policy, "}\n");
}

uint64_t detection(ProxyHarness& proxy, const std::string& name) {
  return proxy.metric(absl::StrCat("cluster.web.outlier_detection.", name));
}

// A host that accepts connections, and whatever looks at those, and fails every request. Each
// return costs a few requests, and comes later than the one before.
TEST(FailingHosts, AGrayFailureDoesNotOscillate) {
  const FakeUpstream gray(kError), first, second;
  SimulatedClock time;
  ProxyHarness proxy(bootstrap({gray.address(), first.address(), second.address()},
                               "consecutive_5xx: 3, max_ejection_percent: 50"),
                     time);
  uint64_t failed = 0, ejections_before = 0;
  constexpr int kSteps = 1200;  // ten minutes
  for (int step = 0; step < kSteps; ++step) {
    if (step == kSteps / 2) ejections_before = detection(proxy, "ejections_enforced_total");
    failed += proxy.get("/").status != 200;
    time.advance(500ms);
  }
  const uint64_t ejections = detection(proxy, "ejections_enforced_total");
  EXPECT_GE(ejections, 4u);
  EXPECT_LE(ejections, 6u) << "30 s, 60 s, 90 s, ...";
  EXPECT_LE(ejections - ejections_before, 2u) << "in the second half";
  // A worker may pick the host once more before it hears of the ejection.
  EXPECT_LE(failed, ejections * 4 + 3);
}

// One cause that makes all hosts fail: to take them out would only lead their load to the rest.
TEST(FailingHosts, WhatAllFailAtTakesNobodyOut) {
  std::vector<std::unique_ptr<FakeUpstream>> hosts;
  std::vector<net::Address> addresses;
  for (int i = 0; i < 4; ++i) {
    hosts.push_back(std::make_unique<FakeUpstream>(kError));
    addresses.push_back(hosts.back()->address());
  }
  const std::string outliers = "consecutive_5xx: 2, max_ejection_percent: 100";
  for (const bool correlates : {false, true}) {
    ProxyHarness proxy(bootstrap(addresses, outliers,
                                 correlates
                                     ? "panic: {mode: FAIL}, correlated_failures: {percent: 50}"
                                     : "panic: {mode: FAIL}"));
    for (int i = 0; i < 40; ++i) EXPECT_EQ(proxy.get("/").status, 500);
    if (!correlates) {
      EXPECT_TRUE(proxy.becomes("cluster.web.outlier_detection.ejections_active", 3))
          << "all but the last";
      continue;
    }
    EXPECT_TRUE(proxy.becomes("cluster.web.outlier_detection.correlated_failures_total", 1));
    std::vector<int> before;
    for (const auto& host : hosts) before.push_back(host->requests());
    for (int i = 0; i < 40; ++i) EXPECT_EQ(proxy.get("/").status, 500);
    for (size_t i = 0; i < hosts.size(); ++i) EXPECT_GT(hosts[i]->requests(), before[i]) << i;
    EXPECT_EQ(detection(proxy, "ejections_active"), 0u);
    EXPECT_EQ(detection(proxy, "correlated_failures_total"), 1u) << "one alarm";
    EXPECT_EQ(detection(proxy, "correlated_failures_active"), 1u);
  }
}

// Envoy's panic mode, which a cluster has unless it says otherwise.
TEST(FailingHosts, WhenTooManyAreOutAllServeAndTheResponsesSayIt) {
  const FakeUpstream first(kError), second(kError), third;
  ProxyHarness proxy(bootstrap({first.address(), second.address(), third.address()},
                               "consecutive_5xx: 1, max_ejection_percent: 70"));
  for (int i = 0; i < 6; ++i) proxy.get("/");
  ASSERT_TRUE(proxy.becomes("cluster.web.panic", 1));
  ASSERT_TRUE(proxy.becomes("cluster.web.outlier_detection.ejections_active", 2));
  for (int i = 0; i < 4; ++i) proxy.get("/");  // by then the worker has heard of it
  const int before = first.requests();
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(proxy.get("/").head.find("\r\nx-convoy-panic: serve_all"), std::string::npos);
  }
  EXPECT_GT(first.requests(), before);
}

}  // namespace
}  // namespace convoy::test
