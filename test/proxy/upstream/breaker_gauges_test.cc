#include "proxy/upstream/breaker_gauges.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace convoy::upstream {
namespace {

class Reader final : public observe::MetricReader {
 public:
  void counter(std::string_view, const observe::Labels&, std::string_view, std::string_view,
               uint64_t) override {}
  void gauge(std::string_view prefix, const observe::Labels& labels, std::string_view name,
             std::string_view help, int64_t value) override {
    EXPECT_EQ(prefix, "cluster");
    EXPECT_EQ(labels.at(0).second, "web");
    EXPECT_FALSE(help.empty());
    values[std::string(name)] = value;
  }
  void histogram(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                 const observe::HistogramSnapshot&) override {}
  std::map<std::string, int64_t> values;
};

class BreakerGaugesTest : public testing::Test {
 protected:
  std::map<std::string, int64_t> read() {
    Reader reader;
    registry_.read(reader);
    return reader.values;
  }

  observe::MetricRegistry registry_;
  Breakers breakers_;
  int64_t under_way_ = 0;
  BreakerGauges gauges_{
      registry_, {{"envoy_cluster_name", "web"}}, breakers_, [this](Priority priority) {
        return priority == Priority::High ? 0 : under_way_;
      }};
};

TEST_F(BreakerGaugesTest, ALimitThatIsReachedIsOpen) {
  ClusterSpec spec;
  spec.breakers.max_connections = 2;
  spec.high_breakers.max_pending_requests = 0;
  gauges_.setLimits(spec);
  const std::map<std::string, int64_t> closed = {{"circuit_breakers.default.cx_open", 0},
                                                 {"circuit_breakers.default.rq_open", 0},
                                                 {"circuit_breakers.default.rq_pending_open", 0},
                                                 {"circuit_breakers.default.rq_retry_open", 0},
                                                 {"circuit_breakers.high.cx_open", 0},
                                                 {"circuit_breakers.high.rq_open", 0},
                                                 {"circuit_breakers.high.rq_pending_open", 1},
                                                 {"circuit_breakers.high.rq_retry_open", 0}};
  EXPECT_EQ(read(), closed);
  breakers_.connections.tryAcquire(2);
  EXPECT_EQ(read().at("circuit_breakers.default.cx_open"), 0);
  breakers_.connections.tryAcquire(2);
  EXPECT_EQ(read().at("circuit_breakers.default.cx_open"), 1);
  EXPECT_EQ(read().at("circuit_breakers.high.cx_open"), 0);
  breakers_.connections.release();
  EXPECT_EQ(read().at("circuit_breakers.default.cx_open"), 0);
  for (int i = 0; i < 3; ++i) breakers_.high.retries.tryAcquire(3);
  EXPECT_EQ(read().at("circuit_breakers.high.rq_retry_open"), 1);
}

TEST_F(BreakerGaugesTest, WhatIsLeftIsShownWhereItIsAskedFor) {
  ClusterSpec spec;
  spec.high_breakers = {.max_connections = 10,
                        .max_pending_requests = 20,
                        .max_requests = 30,
                        .max_retries = 40,
                        .retry_budget = {},
                        .track_remaining = true};
  gauges_.setLimits(spec);
  breakers_.high.connections.tryAcquire(10);
  for (int i = 0; i < 22; ++i) EXPECT_TRUE(breakers_.high.pending.tryAcquire(22));
  breakers_.high.requests.tryAcquire(30);
  const auto values = read();
  EXPECT_EQ(values.at("circuit_breakers.high.remaining_cx"), 9);
  EXPECT_EQ(values.at("circuit_breakers.high.remaining_pending"), 0) << "never below";
  EXPECT_EQ(values.at("circuit_breakers.high.remaining_rq"), 29);
  EXPECT_EQ(values.at("circuit_breakers.high.remaining_retries"), 40);
  EXPECT_EQ(values.count("circuit_breakers.default.remaining_cx"), 0u);
  EXPECT_TRUE(Breakers::countsRequests(spec, Priority::High)) << "although connections bound them";
  EXPECT_FALSE(Breakers::countsRequests(spec, Priority::Default));
}

TEST_F(BreakerGaugesTest, ARetryBudgetIsOpenByTheRequestsUnderWay) {
  ClusterSpec spec;
  spec.breakers.retry_budget = RetryBudget{.percent = 50, .min_concurrency = 1};
  spec.breakers.track_remaining = true;
  gauges_.setLimits(spec);
  breakers_.retries.tryAcquire(1);
  EXPECT_EQ(read().at("circuit_breakers.default.rq_retry_open"), 1);
  under_way_ = 4;
  EXPECT_EQ(read().at("circuit_breakers.default.rq_retry_open"), 0);
  EXPECT_EQ(read().count("circuit_breakers.default.remaining_retries"), 0u) << "as in Envoy";
  // Requests of the other priority don't count.
  spec.high_breakers.retry_budget = RetryBudget{.percent = 50, .min_concurrency = 1};
  gauges_.setLimits(spec);
  breakers_.high.retries.tryAcquire(1);
  EXPECT_EQ(read().at("circuit_breakers.high.rq_retry_open"), 1);
}

}  // namespace
}  // namespace convoy::upstream
