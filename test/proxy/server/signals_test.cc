#include "proxy/server/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "proxy/server/server.h"
#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

using test::RawSocket;

// A server on simulated time: what drains does so until a signal says otherwise.
class SignalsTest : public testing::Test {
 protected:
  SignalsTest() {
    std::string pattern = "/tmp/signals_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SignalsTest() override {
    signals_.reset();
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    config::BootstrapSpec bootstrap;
    auto http = manager(table("inline", "hello"));
    http->access_logs.push_back(logOfCodes(log()));
    bootstrap.listeners = {listenerOf("l", {"127.0.0.1:0"}, chain(http))};
    Options options;
    options.concurrency = 1;
    server_.emplace(options, std::move(bootstrap), clock_, event::Random(1));
    signals_.emplace(*server_);
    const absl::Status started = server_->start();
    ASSERT_TRUE(started.ok()) << started;
    runUntil([&] { return server_->state() == Server::State::Live; });
    address_ = server_->listeners().active().at("l").addresses.at(0);
  }
  std::string log() const { return directory_ + "/log"; }
  // Turns of main's loop until the condition holds.
  void runUntil(const std::function<bool()>& condition) {
    for (int i = 0; i < 1'000'000 && !condition(); ++i) server_->loop().runOnce(/*wait=*/false);
    EXPECT_TRUE(condition());
  }
  void raise(int number) { ::kill(::getpid(), number); }

  std::string directory_;
  test::SimulatedClock clock_;
  std::optional<Server> server_;
  std::optional<Signals> signals_;
  net::Address address_;
};

TEST_F(SignalsTest, SigtermAndSigintEndAnIdleServer) {
  for (const int number : {SIGTERM, SIGINT}) {
    start();
    EXPECT_EQ(askAt(address_).status, 200);
    clock_.attach(server_->loop());
    raise(number);
    // Whoever is connecting gets a moment first.
    runUntil([&] { return server_->state() == Server::State::Draining; });
    clock_.advance(std::chrono::milliseconds(250));
    runUntil([&] { return server_->state() == Server::State::Stopped; });
    clock_.detach(server_->loop());
    signals_.reset();
    server_.reset();
    EXPECT_TRUE(refused(address_));
  }
}

TEST_F(SignalsTest, TheFirstDrainsTheSecondEndsAtOnce) {
  for (const auto& [first, second] : {std::pair(SIGTERM, SIGTERM), std::pair(SIGINT, SIGTERM)}) {
    start();
    const RawSocket open = RawSocket::connectedTo(address_);
    EXPECT_EQ(ask(open).status, 200);
    raise(first);
    runUntil([&] { return server_->state() == Server::State::Draining; });
    // What is open is served to its end, which the worker announces once it knows.
    test::HttpReply last = ask(open);
    for (int i = 0; i < 100'000 && last.status == 200 && !saysClose(last); ++i) last = ask(open);
    EXPECT_EQ(last.status, 200);
    EXPECT_TRUE(saysClose(last));
    EXPECT_EQ(server_->state(), Server::State::Draining);
    raise(second);
    runUntil([&] { return server_->state() == Server::State::Stopped; });
    EXPECT_EQ(open.receive(), "");
    signals_.reset();
    server_.reset();
  }
}

TEST_F(SignalsTest, DrainingEndsWithItsTime) {
  start();
  const RawSocket stuck = RawSocket::connectedTo(address_);
  EXPECT_EQ(ask(stuck).status, 200);
  clock_.attach(server_->loop());
  raise(SIGTERM);
  runUntil([&] { return server_->state() == Server::State::Draining; });
  // Only main's time passes here: the connection does not end by itself. Main looks whether it has
  // once in a while, and each time asks the worker first.
  const auto afterAWhile = [&](std::chrono::milliseconds time) {
    clock_.advance(time);
    for (int turn = 0; turn < 1000; ++turn) server_->loop().runOnce(/*wait=*/false);
  };
  for (int i = 0; i < 29; ++i) afterAWhile(std::chrono::seconds(1));
  afterAWhile(std::chrono::milliseconds(900));
  EXPECT_EQ(server_->state(), Server::State::Draining) << "after 29.9 s";
  clock_.advance(std::chrono::milliseconds(200));
  // Its last look may be under way; the one after that ends it.
  runUntil([&] {
    clock_.advance(std::chrono::microseconds(1));
    return server_->state() == Server::State::Stopped;
  });
  clock_.detach(server_->loop());
  EXPECT_EQ(stuck.receive(), "") << "what still runs is broken off";
}

TEST_F(SignalsTest, Sigusr1ReopensTheAccessLogsAndSighupChangesNothing) {
  start();
  std::filesystem::rename(log(), log() + ".1");
  raise(SIGHUP);
  raise(SIGUSR1);
  runUntil([&] { return std::filesystem::exists(log()); });
  EXPECT_EQ(server_->state(), Server::State::Live);
  EXPECT_EQ(askAt(address_).status, 200);
  server_->stop();
  EXPECT_EQ(std::filesystem::file_size(log()), 4u);
  EXPECT_EQ(std::filesystem::file_size(log() + ".1"), 0u);
}

TEST_F(SignalsTest, SigpipeIsIgnored) {
  start();
  raise(SIGPIPE);
  EXPECT_EQ(askAt(address_).status, 200);
  EXPECT_EQ(server_->state(), Server::State::Live);
}

}  // namespace
}  // namespace convoy::server
