#include "proxy/redis/client.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::redis {
namespace {

using namespace std::chrono_literals;
using State = Client::State;

// The server's end of one connection.
struct Peer {
  test::RecordingHandler handler;
  std::unique_ptr<net::Connection> connection;

  std::string take() { return std::exchange(handler.received, {}); }
};

// What a test sees and decides of a client's connections.
struct Network {
  std::vector<std::unique_ptr<Peer>> peers;
  bool refuse = false;
  bool absent = false;  // there is no server
  bool current = true;
  int failed = 0;
  int ended = 0;
};

class MemoryDialer final : public Dialer {
 public:
  MemoryDialer(event::Loop& loop, Network& network) : loop_(loop), network_(network) {}
  std::unique_ptr<net::Connection> connect(net::ConnectionHandler& handler) override {
    if (network_.absent) return nullptr;
    network_.current = true;
    if (network_.refuse) {
      return test::InMemoryConnection::refused(loop_, handler, ECONNREFUSED);
    }
    Peer& peer = *network_.peers.emplace_back(std::make_unique<Peer>());
    auto [ours, theirs] = test::InMemoryConnection::pair(loop_, handler, peer.handler);
    peer.connection = std::move(theirs);
    return std::move(ours);
  }
  bool current() override { return network_.current; }
  void onEnded(bool failed) override { ++(failed ? network_.failed : network_.ended); }
  event::Duration connectTimeout() override { return 1s; }

 private:
  event::Loop& loop_;
  Network& network_;
};

struct TestCall final : Call {
  void onReply(const Reply& reply) override {
    ++replies;
    kind = reply.kind;
    text = reply.text;
    if (then) then();
  }
  int replies = 0;
  Reply::Kind kind = Reply::Kind::Nil;
  std::string text;
  std::function<void()> then;
};

constexpr char kPing[] = "*1\r\n$4\r\nPING\r\n";

std::string get(const std::string& key) {
  return "*2\r\n$3\r\nGET\r\n$" + std::to_string(key.size()) + "\r\n" + key + "\r\n";
}

class RedisClientTest : public testing::Test {
 protected:
  RedisClientTest() : loop_(clock_) {
    clock_.attach(loop_.loop());
    make({.cluster = "r"});
  }
  ~RedisClientTest() override {
    client_.reset();
    network_.peers.clear();
    loop_.runReady();
    clock_.detach(loop_.loop());
  }

  void make(const ClientSpec& spec) {
    client_ = std::make_unique<Client>(
        loop_.loop(), spec, std::make_unique<MemoryDialer>(loop_.loop(), network_), metrics_);
  }
  bool send(const std::string& key, Call* call) {
    const bool sent = client_->send({"GET", key}, call);
    run();
    return sent;
  }
  // A client whose server is there.
  void makeReady() {
    EXPECT_TRUE(send("first", nullptr));
    say("+PONG\r\n$-1\r\n");
    ASSERT_EQ(client_->state(), State::Ready);
    peer().take();
  }
  void say(std::string_view bytes) {
    peer().connection->write(bytes);
    run();
  }
  void pass(event::Duration time) {
    clock_.advanceInSteps(time, 10ms);
    run();
  }
  // Until the client has tried again.
  void passBackoff() {
    for (int i = 0; i < 1000 && client_->state() == State::Down; ++i) pass(10ms);
    EXPECT_NE(client_->state(), State::Down);
  }
  Peer& peer() { return *network_.peers.back(); }
  void run() { loop_.runReady(); }

  test::SimulatedClock clock_;
  test::TestLoop loop_;
  Network network_;
  ClientMetrics metrics_;
  std::unique_ptr<Client> client_;
};

TEST_F(RedisClientTest, ConnectsForTheFirstCommandWhichWaits) {
  EXPECT_EQ(client_->state(), State::Idle);
  TestCall call;
  EXPECT_TRUE(send("a", &call));
  EXPECT_EQ(client_->state(), State::Connecting);
  EXPECT_EQ(peer().take(), kPing) << "first: is anybody there?";
  say("+PONG\r\n");
  EXPECT_EQ(client_->state(), State::Ready);
  EXPECT_EQ(peer().take(), get("a"));
  EXPECT_TRUE(call.waits());
  say("$4\r\nhost\r\n");
  EXPECT_EQ(call.kind, Reply::Kind::Text);
  EXPECT_EQ(call.text, "host");
  EXPECT_FALSE(call.waits());
  EXPECT_EQ(client_->outstanding(), 0u);
  EXPECT_EQ(metrics_.reconnects.value(), 0u);
}

TEST_F(RedisClientTest, SaysWhoItIsAndWhichDatabaseItMeans) {
  make({.cluster = "r", .username = "u", .password = "secret", .database = 7});
  TestCall call;
  EXPECT_TRUE(send("a", &call));
  EXPECT_EQ(peer().take(), std::string("*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$6\r\nsecret\r\n"
                                       "*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n") +
                               kPing);
  say("+OK\r\n+OK\r\n");
  EXPECT_EQ(client_->state(), State::Connecting);
  say("+PONG\r\n");
  EXPECT_EQ(peer().take(), get("a"));
  make({.cluster = "r", .password = "secret"});
  EXPECT_EQ(call.kind, Reply::Kind::Lost) << "the client of that command has gone";
  EXPECT_TRUE(send("a", nullptr));
  EXPECT_EQ(peer().take(), std::string("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n") + kPing);
}

TEST_F(RedisClientTest, IsAwayWhileThePasswordIsRefused) {
  make({.cluster = "r", .password = "wrong"});
  TestCall call;
  EXPECT_TRUE(send("a", &call));
  say("-WRONGPASS invalid username-password pair\r\n-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(client_->state(), State::Down);
  EXPECT_EQ(call.kind, Reply::Kind::Lost);
  EXPECT_EQ(peer().take().find("GET"), std::string::npos);
  EXPECT_EQ(metrics_.errors.value(), 2u) << "the answer, and the command that was lost";
  EXPECT_FALSE(send("b", nullptr));
  EXPECT_EQ(metrics_.skipped.value(), 1u);
}

TEST_F(RedisClientTest, AnswersComeInTheOrderOfCommandsHoweverTheyArrive) {
  makeReady();
  TestCall a, b, c;
  EXPECT_TRUE(client_->send({"GET", "a"}, &a));
  EXPECT_TRUE(client_->send({"EXPIRE", "a", "60"}, nullptr));
  EXPECT_TRUE(client_->send({"GET", "b"}, &b));
  EXPECT_TRUE(client_->send({"GET", "c"}, &c));
  run();
  EXPECT_EQ(peer().take(),
            get("a") + "*3\r\n$6\r\nEXPIRE\r\n$1\r\na\r\n$2\r\n60\r\n" + get("b") + get("c"));
  EXPECT_EQ(peer().handler.reads, 3) << "one send for all of them";
  for (const char byte : std::string("$1\r\nA\r\n:1\r\n$-1\r\n-ERR c\r\n")) say({&byte, 1});
  EXPECT_EQ(a.text, "A");
  EXPECT_EQ(b.kind, Reply::Kind::Nil);
  EXPECT_EQ(b.replies, 1);
  EXPECT_EQ(c.kind, Reply::Kind::Error);
  EXPECT_EQ(metrics_.errors.value(), 1u);
  EXPECT_EQ(client_->state(), State::Ready) << "an error is an answer";
}

TEST_F(RedisClientTest, WhoGivesUpHearsNothingAndTheOthersHearTheirOwn) {
  makeReady();
  TestCall kept;
  {
    TestCall gone;
    EXPECT_TRUE(send("gone", &gone));
    EXPECT_TRUE(send("kept", &kept));
  }
  say("$4\r\ngone\r\n$4\r\nkept\r\n");
  EXPECT_EQ(kept.text, "kept");
  TestCall twice;
  EXPECT_TRUE(send("1", &twice));
  EXPECT_TRUE(send("2", &twice));
  say("$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_EQ(twice.replies, 1);
  EXPECT_EQ(twice.text, "2");
}

TEST_F(RedisClientTest, AnAnswerThatIsLateStallsTheConnection) {
  makeReady();
  TestCall first, second;
  EXPECT_TRUE(send("1", &first));
  pass(10ms);
  EXPECT_TRUE(send("2", &second));
  pass(10ms);
  EXPECT_EQ(first.kind, Reply::Kind::TimedOut);
  EXPECT_EQ(client_->state(), State::Stalled);
  EXPECT_EQ(second.replies, 0) << "has its own time";
  EXPECT_FALSE(send("3", nullptr)) << "nobody else waits";
  pass(10ms);
  EXPECT_EQ(second.kind, Reply::Kind::TimedOut);
  EXPECT_EQ(metrics_.timeouts.value(), 2u);
  EXPECT_EQ(metrics_.skipped.value(), 1u);
  say("$1\r\n1\r\n");
  EXPECT_EQ(client_->state(), State::Stalled);
  say("$1\r\n2\r\n");
  EXPECT_EQ(client_->state(), State::Ready) << "all is answered";
  EXPECT_EQ(first.replies + second.replies, 2);
  TestCall next;
  EXPECT_TRUE(send("4", &next));
  say("$1\r\n4\r\n");
  EXPECT_EQ(next.text, "4");
  EXPECT_EQ(network_.peers.size(), 1u);
}

TEST_F(RedisClientTest, AStallThatDoesNotEndIsALoss) {
  makeReady();
  EXPECT_TRUE(send("1", nullptr));
  pass(20ms);
  ASSERT_EQ(client_->state(), State::Stalled);
  pass(Client::kStallLimit);
  EXPECT_NE(client_->state(), State::Stalled);
  EXPECT_EQ(network_.ended, 1);
  passBackoff();
  EXPECT_EQ(metrics_.reconnects.value(), 1u);
  EXPECT_FALSE(send("2", nullptr)) << "not before it has answered";
  const size_t connections = network_.peers.size();
  while (network_.peers.size() == connections) pass(10ms);
  EXPECT_FALSE(send("2", nullptr)) << "a server that does not answer PING is none";
  say("+PONG\r\n");
  EXPECT_TRUE(send("3", nullptr));
}

TEST_F(RedisClientTest, OnlyTheFirstRequestsWaitForAServerThatIsAway) {
  network_.refuse = true;
  TestCall first;
  EXPECT_TRUE(client_->send({"GET", "1"}, &first));
  EXPECT_EQ(first.replies, 0) << "never from inside";
  run();
  EXPECT_EQ(first.kind, Reply::Kind::Lost);
  EXPECT_EQ(client_->state(), State::Down);
  for (int i = 0; i < 500; ++i) {
    EXPECT_FALSE(send("2", nullptr));
    pass(10ms);
  }
  EXPECT_EQ(metrics_.skipped.value(), 500u);
  const uint64_t attempts = metrics_.reconnects.value();
  EXPECT_GE(attempts, 2u);
  EXPECT_LT(attempts, 60u);
  EXPECT_EQ(network_.failed, static_cast<int>(attempts) + 1);
  network_.refuse = false;
  while (network_.peers.empty()) pass(10ms);
  say("+PONG\r\n");
  EXPECT_TRUE(send("3", nullptr));
  EXPECT_EQ(peer().take(), kPing + get("3")) << "what was skipped is not sent later";
}

TEST_F(RedisClientTest, AServerThatAcceptsAndSaysNothingIsAway) {
  TestCall first;
  EXPECT_TRUE(send("1", &first));
  pass(20ms);
  EXPECT_EQ(first.kind, Reply::Kind::TimedOut);
  EXPECT_FALSE(send("2", nullptr));
  pass(1s);
  EXPECT_EQ(network_.failed + network_.ended, 1);
}

TEST_F(RedisClientTest, ThereMayBeNoServerAtAll) {
  network_.absent = true;
  EXPECT_FALSE(send("1", nullptr));
  EXPECT_EQ(client_->state(), State::Down);
  network_.absent = false;
  while (network_.peers.empty()) pass(10ms);
  say("+PONG\r\n");
  EXPECT_EQ(client_->state(), State::Ready);
  EXPECT_EQ(network_.failed, 0);
}

TEST_F(RedisClientTest, NoMoreThanSoManyAreOnTheirWay) {
  makeReady();
  std::vector<TestCall> calls(Client::kMostOutstanding);
  for (TestCall& call : calls) EXPECT_TRUE(client_->send({"GET", "k"}, &call));
  EXPECT_FALSE(client_->send({"GET", "k"}, nullptr));
  EXPECT_EQ(metrics_.skipped.value(), 1u);
  run();
  std::string answers;
  for (size_t i = 0; i < calls.size(); ++i) answers += "$1\r\nv\r\n";
  say(answers);
  for (const TestCall& call : calls) EXPECT_EQ(call.text, "v");
  EXPECT_TRUE(send("k", nullptr));
}

TEST_F(RedisClientTest, WhatMakesNoSenseEndsTheConnection) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string("*1\r\n$1\r\na\r\n"),
        "$1000000\r\n" + std::string(20'000, 'x')}) {
    make({.cluster = "r"});
    makeReady();
    const uint64_t errors = metrics_.errors.value();
    TestCall call;
    EXPECT_TRUE(send("1", &call));
    say(bytes);
    EXPECT_EQ(call.kind, Reply::Kind::Lost) << bytes.substr(0, 20);
    EXPECT_EQ(client_->state(), State::Down);
    EXPECT_EQ(metrics_.errors.value(), errors + 2);
  }
}

TEST_F(RedisClientTest, SoDoesAnAnswerToNothing) {
  makeReady();
  say("$1\r\na\r\n");
  EXPECT_EQ(client_->state(), State::Down);
  EXPECT_EQ(metrics_.errors.value(), 1u);
}

TEST_F(RedisClientTest, AQuietCloseIsNoFailure) {
  makeReady();
  peer().connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(client_->state(), State::Idle);
  TestCall call;
  EXPECT_TRUE(send("1", &call)) << "it waits for the new connection";
  say("+PONG\r\n");
  say("$1\r\n1\r\n");
  EXPECT_EQ(call.text, "1");
  EXPECT_EQ(metrics_.reconnects.value(), 1u);
}

TEST_F(RedisClientTest, ACloseWithCommandsUnderWayIsOne) {
  makeReady();
  TestCall first, second;
  EXPECT_TRUE(send("1", &first));
  EXPECT_TRUE(send("2", &second));
  first.then = [&] { EXPECT_FALSE(client_->send({"GET", "3"}, nullptr)); };
  peer().connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(first.kind, Reply::Kind::Lost);
  EXPECT_EQ(second.kind, Reply::Kind::Lost);
  EXPECT_EQ(client_->state(), State::Down);
  EXPECT_EQ(metrics_.errors.value(), 2u);
}

TEST_F(RedisClientTest, NewConfigurationOfItsServerMeansANewConnection) {
  makeReady();
  TestCall before, after;
  EXPECT_TRUE(send("1", &before));
  network_.current = false;
  EXPECT_TRUE(send("2", &after));
  EXPECT_EQ(before.kind, Reply::Kind::Lost);
  ASSERT_EQ(network_.peers.size(), 2u);
  EXPECT_TRUE(network_.peers[0]->handler.ended || network_.peers[0]->handler.closed.has_value());
  say("+PONG\r\n");
  say("$1\r\n2\r\n");
  EXPECT_EQ(after.text, "2");
}

TEST_F(RedisClientTest, AnAnswerMayEndTheConnectionThatItCameOn) {
  makeReady();
  TestCall first, second, third;
  EXPECT_TRUE(send("1", &first));
  EXPECT_TRUE(send("2", &second));
  first.then = [&] {
    network_.current = false;
    EXPECT_TRUE(client_->send({"GET", "3"}, &third));
  };
  say("$1\r\n1\r\n$1\r\n2\r\n");
  EXPECT_EQ(first.text, "1");
  EXPECT_EQ(second.kind, Reply::Kind::Lost);
  say("+PONG\r\n");
  say("$1\r\n3\r\n");
  EXPECT_EQ(third.text, "3");
}

TEST_F(RedisClientTest, HasNoConnectionWhenNobodyAsks) {
  makeReady();
  EXPECT_FALSE(client_->unused());
  clock_.advance(Client::kIdleTime);
  run();
  EXPECT_EQ(client_->state(), State::Idle);
  EXPECT_TRUE(client_->unused());
  EXPECT_TRUE(send("1", nullptr));
  EXPECT_EQ(network_.peers.size(), 2u);
}

TEST_F(RedisClientTest, StopsTryingWhenNobodyAsks) {
  network_.refuse = true;
  EXPECT_TRUE(send("1", nullptr));
  for (int i = 0; i < 3600 && client_->state() != State::Idle; ++i) pass(1s);
  EXPECT_EQ(client_->state(), State::Idle);
  TestCall call;
  EXPECT_TRUE(send("2", &call)) << "a fresh start";
  EXPECT_EQ(call.kind, Reply::Kind::Lost);
}

}  // namespace
}  // namespace convoy::redis
