// Which host each algorithm gives a request to, through the whole proxy with one worker: exactly
// where the algorithm is exact, else the hosts' shares. Requests are held by their hosts until the
// test says so, so it decides what is under way, and on simulated time how long it took.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/integration/many_peers.h"

namespace convoy::test {
namespace {

using std::chrono::milliseconds;

constexpr char kOops[] = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";

// A cluster's policy, which Envoy's lb_policy cannot name.
std::string typed(const std::string& type) {
  return absl::StrCat(
      "    load_balancing_policy: {policies: [{typed_extension_config: {name: it, typed_config: "
      "{'@type': type.googleapis.com/",
      type, "}}}]}\n");
}
const std::string kLeastConnections = typed("convoy.ext.LeastConnections");
const std::string kWeightedLeastConnections = typed("convoy.ext.WeightedLeastConnections");
const std::string kFullScan = typed(
    "envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest, selection_method: "
    "FULL_SCAN");

// The hosts are called A, B, C, ...
class Algorithms : public testing::Test {
 protected:
  void start(const std::vector<size_t>& weights, const std::string& policy) {
    clients_.clear();
    proxy_.reset();
    servers_.emplace(weights.size());
    servers_->comeUp();
    const std::vector<net::Address> hosts = servers_->addresses();
    std::string text = staticBootstrap(hosts, "{match: {prefix: /}, route: {cluster: web}}");
    for (size_t i = 0; i < hosts.size(); ++i) {
      const std::string end = absl::StrCat("port_value: ", hosts[i].port(), "}}}\n");
      text.insert(text.find(end) + end.size(),
                  absl::StrCat("          load_balancing_weight: ", weights[i], "\n"));
    }
    proxy_.emplace(text + policy, time_);
    ended_ = 0;
  }
  // So many more requests, one after the other; which hosts have them now.
  std::string ask(int count = 1) {
    std::string hosts;
    for (int i = 0; i < count; ++i) {
      const std::vector<size_t> before = underWay();
      clients_.emplace_back(*proxy_, 1);
      const size_t together = servers_->underWay() + 1;
      EXPECT_TRUE(until([&] {
        servers_->take();
        return servers_->underWay() == together;
      }));
      const std::vector<size_t> after = underWay();
      const auto other = std::mismatch(before.begin(), before.end(), after.begin()).first;
      hosts += static_cast<char>('A' + (other - before.begin()));
    }
    return hosts;
  }
  // So many of the host's requests are answered, and the worker knows.
  void end(char host, size_t count = 1, std::string_view with = kAnswer) {
    servers_->answer(static_cast<size_t>(host - 'A'), count, with);
    ASSERT_TRUE(proxy_->becomes("cluster.web.upstream_rq_completed", ended_ += count));
    proxy_->untilWorkersKnow();
  }
  // Asks, and answers some, until so many are under way at each host.
  void hold(const std::vector<size_t>& wanted) {
    for (size_t i = 0; i < wanted.size(); ++i) {
      while (servers_->underWay(i) < wanted[i]) ask();
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      end(static_cast<char>('A' + i), servers_->underWay(i) - wanted[i]);
    }
  }
  // How many of so many requests each host gets, each of which ends before the next one comes.
  std::vector<double> shares(int count) {
    std::vector<double> taken(underWay().size());
    for (int i = 0; i < count; ++i) {
      const char host = ask()[0];
      ++taken[static_cast<size_t>(host - 'A')];
      end(host);
      clients_.pop_back();
    }
    return taken;
  }
  std::vector<size_t> underWay() const {
    std::vector<size_t> all;
    for (size_t i = 0; i < servers_->addresses().size(); ++i) all.push_back(servers_->underWay(i));
    return all;
  }

  SimulatedClock time_;
  std::optional<Servers> servers_;
  std::optional<ProxyHarness> proxy_;
  std::vector<Clients> clients_;
  uint64_t ended_ = 0;
};

// --- in turn ---

TEST_F(Algorithms, RoundRobinFollowsTheWeightsSmoothly) {
  struct {
    std::vector<size_t> weights;
    const char* cycle;
  } const cases[] = {
      {{1, 1, 1}, "ABC"},
      {{5, 3, 2}, "ABCAABACBA"},
      {{3, 1, 2}, "ACABCA"},
      {{2, 1, 1}, "ABCA"},
  };
  for (const auto& c : cases) {
    start(c.weights, "    lb_policy: ROUND_ROBIN\n");
    const std::string cycle = c.cycle;
    EXPECT_EQ(ask(static_cast<int>(3 * cycle.size())), absl::StrCat(cycle, cycle, cycle));
  }
}

// --- by what is under way ---

// REQUIREMENTS A1: requests 1 and 3 end where it says so.
TEST_F(Algorithms, LeastConnectionsFollowsRequestsThatEnd) {
  for (const std::string& policy : {kLeastConnections, kWeightedLeastConnections, kFullScan}) {
    start({1, 1, 1}, policy);
    EXPECT_EQ(ask(4), "ABCA") << policy;
    end('A');
    EXPECT_EQ(ask(3), "ABC") << policy;
    end('C');
    EXPECT_EQ(ask(1), "C") << policy;
  }
}

TEST_F(Algorithms, AHostWithASlowRequestGetsNoOther) {
  start({1, 1, 1}, kLeastConnections);
  EXPECT_EQ(ask(3), "ABC");
  end('A');
  end('B');
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(ask(), "A");
    end('A');
  }
}

// REQUIREMENTS A1.
TEST_F(Algorithms, TheLeastUsedHostIsTaken) {
  struct {
    const std::string& policy;
    std::vector<size_t> weights;
    std::vector<size_t> under_way;
    const char* next;
  } const cases[] = {
      {kLeastConnections, {1, 1, 1}, {10, 5, 8}, "B"},
      {kLeastConnections, {1, 1, 1}, {10, 25, 18}, "A"},
      {kLeastConnections, {1, 1, 1, 1}, {5, 3, 8, 6}, "B"},
      {kLeastConnections, {5, 2, 1}, {2, 2, 1}, "C"},
      {kWeightedLeastConnections, {5, 2, 1}, {10, 6, 4}, "A"},
      {kWeightedLeastConnections, {10, 5, 2}, {40, 25, 6}, "C"},
      {kFullScan, {5, 2, 1}, {10, 6, 4}, "A"},
      {kFullScan, {10, 5, 2}, {40, 25, 6}, "C"},
  };
  for (const auto& c : cases) {
    start(c.weights, c.policy);
    hold(c.under_way);
    EXPECT_EQ(underWay(), c.under_way);
    EXPECT_EQ(ask(), c.next) << c.policy << testing::PrintToString(c.under_way);
  }
}

// Smallest (under way + 1) / weight, the first on ties.
TEST_F(Algorithms, WeightedLeastConnectionsFillsByWeight) {
  for (const std::string& policy : {kWeightedLeastConnections, kFullScan}) {
    start({5, 2, 1}, policy);
    EXPECT_EQ(ask(16), "AABAAABCAABAAABC") << policy;
  }
}

// --- by chance ---

// Two degrees of freedom: above 13.8 once in a thousand.
void expectShares(const std::vector<double>& taken, const std::array<double, 3>& odds) {
  double total = 0, chi = 0;
  for (const double count : taken) total += count;
  for (size_t i = 0; i < taken.size(); ++i) {
    const double expected = total * odds[i];
    chi += (taken[i] - expected) * (taken[i] - expected) / expected;
  }
  EXPECT_LT(chi, 13.8) << testing::PrintToString(taken);
}

TEST_F(Algorithms, RandomGoesByTheWeights) {
  start({5, 3, 2}, "    lb_policy: RANDOM\n");
  expectShares(shares(600), {0.5, 0.3, 0.2});
}

// A host with more requests is taken only if it is drawn twice.
TEST_F(Algorithms, OfTwoByChanceTheLessUsedOneIsTaken) {
  start({1, 1, 1}, "    lb_policy: LEAST_REQUEST\n");
  const char busy = ask()[0];
  std::array<double, 3> odds;
  odds.fill(4.0 / 9);
  odds[static_cast<size_t>(busy - 'A')] = 1.0 / 9;
  expectShares(shares(600), odds);
}

// --- by what came of requests ---

class ByResults : public Algorithms, public testing::WithParamInterface<const char*> {
 protected:
  // One request for each host.
  void askAll() {
    start({1, 1, 1}, typed(absl::StrCat("convoy.ext.", GetParam())));
    ASSERT_EQ(ask(3), "ABC");
  }
};

INSTANTIATE_TEST_SUITE_P(All, ByResults,
                         testing::Values("LeastResponseTime", "PeakEwma", "AdaptiveScore"),
                         [](const auto& info) { return info.param; });

TEST_P(ByResults, TheFastestHostIsTaken) {
  struct {
    std::array<int, 3> took;  // milliseconds
    const char* next;
  } const cases[] = {{{50, 30, 45}, "B"}, {{50, 100, 30}, "C"}, {{10, 50, 200}, "A"}};
  for (const auto& c : cases) {
    askAll();
    int now = 0;
    for (int i = 0; i < 3; ++i) {
      // The next one that ends.
      size_t at = 3;
      for (size_t j = 0; j < 3; ++j) {
        if (c.took[j] > now && (at == 3 || c.took[j] < c.took[at])) at = j;
      }
      time_.advance(milliseconds(c.took[at] - now));
      now = c.took[at];
      end(static_cast<char>('A' + at));
    }
    EXPECT_EQ(ask(), c.next);
  }
}

TEST_P(ByResults, AHostThatFailsLosesItsTrafficUntilItHasBeenForgotten) {
  constexpr int kRequests = 32;
  askAll();
  // However fast it fails.
  time_.advance(milliseconds(10));
  end('B');
  end('C');
  end('A', 1, kOops);
  const auto taken = [this] {
    size_t of_first = 0;
    for (int i = 0; i < kRequests; ++i) {
      const char host = ask()[0];
      of_first += host == 'A';
      time_.advance(milliseconds(10));
      end(host);
    }
    return of_first;
  };
  EXPECT_EQ(taken(), 0u);
  time_.advance(std::chrono::seconds(11));
  EXPECT_GT(taken(), 0u);
}

}  // namespace
}  // namespace convoy::test
