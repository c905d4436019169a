// The tables of requests and responses once more, through connections: in memory, one byte per
// read, and over real sockets. The codec writes into the connection's own queue.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"
#include "test/proxy/http/h1_cases.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

using test::Medium;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";

class H1MediaTest : public testing::TestWithParam<Medium> {
 protected:
  H1MediaTest() { clock_.attach(test_loop_.loop()); }

  struct Outcome {
    std::string events;    // of the server
    std::string received;  // by the client
  };

  // Sends `input` to a server that answers each complete request, until it has all of it.
  Outcome exchange(std::string_view input) {
    test::RecordingHandler on_client;
    test::RecordingHandler on_server;
    auto [client, server] =
        test::connectedPair(GetParam(), test_loop_.loop(), on_client, on_server);
    ServerRecorder recorder;
    recorder.on_request_end = [](ResponseSender& sender) {
      ResponseHead head;
      head.status = 200;
      sender.sendHead(head, true);
    };
    net::Connection* const server_connection = server.get();
    on_server.when_read = [&recorder, server_connection](std::string_view bytes) {
      recorder.feed(bytes);
      server_connection->output().moveFrom(recorder.out);
      server_connection->scheduleFlush();
    };
    net::Connection* const client_connection = client.get();
    on_client.when_connected = [client_connection, input] { client_connection->write(input); };
    Outcome outcome;
    EXPECT_TRUE(test_loop_.runUntil([&] { return on_server.received.size() == input.size(); }));
    outcome.events = recorder.events.take();
    const size_t answers = count(outcome.events, "complete\n");
    EXPECT_TRUE(test_loop_.runUntil([&] { return count(on_client.received, kOk) == answers; }));
    outcome.received = on_client.received;
    return outcome;
  }

  // Sends a request to a server that answers it with `input`, until the client has all of it; the
  // client's events. `ends`: the server's FIN is behind it.
  std::string answered(std::string_view method, std::string_view input, bool ends = false) {
    test::RecordingHandler on_client;
    test::RecordingHandler on_server;
    auto [client, server] =
        test::connectedPair(GetParam(), test_loop_.loop(), on_client, on_server);
    ClientRecorder recorder;
    net::Connection* const client_connection = client.get();
    on_client.when_connected = [&recorder, method, client_connection] {
      recorder.request(method);
      client_connection->output().moveFrom(recorder.out);
      client_connection->scheduleFlush();
    };
    on_client.when_read = [&recorder](std::string_view bytes) { recorder.codec.dispatch(bytes); };
    on_client.when_ended = [&recorder] { recorder.codec.onEndOfStream(); };
    net::Connection* const server_connection = server.get();
    on_server.when_read = [&on_server, server_connection, input, ends](std::string_view) {
      if (!on_server.received.ends_with("\r\n\r\n")) return;
      server_connection->write(input);
      if (ends) server_connection->endSending();
    };
    EXPECT_TRUE(test_loop_.runUntil(
        [&] { return on_client.received.size() == input.size() && (on_client.ended || !ends); }));
    return recorder.events.take();
  }

  static size_t count(std::string_view text, std::string_view what) {
    size_t found = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
      ++found;
    }
    return found;
  }

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
};

TEST_P(H1MediaTest, UnderstandsRequests) {
  for (const AcceptedRequest& c : acceptedRequests()) {
    const Outcome outcome = exchange(c.input);
    EXPECT_EQ(outcome.events, c.events) << c.what;
    EXPECT_EQ(outcome.received.find(kOk), 0U) << c.what;
  }
}

TEST_P(H1MediaTest, RefusesRequests) {
  for (const RefusedRequest& c : refusedRequests()) {
    const std::string expected = errorEvent(c.error, c.in_body);
    const Outcome outcome = exchange(c.input);
    EXPECT_EQ(outcome.events.substr(outcome.events.find("error ")), expected) << c.what;
    EXPECT_EQ(outcome.received, "") << c.what;
  }
}

TEST_P(H1MediaTest, UnderstandsResponses) {
  for (const AcceptedResponse& c : acceptedResponses()) {
    EXPECT_EQ(eventsOf(c, answered(c.method, c.input)), c.events) << c.what;
  }
}

TEST_P(H1MediaTest, AResponseMayEndWithItsConnection) {
  EXPECT_EQ(answered("GET", "HTTP/1.1 200 OK\r\n\r\nall of this", /*ends=*/true),
            "200 OK HTTP/1.1 body=unknown\nbody all of this\nend\ncomplete, close\n");
  EXPECT_EQ(answered("GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nall", /*ends=*/true),
            "200 OK HTTP/1.1 body=5\nbody all\nreset upstream_aborted_body\n");
}

TEST_P(H1MediaTest, RefusesResponses) {
  for (const RefusedResponse& c : refusedResponses()) {
    const std::string events = answered("GET", c.input);
    const size_t at = events.find("reset");
    ASSERT_NE(at, std::string::npos) << c.what;
    EXPECT_EQ(events.substr(at), refusalEvents(c.error)) << c.what;
  }
}

INSTANTIATE_TEST_SUITE_P(Media, H1MediaTest, testing::ValuesIn(test::kAllMedia),
                         [](const auto& info) { return std::string(test::name(info.param)); });

}  // namespace
}  // namespace convoy::http
