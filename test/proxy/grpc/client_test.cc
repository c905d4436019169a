#include "proxy/grpc/client.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/proxy/grpc/client_fixture.h"

namespace convoy::grpc {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using ClientTest = ClientFixture;

TEST_F(ClientTest, CallsShareOneConnection) {
  makeClient(options());
  EXPECT_EQ(client->connectedTo(), nullptr);
  RecordingStream first;
  RecordingStream second;
  start(first);
  first.stream->send("early");
  start(second);
  ASSERT_TRUE(untilCalls(2));
  EXPECT_EQ(server->accepted(), 1u);
  ASSERT_NE(client->connectedTo(), nullptr);
  EXPECT_EQ(*client->connectedTo(), server->address());
  const int32_t id = server->peer(0).calls()[0];
  ASSERT_TRUE(until([&] { return server->peer(0).call(id).messages.size() == 1; }));
  server->peer(0).send(id, "answer");
  server->peer(0).finish(id, 0);
  ASSERT_TRUE(until([&] { return first.status.has_value(); }));
  EXPECT_EQ(first.messages, std::vector<std::string>{"answer"});
  EXPECT_TRUE(first.status->ok());
  EXPECT_FALSE(second.status.has_value());
}

TEST_F(ClientTest, LargeMessagesPassBothWays) {
  makeClient(options());
  RecordingStream handler;
  start(handler, {.path = "/s/m", .max_message_bytes = 64 << 20});
  const std::string large(20 << 20, 'x');
  handler.stream->send(large);
  ASSERT_TRUE(untilCalls(1));
  const int32_t id = server->peer(0).calls()[0];
  ASSERT_TRUE(until([&] { return server->peer(0).call(id).messages.size() == 1; }));
  EXPECT_EQ(server->peer(0).call(id).messages[0], large);
  server->peer(0).send(id, large);
  ASSERT_TRUE(until([&] { return handler.messages.size() == 1; }));
  EXPECT_EQ(handler.messages[0], large);
}

TEST_F(ClientTest, TheNextAddressIsTriedAfterAFailure) {
  test::GrpcServer silent(loop);
  silent.stopListening();
  ClientOptions both = options();
  both.addresses = {silent.address(), server->address()};
  makeClient(both);
  RecordingStream handler;
  start(handler);
  ASSERT_TRUE(untilCalls(1));
  EXPECT_FALSE(handler.status.has_value());
  EXPECT_EQ(*client->connectedTo(), server->address());

  // The connection breaks: the next call starts at the address after it, and comes round.
  server->closeConnection(0);
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(handler.status->message(),
            server->address().text() + ": the peer closed the connection");
  RecordingStream again;
  start(again);
  ASSERT_TRUE(untilCalls(1, 1));
}

TEST_F(ClientTest, WaitingCallsFailWhenNoAddressAnswers) {
  test::GrpcServer other(loop);
  other.stopListening();
  server->stopListening();
  ClientOptions both = options();
  both.addresses = {other.address(), server->address()};
  makeClient(both);
  RecordingStream first;
  RecordingStream second;
  start(first);
  start(second);
  ASSERT_TRUE(until([&] { return first.status.has_value() && second.status.has_value(); }));
  EXPECT_EQ(first.status->code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(first.status->message().find("refused"), absl::string_view::npos) << *first.status;

  // The failed round is over: a later call makes a new one.
  server->listenAgain();
  RecordingStream third;
  start(third);
  ASSERT_TRUE(untilCalls(1));
}

TEST_F(ClientTest, AddressesMayComeLater) {
  ClientOptions none = options();
  none.addresses.clear();
  makeClient(none);
  RecordingStream handler;
  start(handler);
  test_loop.runReady();
  EXPECT_FALSE(handler.status.has_value());
  client->setAddresses({});
  client->setAddresses({server->address()});
  ASSERT_TRUE(untilCalls(1));
  // The connection stays when there are others, and is made to them when it has gone.
  test::GrpcServer other(loop);
  client->setAddresses({other.address(), server->address()});
  client->setAddresses({other.address()});
  client->setAddresses({});
  EXPECT_EQ(*client->connectedTo(), server->address());
  server->closeConnection(0);
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  RecordingStream again;
  start(again);
  ASSERT_TRUE(until([&] { return client->connectedTo() != nullptr; }));
  EXPECT_EQ(*client->connectedTo(), other.address());
  client.reset();
}

TEST_F(ClientTest, ACallWithoutAnAddressHasItsDeadline) {
  ClientOptions none = options();
  none.addresses.clear();
  makeClient(none);
  RecordingStream handler;
  start(handler, {.path = "/s/m", .timeout = std::chrono::seconds(1)});
  clock.advance(std::chrono::seconds(2));
  ASSERT_TRUE(handler.status.has_value());
  EXPECT_EQ(handler.status->code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, ACallMayBeStartedFromTheEndOfAnother) {
  makeClient(options());
  RecordingStream first;
  RecordingStream second;
  start(first);
  ASSERT_TRUE(untilCalls(1));
  first.when_status = [&] { start(second); };
  server->closeConnection(0, /*reset=*/true);
  ASSERT_TRUE(untilCalls(1, 1));
  EXPECT_EQ(first.status.value().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ClientTest, DeadlinesEndCallsThatWaitAndCallsThatRun) {
  makeClient(options());
  RecordingStream waits;
  start(waits, {.path = "/s/m", .timeout = milliseconds(100)});
  clock.advance(milliseconds(120));
  ASSERT_TRUE(waits.status.has_value());
  EXPECT_EQ(waits.status->code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(waits.status->message(), "no connection within 100 ms");

  RecordingStream runs;
  start(runs, {.path = "/s/m", .timeout = seconds(1)});
  ASSERT_TRUE(untilCalls(1));
  const int32_t id = server->peer(0).calls()[0];
  EXPECT_EQ(server->peer(0).call(id).headers.at("grpc-timeout"), "1000m");
  clock.advance(milliseconds(1100));
  ASSERT_TRUE(runs.status.has_value());
  EXPECT_EQ(runs.status->message(), "no answer within 1000 ms");
  ASSERT_TRUE(until([&] { return server->peer(0).call(id).reset.has_value(); }));
  EXPECT_EQ(*server->peer(0).call(id).reset, uint32_t{NGHTTP2_CANCEL});
}

TEST_F(ClientTest, ACallThatEndedInTimeHasNoDeadline) {
  makeClient(options());
  RecordingStream handler;
  start(handler, {.path = "/s/m", .timeout = seconds(1)});
  ASSERT_TRUE(untilCalls(1));
  server->peer(0).finish(server->peer(0).calls()[0], 0);
  ASSERT_TRUE(until([&] { return handler.status.has_value(); }));
  clock.advance(seconds(2));
  EXPECT_TRUE(handler.status->ok());
  EXPECT_EQ(handler.statuses, 1);
}

TEST_F(ClientTest, ACancelledCallThatWaitsIsForgotten) {
  makeClient(options());
  RecordingStream cancelled;
  RecordingStream kept;
  start(cancelled);
  start(kept);
  cancelled.stream.reset();
  ASSERT_TRUE(untilCalls(1));
  test_loop.runReady();
  EXPECT_EQ(server->peer(0).calls().size(), 1u);
  EXPECT_EQ(cancelled.statuses, 0);
}

TEST_F(ClientTest, AfterAGoAwayRunningCallsGoOnAndNewOnesGetANewConnection) {
  makeClient(options());
  RecordingStream old;
  start(old);
  ASSERT_TRUE(untilCalls(1));
  server->peer(0).goAway(NGHTTP2_NO_ERROR, "restarting");
  ASSERT_TRUE(until([&] { return client->connectedTo() == nullptr; }));
  RecordingStream fresh;
  start(fresh);
  ASSERT_TRUE(untilCalls(1, 1));
  EXPECT_FALSE(old.status.has_value());
  server->peer(0).finish(server->peer(0).calls()[0], 0);
  ASSERT_TRUE(until([&] { return old.status.has_value(); }));
  EXPECT_TRUE(old.status->ok());
  // Nothing is left to do on the first connection.
  ASSERT_TRUE(until([&] { return !server->alive(0); }));
  EXPECT_TRUE(server->alive(1));
}

TEST_F(ClientTest, LeavingAConnectionSendsLaterCallsToTheNextAddress) {
  test::GrpcServer other(loop);
  ClientOptions both = options();
  both.addresses = {server->address(), other.address()};
  makeClient(both);
  client->leaveConnection();  // there is none
  RecordingStream first;
  start(first);
  ASSERT_TRUE(untilCalls(1));
  client->leaveConnection();
  EXPECT_EQ(client->connectedTo(), nullptr);
  RecordingStream second;
  start(second);
  ASSERT_TRUE(until([&] { return other.accepted() == 1 && !other.peer(0).calls().empty(); }));
  EXPECT_TRUE(server->alive(0));
  first.stream.reset();
  ASSERT_TRUE(until([&] { return !server->alive(0); }));
}

TEST_F(ClientTest, DestroyingTheClientSilencesItsCalls) {
  makeClient(options());
  RecordingStream running;
  RecordingStream waiting;
  start(running);
  ASSERT_TRUE(untilCalls(1));
  client.reset();
  EXPECT_TRUE(running.stream->ended());
  makeClient(options());
  start(waiting, {.path = "/s/m", .timeout = seconds(1)});
  client.reset();
  clock.advance(seconds(2));
  running.stream->send("nobody");
  waiting.stream.reset();
  EXPECT_EQ(running.statuses + waiting.statuses, 0);
}

}  // namespace
}  // namespace convoy::grpc
