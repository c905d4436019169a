#pragma once

// A connection manager between clients in memory and scripted filters (or real ones), on a
// simulated clock: what a test of one scenario needs. All on the test's thread. Every test ends
// with a check that nothing is left open and that the counters add up.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/connection_manager.h"
#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::http {

// One stream as one filter sees it, with the filter's handle on it: what the router would do, the
// test does. Outlives the stream.
class Exchange final : public FlowListener {
 public:
  void onSendQueueAboveHigh() override { ++above_high; }
  void onSendQueueBelowLow() override { ++below_low; }

  // A response: its head alone (the body is to follow), or all of it.
  void sendHead(uint16_t status, BodyLength body, bool end = false);
  void sendBody(std::string_view bytes, bool end = false) { context->sendResponseBody(bytes, end); }
  void answer(uint16_t status, std::string_view body);

  FilterContext* context = nullptr;  // null once the stream is over
  std::string method;
  std::string target;
  std::string body;
  std::string trailers;  // "name: value" lines
  std::string events;    // "head body:x end over": what the filter was shown
  bool request_ended = false;
  bool over = false;
  StreamInfo info;  // when it was over
  int above_high = 0;
  int below_low = 0;
};

// What a filter does. The hooks get the exchange after it has been brought up to date.
struct FilterScript {
  using Hook = std::function<FilterVerdict(Exchange&)>;
  Hook on_head;
  Hook on_body;      // also trailers
  Hook on_end;       // the last of the hooks of a request, in place of on_head or on_body
  Hook on_response;  // the response's head
  Hook on_response_body;
  Hook on_response_trailers;
  bool listens = false;                              // to the client's flow
  std::vector<std::shared_ptr<Exchange>> exchanges;  // in the order of the requests
};

// The near end of a connection.
struct Client {
  void send(std::string_view bytes) { connection->write(bytes); }
  void finish() { connection->close(net::CloseMode::Flush); }
  void reset() { connection->close(net::CloseMode::Reset); }
  bool aborted() const { return on.closed == net::CloseReason::RemoteReset; }
  bool ended() const { return on.ended; }
  bool open() const { return !on.ended && !on.closed.has_value(); }
  std::string take() { return std::exchange(on.received, {}); }

  test::RecordingHandler on;
  std::unique_ptr<net::Connection> connection;
  ConnectionManager* manager = nullptr;  // null once it is done
};

class ManagerHarness : private ConnectionOwner {
 public:
  // The clock is attached to the loop, by the test, for the harness's whole life.
  ManagerHarness(test::TestLoop& loop, test::SimulatedClock& clock);
  virtual ~ManagerHarness();
  // Closes what is open, and checks that all is over and accounted for.
  void expectAllDone();

  // The configuration of the next request: the defaults, and what `edit` makes of them.
  std::shared_ptr<ManagerRuntime> configure(
      const std::function<void(ConnectionManagerSpec&)>& edit = nullptr);
  // A filter before those that are there; the last is the terminal one, which a test has as
  // `router` unless it says `terminal`. Holds from the next configure() on.
  FilterScript& addFilter();
  Client& connect();
  void run() { loop_.runReady(); }
  // Sends, and runs everything that follows from it.
  void send(Client& client, std::string_view bytes);
  // What the client has received since it was asked last, without Date.
  std::string received(Client& client);
  void advance(event::Duration time);

  // All lines of the access log so far: "200 - via_upstream" (code, flags, details) unless
  // log_format_ says otherwise.
  std::string log();
  // All counters that are not zero: "downstream_cx_total=1 ..."; without those of bytes, of
  // time, and of HTTP/1.x alone.
  std::string counters() const;
  size_t openConnections() const { return open_; }
  event::Loop& loop() { return loop_.loop(); }

  ManagerMetrics metrics_;
  std::string log_format_ = "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n";
  size_t buffer_limit_ = 1024 * 1024;
  test::InMemoryConnection::Options pipe_;
  FilterScript router;
  std::function<std::unique_ptr<FilterFactory>()> terminal;
  RouteTableSource routes = [] { return event::LocalRef<RouteMatcher>(); };
  std::shared_ptr<ManagerSlot> slot_ = std::make_shared<ManagerSlot>();

 private:
  class Log;
  void onConnectionDone(ConnectionManager& manager) override;

  test::TestLoop& loop_;
  test::SimulatedClock& simulated_;
  std::vector<std::unique_ptr<FilterScript>> filters_;  // before the router, the nearest first
  std::unique_ptr<Log> log_;
  std::vector<std::unique_ptr<Client>> clients_;
  size_t open_ = 0;
};

// The time that a ManagerTest runs on: there before the harness.
struct ManagerTestTime {
  ManagerTestTime() { clock_.attach(test_loop_.loop()); }
  ~ManagerTestTime() { clock_.detach(test_loop_.loop()); }
  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
};

class ManagerTest : public testing::Test, protected ManagerTestTime, protected ManagerHarness {
 protected:
  ManagerTest() : ManagerHarness(test_loop_, clock_) {}
  void TearDown() override { expectAllDone(); }
};

}  // namespace convoy::http
