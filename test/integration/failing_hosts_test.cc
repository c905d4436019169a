// Hosts that requests fail on, and what becomes of the requests, through the whole proxy.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

constexpr char kError[] = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops";
constexpr char kRoute[] = "{match: {prefix: /}, route: {cluster: web}}";

std::string bootstrap(const std::vector<net::Address>& hosts, const std::string& outliers,
                      const std::string& policy = "") {
  return absl::StrCat(staticBootstrap(hosts, kRoute), "    outlier_detection: {", outliers, "}\n",
                      policy.empty() ? "" : failurePolicy(policy));
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

// Hosts whose answers, and how long they take, a test decides, request by request.
class JudgedHosts : public testing::Test {
 protected:
  static constexpr size_t kHosts = 4;

  void start(const std::string& outliers, const std::string& policy) {
    servers_.comeUp();
    proxy_.emplace(bootstrap(servers_.addresses(), outliers, policy), time_);
  }
  // A request for each host; the last one answers so, and so much later.
  void round(std::string_view last_answer, event::Duration later) {
    Clients clients(*proxy_, kHosts);
    ASSERT_TRUE(servers_.comeTo(kHosts));
    for (size_t i = 0; i + 1 < kHosts; ++i) servers_.answer(i);
    ASSERT_TRUE(proxy_->becomes("cluster.web.upstream_rq_completed", answered_ += kHosts - 1));
    time_.advance(later);
    servers_.answer(kHosts - 1, last_answer);
    ASSERT_TRUE(proxy_->becomes("cluster.web.upstream_rq_completed", ++answered_));
    EXPECT_TRUE(until([&] {
      clients.take();
      return clients.served() + clients.odd() == kHosts;
    }));
  }
  // The hosts' requests of an interval have been looked at, and the workers know.
  void endInterval() {
    time_.advance(10s);
    proxy_->untilWorkersKnow();
  }
  // Which hosts get requests.
  std::string serving() {
    Clients clients(*proxy_, 2 * kHosts);
    EXPECT_TRUE(servers_.comeTo(2 * kHosts));
    std::string hosts;
    for (size_t i = 0; i < kHosts; ++i) {
      if (servers_.underWay(i) > 0) hosts += std::to_string(i);
    }
    servers_.answerAll();
    EXPECT_TRUE(clients.areServed(2 * kHosts));
    return hosts;
  }

  Servers servers_{kHosts};
  SimulatedClock time_;
  std::optional<ProxyHarness> proxy_;
  uint64_t answered_ = 0;
};

TEST_F(JudgedHosts, ASlowHostGetsNoMoreRequests) {
  start("max_ejection_percent: 50",
        "panic: {mode: FAIL}, latency_outlier: {factor: 3, least_excess: 0.1s, request_volume: 5}");
  for (int i = 0; i < 5; ++i) round(kAnswer, 500ms);
  EXPECT_EQ(detection(*proxy_, "ejections_active"), 0u) << "before the interval's end";
  endInterval();
  EXPECT_EQ(detection(*proxy_, "ejections_enforced_latency"), 1u);
  EXPECT_EQ(serving(), "012");
}

TEST_F(JudgedHosts, AHostThatFailsMostOfItsRequestsGetsNoMore) {
  start(
      "consecutive_5xx: 100, max_ejection_percent: 50, enforcing_success_rate: 0, "
      "enforcing_failure_percentage: 100, failure_percentage_threshold: 50, "
      "failure_percentage_minimum_hosts: 4, failure_percentage_request_volume: 10",
      "panic: {mode: FAIL}");
  for (int i = 0; i < 10; ++i) round(i % 5 < 3 ? kError : kAnswer, 0s);
  endInterval();
  EXPECT_EQ(detection(*proxy_, "ejections_enforced_failure_percentage"), 1u) << "60 %";
  EXPECT_EQ(serving(), "012");
}

// No worker by itself sees enough requests of a host to judge it.
TEST(FailingHosts, OneThatSucceedsFarLessOftenThanTheOthersGoesOut) {
  const FakeUpstream bad(kError), hosts[4];
  std::vector<net::Address> addresses{bad.address()};
  for (const FakeUpstream& host : hosts) addresses.push_back(host.address());
  SimulatedClock time;
  ProxyHarness proxy(bootstrap(addresses,
                               "consecutive_5xx: 1000, max_ejection_percent: 50, "
                               "success_rate_minimum_hosts: 5, success_rate_request_volume: 30, "
                               "success_rate_stdev_factor: 1900",
                               "panic: {mode: FAIL}"),
                     time, /*workers=*/4);
  const auto ask = [&](int count) {
    int failed = 0;
    for (int i = 0; i < count; ++i) failed += proxy.get("/").status != 200;
    proxy.untilWorkersKnow();
    return failed;
  };
  const auto endInterval = [&] {
    time.advance(10s);
    proxy.untilWorkersKnow();
  };
  ask(100);
  endInterval();
  EXPECT_EQ(detection(proxy, "ejections_detected_success_rate"), 0u) << "20 requests to each host";
  EXPECT_GT(ask(200), 0);
  EXPECT_EQ(detection(proxy, "ejections_active"), 0u) << "before the interval's end";
  endInterval();
  EXPECT_EQ(detection(proxy, "ejections_enforced_success_rate"), 1u);
  EXPECT_EQ(detection(proxy, "ejections_active"), 1u);
  const int before = bad.requests();
  EXPECT_EQ(ask(50), 0);
  EXPECT_EQ(bad.requests(), before);
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

// Those that could be used when there were last enough; one that never could is not among them.
TEST(FailingHosts, OrThoseServeThatWereGoodLast) {
  const FakeUpstream first(kError), second(kError), third, never;
  const std::vector<net::Address> hosts{first.address(), second.address(), third.address()};
  const auto with = [&](const std::string& mode) {
    std::string text = bootstrap(hosts, "consecutive_5xx: 1, max_ejection_percent: 70",
                                 absl::StrCat("panic: {mode: ", mode, ", threshold_percent: 60}"));
    const std::string end = absl::StrCat("port_value: ", third.address().port(), "}}}\n");
    const size_t at = text.find(end) + end.size();
    return text.insert(at, absl::StrCat("        - health_status: UNHEALTHY\n"
                                        "          endpoint: {address: {socket_address: {address: "
                                        "127.0.0.1, port_value: ",
                                        never.address().port(), "}}}\n"));
  };
  for (const bool last_good : {true, false}) {
    ProxyHarness proxy(with(last_good ? "SERVE_LAST_GOOD" : "SERVE_ALL"));
    for (int i = 0; i < 6; ++i) proxy.get("/");
    ASSERT_TRUE(proxy.becomes("cluster.web.outlier_detection.ejections_active", 2));
    ASSERT_TRUE(proxy.becomes("cluster.web.panic", 1));
    proxy.untilWorkersKnow();
    const int before = first.requests();
    const std::string header =
        absl::StrCat("\r\nx-convoy-panic: ", last_good ? "serve_last_good" : "serve_all");
    for (int i = 0; i < 8; ++i) {
      EXPECT_NE(proxy.get("/").head.find(header), std::string::npos);
    }
    EXPECT_GT(first.requests(), before);
    EXPECT_EQ(never.requests() > 0, !last_good);
  }
}

}  // namespace
}  // namespace convoy::test
