// Every time-out of a client's connection and of its requests: when it fires, what the client
// reads, and that reply, log and counters name the one that fired and the field that set it.

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "test/proxy/http/manager_fixture.h"

namespace convoy::http {
namespace {

using std::chrono::seconds;
using Spec = ConnectionManagerSpec;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr char kHalfHead[] = "GET / HTTP/1.1\r\nHost:";
constexpr char kHalfBody[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab";

class TimersTest : public ManagerTest {
 protected:
  TimersTest() {
    router.on_end = [](Exchange&) { return FilterVerdict::Pause; };
  }
  bool counts(const std::string& counter) const {
    return absl::StrContains(" " + counters() + " ", " " + counter + "=1 ");
  }
};

struct Timer {
  const char* what;
  void (*configure)(Spec&);
  const char* sent;
  std::string status;
  std::string field;  // in the reply
  std::string log;
  std::string counter;
  std::string failed;
  base::Timer origin;
};

class EachTimerTest : public TimersTest, public testing::WithParamInterface<Timer> {};

TEST_P(EachTimerTest, SaysItsName) {
  const Timer& timer = GetParam();
  configure([&timer](Spec& spec) {
    timer.configure(spec);
    spec.origins = base::TimerOrigins("envoy.yaml");
    spec.origins.setInFile(timer.origin, 7);
  });
  Client& client = connect();
  send(client, timer.sent);
  advance(seconds(9));
  EXPECT_EQ(received(client), "");
  advance(seconds(1));
  const std::string reply = received(client);
  EXPECT_TRUE(absl::StartsWith(reply, "HTTP/1.1 " + timer.status)) << reply;
  EXPECT_TRUE(absl::StrContains(reply, timer.field)) << reply;
  EXPECT_TRUE(absl::StrContains(reply, "Set by envoy.yaml:7.")) << reply;
  EXPECT_EQ(log(), timer.log + "{envoy.yaml:7}\n");
  EXPECT_TRUE(counts(timer.counter)) << counters();
  EXPECT_TRUE(counts("downstream_rq_failed_" + timer.failed)) << counters();
  EXPECT_FALSE(counts("downstream_cx_protocol_error")) << counters();
}

INSTANTIATE_TEST_SUITE_P(
    Timers, EachTimerTest,
    testing::Values(
        Timer{"Head", [](Spec& s) { s.request_headers_timeout = seconds(10); }, kHalfHead, "408",
              "(request_headers_timeout)", "408 - request_header_timeout",
              "downstream_rq_header_timeout", "request_header_timeout",
              base::Timer::RequestHeaders},
        Timer{"HeadByIdle", [](Spec& s) { s.stream_idle_timeout = seconds(10); }, kHalfHead, "408",
              "(stream_idle_timeout)", "408 SI stream_idle_timeout", "downstream_rq_idle_timeout",
              "stream_idle_timeout", base::Timer::StreamIdle},
        Timer{"Request", [](Spec& s) { s.request_timeout = seconds(10); }, kHalfBody, "408",
              "(request_timeout)", "408 - request_timeout", "downstream_rq_timeout",
              "request_timeout", base::Timer::Request},
        Timer{"IdleClient", [](Spec& s) { s.stream_idle_timeout = seconds(10); }, kHalfBody, "408",
              "(stream_idle_timeout)", "408 SI stream_idle_timeout", "downstream_rq_idle_timeout",
              "stream_idle_timeout", base::Timer::StreamIdle},
        Timer{"IdleUpstream", [](Spec& s) { s.stream_idle_timeout = seconds(10); }, kGet, "504",
              "(stream_idle_timeout)", "504 SI stream_idle_timeout", "downstream_rq_idle_timeout",
              "stream_idle_timeout", base::Timer::StreamIdle},
        Timer{"Stream", [](Spec& s) { s.max_stream_duration = seconds(10); }, kGet, "504",
              "(max_stream_duration)", "504 UMSDR max_stream_duration",
              "downstream_rq_max_duration_reached", "max_stream_duration",
              base::Timer::ManagerStreamDuration}),
    [](const auto& timer) { return std::string(timer.param.what); });

TEST_F(TimersTest, ADefaultIsCalledOne) {
  configure([](Spec& s) { s.stream_idle_timeout = seconds(10); });
  Client& client = connect();
  send(client, kGet);
  advance(seconds(10));
  EXPECT_TRUE(absl::StrContains(received(client), "(stream_idle_timeout). Set by default.\n"));
  EXPECT_EQ(log(), "504 SI stream_idle_timeout{default}\n");
}

TEST_F(TimersTest, ARoutesIdleTimeoutHasAnotherName) {
  configure([](Spec& s) { s.stream_idle_timeout = seconds(30); });
  router.on_end = [](Exchange& exchange) {
    exchange.context->setStreamIdleTimeout(seconds(5), Failure::RouteIdleTimeout);
    return FilterVerdict::Pause;
  };
  Client& client = connect();
  send(client, kGet);
  advance(seconds(5));
  const std::string reply = received(client);
  EXPECT_TRUE(absl::StrContains(reply, "(the route's idle_timeout)")) << reply;
  EXPECT_EQ(log(), "504 SI route_idle_timeout\n");
  EXPECT_TRUE(counts("downstream_rq_idle_timeout"));
}

TEST_F(TimersTest, AnIdleConnectionIsClosed) {
  configure([](Spec& s) { s.idle_timeout = seconds(10); });
  Client& client = connect();
  advance(seconds(9));
  EXPECT_TRUE(client.open());
  advance(seconds(1));
  EXPECT_FALSE(client.open());
  EXPECT_EQ(received(client), "");
  EXPECT_TRUE(counts("downstream_cx_idle_timeout"));
}

TEST_F(TimersTest, AnOldConnectionFinishesItsRequest) {
  configure([](Spec& s) { s.max_connection_duration = seconds(10); });
  Client& client = connect();
  send(client, kGet);
  advance(seconds(10));
  EXPECT_TRUE(client.open());
  EXPECT_TRUE(counts("downstream_cx_max_duration_reached"));
  router.exchanges.back()->answer(200, "x");
  run();
  EXPECT_TRUE(absl::StrContains(received(client), "Connection: close"));
  EXPECT_FALSE(client.open());
}

// The attack that no default ends: something moves, and a total would cut honest uploads, too.
TEST_F(TimersTest, ABodyThatTricklesIsEndedByRequestTimeoutAlone) {
  for (const bool set : {false, true}) {
    configure([set](Spec& spec) {
      if (set) spec.request_timeout = std::chrono::minutes(10);
    });
    Client& client = connect();
    send(client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 100 && client.open(); ++i) {
      advance(seconds(59));
      send(client, "x");
    }
    EXPECT_EQ(client.open(), !set);
    EXPECT_EQ(received(client).substr(0, 12), set ? "HTTP/1.1 408" : "");
    EXPECT_EQ(metrics_.downstream_rq_timeout.value(), set ? 1U : 0U);
  }
}

TEST_F(TimersTest, NoTotalIsOnByDefault) {
  configure();
  Client& client = connect();
  send(client, kGet);
  router.exchanges.back()->sendHead(200, {BodyLength::Kind::Unknown, 0});
  for (int i = 0; i < 100; ++i) {
    advance(seconds(299));
    router.exchanges.back()->sendBody("x");
    run();
  }
  EXPECT_TRUE(client.open());
  router.exchanges.back()->sendBody("", true);
  run();
  EXPECT_EQ(log(), "200 - via_upstream\n");
}

}  // namespace
}  // namespace convoy::http
